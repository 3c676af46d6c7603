"""Pictures in every format that OpenAI makes."""

from __future__ import annotations

from providers.emulated import media


def picture(form: str, digest: bytes, width: int, height: int) -> bytes:
    """A file of the format "png", "jpeg", "webp", "gif" or "svg", in a colour that the digest chooses."""
    if form == "gif":
        return _gif(digest, width, height)
    if form == "svg":
        return _svg(digest, width, height)
    if form == "jpeg":
        return media.jpeg(digest, width, height)
    if form == "webp":
        return media.webp(digest, width, height)
    return media.png(digest, width, height)


def _gif(digest: bytes, width: int, height: int) -> bytes:
    # A small image on a canvas of the size asked for. Source: the GIF89a specification, sections 18 to 22.
    palette = digest[:3] + digest[3:6]
    canvas = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\x80\x00\x00" + palette
    return canvas + b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b"


def _svg(digest: bytes, width: int, height: int) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="100%" height="100%" fill="#{digest[:3].hex()}"/></svg>'
    ).encode()
