"""The first account of an installation, and the one-time code that keeps strangers from making it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import Conflict, NotAllowed, TooManyAttempts
from accounts.models import User
from accounts.selectors import setup_is_needed
from accounts.services import staff_lock, user_create

CODE_VALID_S: Final = 15 * 60
CODE_TRIES: Final = 5
CODE_PAUSE_S: Final = 60  # after as many wrong ones; then there is another code
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without the letters and digits that look alike
_LENGTH: Final = 12  # 60 bits
# What proxies and tunnels add; besides everything that begins with X-Forwarded.
_FORWARDING: Final = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "cf-connecting-ip", "true-client-ip"}
)
_THIS_PROCESS: Final = secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A code that stands on somebody's console. `made_at` and `tried_at` are seconds since 1970."""

    digest: str
    made_at: float
    pid: int
    process: str
    tries: int = 0
    tried_at: float = 0.0

    def is_open(self, now: float) -> bool:
        return self.tries < CODE_TRIES and 0 <= now - self.made_at < CODE_VALID_S and self._is_on_a_console()

    def pause_s(self, now: float) -> float:
        """How long no code is accepted, after too many wrong ones."""
        return max(0.0, self.tried_at + CODE_PAUSE_S - now) if self.tries >= CODE_TRIES else 0.0

    def _is_on_a_console(self) -> bool:
        if self.process == _THIS_PROCESS:
            return True
        return self.pid != os.getpid() and Path(f"/proc/{self.pid}").exists()


def setup_needs_code(*, peer: str, headers: Mapping[str, str], http_version: str = "1.1") -> bool:
    """Whether who asks must know the code: everybody but a browser on this machine, at a web that is there for this
    machine alone and has nothing in front of it. `peer` is the address that has connected.

    No browser speaks HTTP 1.0; nginx does to what is behind it, and adds no header, unless it is told otherwise.
    Source: nginx.org, ngx_http_proxy_module, proxy_http_version (until 1.29.7).
    """
    if settings.HTTPS or settings.EXTRA_HOSTS or not is_loopback(settings.WEB_BIND[0]) or not is_loopback(peer):
        return True
    if http_version == "1.0":
        return True
    return any(name.lower() in _FORWARDING or name.lower().startswith("x-forwarded") for name in headers)


def setup_offer_code(now: float | None = None) -> None:
    """Sees to it that a code stands on the console of a web process. Prints one when there is none that holds."""
    with _offer_file() as file:
        _offer(file, time.time() if now is None else now)


def setup_check_code(code: str, now: float | None = None) -> None:
    """Returns when it is the code on the console. Raises NotAllowed, or TooManyAttempts after five wrong ones."""
    moment = time.time() if now is None else now
    with _offer_file() as file:
        offer = _offer(file, moment)
        if pause_s := offer.pause_s(moment):
            raise TooManyAttempts(f"Too many wrong codes. In {pause_s:.0f} s there is a new one on the console.")
        if constant_time_compare(offer.digest, _digest(code)):
            return
        values = asdict(offer) | {"tries": offer.tries + 1, "tried_at": moment}
        _write(file, _Offer(**values))
    raise NotAllowed(
        "This is not the code on the console of the web process.", fields={"code": "Not the code on the console."}
    )


def first_account_create(*, email: str, password: str, name: str = "") -> User:
    """Makes the first account: staff, its address verified. Proxies without an owner become theirs.

    Raises Invalid, and Conflict when there is an account; of two at the same time, one gets that.
    """
    with transaction.atomic():
        staff_lock()
        if not setup_is_needed():
            raise Conflict("There is an account already. Sign in with it.")
        user = user_create(email=email, password=password, name=name, is_staff=True)
    _path().unlink(missing_ok=True)
    return user


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address. What is no address is none."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _offer(file: int, now: float) -> _Offer:
    """The code that holds or is being paused for, else a new one, printed. `file` is locked."""
    offer = _read(file)
    if offer is not None and (offer.is_open(now) or offer.pause_s(now)):
        return offer
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    offer = _Offer(_digest(code), now, os.getpid(), _THIS_PROCESS)
    _write(file, offer)
    shown = "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))
    sys.stderr.write(f"\nThe code for the first account is {shown} (good for {CODE_VALID_S // 60} minutes).\n\n")
    sys.stderr.flush()
    return offer


def _digest(code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("accounts.setup", plain.encode("utf-8", "surrogatepass"), algorithm="sha256").hexdigest()


def _path() -> Path:
    return Path(settings.DATA_DIR) / "setup_code"


@contextmanager
def _offer_file() -> Iterator[int]:
    """The file of the offer, locked against other web processes."""
    file = os.open(_path(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _read(file: int) -> _Offer | None:
    os.lseek(file, 0, os.SEEK_SET)
    try:
        return _Offer(**json.loads(os.read(file, 4096)))
    except (ValueError, TypeError):  # a new file, or half a one
        return None


def _write(file: int, offer: _Offer) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    os.ftruncate(file, 0)
    os.write(file, json.dumps(asdict(offer)).encode())
