"""Edits replies of the legacy completions API, whole and streamed. It has no word for a refusal: it is plain text.

Source: openai-python 3.54.0 `types/completion.py`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence

from providers.faults.base import Edit
from providers.faults.replies.openai_chunks import Choice, ChoiceState, ChunkEditor, Wrap, half


class CompletionsEditor(ChunkEditor):
    """One reply's editor. There are no tools to call."""

    def edit_choice(self, choice: Choice) -> bool:
        text = choice.get("text")
        if not isinstance(text, str) or self.edit is Edit.INVALID_TOOL_ARGUMENTS:
            return False
        if self.edit is Edit.LENGTH:
            choice.update(text=half(text), finish_reason="length")
        else:
            choice.update(text=self.text if self.edit is Edit.REFUSAL else "", finish_reason="stop")
        if choice.get("logprobs"):
            choice["logprobs"] = None
        return True

    def edit_chunk(self, state: ChoiceState, choice: Choice, as_is: bytes, wrap: Wrap) -> Sequence[bytes]:
        text = choice.get("text")
        if not isinstance(text, str) or self.edit is Edit.INVALID_TOOL_ARGUMENTS:
            return (as_is,)
        self.has_edited = True
        is_end = choice.get("finish_reason") is not None
        plain = {**choice, "logprobs": None}
        if self.edit is Edit.LENGTH:
            if not is_end:
                if state.first is None:
                    state.first = lambda: wrap({**plain, "text": half(text)})
                return state.halves.add(as_is)
            end = wrap({**plain, "text": "", "finish_reason": "length"})
            return (state.first(), end) if state.first is not None and state.halves.count == 1 else (end,)
        pieces = state.pieces if self.edit is Edit.REFUSAL else iter(())
        if not is_end:
            piece = next(pieces, None)
            return () if piece is None else (wrap({**plain, "text": piece}),)
        rest = [wrap({**plain, "text": piece, "finish_reason": None}) for piece in pieces]
        return (*rest, wrap({**plain, "text": "", "finish_reason": "stop"}))
