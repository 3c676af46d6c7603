"""Replays a recording to a client: decoded if the client needs that, at the pace the proxy is set to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence

from providers.base import Header
from proxies.dataplane.config import Pace, PaceKind
from proxies.dataplane.decoding import Decoder, DecodingError, accepts, make_decoder
from proxies.dataplane.stores.base import Recording


class Replay:
    """A reply made from a recording.

    `body` is the whole of it when it can go out at once in one piece, else None and `frames` are to be sent one by one.
    `delays_s`: seconds to wait before each frame (before the head for the first one), None when nothing waits.
    """

    __slots__ = ("body", "delays_s", "frames", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: list[Header],
        frames: Sequence[bytes],
        delays_s: Sequence[float] | None,
        body: bytes | None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.frames = frames
        self.delays_s = delays_s
        self.body = body

    @property
    def delay_before_head_s(self) -> float:
        return self.delays_s[0] if self.delays_s else 0.0

    async def paced_frames(self, sleep: Callable[[float], Awaitable[None]]) -> AsyncGenerator[bytes, None]:
        """The frames, each when its time has come. The delay before the first one is left to who sends the head."""
        delays = self.delays_s
        for index, frame in enumerate(self.frames):
            if delays is not None and index and delays[index] > 0:
                await sleep(delays[index])
            yield frame


_AT_ONCE = Pace()


def make_replay(
    recording: Recording,
    accept_encoding: bytes | None,
    pace: Pace = _AT_ONCE,
    draw: Callable[[], float] = lambda: 0.0,
) -> Replay | None:
    """The reply for a client with this Accept-Encoding. `draw` gives uniform numbers in [0, 1) for a random pace.

    None when the recording is of no use to the client: in a coding it does not take and we cannot undo. Headers do not
    include `date` (the server adds a fresh one).
    """
    headers = list(recording.headers)
    frames: Sequence[bytes] = recording.frames
    delays_ms: Sequence[int] = recording.delays_ms
    is_sized = False
    encoding: bytes | None = None
    for name, value in headers:
        if name == b"content-length":
            is_sized = True
        elif name == b"content-encoding":
            encoding = value if encoding is None else encoding + b"," + value
    if encoding is not None and not accepts(accept_encoding, encoding):
        try:
            frames, delays_ms = _decode_frames(recording, make_decoder(encoding))
        except DecodingError:
            return None
        headers = decoded_headers(headers)
        if is_sized:
            headers.append((b"content-length", b"%d" % sum(map(len, frames))))
    kind = pace.kind
    delays_s: Sequence[float] | None = None
    if kind is PaceKind.RECORDED:
        delays_s = [delay / 1000 for delay in delays_ms]
    elif kind is not PaceKind.IMMEDIATE:
        wait = pace.min_s
        if kind is PaceKind.RANDOM:
            wait += draw() * (pace.max_s - pace.min_s)
        delays_s = [wait, *[0.0] * (len(frames) - 1)]
    body: bytes | None = None
    if len(frames) == 1:
        body = frames[0]
    elif not frames or (is_sized and kind is not PaceKind.RECORDED):
        body = b"".join(frames)  # chunk boundaries are not part of a reply with a length
    return Replay(recording.status, headers, frames, delays_s, body)


def decoded_headers(headers: Iterable[Header]) -> list[Header]:
    """The headers (lower-case names) of a reply whose body has been decoded on the way; its length is no longer
    known."""
    return [header for header in headers if header[0] not in (b"content-encoding", b"content-length")]


def _decode_frames(recording: Recording, decoder: Decoder | None) -> tuple[list[bytes], list[int]]:
    frames: list[bytes] = []
    delays_ms: list[int] = []
    waited_ms = 0
    for frame, delay_ms in _decoded(recording, decoder):
        waited_ms += delay_ms
        if frame:  # a frame that decodes to nothing yet lends its delay to the next
            frames.append(frame)
            delays_ms.append(waited_ms)
            waited_ms = 0
    return frames, delays_ms


def _decoded(recording: Recording, decoder: Decoder | None) -> Iterator[tuple[bytes, int]]:
    if decoder is None:
        yield from zip(recording.frames, recording.delays_ms, strict=True)
        return
    for frame, delay_ms in zip(recording.frames, recording.delays_ms, strict=True):
        yield decoder.feed(frame), delay_ms
    yield decoder.finish(), 0
