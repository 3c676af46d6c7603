"""What tools are for, told by their names, and what a prompt wants done, told by the values it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from providers.emulated.json_schema.document import words
from providers.emulated.json_schema.reading import paths, tickers

_SEARCHES = words(
    "search google bing wikipedia wiki tavily duckduckgo ddg serper serpapi brave exa perplexity browse internet web "
    "retrieve retriever retrieval lookup knowledge rag"
)
# A search for one kind of thing (`search_flights`) has other words in its name.
_ANYTHING = _SEARCHES | words(
    "engine online result results json api tool get fetch find query run the in on for from base kb doc docs document "
    "passage chunk context information info fact faq article content vector store semantic similar relevant company "
    "internal tools function data a of general basic quick and mcp server page site"
)
_FETCHES = words(
    "fetch navigate open browse browser get read load visit scrape crawl url web webpage page download extract http "
    "request goto go website site link summarize"
)
_SHELLS = words("bash shell terminal command cmd exec powershell ssh")
_CODES = words("python repl code interpreter javascript notebook jupyter ipython")
_DATABASES = words("database db sql postgres postgresql mysql sqlite bigquery snowflake warehouse clickhouse")
_MAILS = words("email mail gmail outlook")
_NO_SENDING = words("read list search get delete fetch find check validate verify lookup")
_STOCKS = words("stock share ticker quote equity finance symbol")
_FILES = words("file files path directory directories folder dir")
_FILE_PURPOSES = (
    ("delete", words("delete remove rm unlink")),
    ("move", words("move rename copy")),
    ("edit", words("edit replace patch modify update change str")),
    ("write", words("write create save append put")),
    ("list", words("list ls dir directory tree")),
    ("read", words("read cat view open load show get file")),
)
_OTHER_FILES = words("search grep find glob upload info metadata size")
_PATHS = words("path file filename filepath file_path directory dir folder dirpath")
_URLS = words("url uri link href website")

_DELETING = words("delete remove rm erase")
_MOVING = words("move rename copy mv cp")
_EDITING = words("replace change edit fix modify update refactor correct")
_SAVING = words("save write create append put store")
_LISTING = words("files directory folder directories folders list ls")
_SENDING = words("email mail write send tell let inform message notify ask invite remind forward contact")
_RUNNING = words("run execute install git npm pip pytest ls make cargo docker grep restart start build")
_TRADING = words("price trading trade stock share shares worth quote market performing doing trades")
_COUNTING = re.compile(
    r"\b(?:how (?:many|much)|average|total|count|top \d+|number of|sum of|list|show|which|most)\b", re.I
)
_ROWS = words(
    "user users customer customers order orders signup signups sale sales revenue product products row rows table "
    "tables record records invoice invoices account accounts subscriber subscribers subscription subscriptions "
    "employee employees transaction transactions payment payments purchase purchases"
)
_EXTENSIONS = words(
    "txt md py js ts tsx jsx json jsonl yaml yml csv html css toml ini cfg xml log sh rs go java c h cpp rb php sql "
    "pdf docx xlsx env lock conf png jpg jpeg ipynb parquet"
)
_FACT = re.compile(
    r"\s*(?P<lead>(?:(?:please|can you|could you|do you know|tell me|i want to know|so|and|hey|hi)[,:]?\s+){0,3})"
    r"(?:(?:who|whom|whose|when|where|which|what|how (?:many|much|tall|old|far|long|big|high|deep|fast|large|heavy"
    r"|often|is|are|was|were|did|does))\b|(?:what|who|where|when)(?:'s|’s)\b)",
    re.I,
)
_DOUBT = re.compile(
    r"\s*(?:[Ii]s|[Aa]re|[Ww]as|[Ww]ere|[Dd]id|[Dd]oes|[Hh]as|[Ww]ill)\s+(?:.*\b[A-Z]|.*\b(?:still|yet)\b)"
)
_LOOK_UP = re.compile(
    r"(?:^\s*|[.,;!?]\s*|\b(?:please|you|to|and)\s+)(?:search|look (?:it |this |that )?up|google|research|browse"
    r"|find (?:me |out )?)\b|\b(?:latest|news|recent(?:ly)?|up[- ]to[- ]date)\b",
    re.I,
)
_PERSONAL = re.compile(r"\b(?:you|your|yours|yourself|i|i'm|we|am|rhyme|love|meaning of life)\b", re.I)
_LONGEST = 400


@lru_cache(maxsize=512)
def purposes(name_words: tuple[str, ...], description: str, members: tuple[str, ...]) -> frozenset[str]:
    """What a tool is for. `members`: what its parameters are called, `description`: in lower case."""
    said = frozenset(name_words)
    found = set()
    if (not _SEARCHES.isdisjoint(said) and said <= _ANYTHING) or any(
        phrase in description for phrase in ("search engine", "search the web", "search the internet")
    ):
        found.add("search")
    if not _URLS.isdisjoint(members) and not _FETCHES.isdisjoint(said):
        found.add("url")
    if not _MAILS.isdisjoint(said) and _NO_SENDING.isdisjoint(said):
        found.add("email")
    if not _STOCKS.isdisjoint(said) or "ticker" in members:
        found.add("stock")
    if not _DATABASES.isdisjoint(said) or "sql" in members:
        found.add("database")
    if not _SHELLS.isdisjoint(said) and _CODES.isdisjoint(said):
        found.add("shell")
    if not _CODES.isdisjoint(said) and "code" in (*members, *said):
        found.add("code")
    if (not _PATHS.isdisjoint(members) or not _FILES.isdisjoint(said)) and _OTHER_FILES.isdisjoint(said):
        kind = next((kind for kind, verbs in _FILE_PURPOSES if not verbs.isdisjoint(said)), None)
        if kind:
            found.add(kind)
    return frozenset(found)


def wishes(prompt: str) -> list[tuple[str, ...]]:
    """What a prompt wants done, by the values in it: for each wish the purposes that would do, best first."""
    text = prompt[:_LONGEST]
    said = frozenset(text.lower().translate(_BARE).split())
    found: list[tuple[str, ...]] = []
    if "://" in text:
        found.append(("url",))
    elif path := _path(text) if "." in text or "/" in text else "":
        found.append(_file_wish(path, said))
    elif not _RUNNING.isdisjoint(text[:40].lower().split(None, 1)[:1]):
        found.append(("shell",))
    if "@" in text and not _SENDING.isdisjoint(said):
        found.append(("email",))
    if (len(said) < 3 or not _TRADING.isdisjoint(said)) and tickers(text):
        found.append(("stock",))
    if not _ROWS.isdisjoint(said) and _COUNTING.search(text):
        found.append(("database",))
    return found


_BARE = str.maketrans(dict.fromkeys(".,;:!?\"'()$", " "))


def _path(text: str) -> str:
    """The first file or directory that a text names, "" if none."""
    for path in paths(text):
        stem, dot, extension = path.rpartition(".")
        if path[0] in "/~." and len(path) > 1:
            return path
        if dot and extension.lower() in _EXTENSIONS and not (extension == "js" and stem[:1].isupper()):
            return path
    return ""


def _file_wish(path: str, said: frozenset[str]) -> tuple[str, ...]:
    if not _DELETING.isdisjoint(said):
        return "delete", "shell"
    if not _MOVING.isdisjoint(said):
        return "move", "edit", "shell"
    if not _EDITING.isdisjoint(said):
        return "edit", "write", "read", "shell"
    if not _SAVING.isdisjoint(said):
        return "write", "edit", "shell"
    if "." not in path.rstrip("/").rpartition("/")[2][1:] or (path[0] in "/~." and not _LISTING.isdisjoint(said)):
        return "list", "read", "shell"
    return "read", "shell"


def wants_facts(prompt: str) -> bool:
    """Whether a prompt asks what can be looked up."""
    if len(prompt) > _LONGEST:
        return False
    if _LOOK_UP.search(prompt):
        return True
    found = _FACT.match(prompt)
    if found:
        return _PERSONAL.search(prompt, found.end("lead")) is None
    return _DOUBT.match(prompt) is not None and _PERSONAL.search(prompt) is None


def serving(wish: Sequence[str], offered: Sequence[frozenset[str]]) -> int | None:
    """Which of the tools, given by their purposes, serves a wish best."""
    for purpose in wish:
        for place, found in enumerate(offered):
            if purpose in found:
                return place
    return None
