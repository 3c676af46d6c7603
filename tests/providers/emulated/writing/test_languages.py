"""Prompts in other languages are answered in them."""

from __future__ import annotations

import pytest

from providers.emulated.writing.languages import greet, language_of
from tests.providers.emulated.conversations import say


@pytest.mark.parametrize(
    ("prompt", "language", "words"),
    [
        ("Quelle est la capitale de la France ?", "fr", "« Quelle est la capitale de la France ? »"),
        ("Comment vas-tu ?", "fr", "«"),
        ("¿Cuál es la capital de España?", "es", "«¿Cuál es la capital de España?»"),
        ("Was ist die Hauptstadt von Deutschland?", "de", "„Was ist die Hauptstadt von Deutschland?“"),
        ("Erkläre mir bitte, wie ein Segel funktioniert.", "de", "„Erkläre mir"),
        ("Qual è la capitale d'Italia?", "it", "«Qual è la capitale d'Italia?»"),
        ("Qual é a capital do Brasil?", "pt", "“Qual é a capital do Brasil?”"),
        ("中国的首都是哪里？", "zh", "“中国的首都是哪里？”"),
        ("日本の首都はどこですか？", "ja", "「日本の首都はどこですか？」"),
    ],
)
def test_a_prompt_is_quoted_in_its_own_language(prompt: str, language: str, words: str) -> None:
    assert language_of(prompt) == language
    said = say(prompt)
    assert words in said
    assert language_of(said) == language


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "Tell me about die casting.",
        "The die was cast",
        "What does la vie en rose mean?",
        "What was it?",
        "Is naïve a word?",
        "I went to 東京 last year",
        "1 2 3",
        "def f(x): return x",
    ],
)
def test_english_stays_english(prompt: str) -> None:
    assert language_of(prompt) == ""


def test_greetings_are_returned_in_their_language() -> None:
    assert say("¡Hola!") == "¡Hola! ¿En qué puedo ayudarte hoy?"
    assert say("Bonjour !").startswith("Bonjour !")
    assert greet("Hello") is None
