"""Typed readers of environment variables; every error names the variable and what it accepts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_UNITS = {"": 1, "b": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
_SIZE = re.compile(r"(\d+)\s*([a-z]*)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class InvalidVariable(ImproperlyConfigured):
    """An environment variable whose value is not accepted; the text names both."""

    def __init__(self, name: str, value: str, accepted: str) -> None:
        super().__init__(f"{name}={value!r} is not accepted: {accepted}.")
        self.name = name


class Environment:
    """Reads variables and remembers which were asked for, so that a test can compare them with `.env.example`.

    A variable that is empty counts as not set.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        self.asked.add(name)
        return self._values.get(name, "").strip() or default

    def is_set(self, name: str) -> bool:
        return bool(self.text(name))

    def secret(self, name: str) -> str:
        """The value of `name`, or the content of the file that `name_FILE` points to; "" when neither is set."""
        value, path = self.text(name), self.text(f"{name}_FILE")
        if not path:
            return value
        if value:
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; set one of them.")
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidVariable(f"{name}_FILE", path, f"the file cannot be read ({error})") from None
        if not content:
            raise InvalidVariable(f"{name}_FILE", path, "the file is empty")
        return content

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value not in _TRUE | _FALSE:
            raise InvalidVariable(name, value, "use 1, true, yes or on; 0, false, no or off")
        return value in _TRUE

    def seconds(self, name: str, default: float, *, minimum: float = 0.01, maximum: float = 86_400) -> float:
        value = self.text(name)
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not minimum <= number <= maximum:
            raise InvalidVariable(name, value, f"use a number of seconds from {minimum:g} to {maximum:g}")
        return number

    def size(self, name: str, default: int, *, minimum: int = 1) -> int:
        """Bytes; accepts 1048576, 1024KiB, 1MiB, 1 GiB and decimal kB, MB, GB."""
        value = self.text(name)
        if not value:
            return default
        match = _SIZE.fullmatch(value)
        unit = _UNITS.get(match[2].lower()) if match else None
        number = int(match[1]) * unit if match and unit and len(match[1]) <= 18 else -1
        if not minimum <= number < 2**62:
            raise InvalidVariable(name, value, f"use a number of bytes from {minimum}, as in 65536, 64KiB or 1GiB")
        return number

    def days(self, name: str) -> int | None:
        """A whole number of days, from 1; `keep` is None."""
        value = self.text(name).lower()
        if value == "keep":
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 36_500):
            raise InvalidVariable(name, value, "use a whole number of days from 1 to 36500, or keep")
        return int(value)

    def choice(self, name: str, default: str, accepted: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in accepted:
            raise InvalidVariable(name, value, f"use one of {', '.join(accepted)}")
        return value

    def path(self, name: str, default: Path) -> Path:
        value = self.text(name)
        return Path(value).expanduser().resolve() if value else default.resolve()

    def existing_file(self, name: str) -> Path | None:
        value = self.text(name)
        if not value:
            return None
        path = Path(value).expanduser().resolve()
        if not path.is_file():
            raise InvalidVariable(name, value, "there is no such file")
        return path

    def names(self, name: str) -> list[str] | None:
        """Entries separated by commas or white space; None when the variable is not set."""
        value = self.text(name)
        return re.split(r"[\s,]+", value.strip(", \t\n")) if value else None

    def ip(self, name: str, default: str) -> str:
        value = self.text(name, default)
        return _ip(name, value)

    def listen_address(self, name: str, default: str) -> tuple[str, int]:
        """`127.0.0.1:8000`, `[::1]:8000`, `localhost:8000` or just a port."""
        value = self.text(name, default)
        host, colon, port = value.rpartition(":")
        if not colon:
            host = default.rpartition(":")[0]
        if not host or (":" in host and not (host.startswith("[") and host.endswith("]"))):
            raise InvalidVariable(name, value, "use ADDRESS:PORT, as in 127.0.0.1:8000 or [::1]:8000")
        host = host.strip("[]")
        return (host if host == "localhost" else _ip(name, host)), _port(name, value, port)

    def port_range(self, name: str, default: str) -> tuple[int, int]:
        """`8001-8999` or a single port; both ends belong to the range."""
        value = self.text(name, default)
        low, _, high = value.partition("-")
        first, last = _port(name, value, low.strip()), _port(name, value, (high or low).strip())
        if first > last:
            raise InvalidVariable(name, value, "the first port is above the last; use LOW-HIGH, as in 8001-8999")
        return first, last

    def connect_to(self, name: str) -> dict[tuple[str, int], tuple[str, int]]:
        """`host:port:addr:port,...`: where a connection meant for host:port really goes. IPv6 addresses in brackets."""
        found: dict[tuple[str, int], tuple[str, int]] = {}
        for entry in self.names(name) or []:
            match = re.fullmatch(r"([^:\[\]]+|\[[^\]]+\]):(\d+):([^:\[\]]+|\[[^\]]+\]):(\d+)", entry)
            if not match:
                raise InvalidVariable(name, entry, "use HOST:PORT:ADDRESS:PORT, separated by commas")
            source = (match[1].strip("[]").lower(), _port(name, entry, match[2]))
            found[source] = (_ip(name, match[3].strip("[]")), _port(name, entry, match[4]))
        return found


def _ip(name: str, value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip("[]")))
    except ValueError:
        raise InvalidVariable(name, value, "use an IP address, as in 127.0.0.1, 0.0.0.0 or ::1") from None


def _port(name: str, value: str, port: str) -> int:
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise InvalidVariable(name, value, "ports are numbers from 1 to 65535")
    return int(port)


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=VALUE lines; blank lines and `#` comments are skipped, `export` and quotes around a value dropped.

    A file that does not exist is an empty one. Raises ImproperlyConfigured naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error}") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = stripped.removeprefix("export ").partition("=")
        if not equals or not _NAME.fullmatch(key.strip()):
            raise ImproperlyConfigured(f"{path}, line {number}: use KEY=VALUE.")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[key.strip()] = value
    return found
