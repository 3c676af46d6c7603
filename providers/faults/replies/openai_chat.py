"""Edits replies of chat completions, whole and streamed, in OpenAI's shape.

Source: openai-python 3.54.0 `types/chat/chat_completion.py` and `chat_completion_chunk.py`, and streams quoted in
public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from providers.faults.base import Edit
from providers.faults.replies.openai_chunks import Choice, ChoiceState, ChunkEditor, Wrap, cut_short, half

_NEWS = ("content", "refusal", "tool_calls", "function_call", "audio")
_CALLS = ("tool_calls", "function_call", "audio")


class ChatEditor(ChunkEditor):
    """One reply's editor."""

    def edit_choice(self, choice: Choice) -> bool:
        message = choice.get("message")
        if not isinstance(message, dict):
            return False
        if self.edit is Edit.INVALID_TOOL_ARGUMENTS:
            return _cut_arguments(_functions(message))
        if self.edit is Edit.LENGTH:
            _halve(message)
            logprobs = choice.get("logprobs")
            if isinstance(logprobs, dict):
                choice["logprobs"] = {name: told and told[: len(told) // 2] for name, told in logprobs.items()}
            choice["finish_reason"] = "length"
            return True
        for name in _CALLS:
            message.pop(name, None)
        is_refusal = self.edit is Edit.REFUSAL
        message["content"], message["refusal"] = (None, self.text) if is_refusal else ("", None)
        choice["finish_reason"] = "stop"
        if choice.get("logprobs"):
            choice["logprobs"] = None
        return True

    def edit_chunk(self, state: ChoiceState, choice: Choice, as_is: bytes, wrap: Wrap) -> Sequence[bytes]:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return (as_is,)
        if self.edit is Edit.REFUSAL:
            return self._refuse(state, choice, delta, wrap)
        if self.edit is Edit.LENGTH:
            return self._shorten(state, choice, delta, as_is, wrap)
        if self.edit is Edit.EMPTY_CONTENT:
            return self._empty(choice, delta, as_is, wrap)
        return self._spoil(state, choice, delta, as_is, wrap)

    def end_choice(self, state: ChoiceState) -> Sequence[bytes]:
        return self._cut_held(state)

    def _refuse(self, state: ChoiceState, choice: Choice, delta: dict[str, Any], wrap: Wrap) -> Sequence[bytes]:
        """A piece of the refusal for each piece of the answer, and the rest of it before the end."""
        self.has_edited = True
        finish = choice.get("finish_reason")
        sent = []
        if not state.has_begun:
            state.has_begun = True
            sent.append(wrap(_with(choice, {"role": "assistant", "content": None, "refusal": None})))
        if finish is None:
            piece = next(state.pieces, None) if _has_news(delta) else None
            if piece is not None:
                sent.append(wrap(_with(choice, {"refusal": piece})))
            return sent
        sent += [wrap(_with(choice, {"refusal": piece})) for piece in state.pieces]
        sent.append(wrap(_with(choice, {}, "stop")))
        return sent

    def _shorten(
        self, state: ChoiceState, choice: Choice, delta: dict[str, Any], as_is: bytes, wrap: Wrap
    ) -> Sequence[bytes]:
        if choice.get("finish_reason") is None:
            if not _has_news(delta):
                return (as_is,)
            self.has_edited = True
            if state.first is None:
                state.first = lambda: wrap(_with(choice, _halved(delta)))
            return state.halves.add(as_is)
        self.has_edited = True
        end = wrap(_with(choice, {}, "length"))
        return (state.first(), end) if state.first is not None and state.halves.count == 1 else (end,)

    def _empty(self, choice: Choice, delta: dict[str, Any], as_is: bytes, wrap: Wrap) -> Sequence[bytes]:
        finish = choice.get("finish_reason")
        if finish is not None:
            self.has_edited = self.has_edited or finish != "stop"
            return (wrap(_with(choice, {}, "stop")),)
        if not _has_news(delta):
            return (as_is,)
        self.has_edited = True
        if "role" not in delta:
            return ()
        return (wrap(_with(choice, {"role": delta["role"], "content": "", "refusal": None})),)

    def _spoil(
        self, state: ChoiceState, choice: Choice, delta: dict[str, Any], as_is: bytes, wrap: Wrap
    ) -> Sequence[bytes]:
        """Holds the end of the arguments of a call back until it is known to be the end, and cuts it then."""
        functions = _functions(delta)
        is_end = choice.get("finish_reason") is not None
        if not functions:
            return (*self._cut_held(state), as_is) if is_end or _has_news(delta) else (as_is,)
        if len(functions) > 1:  # several calls at once: each is whole
            sent = self._cut_held(state)
            _cut_arguments(functions)
            self.has_edited = True
            return (*sent, wrap(choice))
        calls = delta.get("tool_calls")
        call = calls[0].get("index") if calls else "function_call"
        sent = () if call == state.call else self._cut_held(state)
        state.call = call
        if functions[0]["arguments"].strip():
            sent = (*sent, *[event for _, event, _ in state.held])
            state.held = [(choice, as_is, wrap)]
        elif state.held:
            state.held.append((choice, as_is, wrap))
        else:
            return (*sent, as_is)
        return (*sent, *self._cut_held(state)) if is_end else sent

    def _cut_held(self, state: ChoiceState) -> Sequence[bytes]:
        """The end of a call's arguments, without its end."""
        if not state.held:
            return ()
        choice, _, wrap = state.held[0]
        # what is held may be a finish as well, which has to be told
        finish = state.held[-1][0].get("finish_reason")
        state.held = []
        for function in _functions(choice["delta"]):
            function["arguments"] = half(function["arguments"].rstrip())
        self.has_edited = True
        return (wrap({**choice, "finish_reason": finish}),)


def _has_news(delta: dict[str, Any]) -> bool:
    return any(delta.get(name) for name in _NEWS)


def _with(choice: Choice, delta: dict[str, Any], finish: str | None = None) -> Choice:
    made = {**choice, "delta": delta, "finish_reason": finish}
    if "logprobs" in made:
        made["logprobs"] = None
    return made


def _functions(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Functions that a message or a delta calls: what holds their arguments, which are JSON."""
    found = []
    for call in told.get("tool_calls") or ():
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            found.append(call["function"])
    if isinstance(told.get("function_call"), dict):
        found.append(told["function_call"])
    return [function for function in found if isinstance(function.get("arguments"), str)]


def _cut_arguments(functions: list[dict[str, Any]]) -> bool:
    for function in functions:
        function["arguments"] = cut_short(function["arguments"])
    return bool(functions)


def _halve(told: dict[str, Any]) -> None:
    """Cuts the texts of a message or a delta, and the last of its calls."""
    for name in ("content", "refusal"):
        if isinstance(told.get(name), str):
            told[name] = half(told[name])
    functions = _functions(told)
    if functions:
        functions[-1]["arguments"] = half(functions[-1]["arguments"])


def _halved(delta: dict[str, Any]) -> dict[str, Any]:
    _halve(delta)
    return delta
