"""OpenAI, answering by itself."""

from __future__ import annotations

from providers.emulated.base import EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Invalid, Shape, missing_model
from providers.emulated.dialects.openai_models import dated, is_known
from providers.emulated.dialects.openai_service import OpenAIService
from providers.openai import PROVIDER
from providers.wire.openai_errors import NO_KEY


class OpenAIShape(Shape):
    """OpenAI's own."""

    obfuscates = True

    def model(self, request: EmulatedRequest, name: str) -> str:
        return dated(name)

    def check_model(self, desk: Desk, name: str) -> None:
        if desk.is_strict and not is_known(name):
            raise missing_model(name)


class OpenAIEmulator(OpenAIService):
    provider = "openai"
    shape = OpenAIShape()
    speaks = PROVIDER
    batch_start = b"/v1"

    def check(self, request: EmulatedRequest) -> None:
        scheme, _, key = request.headers.get(b"authorization", b"").strip().partition(b" ")
        if scheme.lower() not in (b"bearer", b"basic") or not key.strip():
            raise Invalid(NO_KEY, status=401)
        if request.call.operation is None:
            path = request.call.path.decode("latin-1")
            for method in ("GET", "POST", "DELETE"):
                if PROVIDER.match(method, request.call.path).operation is not None:
                    raise Invalid(
                        f"Not allowed to {request.method} on {path}. (HINT: Perhaps you meant to use a different HTTP "
                        "method?)",
                        code="method_not_supported",
                        status=405,
                    )
            raise Invalid(f"Invalid URL ({request.method} {path})", status=404)


EMULATOR = OpenAIEmulator()
