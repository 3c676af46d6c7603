"""Embeddings: texts that share words are near each other, others are not."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
import sys
import zlib
from array import array
from functools import lru_cache

_WORD = re.compile(r"\w+")
_MOST_WORDS = 2_000
_BASES = 32
_LANE_BITS = 32
_LANE_BYTES = 4
_MIDDLE = 127.5
_FREQUENT = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "i", "in", "is", "it", "of", "on", "or", "that",
     "the", "this", "to", "was", "what", "with", "you"]
)  # fmt: skip


def embed(text: str, dimensions: int) -> list[float]:
    """A vector of length 1, the same for the same text. Only the first 2,000 words count."""
    shares: dict[int, int] = {}
    before = 0
    for word in _words(text):
        # The first letters of a word stand for it: "cat" and "cats" are alike.
        code = zlib.crc32(word.rstrip("s")[:6].encode("utf-8", "replace"))
        shares[code] = shares.get(code, 0) + (1 if word in _FREQUENT else 4)
        # A word together with the one before it: so order counts a little.
        pair = zlib.crc32(code.to_bytes(4, "big"), before)
        shares[pair] = shares.get(pair, 0) + 1
        before = code
    if not shares:
        shares[zlib.crc32(text.encode("utf-8", "replace"))] = 1
    lanes = sum([share * _direction(code, dimensions) for code, share in shares.items()])
    weight = sum(shares.values())
    sums = array("I", lanes.to_bytes(dimensions * _LANE_BYTES, sys.byteorder))
    middle = _MIDDLE * weight
    length = math.dist(sums, (middle,) * dimensions)
    if length == 0:
        return [1.0] + [0.0] * (dimensions - 1)
    scale = 1 / length
    return [(value - middle) * scale for value in sums]


def to_base64(vector: list[float]) -> str:
    """The vector as little-endian float32, which is what `encoding_format: base64` asks for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _words(text: str) -> list[str]:
    words: list[str] = []
    for found in _WORD.finditer(text):
        word = found[0].casefold()
        # Scripts without spaces: each character is a word.
        if word.isascii() or max(word) < "\u2e80":
            words.append(word)
        else:
            words.extend(word[:_MOST_WORDS])
        if len(words) >= _MOST_WORDS:
            break
    return words[:_MOST_WORDS]


def _direction(code: int, dimensions: int) -> int:
    """A direction in space for a word: one of the bases, turned round by a number of places.

    All numbers of a vector lie side by side in one large integer, so that adding vectors is adding integers.
    """
    turn = (code >> 5) % dimensions * _LANE_BITS
    base = _base(code % _BASES, dimensions)
    return (base >> turn) | ((base & ((1 << turn) - 1)) << (dimensions * _LANE_BITS - turn))


@lru_cache(512)
def _base(number: int, dimensions: int) -> int:
    data = hashlib.shake_128(b"embedding %d" % number).digest(dimensions)
    return int.from_bytes(array("I", list(data)).tobytes(), sys.byteorder)
