"""Plausible words and numbers for a property: from what the prompt says, else from what the property is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, lru_cache

from providers.emulated.json_schema import reading
from providers.emulated.json_schema.document import words
from providers.emulated.json_schema.errands import command, errand, errand_of, identifier

_CLIPPED = 1_000
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PROPER = r"[A-ZÀ-ÖØ-Þ][\w'’.-]*\w(?:[ -](?:de|la|le|del|am|an|der|of)?[ -]?[A-ZÀ-ÖØ-Þ][\w'’-]*)*"
_PLACES = re.compile(
    rf"\b(?:in|for|to|at|near|from|between|of|about)\s+({_PROPER}(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|vs\.?)\s+"
    rf"(?:(?:in|for|to|at)\s+)?|\s*&\s*){_PROPER})*)"
)
BETWEEN = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|vs\.?)\s+(?:(?:in|for|to|at)\s+)?|\s*&\s*")
_ORIGIN = re.compile(rf"\bfrom\s+({_PROPER})")
_TARGET = re.compile(rf"\bto\s+({_PROPER})")
_NUMBER = re.compile(r"(?<![\w.,:/-])-?\d{1,15}(?:\.\d{1,10})?(?![\w:/-]|\.\d)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.ASCII)
_URL = re.compile(r"https?://[^\s\"'<>()\[\]]{1,500}")
_SUM = re.compile(r"[\d(][\d\s.()]{0,40}[-+*/^%×÷][\d\s.()+*/^%×÷-]{0,80}[\d)]")
_NO_PLACE = words(
    "January February March April May June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday Celsius Fahrenheit Kelvin English French German Spanish I JSON"
)


class Prompt:
    """What can be read from the text that a request is about. Only its first thousand characters count.

    `answer`: the few words that answer it, where they are known.
    """

    def __init__(self, text: str, answer: str = "") -> None:
        self.answer = answer
        # Lone surrogates cannot be sent.
        self.text = text[:_CLIPPED].encode("utf-8", "replace").decode().strip()
        self._numbers_taken = 0

    @cached_property
    def words(self) -> str:
        return self.text.casefold()

    @cached_property
    def places(self) -> list[str]:
        """The proper names after "in", "for" and the like: those of the first enumeration, else one after another."""
        listed = [
            [name for name in _joined_states(BETWEEN.split(found)) if name.split()[0] not in _NO_PLACE]
            for found in _PLACES.findall(self.text)
        ]
        return next((names for names in listed if len(names) > 1), [name for names in listed for name in names])

    @cached_property
    def people(self) -> list[str]:
        return reading.people(self.text)

    @cached_property
    def numbers(self) -> list[int | float]:
        return [float(text) if "." in text else int(text) for text in _NUMBER.findall(self.text)]

    def mentions(self, value: str) -> bool:
        """Whether the value occurs as words of its own."""
        return self.find(value) >= 0

    def find(self, value: str) -> int:
        """Where in `words` the value first occurs as words of its own, -1 if nowhere."""
        sought = value.casefold()
        start = self.words.find(sought) if sought else -1
        while start >= 0:
            end = start + len(sought)
            if not (self.words[start - 1 : start].isalnum() or self.words[end : end + 1].isalnum()):
                return start
            start = self.words.find(sought, start + 1)
        return -1

    @property
    def has_number_left(self) -> bool:
        return self._numbers_taken < len(self.numbers)

    def next_number(self, low: float, high: float, *, is_whole: bool) -> int | float | None:
        """The next number of the text if it is in range: each is taken once."""
        if self._numbers_taken < len(self.numbers):
            number = self.numbers[self._numbers_taken]
            if low <= number <= high and not (is_whole and isinstance(number, float)):
                self._numbers_taken += 1
                return number
        return None


def _joined_states(names: list[str]) -> list[str]:
    """ "San Francisco", "CA" is one place."""
    joined: list[str] = []
    for name in names:
        if joined and len(name) == 2 and name.isupper():
            joined[-1] += f", {name}"
        else:
            joined.append(name)
    return joined


# What a name's last telling word says the value is.
_TOPICS = {
    "place": "city cities location locations place places town destination where venue airport station",
    "origin": "origin departure",
    "country": "country nation",
    "email": "email mail emails recipient recipients",
    "url": "url uri link href website site webpage homepage endpoint urls links",
    "name": "name person user username customer assignee contact people attendee attendees names fullname "
    "participant participants member members guest guests speaker speakers player players character authors director "
    "ceo founder recipientname patient employee",
    "maker": "director author authors writer artist",
    "owner": "owner org",
    "repository": "repo repository",
    "first": "firstname forename",
    "last": "lastname surname",
    "date": "date day birthday birthdate deadline dates checkin checkout",
    "datetime": "datetime timestamp moment when",
    "clock": "time",
    "currency": "currency",
    "language": "language lang",
    "locale": "locale",
    "zone": "timezone tz",
    "unit": "unit units",
    "phone": "phone telephone mobile",
    "zip": "zip zipcode postcode postal",
    "street": "address street",
    "region": "state region province",
    "prompt": "query question text prompt q input search message content request term keyword keywords instruction "
    "task statement thought reasoning answer response output sentence explanation goal body",
    "sentence": "description summary reason comment note notes detail details abstract rationale",
    "title": "title subject heading headline topic theme label",
    "path": "path file filename filepath directory folder",
    "version": "version",
    "sql": "sql",
    "code": "code script snippet",
    "sum": "expression formula equation calculation",
    "symbol": "ticker symbol",
    "color": "color colour",
    "status": "status",
    "category": "category type kind genre group class",
    "sentiment": "sentiment mood tone",
    "key": "id key uuid identifier",
    "product": "product item",
    "company": "company organization organisation employer vendor brand",
}
_TOPIC_OF = {part: topic for topic, parts in _TOPICS.items() for part in parts.split()}

_STOCK: dict[str, tuple[str, ...]] = {
    "place": ("Paris", "Rome", "Tokyo", "Oslo", "Lima", "Cairo"),
    "origin": ("London", "Madrid", "Berlin"),
    "country": ("France", "Italy", "Japan", "Norway"),
    "email": ("ada@example.com", "alan@example.com", "grace@example.com"),
    "url": ("https://example.com/", "https://example.org/", "https://example.net/"),
    "name": ("Ada Lovelace", "Alan Turing", "Grace Hopper", "Emmy Noether"),
    "maker": ("Ada Lovelace", "Alan Turing", "Grace Hopper"),
    "first": ("Ada", "Alan", "Grace", "Emmy"),
    "last": ("Lovelace", "Turing", "Hopper", "Noether"),
    "date": ("2026-01-15", "2026-02-16", "2026-03-17"),
    "datetime": ("2026-01-15T12:00:00Z", "2026-02-16T13:30:00Z", "2026-03-17T14:45:00Z"),
    "clock": ("12:00", "13:30", "14:45"),
    "currency": ("USD", "EUR", "JPY"),
    "language": ("en", "fr", "de"),
    "locale": ("en-US", "fr-FR", "de-DE"),
    "zone": ("Europe/Paris", "UTC", "Asia/Tokyo"),
    "unit": ("celsius", "fahrenheit"),
    "phone": ("+1-555-0100", "+1-555-0101", "+1-555-0102"),
    "zip": ("75001", "10001", "20095"),
    "street": ("1 Example Street", "2 Example Street", "3 Example Street"),
    "region": ("California", "Bavaria", "Tuscany"),
    "path": ("example.txt", "notes.txt", "report.txt"),
    "version": ("1.0.0", "1.1.0", "2.0.0"),
    "sql": ("SELECT 1", "SELECT 2"),
    "code": ("print('example')", "print('another example')"),
    "sum": ("2 + 2", "3 * 4"),
    "symbol": ("ACME", "EXMP"),
    "color": ("blue", "green", "red"),
    "owner": ("octocat", "rubberduck"),
    "repository": ("hello-world", "example"),
    "status": ("active", "pending", "done"),
    "category": ("general", "special"),
    "sentiment": ("positive", "neutral", "negative"),
    "product": ("notebook", "pencil", "lamp"),
    "company": ("Example Ltd", "Sample Inc"),
    "prompt": ("an example", "another example"),
    "sentence": ("An example.", "Another example."),
    "title": ("An example", "Another example"),
    "key": ("example-1", "example-2", "example-3"),
}

_NUMBERS: dict[str, int | float] = {
    "age": 34, "year": 2026, "month": 1, "day": 15, "hour": 12, "minute": 30, "second": 30, "port": 8080,
    "limit": 10, "count": 3, "quantity": 2, "size": 10, "page": 1, "offset": 0, "price": 19.99, "cost": 19.99,
    "amount": 100, "total": 100, "temperature": 21, "latitude": 48.8566, "lat": 48.8566, "longitude": 2.3522,
    "lng": 2.3522, "lon": 2.3522, "percent": 50, "percentage": 50, "score": 0.9, "confidence": 0.9,
    "probability": 0.9, "rating": 4, "weight": 70, "height": 175, "population": 2_000_000, "index": 0, "width": 640,
    "rate": 0.5, "ratio": 0.5, "days": 3, "hours": 8, "minutes": 30, "seconds": 30, "humidity": 60, "timestamp":
    1_768_478_400,
}  # fmt: skip


@lru_cache(2048)
def topic_of(name: str) -> str:
    """What a property of this name holds: a key of the stock, or "" for none that is known."""
    parts = [part.lower() for part in _WORD.findall(name[:100])]
    if parts[:1] == ["first"] and parts[1:] == ["name"]:
        return "first"
    if parts[1:] == ["name"] and parts[0] in ("last", "family"):
        return "last"
    if parts[-2:] == ["time", "zone"]:
        return "zone"
    if parts[-1:] == ["at"] and len(parts) > 1:
        return "datetime"
    if parts in (["from"], ["from", "city"]):
        return "origin"
    if parts == ["to"]:
        return "place"
    for part in reversed(parts):
        topic = _TOPIC_OF.get(part)
        if topic is not None:
            if topic == "name" and len(parts) > 1 and parts[-1] == "name":
                return _TOPIC_OF.get(parts[-2], "name") if parts[-2] != "user" else "name"
            return topic
    return ""


@lru_cache(2048)
def number_for(name: str) -> int | float | None:
    """What a number of this name usually is, None if the name says nothing."""
    parts = [part.lower() for part in _WORD.findall(name[:100])]
    return next((_NUMBERS[part] for part in reversed(parts) if part in _NUMBERS), None)


def from_prompt(name: str, prompt: Prompt, variation: int) -> str | None:
    """What the prompt says that a text property of this name is, None if nothing."""
    text = prompt.text
    if not text:
        return None
    if variation == 0 and prompt.answer and is_answer(name):
        return prompt.answer
    money = _MONEY.get(name) if variation == 0 else None
    if money is not None:
        codes = reading.currencies(text)
        if len(codes) > money:
            return codes[money]
    listed = reading.listed(name, text)
    if listed:
        return listed[variation] if variation < len(listed) else None
    said = reading.labelled(name, text) if variation == 0 else None
    kind = errand_of(name) if variation == 0 and said is None else ""
    if kind:
        done = errand(kind, text)
        if done:
            return done if kind != "subject" else clipped(done, 80)
    topic = topic_of(name)
    if variation == 0 and said is None:
        if topic == "key" and (called := identifier(name, text)):
            return called
        if name in ("command", "cmd") and (typed := command(text, reading.paths(text))):
            return typed
    if topic in _READ:
        values = _READ[topic](prompt)
        if topic == "place" and name in ("to", "destination") and not variation:
            found = _TARGET.search(text) if len(values) > 1 else None
            written = _EMAIL.search(text) if name == "to" else None
            return found[1] if found else written[0] if written else next(iter(values), said)
        # An address or a day that is written out is better than what stands behind a word.
        if said is not None and (topic in ("name", "title", "company", "place") or not values):
            return said
        return values[variation] if variation < len(values) else None
    if said is not None:
        return said
    if topic == "prompt":
        return text[:300] if variation == 0 else None
    if variation == 0 and prompt.numbers and number_for(name) is not None:
        given = reading.amount(name, text)
        return str(prompt.numbers[0] if given is None else given)
    if topic in ("country", "region"):
        return None
    pattern = {"sum": _SUM, "origin": _ORIGIN}.get(topic)
    found = pattern.search(text) if pattern and variation == 0 else None
    return None if found is None else found[found.re.groups].strip().rstrip(".,;")


def of_format(form: str, prompt: Prompt, variation: int) -> str | None:
    """The text of a format that stands in the prompt, whatever its property is called."""
    read = _BY_FORMAT.get(form)
    values = read(prompt) if read else []
    return values[variation] if variation < len(values) else None


@lru_cache(2048)
def is_answer(name: str) -> bool:
    """Whether a property of this name holds what was asked for."""
    return any(part.lower() in _ANSWERS for part in _WORD.findall(name[:100])[-1:])


def _emails(prompt: Prompt) -> list[str]:
    return _EMAIL.findall(prompt.text) if "@" in prompt.text else []


def _urls(prompt: Prompt) -> list[str]:
    return [found.rstrip(".,;") for found in _URL.findall(prompt.text)]


def _days(prompt: Prompt) -> list[str]:
    day = reading.named_day(prompt.text)
    return reading.dates(prompt.text) or ([day] if day else [])


def _titles(prompt: Prompt) -> list[str]:
    return reading.quotations(prompt.text) or [clipped(prompt.text, 60)]


def _repository(place: int) -> Callable[[Prompt], list[str]]:
    def read(prompt: Prompt) -> list[str]:
        found = reading.repository(prompt.text)
        return [found[place]] if found else []

    return read


def _companies(prompt: Prompt) -> list[str]:
    found = reading.company(prompt.text)
    return [found] if found else prompt.people[:1]


_READ: dict[str, Callable[[Prompt], list[str]]] = {
    "place": lambda prompt: prompt.places or prompt.people[-1:],
    "name": lambda prompt: prompt.people,
    "maker": lambda prompt: reading.makers(prompt.text) or prompt.people,
    "email": _emails,
    "url": _urls,
    "date": _days,
    "title": _titles,
    "path": lambda prompt: reading.paths(prompt.text),
    "owner": _repository(0),
    "repository": _repository(1),
    "symbol": lambda prompt: reading.tickers(prompt.text),
    "company": _companies,
    "sentiment": lambda prompt: [reading.feeling(prompt.text)],
}
_BY_FORMAT: dict[str, Callable[[Prompt], list[str]]] = {
    "email": _emails,
    "uri": _urls,
    "url": _urls,
    "date": lambda prompt: reading.dates(prompt.text),
}
_MONEY = {
    "currency": 0, "source": 0, "base": 0, "from": 0, "from_currency": 0, "source_currency": 0, "base_currency": 0,
    "target": 1, "to": 1, "quote": 1, "to_currency": 1, "target_currency": 1, "quote_currency": 1,
}  # fmt: skip
_ANSWERS = words("answer result solution capital translation output response value")


def word(name: str, variation: int, shift: int) -> str:
    """A readable text for a property of this name; another one for another variation. `shift` turns the choice."""
    stock = _STOCK.get(topic_of(name))
    if stock is None:
        said = " ".join([part.lower() for part in _WORD.findall(name[:100])]) or "text"
        return f"example {said}" if variation == 0 else f"example {said} {variation + 1}"
    if variation < len(stock):
        return stock[variation]
    return f"{stock[(variation + shift) % len(stock)]} {variation + 1}"


def clipped(text: str, length: int) -> str:
    """The text's beginning, ending with a whole word where that is possible."""
    if len(text) <= length:
        return text
    cut = text[:length]
    end = cut.rfind(" ")
    return cut[:end] if end * 2 > length else cut.rstrip() or cut


def fitted(text: str, low: int, high: int | None, variation: int = 0) -> str:
    """The text with a length from `low` to `high`; another one for another variation, however little room there is."""
    if high is not None and len(text) > high:
        if variation:
            text = (_letters(variation, high) + text)[:high].rstrip()
        short = clipped(text, high)
        text = short if len(short) >= low else text[:high]
    if len(text) < low:
        more = " and so on" if high is None or high - low > 10 else " abcdefghijklmnopqrstuvwxyz"
        text = (text + more * ((low - len(text)) // len(more) + 1))[:low]
        if text[-1:] == " ":
            text = text[:-1] + "."
    return text


def _letters(number: int, most: int) -> str:
    letters = ""
    while number and len(letters) < most:
        number, place = divmod(number, 26)
        letters += "abcdefghijklmnopqrstuvwxyz"[place]
    return letters
