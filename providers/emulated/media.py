"""Small pictures and sounds, valid in every byte and made without any library: plain colours, tones, silence."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache

_MOST_PIXELS = 4_096
SAMPLE_RATE = 24_000
"""Of all sounds, in samples a second, one channel. Source: OpenAI's speech guide (PCM: 24 kHz, 16 bits), read
November 2026."""
_LONGEST_S = 1.2


# --- pictures


def _size(width: int, height: int) -> tuple[int, int]:
    return min(max(width, 1), _MOST_PIXELS), min(max(height, 1), _MOST_PIXELS)


def _colors(digest: bytes) -> tuple[bytes, bytes]:
    """A dark and a light colour: red, green and blue."""
    seed = (digest + bytes(6))[:6]
    return bytes([32 + value // 3 for value in seed[:3]]), bytes([170 + value // 3 for value in seed[3:6]])


def png(prompt_digest: bytes, width: int, height: int) -> bytes:
    """A picture in two colours: a pattern of eight by eight squares that the digest chooses, the same on both sides."""
    width, height = _size(width, height)
    dark, light = _colors(prompt_digest)
    choice = int.from_bytes((prompt_digest + bytes(16))[6:12], "big")
    across = [min(at * 8 // width, 7) for at in range(width)]
    rows = []
    for row in range(8):
        squares = [choice >> (row * 4 + min(column, 7 - column)) & 1 for column in range(8)]
        bits = "".join([str(squares[column]) for column in across]).ljust(-(-width // 8) * 8, "0")
        rows.append(b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big"))
    data = b"".join([rows[min(line * 8 // height, 7)] for line in range(height)])
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            _chunk(b"PLTE", dark + light),
            _chunk(b"IDAT", zlib.compress(data, 6)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(prompt_digest: bytes, width: int, height: int) -> bytes:
    """A picture in one colour. Source: ITU-T T.81, baseline; one Huffman code of one bit for each usual symbol."""
    width, height = _size(width, height)
    red, green, blue = _colors(prompt_digest)[1]
    levels = (
        round(0.299 * red + 0.587 * green + 0.114 * blue) - 128,
        round(-0.1687 * red - 0.3313 * green + 0.5 * blue),
        round(0.5 * red - 0.4187 * green - 0.0813 * blue),
    )
    # Code 0: no difference to the block before; codes 10, 110, ...: differences of 1 to 7 bits.
    differences = bytes([1] * 8 + [0] * 8 + list(range(8)))
    ends = bytes([1] + [0] * 15 + [0])
    bits = ""
    for component, blocks in enumerate((4, 1, 1)):
        level = levels[component]
        category = abs(level).bit_length()
        written = level if level > 0 else level + (1 << category) - 1
        bits += "1" * category + "0" + (format(written, f"0{category}b") if category else "") + "0"
        bits += "00" * (blocks - 1)
    units = -(-width // 16) * -(-height // 16)
    length = len(bits) + 12 * (units - 1)
    scan = int((bits + "0" * (-len(bits) % 8)), 2).to_bytes(-(-len(bits) // 8), "big")
    scan = scan.ljust(-(-length // 8), b"\0").replace(b"\xff", b"\xff\0")
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xDB, b"\0" + b"\x08" * 64),
            _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + b"\1\x22\0\2\x11\0\3\x11\0"),
            _segment(0xC4, b"\0" + differences),
            _segment(0xC4, b"\x10" + ends),
            _segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0"),
            scan,
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def webp(prompt_digest: bytes, width: int, height: int) -> bytes:
    """A picture in one colour. Source: WebP lossless bitstream specification (RFC 9649): five codes of one symbol
    each, so that a pixel takes no bits."""
    width, height = _size(width, height)
    red, green, blue = _colors(prompt_digest)[1]
    bits = _Bits()
    for value, size in ((width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)):
        bits.add(value, size)
    for symbol in (green, red, blue, 255, 0):
        bits.add(0b101, 3)
        bits.add(symbol, 8)
    data = b"\x2f" + bits.bytes()
    padded = data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 12 + len(padded)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + padded


class _Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self._value = 0
        self._length = 0

    def add(self, value: int, size: int) -> None:
        self._value |= value << self._length
        self._length += size

    def bytes(self) -> bytes:
        return self._value.to_bytes(-(-self._length // 8), "little")


# --- sounds


def pcm(seconds: float) -> bytes:
    """A soft tone: 16 bits a sample, little-endian."""
    period = struct.pack("<60h", *[round(2_000 * math.sin(math.tau * at / 60)) for at in range(60)])
    return period * max(1, _samples(seconds) // 60)


def _samples(seconds: float) -> int:
    return max(1, round(min(seconds, _LONGEST_S) * SAMPLE_RATE))


def wav(seconds: float) -> bytes:
    """The tone with a RIFF header."""
    data = pcm(seconds)
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    body = b"WAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(seconds: float) -> bytes:
    """Silence: frames of MPEG-2 layer III, 32 kbit/s, whose side information says that nothing follows.

    Source: ISO/IEC 13818-3, 2.4: 576 samples and 72 * 32000 / 24000 = 96 bytes a frame.
    """
    return (b"\xff\xf3\x44\xc4".ljust(96, b"\0")) * -(-_samples(seconds) // 576)


def aac(seconds: float) -> bytes:
    """Silence: ADTS frames with one channel without any band, 1024 samples each. Source: ISO/IEC 14496-3, 4.4."""
    block = b"\0\0\0\7"
    length = 7 + len(block)
    # MPEG-4, no CRC; LC, 24 kHz, one channel; the length; variable rate.
    header = bytes([0xFF, 0xF1, 0x58, 0x40 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
    return (header + block) * -(-_samples(seconds) // 1_024)


def flac(seconds: float) -> bytes:
    """Silence: frames of 4096 samples that are all the same. Source: RFC 9639."""
    frames = -(-_samples(seconds) // 4_096)
    stream = struct.pack(">HH", 4_096, 4_096) + bytes(6)
    stream += (SAMPLE_RATE << 44 | 15 << 36 | frames * 4_096).to_bytes(8, "big") + bytes(16)
    data = b"fLaC\x80" + len(stream).to_bytes(3, "big") + stream
    for number in range(frames):
        head = bytes([0xFF, 0xF8, 0xC7, 0x08, number])
        frame = head + bytes([_crc(head, 0x07, 8)]) + b"\0\0\0"
        data += frame + _crc(frame, 0x8005, 16).to_bytes(2, "big")
    return data


def opus(seconds: float) -> bytes:
    """Silence: packets of 20 ms in Ogg pages. Source: RFC 7845, RFC 3533; the packet is libopus's own for silence."""
    packets = -(-_samples(seconds) // 480)
    head = b"OpusHead\1\1" + struct.pack("<HIhB", 312, SAMPLE_RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 10) + b"Rubberduck" + struct.pack("<I", 0)
    data = _page(2, 0, 0, [head]) + _page(0, 0, 1, [tags])
    return data + _page(4, packets * 960, 2, [b"\xf8\xff\xfe"] * packets)


def _page(flags: int, position: int, number: int, packets: list[bytes]) -> bytes:
    """An Ogg page. `position`: samples up to its end, 48,000 a second. At most 255 packets of less than 255 bytes."""
    sizes = bytes([len(packet) for packet in packets])
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 1, number, 0, len(sizes)) + sizes + b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page, 0x04C11DB7, 32)) + page[26:]


@lru_cache(4)
def _crc_table(polynomial: int, width: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (width - 1) else 0)
            value &= (1 << width) - 1
        table.append(value)
    return tuple(table)


def _crc(data: bytes, polynomial: int, width: int) -> int:
    """A checksum that takes the highest bits first and starts with 0."""
    table, value, mask = _crc_table(polynomial, width), 0, (1 << width) - 1
    for byte in data:
        value = value << 8 & mask ^ table[value >> (width - 8) ^ byte]
    return value


# Source: the content types of OpenAI's speech replies, openai-python `speech_create_params.py` for the formats, read
# November 2026.
_FORMATS: dict[str, tuple[Callable[[float], bytes], str]] = {
    "mp3": (mp3, "audio/mpeg"),
    "opus": (opus, "audio/opus"),
    "aac": (aac, "audio/aac"),
    "flac": (flac, "audio/flac"),
    "wav": (wav, "audio/wav"),
    "pcm": (pcm, "audio/pcm"),
}
FORMATS = tuple(_FORMATS)
"""The formats that `speech` makes."""


def speech(format: str, text: str) -> tuple[bytes, str]:
    """A sound in one of the formats and its content type: a tone (wav, pcm) or silence, longer for a longer text, at
    most 1.2 s and 60 KB. Raises KeyError for another format."""
    make, content_type = _FORMATS[format]
    return make(0.2 + len(text) * 0.02), content_type
