"""What a text says of people, titles, files, dates and feelings: what values are taken from before they are made up."""

from __future__ import annotations

import re
from functools import lru_cache

from providers.emulated.json_schema.document import words

_CAPITAL = "A-ZÀ-ÖØ-Þ"
_LETTER = "a-zß-öø-ÿ"
_ONE = rf"[{_CAPITAL}](?:['’][{_CAPITAL}])?[{_LETTER}]+(?:[{_CAPITAL}][{_LETTER}]+)?(?:-[{_CAPITAL}][{_LETTER}]+)?"
_NAMES = re.compile(rf"(?<![\w@./'’-]){_ONE}(?: (?:[{_CAPITAL}]\.|{_ONE}|de|van|von|la)){{0,3}}(?!\w)")
_SMALL_END = re.compile(r"(?: (?:de|van|von|la))+$")
_SENTENCE_END = re.compile(r"(?:^|[.!?\n])\s*[\"“(*#-]*\s*$")
_GOES_ON = re.compile(
    r"(?:['’]s\b|,| (?:is|was|are|were|has|had|and|or|works?|lives?|lived|aged|went|goes|turned|wants?|bought|likes?"
    r"|loves?|weather|forecast|said|says|who|will|met|won|founded|wrote|costs?|inc|visited|directed|made)\b| ?\(|$)",
    re.I,
)
# What begins with a capital letter although it is nobody's name.
_NOBODY = words(
    "January February March April May June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday Celsius Fahrenheit Kelvin English French German Spanish Italian Chinese Japanese "
    "The This That These Those There Here It He She They We You Your My Our His Her Their What Who When Where Why How "
    "Which Is Are Was Were Do Does Did Can Could Will Would Should Please And But Or If In On At To For From With As "
    "Of A An Extract Find Get Give Tell Show List Create Add Send Book Call Contact Make Generate Return Parse Write "
    "Describe Save Store Update Delete Remove Set Use Using Read Open Search Look Translate Summarize Summarise "
    "Classify Explain Compare Answer Question Context Text Input Output Name Email Date Title City Country Address "
    "Phone Age User Users Person Product Order Invoice Subject Dear Hello Hi Hey Thanks Thank Yes No Not Today "
    "Tomorrow Yesterday Then Now Also Only Let Invite Schedule Ask Respond Reply Say Given Consider Imagine Total "
    "Price Json Click Review Analyze Analyse Rate Identify Convert Calculate Compute Check Run Fetch Assign Remind "
    "Meet Note Patient Customer Ticket Category Categories Label Document"
)
_PLACED = re.compile(r"\b(?:in|at|from|to|near|of)\s+$", re.I)
_QUOTED = re.compile(r"(?<!\w)[\"“'‘`]([^\s\"“”'‘’`\n][^\"“”`\n]{0,118}?)[\"”'’`](?!\w)")
_PATH = re.compile(
    r"(?<![\w:/.@~-])(?:(?:~|\.{1,2})?/[\w.-]{1,60}(?:/[\w.-]{1,60}){0,12}/?|(?:[\w-][\w.-]{0,60}/){0,12}[\w-]{1,60}"
    r"\.(?:[A-Za-z]\w{0,4})\b)(?![\w/@])"
)
_REPOSITORY = re.compile(
    r"(?<![\w:/.@-])(?:(?:https?://)?github\.com/)?([A-Za-z][\w-]{0,38})/([\w.-]{0,100}\w)(?![\w/])"
)
_TICKER = re.compile(r"(?<![\w$&-])\$?([A-Z]{2,5})(?![\w-])")
_NO_TICKER = words(
    "AI API AND ANY CEO CFO CTO CSV EU EUR FAQ GBP HTML HTTP ID IT JPY JSON NO NOT NYC OK OR PDF SQL THE UI UK URL US "
    "USA USD UTC XML YES"
)
_TICKERS = {
    "apple": "AAPL", "microsoft": "MSFT", "google": "GOOGL", "alphabet": "GOOGL", "amazon": "AMZN", "tesla": "TSLA",
    "nvidia": "NVDA", "meta": "META", "netflix": "NFLX", "intel": "INTC", "ibm": "IBM",
}  # fmt: skip
_CURRENCY = re.compile(r"\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|BRL|MXN|SEK|NOK|DKK|PLN|KRW|SGD|HKD|ZAR)\b")
_COMPANY = re.compile(
    rf"\b([{_CAPITAL}][\w&.-]*(?: [{_CAPITAL}][\w&.-]*){{0,3}} (?:Inc|Corp|Corporation|Ltd|LLC|GmbH|AG|SA|plc|Group))\b"
)
_EMPLOYED = re.compile(rf"\b(?:at|for|by|of|with) ({_ONE}(?: {_ONE}){{0,2}})")
_MADE_BY = re.compile(rf"\b(?:by|author:|director:) ({_ONE}(?: (?:[A-Z]\.|{_ONE})){{0,3}})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DAY_WRITTEN = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?,? ((?:19|20)\d\d)\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?{_MONTH},? ((?:19|20)\d\d)\b")
_ISO_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])(?!\d)")
_DAY_NAMED = re.compile(
    r"\b(?:(?:next |this )?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|today|tomorrow|tonight|yesterday)\b", re.I
)
_GOOD = words(
    "love loved loves great good excellent amazing awesome fantastic wonderful happy perfect best nice enjoy enjoyed "
    "brilliant delightful pleased delicious superb beautiful recommend like liked thank thanks glad fun impressive"
)
_BAD = words(
    "hate hated hates bad terrible awful horrible worst poor sad angry disappointed disappointing broken useless "
    "boring slow rude disgusting waste wasted refund annoying unhappy never fails failed failing unacceptable dislike "
    "crash crashes crashed mediocre overpriced"
)
_PLAIN_WORD = re.compile(r"[a-z']{2,20}")
_MOST = 1_000


def people(text: str) -> list[str]:
    """The names in a text, those that are not said to be places first: `Alice and Bob met in Oslo` gives Alice, Bob,
    Oslo."""
    near: dict[str, None] = {}
    far: dict[str, None] = {}
    for found in _NAMES.finditer(text[:_MOST]):
        said = found[0].split(" ")
        starts = _SENTENCE_END.search(text, max(0, found.start() - 12), found.start()) is not None
        while said and said[0] in _NOBODY:
            said, starts = said[1:], False
        name = _SMALL_END.sub("", " ".join(said))
        if not name or name.islower() or any(part in _NOBODY for part in said):
            continue
        if starts and len(said) == 1 and not _GOES_ON.match(text, found.end()):
            continue
        is_place = _PLACED.search(text, max(0, found.start() - 8), found.start()) is not None
        (far if is_place else near).setdefault(name)
    return [*near, *(name for name in far if name not in near)]


def makers(text: str) -> list[str]:
    """Whom something is by."""
    return [found for found in _MADE_BY.findall(text[:_MOST]) if found.split()[0] not in _NOBODY]


def quotations(text: str) -> list[str]:
    """What stands between quotation marks."""
    return _QUOTED.findall(text[:_MOST])


def paths(text: str) -> list[str]:
    return [found.rstrip(".") for found in _PATH.findall(text[:_MOST])]


def repository(text: str) -> tuple[str, str] | None:
    """The owner and the name of the first `owner/name`."""
    found = _REPOSITORY.search(text[:_MOST])
    return (found[1], found[2].removesuffix(".git")) if found else None


def tickers(text: str) -> list[str]:
    """Stock symbols, and those of well-known companies."""
    found = [symbol for symbol in _TICKER.findall(text[:_MOST]) if symbol not in _NO_TICKER]
    return found or [_TICKERS[word] for word in _PLAIN_WORD.findall(text[:_MOST].lower()) if word in _TICKERS]


def currencies(text: str) -> list[str]:
    """The codes of money in a text."""
    return _CURRENCY.findall(text[:_MOST])


def company(text: str) -> str | None:
    text = text[:_MOST]
    found = _COMPANY.search(text) or _EMPLOYED.search(text)
    return found[1] if found and found[1].split()[0] not in _NOBODY else None


def dates(text: str) -> list[str]:
    """The days that a text names with their year, as `2026-03-04`, in the order of how they are written."""
    text = text[:_MOST]
    found = _ISO_DAY.findall(text)
    written = [(month, day, year) for month, day, year in _DAY_WRITTEN.findall(text)]
    written += [(month, day, year) for day, month, year in _DAY_FIRST.findall(text)]
    for month, day, year in written:
        number = _MONTHS.index(month) + 1
        if 1 <= int(day) <= 28 or (int(day) <= 30 and number != 2):
            found.append(f"{year}-{number:02}-{int(day):02}")
    return found


def named_day(text: str) -> str | None:
    """`Friday`, `tomorrow`."""
    found = _DAY_NAMED.search(text[:_MOST])
    return found[0] if found else None


def feeling(text: str) -> str:
    """`positive`, `negative` or `neutral`."""
    # What is judged mostly follows the instruction.
    said = _PLAIN_WORD.findall(text[:_MOST].lower())
    good = sum(word in _GOOD for word in said)
    bad = sum(word in _BAD for word in said)
    if good and any(before in ("not", "don't", "didn't", "isn't") for before in said):
        good, bad = bad, good + bad
    return "positive" if good > bad else "negative" if bad > good else "neutral"


@lru_cache(512)
def _label(name: str) -> re.Pattern[str] | None:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name[:60])
    if not parts:
        return None
    said = r"[ _-]?".join(map(re.escape, parts))
    return re.compile(
        rf"(?<![\w.])(?<!and )(?<!, )(?<!keys )(?<!fields ){said}[\"'*]{{0,2}}"
        r"(?:\s*[:=]\s*|\s+is\s+(?!(?:a|an|the|it|he|she|there|that|this|my|your)\b))"
        r"[\"'*]{0,2}(\S[^\n,;]{0,120})",
        re.I,
    )


def labelled(name: str, text: str) -> str | None:
    """What follows the name of a property in a text: `Title: The Pond` gives `The Pond` for `title`."""
    pattern = _label(name)
    found = pattern.search(text[:_MOST]) if pattern else None
    if found is None:
        return None
    said = re.split(r"[.!?](?:\s|$)|\s+(?:and|with|but)\s+(?=\w+\s+(?:is|:|=)|\w+[:=])", found[1], maxsplit=1)[0]
    said = said.strip(" \"'*`")
    return said if said and said[0] not in "{[<|(" else None


@lru_cache(512)
def _list(name: str) -> re.Pattern[str] | None:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name[:60])
    if not parts or not parts[-1].endswith("s"):
        return None
    said = r"[ _-]?".join(map(re.escape, parts))
    one = r"[\"']?[\w-]{1,40}[\"']?"
    return re.compile(rf"(?<![\w.]){said}\s*(?::|=|are)?\s*({one}(?:(?:,? and |, ?){one}){{1,12}})", re.I)


def listed(name: str, text: str) -> list[str]:
    """What a text enumerates under the name of a property: `tags red, green and blue` for `tags`."""
    pattern = _list(name)
    found = pattern.search(text[:_MOST]) if pattern else None
    return [part.strip(" \"'") for part in re.split(r",? and |, ?", found[1])] if found else []


@lru_cache(512)
def _amount(name: str) -> re.Pattern[str] | None:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name[:60])
    if not parts:
        return None
    said = r"[ _-]?".join(map(re.escape, parts))
    number = r"[$€£]?(-?\d{1,15}(?:\.\d{1,10})?)(?![\w-]|\.\d)"
    stem = re.escape(parts[-1].rstrip("s"))
    return re.compile(
        rf"(?<![\w.]){said}\s*(?:of|is|was|are|at|in|to|:|=)?\s*{number}"
        rf"|(?<![\w.-])(\d{{1,9}}(?:\.\d{{1,9}})?) {stem}s?\b",
        re.I,
    )


def amount(name: str, text: str) -> int | float | None:
    """The number that a text gives a property: `total 28.50` for `total`, `2 passengers` for `passengers`."""
    pattern = _amount(name)
    found = pattern.search(text[:_MOST]) if pattern else None
    if found is None:
        return None
    said = found[1] or found[2]
    return float(said) if "." in said else int(said)
