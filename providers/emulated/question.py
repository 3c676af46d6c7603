"""What a request asks, whatever dialect it came in: a conversation, the tools on offer, and how to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(slots=True)
class ToolUse:
    """A call of a tool. `arguments` is JSON text. `id` is the dialect's own."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class ToolResult:
    """What a tool call came back with. `name` is "" where the dialect names only the id."""

    id: str
    name: str
    text: str
    is_error: bool = False


@dataclass(slots=True)
class Turn:
    """One message. `attachments` name what it holds besides text, in order: "image", "audio", "video", "document"."""

    role: Role
    text: str = ""
    attachments: tuple[str, ...] = ()
    tool_uses: tuple[ToolUse, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


@dataclass(slots=True)
class Tool:
    """A tool on offer. `schema` is its arguments' JSON Schema; an empty one allows any object."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ToolChoice:
    """`auto`: the model decides; `none`: no call; `any`: at least one call; `named`: a call of one of `names`."""

    mode: Literal["auto", "none", "any", "named"] = "auto"
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class OutputFormat:
    """JSON instead of prose. `schema` None: any object will do."""

    schema: Mapping[str, Any] | None = None


AUTO = ToolChoice()


@dataclass(slots=True)
class Question:
    """One question. `digest` (32 bytes) decides every choice that an answer leaves open; see `base.digest_of`.

    `operation` and `model` as the log names them. `max_tokens` None: no limit. `thinks`: the request asks for visible
    reasoning; `thinking_tokens` bounds it. `caches`: "auto" (long prompts, as OpenAI and Gemini do), or the numbers of
    turns after which the request marks the prompt as worth keeping (0: after the tools), as Anthropic and Bedrock do.
    """

    operation: str
    model: str
    digest: bytes
    turns: list[Turn]
    tools: list[Tool] = field(default_factory=list)
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    may_call_many: bool = True
    output: OutputFormat | None = None
    max_tokens: int | None = None
    stops: tuple[str, ...] = ()
    temperature: float | None = None
    seed: int | None = None
    thinks: bool = False
    thinking_tokens: int | None = None
    caches: Literal["auto"] | tuple[int, ...] = "auto"

    @property
    def prompt(self) -> str:
        """The text of the last user turn that has any, "" if none has."""
        for turn in reversed(self.turns):
            if turn.role == "user" and turn.text:
                return turn.text
        return ""

    @property
    def has_tool_result(self) -> bool:
        """Whether the conversation ends with results of tool calls: the model is to go on from them."""
        return bool(self.turns) and bool(self.turns[-1].tool_results)
