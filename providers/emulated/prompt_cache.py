"""Which beginnings of prompts were sent before: the numbers of cached tokens in usage."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

from providers.emulated import tokens
from providers.emulated.answer import Answer
from providers.emulated.question import Question, Turn

# Source: OpenAI's and Anthropic's guides to prompt caching, read November 2026: prompts of 1024 tokens or more, and
# with
# OpenAI steps of 128 tokens.
MIN_TOKENS = 1024
STEP = 128
_BLOCK = 512  # bytes: about a step


class PromptCache:
    """The beginnings of long prompts seen so far, bounded: past it the ones not used for longest are forgotten."""

    def __init__(self, max_beginnings: int = 32_768) -> None:
        self._max_beginnings = max_beginnings
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def apply(self, question: Question, answer: Answer) -> bool:
        """Sets the answer's cached and cache-write tokens, and remembers the prompt. Whether there was anything to
        remember.

        Apply it once a request: the same prompt is cached the next time.
        """
        if answer.input_tokens < MIN_TOKENS or question.caches == ():
            return False
        if question.caches == "auto":
            answer.cached_tokens = self._pass_automatically(question, answer.input_tokens)
        else:
            cached, written = self._pass_marks(question, question.caches)
            answer.cached_tokens = min(cached, answer.input_tokens)
            answer.cache_write_tokens = min(written, answer.input_tokens - answer.cached_tokens)
        return True

    def _pass_automatically(self, question: Question, input_tokens: int) -> int:
        longest = 0
        beginnings = list(_blocks(question))
        for count, beginning in beginnings:
            if beginning not in self._seen:
                break
            longest = count
        self._remember([beginning for _, beginning in beginnings])
        # The last token of a prompt is never cached: the model has to start from something.
        longest = min(longest, input_tokens - 1) // STEP * STEP
        return longest if longest >= MIN_TOKENS else 0

    def _pass_marks(self, question: Question, marks: tuple[int, ...]) -> tuple[int, int]:
        last = max(0, min(max(marks), len(question.turns)))
        cached = written = 0
        new = []
        for place, (count, beginning) in enumerate(_turns(question, last)):
            if count < MIN_TOKENS:
                continue
            if beginning in self._seen:
                cached = count
                new.append(beginning)
            elif place in marks or place == last:
                new.append(beginning)
            written = count
        self._remember(new)
        return cached, written - cached

    def _remember(self, beginnings: list[bytes]) -> None:
        # The shortest beginning last: it is the one most prompts share, and without it the longer ones are not found.
        for beginning in reversed(beginnings):
            self._seen[beginning] = None
            self._seen.move_to_end(beginning)
        while len(self._seen) > self._max_beginnings:
            self._seen.popitem(last=False)


def _turns(question: Question, last: int) -> Iterator[tuple[int, bytes]]:
    """After the tools and after each turn up to `last`: the tokens so far, and what stands for them."""
    running = _start(question, "marks")
    count = tokens.count_tools(question.tools)
    yield count, running.digest()
    for turn in question.turns[:last]:
        count += tokens.count_turn(turn)
        running.update(_written(turn))
        yield count, running.digest()


def _blocks(question: Question) -> Iterator[tuple[int, bytes]]:
    """After each part of about a step and after each turn: the tokens so far, and what stands for them."""
    running = _start(question, "auto")
    count = tokens.count_tools(question.tools)
    yield count, running.digest()
    for turn in question.turns:
        data = _written(turn)
        size, whole = tokens.count_turn(turn), len(data)
        for end in range(_BLOCK, whole, _BLOCK):
            running.update(data[end - _BLOCK : end])
            yield count + size * end // whole, running.digest()
        running.update(data[(whole - 1) // _BLOCK * _BLOCK :])
        count += size
        yield count, running.digest()


def _start(question: Question, way: str) -> hashlib.blake2b:
    offered = repr([(tool.name, tool.description, tool.schema) for tool in question.tools]) if question.tools else ""
    return hashlib.blake2b(f"{way}\0{question.model}\0{offered}".encode("utf-8", "surrogatepass"), digest_size=12)


def _written(turn: Turn) -> bytes:
    """All of a turn; its own length ends it, so that no two rows of turns look the same."""
    more = ""
    if turn.attachments or turn.tool_uses or turn.tool_results:
        more = repr((turn.attachments, turn.tool_uses, turn.tool_results))
    data = f"{turn.role}\0{turn.text}\0{more}".encode("utf-8", "surrogatepass")
    return data + len(data).to_bytes(8, "big")
