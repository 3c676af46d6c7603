"""Azure OpenAI, answering by itself: by deployment and in the v1 style.

Source: learn.microsoft.com/azure/ai-foundry/openai reference, and replies quoted in public issue reports, read November
2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl

from providers.azure_openai import PROVIDER
from providers.base import Header
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import JSON, Invalid, Shape, dump
from providers.emulated.dialects.openai_models import KNOWN, dated, is_known
from providers.emulated.dialects.openai_service import OpenAIService

_NO_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_NO_TOKEN = (
    "Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."
)
_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)
# Status -> code, message.
_USUAL: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is invalid."),
    401: ("401", _NO_KEY),
    403: ("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),
    404: ("404", "Resource not found"),
    408: ("Timeout", "The operation was timeout."),
    413: ("RequestEntityTooLarge", "The request is too large."),
    429: (
        "429",
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call "
        "rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds. Please contact Azure "
        "support service if you would like to further increase the default rate limit.",
    ),
    500: ("InternalServerError", "Internal server error"),
    503: ("503", "Service temporarily unavailable"),
}
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
        usual = _USUAL.get(status) or _USUAL[400 if status < 500 else 500]
        described = {"code": code or usual[0], "message": message or usual[1]}
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
        request_id = request.request_id.encode()
        head = [
            content_type,
            (b"apim-request-id", request_id),
            (b"x-request-id", request_id),
            (b"x-ms-region", b"East US 2"),
            (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
            (b"x-content-type-options", b"nosniff"),
        ]
        deployment = request.call.model
        if deployment is not None and deployment.isascii() and deployment.isprintable():
            head.append((b"x-ms-deployment-name", deployment.encode()))
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
            raise Invalid(_NO_DEPLOYMENT, code="DeploymentNotFound", status=404)


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
                raise Invalid(_NO_KEY, code="401", status=401)
            if scheme.lower() != b"bearer" or not token.strip():
                raise Invalid(_NO_TOKEN, code="Unauthorized", status=401)
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
