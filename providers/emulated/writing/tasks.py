"""Small tasks done as asked: counting, lists, summaries, translations, verse, code, JSON."""

from __future__ import annotations

import re

import orjson

from providers.emulated.json_schema import generate
from providers.emulated.question import Question
from providers.emulated.writing import stock
from providers.emulated.writing.arithmetic import find_sum
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.prose import NUMBERS, number_of
from providers.emulated.writing.quoting import beginning, clip, topic, window, without_length

_COUNT = re.compile(
    r"\bcount (?:up |down )?(?:from )?(?:(-?\d{1,6}|\w+) )?(?:up |down )?(?:to|until) (-?\d{1,6}|\w+)", re.I
)
_CAPITAL = re.compile(r"\bcapital(?: city)? of (?:the )?([A-Za-z][a-zA-Z]+(?: [A-Z][a-z]+){0,2})", re.I)
_LIST = re.compile(
    r"\b(?:list|name|give me|give|suggest|tell me|write|what are|recommend)\s+(?:me\s+)?(?:the\s+|some\s+|of\s+"
    r"|exactly\s+)*"
    r"(\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twelve)\s+([\w' -]{2,60})",
    re.I,
)
_LIST_END = re.compile(r"\b(?:and explain|with|in (?:json|a )|as (?:a|json)|please|separated|one per)\b", re.I)
_SUMMARY = re.compile(r"\b(?:summari[sz]e|summary|sum up|tl;?dr|key points|main points)\b", re.I)
_SUMMARY_OF = re.compile(r"^.*?\b(?:summari[sz]e|summary of|sum up|points of)\s*", re.I | re.S)
_TRANSLATION = re.compile(
    r"\btranslate\s+(?:(?:the|this)(?: following)?(?: \w+)?\s*)?"
    r"[\"“'‘]?(.{0,300}?)[\"”'’]?\s*\b(?:in)?to ([A-Za-z]+)\b[^:\n]{0,40}:?\s*(.*)",
    re.I | re.S,
)
_SAY_IN = re.compile(r"\b(?:how do (?:you|i) say|say)\s+[\"“'‘]?(.{1,80}?)[\"”'’]?\s+in ([A-Za-z]+)", re.I)
_VERSE = re.compile(
    r"\b(haiku|poem|limerick|song|rhyme|joke|story|verse)\b(?:.{0,30}?\b(?:about|on|of|for)\s+([^.?!\n,]{2,60}))?", re.I
)
_VERB_FIRST = re.compile(r"\b(?:write|compose|tell|make|give|create|sing|generate|another|one more)\b", re.I)
_CODE = re.compile(
    r"\b(?:code|function|script|program|class|method|snippet|query|regex|regular expression|hello world)\b", re.I
)
_CODE_VERB = re.compile(r"\b(?:write|show|implement|create|give|code|make|generate|how (?:do|can) i)\b", re.I)
_LANGUAGE = re.compile(
    r"\b(python|javascript|typescript|java|go|golang|rust|ruby|php|bash|shell|sql|html|kotlin|swift)\b|(c\+\+|c#)", re.I
)
_KEYS = re.compile(
    r"\b(?:keys?|fields?|propert(?:y|ies)|attributes?)\s*(?:named|called|are|is"
    r"|:)?\s*((?:[\"'`]?\w+[\"'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*$|(?=\W)))+)",
    re.I,
)
_ARRAY = re.compile(r"\bjson (?:array|list) (?:of|with) (?:(\d{1,2}|\w{3,5}) )?(\w{3,20})\b(?! json)", re.I)
_KEY = re.compile(r"\b(?!and\b)[A-Za-z_]\w*")
_NO_KEYS = frozenset({"in", "for", "with", "the", "of", "as", "only"})
_FULL_STOP = re.compile(r"(?<=[.!?])\s+")


def calculate(ask: str, question: Question, choice: Choice) -> str | None:
    found = find_sum(ask)
    if found is None:
        return None
    written, value = found
    low = ask.lower()
    if "only" in low or "just the" in low or "single number" in low or "one word" in low:
        return value
    return choice.of((f"{written} = {value}", f"{written} is {value}.", f"The answer is {value}: {written} = {value}."))


def count(ask: str, question: Question, choice: Choice) -> str | None:
    found = _COUNT.search(ask)
    if found is None:
        return None
    last = number_of(found[2])
    first = number_of(found[1]) if found[1] else 1
    if last is None or first is None or abs(last - first) > 500:
        return None
    step = 1 if last >= first else -1
    numbers = map(str, range(first, last + step, step))
    return ("\n" if "line" in ask.lower() else ", ").join(numbers)


def find_capital(ask: str) -> tuple[str, str] | None:
    """The country whose capital a text asks for, and that capital."""
    found = _CAPITAL.search(ask)
    if found is None:
        return None
    words = found[1].split()
    for length in range(len(words), 0, -1):
        country = " ".join(words[:length])
        city = stock.CAPITALS.get(country.lower())
        if city:
            return country, city
    return None


def name_capital(ask: str, question: Question, choice: Choice) -> str | None:
    found = find_capital(ask)
    if found is None:
        return None
    country, city = found
    if "one word" in ask.lower() or "only" in ask.lower().split():
        return city
    shown = country if country[0].isupper() else country.title()
    article = "the " if shown.startswith(("United", "Netherlands", "Philippines")) else ""
    return f"The capital of {article}{shown} is {city}."


def short_answer(question: Question, choice: Choice) -> str:
    """The few words that answer a prompt, where they are known: a number, a city, a translation; else ""."""
    prompt = window(question.prompt)
    found = find_sum(prompt[:400]) or find_capital(prompt)
    if found:
        return found[1]
    said = translate(prompt, question, choice) if "ranslat" in prompt else None
    return said.partition(": ")[2] or said if said else ""


def list_things(ask: str, question: Question, choice: Choice) -> str | None:
    found = _LIST.search(ask)
    if found is None:
        return None
    number = number_of(found[1]) or 3
    what = _LIST_END.split(found[2].strip())[0].strip()
    words = what.split()
    if not words or words[0].lower().rstrip("s") in {"word", "sentence", "paragraph", "line", "bullet"}:
        return None
    known = next((stock.LISTS[word.lower()] for word in reversed(words) if word.lower() in stock.LISTS), None)
    number = max(1, min(number, 100))
    if known:
        start = choice.number % len(known)
        things = [known[(start + place) % len(known)] for place in range(number)]
        if number > len(known):
            things = [f"{thing} ({place // len(known) + 1})" for place, thing in enumerate(things)]
    else:
        things = [f"{stock.QUALITIES[place % len(stock.QUALITIES)]} of the {what}" for place in range(number)]
        things = [thing[0].upper() + thing[1:] for thing in things]
    low = ask.lower()
    if "comma" in low:
        return ", ".join(things)
    if "json" in low:
        return orjson.dumps(things).decode()
    lines = "\n".join(f"{place}. {thing}" for place, thing in enumerate(things, 1))
    return lines if "only" in low else f"Here are {NUMBERS.get(number, number)} {what}:\n\n{lines}"


def summarise(ask: str, question: Question, choice: Choice) -> str | None:
    if not _SUMMARY.search(ask):
        return None
    prompt = window(question.prompt)
    parts = re.split(r":\s+|\n+", prompt, maxsplit=1)
    text = parts[1] if len(parts) > 1 and len(parts[1]) > 20 and _SUMMARY.search(parts[0]) else max(parts, key=len)
    sentences = [sentence for sentence in _FULL_STOP.split(" ".join(text.split())) if len(sentence) > 20]
    if not sentences and len(parts) > 1 and len(text) > 20:
        sentences = [text]
    if len(sentences) < 2 and len(prompt) < 160 and not (sentences and len(parts) > 1):
        subject = _SUMMARY_OF.sub("", ask).strip(" .?!:")
        if not subject:
            return None
        return f"In short: {clip(subject)} comes down to one idea, what supports it, and what follows from it."
    picked = sentences[:1] + (sentences[-1:] if len(sentences) > 2 else sentences[1:2])
    return choice.of(("In short: ", "Summary: ")) + " ".join(beginning(sentence, 220) for sentence in picked)


def translate(ask: str, question: Question, choice: Choice) -> str | None:
    found = _SAY_IN.search(ask)
    if found:
        text, language = found[1], found[2]
    else:
        found = _TRANSLATION.search(window(question.prompt))
        if found is None:
            return None
        language = found[2]
        text = (found[3] if len(found[3].strip(" .\"'")) > 1 else found[1]).strip()
    text = text.strip(" \n\"'“”‘’").removesuffix(".")
    known = stock.PHRASES.get(language.lower())
    if known is None or not text:
        return None
    whole = known.get(text.lower().strip(" !?.,"))
    if whole:
        return whole[0].upper() + whole[1:] if text[:1].isupper() else whole
    parts = [
        known.get(part.lower().strip(" .!?"))
        or " ".join([known.get(word.lower().strip(".,!?"), word) for word in part.split()])
        for part in clip(text, 300).split(", ")
    ]
    return f"{language.capitalize()}: {', '.join(parts)}"


def write_verse(ask: str, question: Question, choice: Choice) -> str | None:
    found = _VERSE.search(ask)
    if found is None or not (_VERB_FIRST.search(ask) or len(ask) < 40):
        return None
    subject = without_length((found[2] or choice.of(stock.SUBJECTS)).strip())
    kind = found[1].lower()
    if kind == "story":
        text = " ".join([choice.of(part) for part in stock.STORY])
    else:
        text = choice.of(stock.VERSES.get(kind, stock.VERSES["poem"]))
    text = text.replace("{subject}", subject)
    return text[0].upper() + text[1:]


def write_code(ask: str, question: Question, choice: Choice) -> str | None:
    if "```" in ask or not (_CODE.search(ask) and _CODE_VERB.search(ask)):
        return None
    found = _LANGUAGE.search(ask)
    language = found[0].lower() if found else "python"
    language = {"golang": "go", "shell": "bash", "c++": "cpp", "c#": "csharp"}.get(language, language)
    low = ask.lower()
    if language == "python":
        for names, code in stock.PYTHON.items():
            if names in low:
                return f"Here is one way to do it in Python:\n\n```python\n{code}\n```"
    subject = (
        re.sub(r"^.*?\b(?:that|to|which|for|called|named)\s+", "", ask, count=1, flags=re.S) if " " in ask else ask
    )
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", subject) if word.lower() not in stock.SMALL_WORDS][:3]
    name = "_".join(words) or "solve"
    template = stock.CODE.get(language, stock.CODE["python"])
    code = template.replace("{name}", name).replace("{Name}", "".join(word.capitalize() for word in words) or "Solve")
    return f"Here is a starting point:\n\n```{language}\n{code.replace('{subject}', clip(subject, 60))}\n```"


def write_json(ask: str, question: Question, choice: Choice) -> str | None:
    """JSON that a prompt asks for in prose: what it shows, else a list, else an object."""
    prompt = window(question.prompt)
    shown = prompt[prompt.find("{") : prompt.rfind("}") + 1] if "{" in prompt else ""
    if shown:
        try:
            return orjson.dumps(orjson.loads(shown)).decode()
        except ValueError:
            pass
    array = _ARRAY.search(prompt)
    if array:
        return list_things(f"list {array[1] or 3} {array[2]} json", question, choice)
    return list_things(ask, question, choice) or json_text(prompt, question, choice)


def json_text(prompt: str, question: Question, choice: Choice) -> str:
    """An object with the members that the prompt or the system message names, else one with an answer to the prompt."""
    for text in (prompt, *(window(turn.text) for turn in question.turns if turn.role == "system")):
        found = _KEYS.search(text)
        named: list[str] = _KEY.findall(found[1]) if found else []
        keys = [key for key in dict.fromkeys(named) if key.lower() not in _NO_KEYS][:20]
        if keys:
            schema = {"type": "object", "properties": {key: {"type": "string"} for key in keys}, "required": keys}
            return orjson.dumps(generate(schema, seed=choice.seed, hints=prompt)).decode()
    about = find_sum(prompt[:400])
    return orjson.dumps(
        {"answer": about[1] if about else clip(topic(prompt[:400]) or prompt, 120) or "Hello!"}
    ).decode()
