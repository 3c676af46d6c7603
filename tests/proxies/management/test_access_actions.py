"""`manage.py proxy access` and `manage.py access --global`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from accounts.services import site_settings_update
from proxies.models import Proxy, ProxyRuntime
from tests.proxies.management.calling import failure, run, run_json

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mine(make_proxy: Callable[..., Proxy]) -> Proxy:
    return make_proxy("mine")


def test_entries_are_put_in_and_taken_out() -> None:
    assert run("proxy", "access", "mine") == "mine: everybody may come in.\n"
    said = run("proxy", "access", "mine", "--allow", "10.0.0.0/8", "--allow", "10.0.0.0/8", "--block", "10.9.*.*")
    assert said == "mine: changed: allow 1, block 1\n"
    run("proxy", "access", "mine", "--block", "2001:DB8::/32", "--block", "::ffff:10.1.1.1", "--remove", "10.9.*.*")
    assert run_json("proxy", "access", "mine") == {
        "allow": ["10.0.0.0/8"],
        "block": ["2001:DB8::/32", "::ffff:10.1.1.1"],
    }
    assert run("proxy", "access", "mine") == "allow:\n- 10.0.0.0/8\nblock:\n- 2001:DB8::/32\n- ::ffff:10.1.1.1\n"
    assert run_json("proxy", "access", "mine", "--remove", "2001:db8::/32")["block"] == ["::ffff:10.1.1.1"]
    assert run_json("proxy", "access", "mine", "--clear") == {"allow": [], "block": []}


def test_show_says_how_many_there_are() -> None:
    run("proxy", "access", "mine", *(f"--block=10.0.0.{number}" for number in range(5)))
    shown = run("proxy", "show", "mine")
    assert "\naccess.allow            everybody\n" in shown
    assert "\naccess.block            5 (10.0.0.0, 10.0.0.1, 10.0.0.2, ...)\n" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--block", "10.0.0.300"), "block: '10.0.0.300' is not an IP address"),
        (("--allow", "10.0.0.1/8"), "allow: '10.0.0.1/8' is an address inside a range; write 10.0.0.0/8"),
        (("--remove", "10.0.0.1"), "remove: '10.0.0.1' is in none of the lists."),
    ],
)
def test_a_bad_entry_is_named(arguments: tuple[str, ...], words: str) -> None:
    text, code = failure("proxy", "access", "mine", *arguments)
    assert text.startswith(words)
    assert code == 1
    assert Proxy.objects.get().generation == 1


def test_a_file_takes_the_places_of_the_lists_it_names(tmp_path: Path) -> None:
    run("proxy", "access", "mine", "--allow", "10.0.0.1", "--block", "10.0.0.2")
    file = tmp_path / "lists.txt"
    file.write_text("# who is out\nblock 10.1.*.*  # all of it\n\nblock ::1\n")
    run("proxy", "access", "mine", "--file", str(file), "--block", "::2", "--remove", "::1")
    assert run_json("proxy", "access", "mine") == {"allow": ["10.0.0.1"], "block": ["10.1.*.*", "::2"]}
    file.write_text("allow 10.0.0.1\nblock 10.0.0.0/40\n")
    text, code = failure("proxy", "access", "mine", "--file", str(file))
    assert text == f"{file}, line 2: block '10.0.0.0/40' has a bad range: use a number from 0 to 32 after the slash."
    assert code == 1


def test_the_global_lists_are_set_and_known_to_all_when_the_command_returns(
    mine: Proxy, observed: Callable[..., ProxyRuntime]
) -> None:
    assert run("access", "--global") == "all ports: everybody may come in.\n"
    said = run("access", "--global", "--block", "203.0.113.0/24", "--trusted-proxy", "10.0.0.1")
    assert said == "all ports: changed: allow 0, block 1, trusted_proxies 1\n"
    observed(mine, "running", applied_site_generation=3)
    said = run("access", "--global", "--allow", "198.51.100.7")
    assert said == (
        "all ports: changed, and live: allow 1, block 1, trusted_proxies 1\n"
        "This machine's own 127.0.0.1 and ::1 is refused now, at the web interface too; `--clear` undoes it.\n"
    )
    observed(mine, "running", applied_site_generation=3)
    assert "not every worker has taken it up yet" in run("access", "--global", "--clear")
    assert run_json("access", "--global", "--remove", "10.0.0.1") == {
        "allow": [],
        "block": [],
        "trusted_proxies": [],
        "locked": [],
    }


def test_a_file_may_name_the_trusted_proxies_of_the_global_lists_only(tmp_path: Path) -> None:
    file = tmp_path / "lists.yaml"
    file.write_text("trusted_proxies: [10.0.0.1]\nblock:\n  - 203.0.113.9\n")
    assert run_json("access", "--global", "--file", str(file))["trusted_proxies"] == ["10.0.0.1"]
    text, code = failure("proxy", "access", "mine", "--file", str(file))
    assert (text, code) == (f"{file}: 'trusted_proxies' is none of the lists allow, block.", 1)


def test_what_the_environment_decides_is_shown_and_not_changed(settings: Settings) -> None:
    site_settings_update({"global_block": ["10.0.0.1"]})
    settings.SITE_OVERRIDES = {"global_allow": ["192.0.2.0/24"]}
    assert run("access", "--global") == (
        "allow:\n- 192.0.2.0/24\nblock:\n- 10.0.0.1\n"
        "# allow: the environment decides this, by RUBBERDUCK_GLOBAL_ALLOW.\n"
    )
    assert failure("access", "--global", "--allow", "10.0.0.1") == (
        "global_allow: The environment decides this: RUBBERDUCK_GLOBAL_ALLOW is set.",
        1,
    )
    assert run_json("access", "--global", "--block", "10.0.0.2")["block"] == ["10.0.0.1", "10.0.0.2"]


def test_global_must_be_said() -> None:
    assert failure("access", "--block", "10.0.0.1") == (
        "Say --global; a proxy's own lists: manage.py proxy access NAME.",
        2,
    )


def test_what_is_so_already_is_said_to_be() -> None:
    run("proxy", "access", "mine", "--block", "10.0.0.1")
    assert run("proxy", "access", "mine", "--block", "10.0.0.1") == "mine: nothing to change: allow 0, block 1\n"
    assert run("access", "--global", "--clear").startswith("all ports: nothing to change")
    assert Proxy.objects.get().generation == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_commands_at_once_the_second_sees_what_the_first_has_done() -> None:
    def block(number: int) -> None:
        try:
            run("proxy", "access", "mine", "--block", f"10.0.0.{number}")
            run("access", "--global", "--block", f"10.0.1.{number}")
            run("proxy", "faults", "mine", "--add", f"error;status={500 + number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(block, range(8)))
    assert sorted(run_json("proxy", "access", "mine")["block"]) == [f"10.0.0.{number}" for number in range(8)]
    assert sorted(run_json("access", "--global")["block"]) == [f"10.0.1.{number}" for number in range(8)]
    assert sorted(rule["status"] for rule in run_json("proxy", "faults", "mine")["rules"]) == list(range(500, 508))
