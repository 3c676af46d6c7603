"""InvokeModel for Claude: Anthropic's messages, with their version in the body, and refused in Bedrock's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.base import EmulatedRequest, Refused
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_messages import MessageRequest, read_message_request
from providers.emulated.dialects.bedrock_errors import error_reply
from providers.emulated.dialects.bedrock_schema import GUARDRAIL, Member, check, malformed

# Source: AWS "Anthropic Claude Messages API", and refusals quoted in public issue reports, read November 2026.
_MEMBERS = (
    Member("anthropic_version", "String", is_required=True),
    Member("max_tokens", "Integer", is_required=True),
    Member("messages", "JSONArray", is_required=True),
)
_COUNTED = (_MEMBERS[0], _MEMBERS[2])


class BedrockShape(ErrorShape):
    """Bedrock's body and headers around Anthropic's messages."""

    __slots__ = ("_request",)
    id_mark = "bdrk_"

    def __init__(self, request: EmulatedRequest) -> None:
        self._request = request

    def refuse(
        self, status: int, message: str, *, type: str | None = None, details: Mapping[str, Any] | None = None
    ) -> Refused:
        return Refused(error_reply(self._request, status, message))


def read_claude(
    request: EmulatedRequest, body: dict[str, Any], *, operation: str, model: str, is_counting: bool = False
) -> MessageRequest:
    """What a Claude body asks. Raises Refusal and Refused."""
    check(body, _COUNTED if is_counting else _MEMBERS)
    for name in ("model", "stream"):
        if name in body:
            raise malformed(f"#: extraneous key [{name}] is not permitted")
    if GUARDRAIL in body:
        body = {name: value for name, value in body.items() if name != GUARDRAIL}
    asked = read_message_request(
        body, shape=BedrockShape(request), operation=operation, model=model, is_counting=is_counting
    )
    asked.model = own_name(model)
    return asked


def own_name(model: str) -> str:
    """What Anthropic calls the model of a Bedrock id: `us.anthropic.claude-haiku-4-5-20251001-v1:0` is
    `claude-haiku-4-5-20251001`."""
    name = model.rpartition("/")[2].partition("anthropic.")[2].partition(":")[0]
    base, _, version = name.rpartition("-v")
    return (base if version.isdigit() and base else name) or "claude-sonnet-4-5-20250929"
