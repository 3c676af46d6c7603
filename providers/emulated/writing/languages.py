"""Answers in the language of the prompt, for a few languages other than English."""

from __future__ import annotations

import re

from providers.emulated.json_schema.document import words
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.quoting import clip

_ENGLISH = words(
    "the is are what how of and to in a an it you i for with on that this my me please can do does who where when why "
    "was were die has have had not be by from at or but"
)
# Words that most sentences of a language have one of.
_COMMON = {
    "fr": words(
        "j' m' qu' c' n' ai suis appelle "
        "le la les des une est que quel quelle quels quelles pourquoi comment moi dans pour avec sur qui du et vous tu "
        "je sont un en ce cette il elle nous pas plus où quand combien vas peux explique raconte écris donne fait"
    ),
    "es": words(
        "el la los las una un es que qué cuál cuáles por para con cómo dónde cuándo quién del y en mi tu yo son está "
        "cuánto cuántos explica explícame escribe dime cuéntame puedes sobre más no muy quiero capital"
    ),
    "de": words(
        "der die das ist und was wie warum ein eine einen nicht mit für ich du von auf den dem des wer wo wann mir dir "
        "es heiße bin habe im zu sind kannst erkläre schreibe erzähle über welche welcher geht gibt viele bitte sie wir"
    ),
    "it": words(
        "il lo la gli le una un è che qual quale quali perché come con per di del della dei nel in chi dove quando e "
        "mi tu io sono puoi spiega spiegami scrivi dimmi raccontami su più non quanto quanti sta stai"
    ),
    "pt": words(
        "o a os as uma um é que qual quais por para com como do da dos das no na onde quando quem e em meu eu são está "
        "quanto quantos explique escreva diga conte você pode sobre mais não muito capital"
    ),
}
_WORD = re.compile(r"[^\W\d_]+(?:['’])?")
_KANA = re.compile("[\u3040-\u30ff]")
_HAN = re.compile("[\u4e00-\u9fff]")

# What was asked, what is said of it, and how it ends.
_FRAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "fr": (
        ("Vous avez demandé : « {ask} ».", "Voici ce que je peux dire à propos de « {ask} »."),
        (
            "En bref, partez de ce que vous savez déjà, essayez sur un petit exemple et avancez pas à pas.",
            "L'essentiel est simple : les parties comptent moins que la façon dont elles s'accordent.",
        ),
        ("Dites-m'en plus et je pourrai être plus précis.", "Si vous le souhaitez, je peux donner un exemple."),
    ),
    "es": (
        ("Has preguntado: «{ask}».", "Esto es lo que puedo decir sobre «{ask}»."),
        (
            "En resumen, parte de lo que ya sabes, pruébalo con un ejemplo pequeño y avanza paso a paso.",
            "Lo principal es sencillo: las partes importan menos que la manera en que encajan.",
        ),
        ("Cuéntame más y podré ser más preciso.", "Si quieres, puedo dar un ejemplo."),
    ),
    "de": (
        ("Sie haben gefragt: „{ask}“.", "Das kann ich zu „{ask}“ sagen."),
        (
            "Kurz gesagt: Beginnen Sie mit dem, was Sie schon wissen, und prüfen Sie es an einem kleinen Beispiel.",
            "Das Wesentliche ist einfach: Die Teile zählen weniger als die Art, wie sie zusammenpassen.",
        ),
        ("Erzählen Sie mir mehr, dann kann ich genauer werden.", "Wenn Sie möchten, gebe ich ein Beispiel."),
    ),
    "it": (
        ("Hai chiesto: «{ask}».", "Ecco che cosa posso dire su «{ask}»."),
        (
            "In breve, parti da ciò che sai già, prova con un piccolo esempio e procedi un passo alla volta.",
            "Il punto principale è semplice: le parti contano meno del modo in cui stanno insieme.",
        ),
        ("Dimmi di più e potrò essere più preciso.", "Se vuoi, posso fare un esempio."),
    ),
    "pt": (
        ("Você perguntou: “{ask}”.", "Isto é o que posso dizer sobre “{ask}”."),
        (
            "Em resumo, comece pelo que já sabe, experimente com um pequeno exemplo e avance passo a passo.",
            "O ponto principal é simples: as partes importam menos do que a forma como se encaixam.",
        ),
        ("Conte-me mais e poderei ser mais preciso.", "Se quiser, posso dar um exemplo."),
    ),
    "zh": (
        ("您问的是：“{ask}”。", "关于“{ask}”，我可以这样说。"),
        (
            "简单来说，先从已经知道的开始，用一个小例子试一试，再一步步深入。",
            "重点很简单：各部分如何配合，比各部分本身更重要。",
        ),
        ("请告诉我更多情况，我可以说得更具体。", "如果需要，我可以举一个例子。"),
    ),
    "ja": (
        ("ご質問は「{ask}」ですね。", "「{ask}」についてお答えします。"),
        (
            "要するに、すでに知っていることから始め、小さな例で試し、少しずつ進めるのがよいでしょう。",
            "大切な点は単純です。部分そのものよりも、組み合わせ方が重要です。",
        ),
        ("詳しく教えていただければ、より具体的にお答えできます。", "よろしければ、例を挙げて説明します。"),
    ),
}  # fmt: skip
_GREETINGS = {
    "bonjour": "Bonjour ! Comment puis-je vous aider aujourd'hui ?",
    "salut": "Salut ! Comment puis-je vous aider aujourd'hui ?",
    "hola": "¡Hola! ¿En qué puedo ayudarte hoy?",
    "buenos días": "¡Buenos días! ¿En qué puedo ayudarte hoy?",
    "hallo": "Hallo! Wie kann ich Ihnen heute helfen?",
    "guten tag": "Guten Tag! Wie kann ich Ihnen heute helfen?",
    "ciao": "Ciao! Come posso aiutarti oggi?",
    "buongiorno": "Buongiorno! Come posso aiutarti oggi?",
    "olá": "Olá! Como posso ajudar hoje?",
    "你好": "你好！今天我能帮您什么？",
    "こんにちは": "こんにちは！今日はどのようなご用件でしょうか？",
}
_LONGEST = 200


def language_of(text: str) -> str:
    """ "fr", "es", "de", "it", "pt", "zh" or "ja"; "" for English and whatever cannot be told."""
    text = text[:_LONGEST]
    if text.isascii():
        if " the " in text or " is " in text or " of " in text or " and " in text:
            return ""
    else:
        if _KANA.search(text):
            return "ja"
        if len(_HAN.findall(text)) * 3 > len(text):
            return "zh"
    low = text.lower()
    known = set(low.replace("-", " ").split() if text.isascii() else _WORD.findall(low))
    counts = {language: len(known & common) for language, common in _COMMON.items()}
    best = max(counts, key=counts.__getitem__)
    most = counts[best]
    return best if most >= 2 and most > len(known & _ENGLISH) and most * 5 >= len(known) else ""


def greet(prompt: str) -> str | None:
    """A greeting answered in its language."""
    return _GREETINGS.get(prompt.strip(" !.,¡！。?").lower())


def restate(prompt: str, choice: Choice) -> str | None:
    """A few sentences in the prompt's language that quote it, None for English."""
    language = language_of(prompt)
    if not language:
        return None
    asked, bodies, ends = _FRAMES[language]
    parts = (choice.of(asked).replace("{ask}", clip(prompt, 80)), choice.of(bodies), choice.of(ends))
    return ("" if language in ("zh", "ja") else " ").join(parts)
