"""Images, recordings and documents are seen to have arrived."""

from __future__ import annotations

import pytest

from providers.emulated.question import Turn
from providers.emulated.writing.attachment import acknowledge
from tests.providers.emulated.conversations import say, talk


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("image",), "I can see the image you sent. "),
        (("image", "image"), "I can see two images you sent. "),
        (("image", "document"), "I can see the image and read the document you sent. "),
        (("audio",), "I can hear the recording you sent. "),
        (("video",) * 12, "I can watch 12 videos you sent. "),
        (("hologram",), "I can open the file you sent. "),
        ((), ""),
    ],
)
def test_each_kind_is_named_and_counted(kinds: tuple[str, ...], said: str) -> None:
    assert acknowledge(talk(Turn("user", "What is this?", kinds))) == said


def test_only_the_last_message_counts() -> None:
    assert acknowledge(talk(Turn("user", "What is this?", ("image",)), "A duck.", "And a goose?")) == ""


def test_an_image_without_a_word_gets_an_answer() -> None:
    assert say(Turn("user", "", ("image",))).startswith("I can see the image you sent. ")


def test_the_answer_names_the_image_and_the_question() -> None:
    said = say(Turn("user", "What breed is this duck?", ("image",)))
    assert "the image" in said
    assert "What breed is this duck?" in said
