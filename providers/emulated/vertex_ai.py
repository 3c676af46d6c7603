"""Google Vertex AI and the Gemini API, answering by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator
from providers.emulated.desk import Desk
from providers.emulated.dialects import (
    gemini_caches,
    gemini_content,
    gemini_embeddings,
    gemini_files,
    gemini_interactions,
    gemini_models,
    gemini_predict,
    gemini_tokens,
    google_openai,
    vertex_claude,
)
from providers.emulated.dialects.google_errors import (
    error_info,
    error_reply,
    html_not_found,
    is_gemini,
    is_openai,
    not_emulated,
    refuse,
)
from providers.emulated.question import Question

_Answer = Callable[[EmulatedRequest, Desk], EmulatedReply]


def _raw_predict(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    if b"/publishers/anthropic/" in request.call.path:
        return vertex_claude.answer_claude(request, desk)
    return google_openai.answer_published(request, desk)


def _get_model(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    if is_openai(request.call.path):
        return google_openai.get_model(request, desk)
    return gemini_models.get_model(request, desk)


def _list_models(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    if is_openai(request.call.path):
        return google_openai.list_models(request, desk)
    return gemini_models.list_models(request, desk)


_ANSWERS: Mapping[str, _Answer] = {
    "generate_content": gemini_content.answer_generate,
    "generate_content.stream": gemini_content.answer_stream,
    "count_tokens": gemini_tokens.count_tokens,
    "compute_tokens": gemini_tokens.compute_tokens,
    "embed_content": gemini_embeddings.embed_content,
    "batch_embed_contents": gemini_embeddings.batch_embed_contents,
    "predict": gemini_predict.predict,
    "raw_predict": _raw_predict,
    "raw_predict.stream": _raw_predict,
    "messages.count_tokens": vertex_claude.count_claude_tokens,
    "chat.completions": google_openai.chat,
    "embeddings": google_openai.embeddings,
    "images.generations": google_openai.images,
    "models.list": _list_models,
    "models.get": _get_model,
    "cached_contents.create": gemini_caches.create_cache,
    "cached_contents.list": gemini_caches.list_caches,
    "cached_contents.get": gemini_caches.get_cache,
    "cached_contents.update": gemini_caches.update_cache,
    "cached_contents.delete": gemini_caches.delete_cache,
    "files.upload": gemini_files.upload_file,
    "files.list": gemini_files.list_files,
    "files.get": gemini_files.get_file,
    "files.delete": gemini_files.delete_file,
    "interactions.create": gemini_interactions.create_interaction,
    "interactions.get": gemini_interactions.get_interaction,
    "interactions.delete": gemini_interactions.delete_interaction,
    "interactions.cancel": gemini_interactions.cancel_interaction,
}


_WITHOUT_PROSE = ("models.", "files.", "cached_contents.", "interactions.get", "interactions.delete")
"""Operations for which canned replies are looked up here; the others' own modules do so."""


class EmulatedVertexAI(Emulator):
    """Both services, told apart by their paths."""

    provider = "vertex_ai"

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        operation = request.call.operation
        if operation is None:
            return html_not_found(request)
        _check_credential(request)
        answer = _ANSWERS.get(operation.name)
        if answer is None:
            raise not_emulated(request)
        if not operation.name.startswith(_WITHOUT_PROSE):
            return answer(request, desk)
        question = Question(operation.name, request.call.model or "", b"", [])
        is_repeatable = desk.intercept(question)
        reply = answer(request, desk)
        reply.is_repeatable = reply.is_repeatable and is_repeatable
        return reply

    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        details = [error_info(code)] if code else []
        return error_reply(request, status, message, name=type, details=details)


def _check_credential(request: EmulatedRequest) -> None:
    """Any bearer token or API key will do. Raises Refused."""
    headers = request.headers
    if headers.get(b"x-goog-api-key"):
        return
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if token.strip() and scheme.lower() == b"bearer":
        return
    if b"=" in request.query:
        for field in request.query.split(b"&"):
            name, _, value = field.partition(b"=")
            if name in (b"key", b"access_token", b"oauth_token") and value:
                return
            if name == b"upload_id" and request.call.path.startswith(b"/upload/"):
                return  # it is the credential, and the SDKs send no other
    if is_gemini(request.call.path):
        raise refuse(
            request,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API.",
            403,
        )
    raise refuse(
        request,
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        401,
        details=[error_info("CREDENTIALS_MISSING", service="aiplatform.googleapis.com")],
    )


EMULATOR = EmulatedVertexAI()
