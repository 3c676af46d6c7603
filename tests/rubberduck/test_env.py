"""Environment variables: typed, and refused in words that name the variable and what it accepts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from rubberduck.env import Environment, InvalidVariable, read_env_file

READERS: dict[str, Callable[[Environment], Any]] = {
    "boolean": lambda env: env.boolean("X", True),
    "seconds": lambda env: env.seconds("X", 30.0),
    "size": lambda env: env.size("X", 1024, minimum=10),
    "choice": lambda env: env.choice("X", "own", ("own", "httpx")),
    "names": lambda env: env.names("X"),
    "ip": lambda env: env.ip("X", "127.0.0.1"),
    "listen_address": lambda env: env.listen_address("X", "127.0.0.1:8000"),
    "port_range": lambda env: env.port_range("X", "8001-8999"),
    "connect_to": lambda env: env.connect_to("X"),
    "existing_file": lambda env: env.existing_file("X"),
}


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        ("boolean", "yes", True),
        ("boolean", "OFF", False),
        ("boolean", "", True),
        ("seconds", "0.5", 0.5),
        ("seconds", " ", 30.0),
        ("size", "65536", 65536),
        ("size", "64KiB", 65536),
        ("size", "1 GiB", 1024**3),
        ("size", "2mb", 2_000_000),
        ("choice", "HTTPX", "httpx"),
        ("names", "", None),
        ("names", "a, b  c,", ["a", "b", "c"]),
        ("ip", "::1", "::1"),
        ("listen_address", "0.0.0.0:80", ("0.0.0.0", 80)),
        ("listen_address", "[::1]:8080", ("::1", 8080)),
        ("listen_address", "localhost:9", ("localhost", 9)),
        ("listen_address", "9000", ("127.0.0.1", 9000)),
        ("port_range", "9000", (9000, 9000)),
        ("port_range", "9000 - 9010", (9000, 9010)),
        ("connect_to", "api.x.com:443:127.0.0.1:99", {("api.x.com", 443): ("127.0.0.1", 99)}),
        ("connect_to", "a:1:127.0.0.1:2,[::2]:80:[::1]:81", {("a", 1): ("127.0.0.1", 2), ("::2", 80): ("::1", 81)}),
        ("existing_file", __file__, Path(__file__)),
    ],
)  # fmt: skip
def test_values_are_read(reader: str, text: str, value: Any) -> None:
    assert READERS[reader](Environment({"X": text})) == value


@pytest.mark.parametrize(
    ("reader", "text", "accepted"),
    [
        ("boolean", "maybe", "use 1, true, yes or on; 0, false, no or off"),
        ("seconds", "soon", "from 0.01 to 86400"),
        ("seconds", "nan", "from 0.01 to 86400"),
        ("seconds", "-1", "from 0.01 to 86400"),
        ("size", "9", "from 10"),
        ("size", "1.5GiB", "64KiB or 1GiB"),
        ("size", "9999999999999999999GiB", "64KiB or 1GiB"),
        ("choice", "curl", "use one of own, httpx"),
        ("ip", "localhost", "use an IP address"),
        ("listen_address", "::1", "[::1]:8000"),
        ("listen_address", "127.0.0.1:0", "from 1 to 65535"),
        ("listen_address", "example.com:80", "use an IP address"),
        ("port_range", "9-8", "LOW-HIGH"),
        ("port_range", "1-70000", "from 1 to 65535"),
        ("connect_to", "api.x.com:443", "HOST:PORT:ADDRESS:PORT"),
        ("connect_to", "api.x.com:443:localhost:1", "use an IP address"),
        ("existing_file", "/nonexistent", "no such file"),
    ],
)
def test_a_bad_value_is_refused_with_the_variable_and_what_it_accepts(reader: str, text: str, accepted: str) -> None:
    with pytest.raises(InvalidVariable) as caught:
        READERS[reader](Environment({"X": text}))
    assert "X=" in str(caught.value)
    assert accepted in str(caught.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    assert Environment({"KEY_FILE": str(path)}).secret("KEY") == "s3cret"
    assert Environment({"KEY": "plain"}).secret("KEY") == "plain"
    assert Environment({}).secret("KEY") == ""
    with pytest.raises(ImproperlyConfigured, match="KEY and KEY_FILE are both set"):
        Environment({"KEY": "plain", "KEY_FILE": str(path)}).secret("KEY")
    with pytest.raises(InvalidVariable, match=r"KEY_FILE=.*cannot be read"):
        Environment({"KEY_FILE": str(tmp_path / "missing")}).secret("KEY")
    path.write_text("\n")
    with pytest.raises(InvalidVariable, match="the file is empty"):
        Environment({"KEY_FILE": str(path)}).secret("KEY")


def test_an_env_file_is_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# comment\n\nA=1\nexport B = 'two words'\nC=\"x=y\"\nD=\n")
    assert read_env_file(path) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
    assert read_env_file(tmp_path / "missing") == {}
    path.write_text("A=1\nwhat is this\n")
    with pytest.raises(ImproperlyConfigured, match=r"line 2: use KEY=VALUE"):
        read_env_file(path)


def test_days_are_a_whole_number_or_keep() -> None:
    assert Environment({"DAYS": "30"}).days("DAYS") == 30
    assert Environment({"DAYS": "Keep"}).days("DAYS") is None
    for value in ("0", "-1", "1.5", "soon", "99999", "٣"):
        with pytest.raises(InvalidVariable, match="use a whole number of days from 1 to 36500, or keep"):
            Environment({"DAYS": value}).days("DAYS")
