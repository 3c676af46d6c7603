"""`manage.py proxy limits`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proxies.models import Proxy
from tests.proxies.management.calling import failure, run, run_json

pytestmark = pytest.mark.django_db
NONE = {
    "rpm": None,
    "tpm": None,
    "per": "proxy",
    "over_limit": "reject",
    "hold_s": 0.0,
    "counts_hits": True,
    "quota_headers": False,
}


@pytest.fixture(autouse=True)
def mine(make_proxy: Callable[..., Proxy]) -> Proxy:
    return make_proxy("mine")


def limits(*arguments: str) -> str:
    return run("proxy", "limits", "mine", *arguments)


def test_every_option_sets_its_field() -> None:
    said = limits(
        "--rpm", "60", "--tpm", "1", "--per", "client", "--hold", "2.5", "--hits", "no", "--quota-headers", "yes"
    )
    assert said == (
        "mine: changed: 60 requests and 1 token per minute, for each client; what comes over it is held up to 2.5 s; "
        "hits do not count; replies carry quota headers\n"
    )
    assert run_json("proxy", "limits", "mine") == {
        "rpm": 60,
        "tpm": 1,
        "per": "client",
        "over_limit": "hold",
        "hold_s": 2.5,
        "counts_hits": False,
        "quota_headers": True,
    }
    limits("--tpm", "none", "--reject", "--per", "credential")
    shown = limits()
    assert shown.startswith(
        "limits         60 requests per minute, for each credential; what comes over it is rejected;"
    )
    assert "\ntpm            none\n" in shown
    assert "\nover_limit     reject\n" in shown
    assert "\nquota_headers  yes\n" in shown


def test_clear_leaves_none() -> None:
    limits("--rpm", "5", "--hold", "1")
    assert limits("--clear") == "mine: changed: none\n"
    assert run_json("proxy", "limits", "mine") == NONE


def test_a_file_says_all_of_it(tmp_path: Path) -> None:
    limits("--rpm", "5", "--hold", "1")
    file = tmp_path / "limits.yaml"
    file.write_text("tpm: 4000\nper: client\n")
    limits("--file", str(file))
    assert run_json("proxy", "limits", "mine") == {**NONE, "tpm": 4000, "per": "client"}
    file.write_text("- 5")
    assert failure("proxy", "limits", "mine", "--file", str(file))[0].startswith("limits: Use a mapping with rpm, tpm")
    file.write_text("rate: 5")
    assert failure("proxy", "limits", "mine", "--file", str(file)) == ("limits.rate: There is no such field.", 1)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--rpm", "0"), "limits.rpm: Input should be greater than or equal to 1.", 1),
        (("--rpm", "1000001"), "limits.rpm: Input should be less than or equal to 1000000.", 1),
        (("--rpm", "many"), "limits.rpm: Input should be a valid integer.", 1),
        (("--rpm", "1.5"), "limits.rpm: Input should be a valid integer", 1),
        (("--tpm", "1000000001"), "limits.tpm: Input should be less than or equal to 1000000000.", 1),
        (("--per", "user"), "limits.per: Input should be 'proxy', 'client' or 'credential'.", 1),
        (("--hold", "0"), "limits.hold_s: Say how many seconds a request is held at most.", 1),
        (("--hold", "3601"), "limits.hold_s: Input should be less than or equal to 3600.", 1),
        (("--hits", "some"), "--hits: use on or off, or yes or no, not 'some'.", 2),
    ],
)
def test_what_is_refused_is_named_and_changes_nothing(arguments: tuple[str, ...], words: str, code: int) -> None:
    text, returncode = failure("proxy", "limits", "mine", *arguments)
    assert text.startswith(words)
    assert returncode == code
    assert run_json("proxy", "limits", "mine") == NONE
