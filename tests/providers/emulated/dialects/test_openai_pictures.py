from __future__ import annotations

from xml.etree import ElementTree

from providers.emulated.dialects.openai_pictures import picture

DIGEST = bytes(range(32))


def test_a_gif_has_its_canvas_and_its_end() -> None:
    image = picture("gif", DIGEST, 640, 480)
    assert image[:6] == b"GIF89a"
    assert (int.from_bytes(image[6:8], "little"), int.from_bytes(image[8:10], "little")) == (640, 480)
    assert image[-1:] == b"\x3b"


def test_an_svg_is_well_formed() -> None:
    root = ElementTree.fromstring(picture("svg", DIGEST, 640, 480))
    assert (root.attrib["width"], root.attrib["height"]) == ("640", "480")


def test_the_colour_is_the_digests() -> None:
    for form in ("png", "jpeg", "webp", "gif", "svg"):
        assert picture(form, DIGEST, 64, 64) == picture(form, DIGEST, 64, 64) != picture(form, DIGEST[::-1], 64, 64)
