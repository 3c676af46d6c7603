"""Azure OpenAI, answering by itself: by deployment and in the v1 style.

Source: learn.microsoft.com/azure/ai-foundry/openai reference, and replies quoted in public issue reports, read November
2026.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl

from providers.azure_openai import PROVIDER
from providers.base import Header
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import JSON, Invalid, Shape, dump
from providers.emulated.dialects.openai_models import KNOWN, dated, is_known
from providers.emulated.dialects.openai_service import OpenAIService
from providers.wire.azure_errors import NO_DEPLOYMENT, NO_KEY, NO_TOKEN, reply_head, usual

_UNFIT = "OperationNotSupported"
_TOKENS_PER_MINUTE = 150_000
# What a deployment whose name is no model's stands for.
_USUAL_MODELS = {"embeddings": "text-embedding-3-small"}
_USUAL_MODEL = "gpt-4o-mini"


class AzureShape(Shape):
    """Azure's: refusals of the model's own parameters are OpenAI's, all others have a code and a message."""

    filters_content = True

    def error(self, request: EmulatedRequest, invalid: Invalid) -> EmulatedReply:
        if invalid.status == 400 and invalid.code != _UNFIT:
            return super().error(request, invalid)
        code = invalid.code or str(invalid.status)
        body = {"error": {"code": code, "message": invalid.message}}
        return EmulatedReply(invalid.status, self.headers(request), dump(body))

    def usual_error(
        self, request: EmulatedRequest, status: int, message: str | None, type: str | None, code: str | None
    ) -> EmulatedReply:
        own_code, said = usual(status)
        described = {"code": code or own_code, "message": message or said}
        if type is not None:
            described["type"] = type
        headers = self.headers(request)
        if status == 429:
            headers += [
                (b"retry-after", b"20"),
                (b"retry-after-ms", b"20000"),
                (b"x-ratelimit-reset-requests", b"20"),
                (b"policy-id", b"DeploymentRatelimit-Call"),
            ]
        return EmulatedReply(status, headers, dump({"error": described}))

    def headers(self, request: EmulatedRequest, tokens: int | None = None, content_type: Header = JSON) -> list[Header]:
        head = [content_type, *reply_head(request.request_id, request.call.model)]
        if tokens is not None:
            head += (
                (b"x-ms-rai-invoked", b"true"),
                (b"x-ratelimit-limit-requests", b"1500"),
                (b"x-ratelimit-limit-tokens", b"%d" % _TOKENS_PER_MINUTE),
                (b"x-ratelimit-remaining-requests", b"1499"),
                (b"x-ratelimit-remaining-tokens", b"%d" % max(0, _TOKENS_PER_MINUTE - tokens)),
            )
        return head

    def model(self, request: EmulatedRequest, name: str) -> str:
        found = model_of(name)
        if found is None:
            operation = request.call.operation
            found = _USUAL_MODELS.get(operation.name if operation else "", _USUAL_MODEL)
        return dated(found)

    def unfit(self, operation: str, model: str, invalid: Invalid) -> Invalid:
        return Invalid(
            f"The {operation} operation does not work with the specified model, {model}. Please choose different model "
            "and try again. You can learn more about which models can be used with each operation here: "
            "https://go.microsoft.com/fwlink/?linkid=2197993.",
            code=_UNFIT,
        )

    def check_model(self, desk: Desk, name: str) -> None:
        if desk.is_strict and model_of(name) is None:
            raise Invalid(NO_DEPLOYMENT, code="DeploymentNotFound", status=404)


@lru_cache(256)
def model_of(deployment: str) -> str | None:
    """The model that a deployment's name tells of: the longest that is in it. None if there is none."""
    name = deployment.lower().replace("gpt-35", "gpt-3.5")
    if is_known(name):
        return name
    return max([model for model in KNOWN if model in name], key=len, default=None)


class AzureOpenAIEmulator(OpenAIService):
    provider = "azure_openai"
    shape = AzureShape()
    speaks = PROVIDER
    batch_start = b"/openai/v1"

    def check(self, request: EmulatedRequest) -> None:
        headers = request.headers
        scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
        if not headers.get(b"api-key", b"").strip() and not _query_key(request.query):
            if not scheme:
                raise Invalid(NO_KEY, code="401", status=401)
            if scheme.lower() != b"bearer" or not token.strip():
                raise Invalid(NO_TOKEN, code="Unauthorized", status=401)
        call = request.call
        is_v1 = call.path.startswith(b"/openai/v1/")
        if call.operation is None or not (is_v1 or b"api-version=" in request.query):
            raise Invalid("Resource not found", code="404", status=404)

    def path_model(self, request: EmulatedRequest) -> str | None:
        return request.call.model


def _query_key(query: bytes) -> bool:
    """Whether the query holds a key, which API Management takes too."""
    if b"key=" not in query:
        return False
    return any(value for name, value in parse_qsl(query.decode("latin-1")) if name in ("api-key", "subscription-key"))


EMULATOR = AzureOpenAIEmulator()
