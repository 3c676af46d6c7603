"""What every Python driver shares: its arguments, and one JSON line per scenario on stdout.

A driver runs under any interpreter that has its SDK, so only that SDK and the standard library are imported.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

Observed = dict[str, Any]

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city"}},
    "required": ["city"],
}


def arguments(*, styles: tuple[str, ...] = ("default",)) -> argparse.Namespace:
    """The command line: `--style` picks one of the SDK's ways to be set up, `--salt` keeps callers' prompts apart."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--style", choices=styles, default=styles[0])
    parser.add_argument("--salt", default="")
    parser.add_argument("--key", default=None, help="API key, token or access key id, else the driver's own")
    parser.add_argument("--secret", default=None, help="AWS secret access key, else the driver's own")
    parser.add_argument("scenarios", nargs="*", help="all of the driver's, when none is named")
    return parser.parse_args()


class Driver:
    """A table of scenarios, and how this SDK's errors and reply headers are read.

    A scenario returns the fields it observed: text, chunks, events, arrivals, tool, usage, request_id, value.
    `arrivals` are `time.monotonic()` seconds, one per chunk.
    """

    def __init__(self, salt: str) -> None:
        self.salt = salt
        self.headers: dict[str, str] = {}

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        raise NotImplementedError

    def prompt(self, text: str = "Say hello.") -> str:
        """A prompt no other caller uses."""
        return f"{text} {self.salt}".strip()

    def observe(self, response: Any) -> None:
        """A response hook of the SDK's HTTP client: keeps the reply headers."""
        self.headers = {str(name).lower(): str(value) for name, value in response.headers.items()}

    def describe(self, error: BaseException) -> Observed:
        """The fields of an SDK's error that a caller's program would look at."""
        if not self.headers and hasattr(response := getattr(error, "response", None), "headers"):
            self.observe(response)  # older SDKs lose the hook in `with_options`
        fields = {"status": "status_code", "code": "code", "type": "type", "message": "message", "body": "body"}
        found = {name: getattr(error, attribute, None) for name, attribute in fields.items()}
        return {**found, "request_id": getattr(error, "request_id", None)}

    def run(self, names: list[str]) -> None:
        """Runs scenarios in order, in this one process."""
        table = self.scenarios()
        for name in names or list(table):
            self.headers = {}
            result: Observed = {"scenario": name, "ok": True}
            try:
                result.update(table[name]())
            except Exception as error:  # noqa: BLE001 - what the SDK raises is the observation
                kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ != "builtins"]
                described = {"class": kinds[0] if kinds else type(error).__name__, "classes": kinds}
                cause = type(error.__cause__ or error.__context__).__name__
                described.update({"text": str(error), "cause": cause}, **self.describe(error))
                result.update(ok=False, error=described)
            result["headers"] = self.headers
            print(json.dumps(result, default=str), flush=True)


class Chunks:
    """Collects what a stream yields: the text, the number of chunks and when each came."""

    def __init__(self) -> None:
        self.text = ""
        self.arguments = ""
        self.events: list[str] = []
        self.arrivals: list[float] = []

    def came(self, kind: str = "") -> None:
        self.arrivals.append(time.monotonic())
        if kind:
            self.events.append(kind)

    def observed(self, **more: Any) -> Observed:
        streamed = {"text": self.text, "chunks": len(self.arrivals), "arrivals": self.arrivals, "events": self.events}
        return {**streamed, **more}


def dumped(model: Any) -> Any:
    """An SDK model as plain data, None as None."""
    return None if model is None else model.model_dump(mode="json", exclude_none=True)
