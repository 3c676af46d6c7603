"""The beginning and the end of a byte stream in bounded memory: what a usage reader looks at after the last chunk."""

from __future__ import annotations

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024
MARK_BYTES = 1024
_MOST_BYTES = HEAD_BYTES + 4 * TAIL_BYTES
_CHUNK_BYTES = 64  # what holding a chunk costs beside its bytes


class Window:
    """Holds a stream of up to half a megabyte whole; of a longer one the first 64 and at least about the last 256 KiB.

    ```
    |<- head ->|......... gap .........|<- tail ->|
                     ^ mark: the first KiB of the last block that began before the tail
    ```
    A block is what an empty line ends (a server-sent event).
    """

    __slots__ = ("_chunks", "_head", "_held_bytes", "_mark")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        self._head: bytes | None = None
        self._mark = b""

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._held_bytes += len(chunk) + _CHUNK_BYTES
        if self._held_bytes > _MOST_BYTES:
            self._shrink()

    def _shrink(self) -> None:
        held = b"".join(self._chunks)
        if len(held) <= _MOST_BYTES // 2:  # many small chunks
            self._chunks = [held]
            self._held_bytes = len(held)
            return
        cut = len(held) - TAIL_BYTES
        while cut < len(held) and held[cut] in b"\r\n":  # never inside an empty line, or its block would go unseen
            cut += 1
        block = max(_after(held, b"\n\n", cut), _after(held, b"\r\n\r\n", cut))
        if block or self._head is None:
            self._mark = held[block : block + MARK_BYTES]
        if self._head is None:
            self._head = held[:HEAD_BYTES]
        tail = held[cut:]
        self._chunks = [tail]
        self._held_bytes = len(tail)

    @property
    def has_gap(self) -> bool:
        """Whether bytes between head and tail were dropped."""
        return self._head is not None

    def head(self) -> bytes:
        """The first bytes of the stream; all of them if nothing was dropped."""
        return self.tail() if self._head is None else self._head

    def tail(self) -> bytes:
        """The last bytes of the stream; all of them if nothing was dropped."""
        if len(self._chunks) != 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0]

    def mark(self) -> bytes:
        """How the block began that was open where the tail begins; empty if nothing was dropped."""
        return self._mark


def _after(held: bytes, separator: bytes, end: int) -> int:
    """Where the last separator before `end` stops, 0 if there is none."""
    found = held.rfind(separator, 0, end)
    return found + len(separator) if found >= 0 else 0
