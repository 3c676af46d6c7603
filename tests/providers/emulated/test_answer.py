"""Ids and moments that an answer derives from its request."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from providers.emulated.answer import Answer, Piece, Pieces, Stop, alphanumeric, created_at, hexadecimal
from providers.emulated.tokens import pieces

DIGEST = hashlib.sha256(b"one").digest()
OTHER = hashlib.sha256(b"other").digest()


def test_ids_are_the_same_for_the_same_request_and_label_only() -> None:
    assert alphanumeric(DIGEST, "id", 24) == alphanumeric(DIGEST, "id", 24)
    assert len({alphanumeric(DIGEST, "id", 24), alphanumeric(OTHER, "id", 24), alphanumeric(DIGEST, "tool", 24)}) == 3
    assert len({hexadecimal(DIGEST, "id", 32), hexadecimal(OTHER, "id", 32), hexadecimal(DIGEST, "tool", 32)}) == 3


def test_ids_have_the_length_and_the_letters_they_promise() -> None:
    for length in (1, 24, 42):
        made = alphanumeric(DIGEST, "id", length)
        assert len(made) == length
        assert made.isascii()
        assert made.isalnum()
    assert set(hexadecimal(DIGEST, "id", 64)) <= set("0123456789abcdef")


def test_the_moment_lies_in_2026_and_depends_on_the_request() -> None:
    assert 1_767_225_600 <= created_at(DIGEST) < 1_798_761_600
    assert created_at(DIGEST) == created_at(DIGEST) != created_at(OTHER)


def test_text_and_thinking_are_their_pieces_joined() -> None:
    answer = Answer(DIGEST, [Piece("He"), Piece("llo")], ["Hm", "m"], [], Stop.END, None, 1, 4)
    assert (answer.text, answer.thinking) == ("Hello", "Hmm")


def test_a_whole_reply_waits_for_all_its_pieces() -> None:
    answer = Answer(DIGEST, [Piece("He", 0.25), Piece("llo", 0.5)], [], [], Stop.END, None, 1, 2, delay_s=1.0)
    assert answer.whole_delay_s == 1.75
    answer.pieces = Pieces("Hello")
    assert answer.whole_delay_s == 1.0


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=80))
def test_a_text_has_as_many_pieces_before_it_is_cut_as_afterwards(text: str) -> None:
    said = Pieces(text)
    counted = len(said)
    assert [piece.text for piece in said] == pieces(text)
    assert (len(said), bool(said), said.text) == (counted, text != "", text)
    assert said[: counted // 2] == [*said][: counted // 2]


def test_pieces_are_equal_to_those_of_the_same_text() -> None:
    assert Pieces("Hello there") == Pieces("Hello there") == [Piece("Hello"), Piece(" there")]
    assert Pieces("Hello there") != Pieces("Hello") != [Piece("Hello", 0.5)]
