"""Estimates of tokens nobody has told: what a request will use before its reply is there, and what a reply without
usage has used. Calls in which no model is at work (those the cache may not answer, and free ones) use none.

    before: input  = bytes of the body * input tokens per byte of this operation's recent requests
                     (at first 1 for 4 bytes, for 1,024 of a body in several parts: pictures, sound)
            output = mean output of this operation's recent replies (at first 256 where the model writes text), but no
                     more than the request itself allows
    after:  input  = what the reply told, else bytes of the body as above
            output = what the reply told, else bytes of the reply: 1 for 4, for 256 of a stream, whose every token is an
                     event of its own; 0 where the model writes no text
"""

from __future__ import annotations

from providers.base import Operation
from proxies.dataplane.records import CacheResult, RequestRecord

BYTES_PER_TOKEN = 4
BYTES_PER_MEDIA_TOKEN = 1024
BYTES_PER_STREAMED_TOKEN = 256
FIRST_OUTPUT = 256

MOST_TOKENS = 2**31
"""More than that no reply counts, whatever it claims: over twice the largest limit there is."""

_MEMORY = 16
"""After so many replies their weight is halved: the recent ones count most."""


class _Habit:
    """What an operation's recent requests and replies came to: sums, and what follows from them."""

    __slots__ = ("input", "input_per_byte", "mean_output", "output", "seen", "size_bytes")

    def __init__(self) -> None:
        self.input_per_byte = 0.0
        self.mean_output = 0.0
        self.seen: float = 0
        self.size_bytes: float = 0
        self.input: float = 0
        self.output: float = 0


class TokenEstimates:
    """What one proxy's replies taught, by operation."""

    __slots__ = ("_habits",)

    def __init__(self) -> None:
        self._habits: dict[str, _Habit] = {}

    def before(
        self, operation: Operation | None, size_bytes: int, is_media: bool, most_output: int | None = None
    ) -> int:
        """Tokens a request will probably use: at least 1, or 0 for one that uses none. `most_output`: what the request
        itself allows."""
        if operation is None or not operation.is_cacheable or operation.is_free:
            return 0
        habit = self._habits.get(operation.name)
        if habit is None:
            tokens: float = _from_size(size_bytes, is_media)
            output: float = FIRST_OUTPUT if operation.is_sampling else 0
        else:
            tokens = size_bytes * habit.input_per_byte
            output = habit.mean_output
        if most_output is not None and most_output < output:
            output = most_output
        return int(tokens + output + 0.5) or 1

    def after(self, operation: Operation | None, record: RequestRecord, is_media: bool) -> int:
        """Tokens a reply has used. Says in the record when that is an estimate."""
        status = record.status
        if status is None or status >= 400 or (operation is not None and operation.is_free):
            return 0
        given, made = record.input_tokens, record.output_tokens
        if operation is None or not operation.is_cacheable:
            return min((given or 0) + (made or 0), MOST_TOKENS)
        if given is None:
            given = _from_size(record.request_bytes, is_media)
            record.is_estimated = True
        if made is None:
            made = 0
            if operation.is_sampling:
                made = record.reply_bytes // (BYTES_PER_STREAMED_TOKEN if record.is_streaming else BYTES_PER_TOKEN)
                record.is_estimated = True
        if given + made > MOST_TOKENS:
            return MOST_TOKENS
        habit = self._habits.get(operation.name)
        # A replay teaches nothing that its recording did not, unless it is the first thing there is to learn from.
        if record.request_bytes and (habit is None or record.cache != CacheResult.HIT):
            if habit is None:
                habit = self._habits[operation.name] = _Habit()
            elif habit.seen >= _MEMORY:
                habit.seen /= 2
                habit.size_bytes /= 2
                habit.input /= 2
                habit.output /= 2
            habit.seen += 1
            habit.size_bytes += record.request_bytes
            habit.input += given
            habit.output += made
            habit.input_per_byte = habit.input / habit.size_bytes
            habit.mean_output = habit.output / habit.seen
        return given + made


def _from_size(size_bytes: int, is_media: bool) -> int:
    return -(-size_bytes // (BYTES_PER_MEDIA_TOKEN if is_media else BYTES_PER_TOKEN))
