"""The text that answers a prompt: a small task done, or a paragraph that shows what was asked."""

from __future__ import annotations

import re
from collections.abc import Callable

from providers.emulated.question import Question
from providers.emulated.writing import framed, languages, prose, recollection, small_talk, tasks
from providers.emulated.writing.attachment import acknowledge
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.one_word import answer_in_a_word
from providers.emulated.writing.quoting import window

Skill = Callable[[str, Question, Choice], str | None]

_LENGTHS = (
    "word words sentence sentences paragraph paragraphs line lines bullet bullets point points token tokens "
    "characters essay article detail detailed long briefly short concise"
)
# In order: the first that has something to say does. The words are what a prompt must hold for the skill to be tried.
_SKILLS: tuple[tuple[Skill, str], ...] = (
    (recollection.recall, "what what's whats who where tell remember recall remind repeat do"),
    (tasks.write_json, "json"),
    (framed.extract, "extract"),
    (tasks.count, "count"),
    (tasks.name_capital, "capital"),
    (tasks.translate, "translate say"),
    (small_talk.say, "say reply respond repeat echo answer output print write return type send yes true"),
    (tasks.summarise, "summarize summarise summary sum tl dr tldr key main"),
    (tasks.write_verse, "haiku poem limerick song rhyme joke story verse"),
    (tasks.write_code, "code function script program class method snippet query regex regular hello"),
    (tasks.list_things, "list name give suggest tell write what recommend"),
    (recollection.note, "name i'm am remember keep note memorize memorise"),
    (small_talk.introduce, "who what what's your introduce yourself model bot human ai robot"),
    (
        small_talk.greet,
        "ping test testing hello hi hey hiya howdy greetings good bonjour hola hallo ciao how how's what's",
    ),
    (prose.write_at_length, _LENGTHS),
    (small_talk.thank, "thank thanks thx cheers bye goodbye good"),
)
_BY_WORD: dict[bytes, tuple[int, ...]] = {}
for _place, (_, _words) in enumerate(_SKILLS):
    for _word in _words.encode().split():
        _BY_WORD[_word] = (*_BY_WORD.get(_word, ()), _place)
_KNOWN = frozenset(_BY_WORD)
_YES_NO_WORDS = (
    "is are am was were do does did can could should would will shall has have had may might must isn't aren't"
)
_YES_NO = frozenset(_YES_NO_WORDS.split())
_BARE = bytes(byte if chr(byte).isalnum() or byte in b"'" or byte > 127 else 32 for byte in range(256))
_DIGIT = re.compile(r"[0-9]")
_DICTATION_WORDS = b"say repeat echo translate count summarize summarise"
_DICTATION = frozenset(_DICTATION_WORDS.split())
_LABELLING_WORDS = (
    b"classify classification categorize categorise label labels category categories sentiment or options "
    b"choose following"
)
_LABELLING = frozenset(_LABELLING_WORDS.split())
_ASK = 200


def write(question: Question, choice: Choice) -> str:
    """What is said, which is never nothing."""
    prompt = question.prompt
    if len(prompt) > 4096 or not prompt.isascii():
        prompt = window(prompt)
    prompt = prompt.strip()
    seen = acknowledge(question) if _has_attachment(question) else ""
    dictate = _from_system(question)
    if dictate is not None:
        return dictate
    if not prompt:
        return seen + "What would you like to know about it?" if seen else "Hello! How can I help you today?"
    step = framed.next_step(question)
    if step is not None:
        begun, asked = step
        return begun + ((_skilled(asked, question, choice) or asked) if asked else "")
    said = languages.greet(prompt) if len(prompt) < 20 else None
    if said is None and _wants_a_word(prompt, question):
        said = answer_in_a_word(prompt, question, choice)
    if said is None:
        said = framed.from_context(question)
    if said is not None:
        return seen + said
    if len(prompt) <= 600:
        said = _skilled(prompt, question, choice)
    else:
        lines = (_first_line(prompt), framed.asked_at_the_end(prompt), _last_line(prompt))
        said = next((said for line in lines if line and (said := _skilled(line, question, choice))), None)
    if said is not None:
        return seen + said
    said = languages.restate(prompt, choice)
    if said is not None:
        return seen + said
    before = system = ""
    if len(question.turns) > 1:
        before = next(recollection.earlier(question), "")
        system = small_talk.system_text(question)
    first = prompt[:12].split(None, 1)[0].lower() if prompt[:12].split() else ""
    is_yes_no = first in _YES_NO and prompt.endswith("?")
    rest = prose.restate(prompt, question, choice, before=before, system=system, is_yes_no=is_yes_no)
    return f"{seen.rstrip()} {rest}" if seen else rest


def _wants_a_word(prompt: str, question: Question) -> bool:
    """Whether it is worth looking closer: what asks for one word stands at either end."""
    first = question.turns[0]
    if first.role == "system" and len(first.text) < 1000 and "word" in first.text:
        return True
    if "word" not in prompt:
        return False
    ends = (prompt if len(prompt) <= 600 else prompt[:300] + prompt[-300:]).lower()
    return "one word" in ends or "single" in ends or "one-word" in ends or " 1 word" in ends or " 1-word" in ends


def _has_attachment(question: Question) -> bool:
    for turn in question.turns:  # noqa: SIM110 - half the cost of any()
        if turn.attachments:
            return True
    return False


def _skilled(ask: str, question: Question, choice: Choice) -> str | None:
    words = ask.lower().encode("utf-8", "replace").translate(_BARE).split()
    known = _KNOWN.intersection(words)
    if not _LABELLING.isdisjoint(words):
        said = framed.classify(ask, question, choice)
        if said is not None:
            return said
    if _DIGIT.search(ask) and _DICTATION.isdisjoint(words[:2]) and b"json" not in words:
        said = tasks.calculate(ask, question, choice)
        if said is not None:
            return said
    if known:
        for place in sorted({place for word in known for place in _BY_WORD[word]}):
            if place == 0 and len(question.turns) < 2 and b"name" not in words and b"did" not in words:
                continue
            said = _SKILLS[place][0](ask, question, choice)
            if said is not None:
                return said
    return None


def _from_system(question: Question) -> str | None:
    """What the system message says to answer whatever is asked."""
    for turn in question.turns:
        if turn.role == "system" and len(turn.text) < 1000:
            low = turn.text.lower()
            if "with" in low and ("only" in low or "exactly" in low or "always" in low) and "json" not in low:
                return small_talk.dictated(window(turn.text), is_rule=True)
    return None


def _first_line(prompt: str) -> str:
    """The first line of a long prompt, if it is short enough to be an instruction or begins as one."""
    line, _, rest = prompt[: _ASK + 1].partition("\n")
    if rest or len(line) <= _ASK:
        return line
    return line if line[:14].split(None, 1)[0].lower().rstrip(":,").encode() in _DICTATION else ""


def _last_line(prompt: str) -> str:
    """The last line of a long prompt, or the last sentence of one that has no lines."""
    tail = prompt[-_ASK - 1 :]
    if "\n" in tail:
        return tail.rsplit("\n", 1)[1]
    longest = ""
    for end in (". ", "? ", "! "):
        if end in tail:
            longest = max(longest, tail.rpartition(end)[2], key=len)
    return longest
