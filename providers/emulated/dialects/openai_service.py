"""A service that speaks OpenAI's dialect: which of its operations are answered, and by what."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from providers.base import Provider
from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator, respond
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_batches import answer_batches
from providers.emulated.dialects.openai_chat import answer_chat
from providers.emulated.dialects.openai_chat_stored import answer_stored_chat
from providers.emulated.dialects.openai_completions import answer_completions
from providers.emulated.dialects.openai_embeddings import answer_embeddings
from providers.emulated.dialects.openai_errors import Invalid, Shape, not_emulated
from providers.emulated.dialects.openai_files import answer_files
from providers.emulated.dialects.openai_images import answer_images
from providers.emulated.dialects.openai_models import answer_models
from providers.emulated.dialects.openai_moderations import answer_moderations
from providers.emulated.dialects.openai_responses import RESPONSES_OPERATIONS, answer_responses
from providers.emulated.dialects.openai_speech import answer_speech
from providers.emulated.dialects.openai_transcriptions import answer_transcriptions
from providers.emulated.dialects.openai_uploads import answer_uploads

Answering = Callable[..., EmulatedReply]
"""Takes (request, desk, *, shape); raises Invalid, Refused and CannedFailure."""

_BY_MODEL: Mapping[str, Answering] = {
    "audio.speech": answer_speech,
    "audio.transcriptions": answer_transcriptions,
    "audio.translations": answer_transcriptions,
    "chat.completions": answer_chat,
    "completions": answer_completions,
    "embeddings": answer_embeddings,
    "images.edits": answer_images,
    "images.generations": answer_images,
    "images.variations": answer_images,
}
"""Operations whose path may name the model; they take `model` too."""

_OTHERS: Mapping[str, Answering] = {
    "moderations": answer_moderations,
    **dict.fromkeys(("models.list", "models.retrieve", "models.delete"), answer_models),
    **dict.fromkeys(("files.create", "files.list", "files.retrieve", "files.content", "files.delete"), answer_files),
    **dict.fromkeys(("uploads.create", "uploads.parts.create", "uploads.complete", "uploads.cancel"), answer_uploads),
    **dict.fromkeys(
        (
            "chat.completions.list",
            "chat.completions.retrieve",
            "chat.completions.update",
            "chat.completions.delete",
            "chat.completions.messages.list",
        ),
        answer_stored_chat,
    ),
    **dict.fromkeys(RESPONSES_OPERATIONS, answer_responses),
}
_BATCHES = frozenset({"batches.create", "batches.retrieve", "batches.list", "batches.cancel"})

EMULATED_OPERATIONS = frozenset(_BY_MODEL) | frozenset(_OTHERS) | _BATCHES
"""Names of the operations that are answered."""


class OpenAIService(Emulator):
    """One service. `batch_start`: what stands before the paths of a batch's requests."""

    shape: ClassVar[Shape]
    speaks: ClassVar[Provider]
    batch_start: ClassVar[bytes]

    @abstractmethod
    def check(self, request: EmulatedRequest) -> None:
        """Raises Invalid for a request without a credential, or with a path that leads nowhere."""

    def path_model(self, request: EmulatedRequest) -> str | None:
        """The model that the path names, where it is not the object of the operation."""
        return None

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        try:
            self.check(request)
            _check_content_type(request)
            return self._answer(request, desk)
        except Invalid as invalid:
            return self.shape.error(request, invalid)

    def _answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        operation = request.call.operation
        assert operation is not None
        name = operation.name
        answering = _BY_MODEL.get(name)
        if answering is not None:
            return answering(request, desk, shape=self.shape, model=self.path_model(request))
        answering = _OTHERS.get(name)
        if answering is not None:
            return answering(request, desk, shape=self.shape)
        if name in _BATCHES:

            def answer_line(batch: EmulatedRequest, path: str, body: bytes) -> EmulatedReply:
                return self._answer_line(batch, path, body, desk)

            return answer_batches(request, desk, shape=self.shape, answer_line=answer_line)
        raise not_emulated(name)

    def _answer_line(self, batch: EmulatedRequest, path: str, body: bytes, desk: Desk) -> EmulatedReply:
        """One request of a batch. `path`: with or without the version."""
        call = self.speaks.match("POST", self.batch_start + path.removeprefix("/v1").encode())
        headers = {**batch.headers, b"content-type": b"application/json"}
        request = EmulatedRequest("POST", call, b"", headers, body, batch.now, batch.request_id)
        return respond(self, request, desk)

    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        return self.shape.usual_error(request, status, message, type, code)


def _check_content_type(request: EmulatedRequest) -> None:
    """Raises Invalid for a body that says it is neither JSON nor a form of parts. One that says nothing is taken."""
    kind = request.headers.get(b"content-type")
    if not kind or not request.body or kind.startswith((b"application/json", b"multipart/form-data")):
        return
    media, _, _ = kind.partition(b";")
    if media.strip().lower() in (b"application/json", b"multipart/form-data"):
        return
    shown = kind.decode("latin-1")
    raise Invalid(
        f"Unsupported content type: '{shown}'. This API method only accepts 'application/json' requests, but you "
        f"specified the header 'Content-Type: {shown}'. Please try again with a supported content type.",
        code="unsupported_content_type",
    )
