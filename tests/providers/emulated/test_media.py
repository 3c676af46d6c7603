"""Pictures and sounds: whole files, checked byte by byte with the standard library."""

from __future__ import annotations

import io
import struct
import wave
import zlib

import pytest

from providers.emulated import media

DIGEST = bytes(range(100, 132))
SIZES = [(1024, 1024), (1536, 1024), (1, 1), (17, 33), (256, 1792)]


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body)
        chunks.append((name, body))
        at += 12 + length
    return chunks


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_png_has_the_size_asked_for_and_all_its_pixels(size: tuple[int, int]) -> None:
    data = media.png(DIGEST, *size)
    chunks = png_chunks(data)
    assert [name for name, _ in chunks] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[0][1])
    assert ((width, height), depth, kind) == (size, 1, 3)
    assert len(zlib.decompress(chunks[2][1])) == height * (1 + -(-width // 8))
    assert len(data) <= 2048


def test_another_digest_gives_another_picture_and_the_same_one_the_same() -> None:
    assert media.png(DIGEST, 64, 64) == media.png(DIGEST, 64, 64)
    assert media.png(DIGEST, 64, 64) != media.png(bytes(32), 64, 64)
    assert media.webp(DIGEST, 64, 64) != media.webp(bytes(32), 64, 64)
    assert media.jpeg(DIGEST, 64, 64) != media.jpeg(bytes(32), 64, 64)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_jpeg_has_the_size_asked_for_and_as_much_data_as_its_blocks_take(size: tuple[int, int]) -> None:
    data = media.jpeg(DIGEST, *size)
    assert data[:2] == b"\xff\xd8"
    assert data[-2:] == b"\xff\xd9"
    at, segments = 2, {}
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        segments[data[at + 1]] = data[at + 4 : at + 2 + length]
        at += 2 + length
    height, width = struct.unpack_from(">HH", segments[0xC0], 1)
    assert (width, height) == size
    (length,) = struct.unpack_from(">H", data, at + 2)
    scan = data[at + 2 + length : -2].replace(b"\xff\0", b"\xff")
    blocks = 6 * -(-width // 16) * -(-height // 16)
    # Two bits a block, and at most fifteen more for each of the first three.
    assert 2 * blocks <= 8 * len(scan) <= 2 * blocks + 45 + 8


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_webp_has_the_size_asked_for(size: tuple[int, int]) -> None:
    data = media.webp(DIGEST, *size)
    assert (data[:4], data[8:16]) == (b"RIFF", b"WEBPVP8L")
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    assert data[20] == 0x2F
    bits = int.from_bytes(data[21:25], "little")
    assert ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1) == size


@pytest.mark.parametrize("size", [(0, -5), (10**9, 10**9)], ids=str)
def test_a_senseless_size_is_brought_into_bounds(size: tuple[int, int]) -> None:
    width, height = struct.unpack_from(">II", png_chunks(media.png(DIGEST, *size))[0][1])
    assert 1 <= width <= 4096
    assert 1 <= height <= 4096


def test_a_wav_is_read_by_the_standard_library() -> None:
    with wave.open(io.BytesIO(media.wav(0.5))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, media.SAMPLE_RATE)
        assert sound.getnframes() == 12_000
        assert sound.readframes(12_000) == media.pcm(0.5)


def test_an_mp3_is_whole_frames_that_begin_with_their_sync_word() -> None:
    data = media.mp3(0.5)
    frames = [data[at : at + 96] for at in range(0, len(data), 96)]
    assert len(frames) == -(-12_000 // 576)
    assert {frame[:2] for frame in frames} == {b"\xff\xf3"}
    assert {len(frame) for frame in frames} == {96}


def test_an_aac_is_whole_frames_that_tell_their_length() -> None:
    data, frames, at = media.aac(0.5), 0, 0
    while at < len(data):
        assert data[at] == 0xFF
        assert data[at + 1] & 0xF6 == 0xF0
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames += 1
    assert at == len(data)
    assert frames == -(-12_000 // 1024)


def crc(data: bytes, polynomial: int, width: int) -> int:
    value = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = value >> (width - 1) & 1
            value = value << 1 & (1 << width) - 1
            if top ^ (byte >> bit & 1):
                value ^= polynomial
    return value


def test_a_flac_has_frames_with_right_checksums_and_tells_how_many_samples_they_hold() -> None:
    data = media.flac(0.5)
    assert data[:4] == b"fLaC"
    rate_and_length = int.from_bytes(data[18:26], "big")
    assert rate_and_length >> 44 == media.SAMPLE_RATE
    frames = data[42:]
    assert len(frames) % 11 == 0
    assert rate_and_length & (1 << 36) - 1 == 4096 * (len(frames) // 11)
    for at in range(0, len(frames), 11):
        frame = frames[at : at + 11]
        assert crc(frame[:5], 0x07, 8) == frame[5]
        assert crc(frame[:9], 0x8005, 16) == int.from_bytes(frame[9:], "big")


def test_an_opus_file_is_ogg_pages_with_right_checksums() -> None:
    data, at, packets, flags = media.opus(1.0), 0, [], []
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        count = data[at + 26]
        sizes = data[at + 27 : at + 27 + count]
        end = at + 27 + count + sum(sizes)
        page = data[at:end]
        assert struct.unpack_from("<I", page, 22)[0] == crc(page[:22] + bytes(4) + page[26:], 0x04C11DB7, 32)
        flags.append(page[5])
        start = 27 + count
        for size in sizes:
            packets.append(page[start : start + size])
            start += size
        at = end
    assert packets[0][:8] == b"OpusHead"
    assert packets[1][:8] == b"OpusTags"
    assert packets[2:] == [b"\xf8\xff\xfe"] * 50
    assert (flags[0], flags[-1]) == (2, 4)


@pytest.mark.parametrize("format", media.FORMATS)
def test_speech_grows_with_the_text_up_to_a_bound(format: str) -> None:
    short, content_type = media.speech(format, "hi")
    long, _ = media.speech(format, "hello there " * 4)
    longest, _ = media.speech(format, "hello there " * 100_000)
    assert content_type.startswith("audio/")
    assert len(short) < len(long) < len(longest) <= 64 * 1024
    assert media.speech(format, "hi")[0] == short


def test_another_format_is_an_error() -> None:
    assert "midi" not in media.FORMATS
    with pytest.raises(KeyError):
        media.speech("midi", "hi")
