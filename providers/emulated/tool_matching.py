"""Which of the tools on offer a prompt asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from providers.emulated.question import Tool
from providers.emulated.tool_purposes import purposes, serving, wants_facts, wishes
from providers.emulated.writing.arithmetic import expression

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
_FINAL = re.compile(
    r"final[_-]?\w*|(?:(?:submit|give|provide|return|set|output|structured)[_-]?)?(?:final[_-]?)?(?:answer"
    r"|results?|response|output)"
    r"|respond|finish|done|output[_-]\w+|\w+[_-]final[_-]\w+",
    re.I,
)
_NO_TOOLS = re.compile(
    r"\b(?:without (?:using |calling )?(?:any |the |a )?(?:tool|function)|(?:do not|don't|never) (?:use|call) )", re.I
)
_ANY_TOOL = re.compile(
    r"\b(?:use|call|using|calling|invoke|run|try) (?:(?:the|an?|any|one of|all|both|your|my) )*"
    r"(?:available )?(?:tools?|functions?)\b",
    re.I,
)
_VALUE = re.compile(r"\d|\b[A-Z][a-z]")
# Words that say nothing about which tool is meant.
_EMPTY_WORDS = (
    "a an the of in on at to for from by with and or is are was be been it its this that these those my your our "
    "their me you i we us he she they them what which who how when where why do does did can could would should "
    "will please tell show about as if not no yes all any some into out up now then also just there here have has "
    "had than so very given tool function use call get return value given one two specific specified current new "
    "name make thing"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())
# Verbs that many tools share: they decide only where nothing else in the name could.
_COMMON_WORDS = (
    "set fetch find search look lookup list create add update delete remove send run execute read write check query "
    "data info information item user text string number object id result api request retrieve provide calculate "
    "compute perform"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_MEANS = {
    "temperature": ("weather",), "forecast": ("weather",), "rain": ("weather",), "sunny": ("weather",),
    "umbrella": ("weather",), "hot": ("weather", "temperature"), "cold": ("weather", "temperature"),
    "warm": ("weather", "temperature"), "plus": ("add", "sum"), "sum": ("add",), "minus": ("subtract",),
    "times": ("multiply",), "multiplied": ("multiply",), "multiply": ("product",), "divided": ("divide",),
    "costs": ("price",), "cost": ("price",), "mail": ("email",), "google": ("search",), "clock": ("time",),
    "dice": ("roll",), "die": ("dice", "roll"), "guess": ("dice", "roll"), "fly": ("flight",), "reserve": ("book",),
    "shares": ("stock",), "bug": ("issue", "ticket"), "ticket": ("issue",), "invoice": ("billing",),
    "charge": ("billing",), "charged": ("billing",), "bill": ("billing",), "payment": ("billing",),
    "refunded": ("refund",), "crash": ("technical",), "crashing": ("technical",), "crashes": ("technical",),
    "broken": ("technical",), "pr": ("pull",), "draw": ("image",), "paint": ("image",), "picture": ("image",),
    "illustrate": ("image",), "schedule": ("calendar", "event"), "meeting": ("calendar", "event"),
    "appointment": ("calendar", "event"), "remind": ("reminder",), "package": ("order", "shipping", "delivery"),
    "parcel": ("order", "shipping", "delivery"), "shipped": ("order", "shipping"), "usd": ("currency",),
    "eur": ("currency",), "dollars": ("currency",), "euros": ("currency",), "switch": ("turn",),
    "eat": ("restaurant",), "dinner": ("restaurant",), "stay": ("hotel",), "song": ("music",), "directions": ("route",),
    "todo": ("task",), "raining": ("weather",), "snow": ("weather",), "snowing": ("weather",), "windy": ("weather",),
    "hola": ("spanish",), "bonjour": ("french",), "hallo": ("german",), "ciao": ("italian",),
}  # fmt: skip
# What several words mean together.
_PHRASES = (
    ("money back", "refund"),
    ("how do you say", "translate"),
    ("log in", "login"),
    ("speak to", "human"),
    ("what day", "date"),
)
_MATHS_WORDS = "calculator calculate compute arithmetic math maths sum evaluate expression"
_SUM = re.compile(r"\d\D+\d|square")
_MATHS = frozenset(_MATHS_WORDS.split())
_SIGNS = {"+": ("add", "sum", "plus"), "*": ("multiply", "product"), "-": ("subtract", "minus"), "/": ("divide",)}
_OPERATIONS = frozenset(["=", *(word for words in _SIGNS.values() for word in words)])
_AUTO_SCORE = 2
_SERVES = 12
# Words of descriptions that do not say what a tool is about when no other word does.
_ORDINARY_WORDS = (
    "person people world life day today word question answer help work way good best long short text page site write "
    "read open close like need want know think take say ask time today number system user input content app code "
    "language story message note example general complete full available"
)
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
_COMPOSE = re.compile(
    r"\s*(?:please\s+|can you\s+|could you\s+)*(?:write|tell|compose|sing|make|give|create)\s+(?:me\s+|us\s+)?"
    r"(?:a|an|another|some|one|the)\s+(?:[\w-]+\s+){0,2}?"
    r"(poem|haiku|limerick|song|rhyme|joke|story|tale|riddle|essay|verse|sonnet|paragraph|article|e-?mail|letter"
    r"|message)\b",
    re.I,
)
# Written, not sent, where nobody is named to send it to.
_LETTERS = frozenset({"email", "e-mail", "letter", "message"})
# What is said for its own sake: no tool is asked for.
_REMARK = re.compile(
    r"\s*(?:(?:i|we) (?:really |just |do not |don't )?(?:love|like|hate|enjoy|miss|feel|think|guess|have no)\b"
    r"|(?:hello|hi|hey)[ ,!.]+(?:there[ ,!.]+)?(?:i am|i'm|my name is)\b)[^?]{0,60}$",
    re.I,
)


@lru_cache(maxsize=512)
def is_final(name: str) -> bool:
    """Whether a tool takes the final answer, as agent frameworks offer one: `final_result`, `submit_answer`."""
    return _FINAL.fullmatch(name) is not None


def wanted_tools(offered: list[Tool], prompt: str, *, is_forced: bool) -> list[tuple[Tool, str]]:
    """The tools a prompt asks for, each for a reason of its own, in the order it asks for them, and the part of the
    prompt that is about each."""
    if not is_forced and _NO_TOOLS.search(prompt):
        return []
    low = prompt.lower()
    places = _places(prompt)
    if not is_forced and len(prompt) < 100 and _REMARK.match(prompt):
        offered = [tool for tool in offered if _is_named(tool.name.lower(), low)]
    composes = None if is_forced else _COMPOSE.match(prompt)
    genre = composes[1].lower() if composes else ""
    if genre in _LETTERS and "@" in prompt:
        genre = ""
    served = _served(offered, prompt)
    found: list[tuple[int, int, Tool, set[str]]] = []
    for place, tool in enumerate(offered):
        if is_final(tool.name) and not _is_named(tool.name.lower(), low):
            continue
        score, evidence = _score(tool, low, places)
        if place in served:
            score += _SERVES
            evidence = evidence | served[place]
        if genre and score < 20 and (genre in _LETTERS or genre not in tool.name.lower()):
            continue
        if score >= (1 if is_forced else _AUTO_SCORE):
            found.append((score, _first(evidence, places), tool, evidence))
    found.sort(key=lambda one: -one[0])
    taken: set[str] = set()
    picked: list[tuple[int, Tool]] = []
    for score, place, tool, evidence in found:
        if not picked or (evidence - taken and score >= 3):
            picked.append((place, tool))
            taken |= evidence
    if not picked:
        return _last_resort(offered, prompt, has_sum="=" in places)
    picked.sort(key=lambda one: one[0])
    ends = [place for place, _ in picked[1:]] + [len(prompt)]
    parts = [prompt[place:end] for (place, _), end in zip(picked, ends, strict=True)]
    values = _SUM if "=" in places else _VALUE
    are_apart = len(picked) > 1 and all(values.search(part, 1) for part in parts)
    return [(tool, part if are_apart else prompt) for (_, tool), part in zip(picked, parts, strict=True)]


def _last_resort(offered: list[Tool], prompt: str, *, has_sum: bool) -> list[tuple[Tool, str]]:
    """The tool for a prompt whose words speak for none: any where it says to use one, one that computes for a sum, one
    that searches for a fact."""
    if _ANY_TOOL.search(prompt):
        tools = [tool for tool in offered if not is_final(tool.name)] or offered
        return [(tools[0], prompt)]
    place = serving(("code",) if has_sum else ("search",), [_purposes(tool) for tool in offered])
    return [(offered[place], prompt)] if place is not None and (has_sum or wants_facts(prompt)) else []


def _served(offered: list[Tool], prompt: str) -> dict[int, set[str]]:
    """The tools that serve what the values in a prompt are there for, by their places, and the evidence for each."""
    wanted = wishes(prompt)
    if not wanted:
        return {}
    given = [_purposes(tool) for tool in offered]
    served: dict[int, set[str]] = {}
    for wish in wanted:
        place = serving(wish, given)
        if place is not None:
            served.setdefault(place, set()).update(_SETTLED[wish[-1] == "shell"], (f"@{wish[0]}",))
            if wish[0] == "edit":
                served[place].update(("issue", "ticket", "bug"))
    return served


# What a path settles: that one file tool is called, and no other.
_FILE_WORDS = (
    "file directory content text path folder read write edit list replace save open show change complete listing"
)
_SETTLED = (frozenset[str](), frozenset(_FILE_WORDS.split()))


def _purposes(tool: Tool) -> frozenset[str]:
    members = tool.schema.get("properties") if isinstance(tool.schema, Mapping) else None
    named = tuple(map(str, members))[:8] if isinstance(members, Mapping) else ()
    description = tool.description[:400]
    return purposes(tuple(_words_of(tool.name, description)[0]), description.lower(), named)


def _first(evidence: set[str], places: Mapping[str, int]) -> int:
    """Where the evidence begins; a sum counts as being where the prompt begins."""
    return min((places[word] for word in evidence if word in places and word != "="), default=0)


def _score(tool: Tool, low: str, places: Mapping[str, int]) -> tuple[int, set[str]]:
    """How clearly a prompt asks for a tool, and the words that say so."""
    words, telling, described = _words_of(tool.name, tool.description[:400])
    name = tool.name.lower()
    if _is_named(name, low):
        return 20, {name, *words}
    named = [word for word in (telling or [word for word in words if word not in _EMPTY]) if word in places]
    score = 4 * len(named) + (1 if telling and len(named) == len(telling) else 0)
    if telling and named:
        score += sum(word in places for word in words if word in _COMMON)
    evidence = {word for word in described if word in places}
    if not named and len(evidence) == 1 and evidence <= _ORDINARY:
        return (6 if "=" in places and not _MATHS.isdisjoint(words) else 1), evidence
    score += min(len(evidence), 3) * (2 if not named else 1)
    evidence.update(named)
    if "=" in places:
        if not _MATHS.isdisjoint(words) or not _MATHS.isdisjoint(described):
            return score + 6, {*evidence, *_MATHS, *_OPERATIONS}
        if not _OPERATIONS.isdisjoint(evidence):
            evidence.add("=")
    return score, evidence


def _is_named(name: str, low: str) -> bool:
    """Whether a prompt names a tool, whose name is more than a word of everyday."""
    if not ("_" in name or "-" in name or len(name) > 9):
        return False
    for said in (name, name.replace("_", " ")):
        place = low.find(said)
        # `tool_7` is not named by `tool_77`.
        while place >= 0:
            if not low[place + len(said) : place + len(said) + 1].isalnum():
                return True
            place = low.find(said, place + 1)
    return False


@lru_cache(maxsize=512)
def _words_of(name: str, description: str) -> tuple[list[str], list[str], frozenset[str]]:
    """The words of a tool's name, those of them that tell it from others, and those of its description."""
    words = [_stem(word) for word in _WORD.findall(name[:200])]
    telling = [word for word in words if word not in _EMPTY and word not in _COMMON]
    described = {_stem(word) for word in _WORD.findall(description)} - _EMPTY - _COMMON
    return words, telling, frozenset(described)


def _places(prompt: str) -> dict[str, int]:
    """The telling words of a prompt with where they stand; "=" if it holds a sum."""
    places: dict[str, int] = {}
    for found in _WORD.finditer(prompt[:1000] if len(prompt) <= 2000 else f"{prompt[:1000]} {prompt[-1000:]}"):
        word = found[0].lower()
        stem = _stem(word)
        for meant in (*(() if word == "times" else (stem,)), *(_MEANS.get(word) or _MEANS.get(stem, ()))):
            if meant not in _EMPTY:
                places.setdefault(meant, found.start())
    low = prompt[:400].lower()
    for phrase, meant in _PHRASES:
        if phrase in low:
            places.setdefault(meant, low.find(phrase))
    if _SUM.search(low):
        written = expression(prompt[:400])
        if written:
            places["="] = 0
            for sign, words in _SIGNS.items():
                if f" {sign} " in written:
                    places = dict.fromkeys(words, 0) | places
    return places


def _stem(word: str) -> str:
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
