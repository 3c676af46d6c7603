"""The demonstration: one emulated proxy per provider, made once however often it is asked for."""

from __future__ import annotations

import io
import json
import os
import random
import socket
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from proxies.demo import PROVIDERS, demo_create, demo_remove
from proxies.models import Proxy, ProxyRuntime, SupervisorHeartbeat
from proxies.services import proxy_stop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def first_port(settings: Settings) -> int:
    """The first of some ports in a row that nobody has, at the beginning of the range."""
    while True:
        first = random.randrange(33_000, 60_000)
        try:
            for port in range(first, first + 6):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        settings.PROXY_PORTS = (first, first + 10)
        return first


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def test_there_is_one_for_every_provider_on_the_first_ports(first_port: int) -> None:
    run()
    rows = Proxy.objects.order_by("port")
    assert [(proxy.name, proxy.provider, proxy.port) for proxy in rows] == [
        ("demo-openai", "openai", first_port),
        ("demo-anthropic", "anthropic", first_port + 1),
        ("demo-azure_openai", "azure_openai", first_port + 2),
        ("demo-bedrock", "bedrock", first_port + 3),
        ("demo-vertex_ai", "vertex_ai", first_port + 4),
    ]
    for proxy in rows:
        assert (proxy.upstream, proxy.owner, proxy.tags, proxy.bind) == ("emulated", None, ["demo"], "")
        assert (proxy.cache_mode, proxy.desired_state) == ("on", "running")


def test_they_are_nobodys_without_an_account_and_later_the_only_staff_users() -> None:
    demo_create()
    assert {proxy.owner for proxy in Proxy.objects.all()} == {None}
    demo_remove()
    staff = User.objects.create_superuser("staff@example.org")
    demo_create()
    assert {proxy.owner for proxy in Proxy.objects.all()} == {staff}


def test_twice_is_as_once(first_port: int) -> None:
    User.objects.create_superuser("staff@example.com")
    run()
    proxies = list(Proxy.objects.order_by("pk").values_list("pk", "port", "generation", "owner"))
    proxy_stop(proxy=Proxy.objects.get(name="demo-openai"))
    run()
    assert list(Proxy.objects.order_by("pk").values_list("pk", "port", "generation", "owner")) == proxies
    assert set(Proxy.objects.values_list("desired_state", flat=True)) == {"running"}


def test_one_that_somebody_has_adopted_and_changed_is_left_to_them() -> None:
    run()
    owner = User.objects.create_user("ada@example.com")
    Proxy.objects.filter(name="demo-openai").update(owner=owner, port=9990, cache_mode="off")
    run()
    assert Proxy.objects.count() == len(PROVIDERS)
    adopted = Proxy.objects.get(name="demo-openai")
    assert (adopted.owner, adopted.port, adopted.cache_mode) == (owner, 9990, "off")


def test_a_port_in_use_is_named_and_the_others_are_made(first_port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", first_port + 1))
        other.listen()
        with pytest.raises(CommandError) as caught:
            run()
    assert str(caught.value) == f"demo-anthropic: Port {first_port + 1} is in use by another program."
    assert Proxy.objects.count() == len(PROVIDERS) - 1
    run()
    assert Proxy.objects.count() == len(PROVIDERS)


def test_nothing_is_said_of_starting_where_nothing_was_made(first_port: int) -> None:
    out = io.StringIO()
    others = [socket.create_server(("127.0.0.1", first_port + number)) for number in range(len(PROVIDERS))]
    with pytest.raises(CommandError):
        call_command("demo", stdout=out)
    for other in others:
        other.close()
    assert out.getvalue() == ""


def test_ports_and_names_of_other_proxies_are_named(first_port: int, make_proxy: Callable[..., Proxy]) -> None:
    make_proxy("mine", port=first_port)
    make_proxy("demo-bedrock", provider="bedrock", port=9991)
    with pytest.raises(CommandError) as caught:
        run()
    assert str(caught.value).splitlines() == [
        f"demo-openai: Port {first_port} belongs to another proxy, 'mine'.",
        "demo-bedrock: Another proxy of the same owner has this name.",
    ]


def test_a_range_that_is_too_short_is_named(first_port: int, settings: Settings) -> None:
    settings.PROXY_PORTS = (first_port, first_port + 3)
    with pytest.raises(CommandError, match=f"Port {first_port + 4} lies beyond RUBBERDUCK_PROXY_PORTS"):
        run()
    assert Proxy.objects.count() == 4


def test_people_see_the_addresses_and_how_to_call_each(first_port: int) -> None:
    text = run()
    assert f"\ndemo-openai  OpenAI  http://127.0.0.1:{first_port}\n" in text
    assert text.count("curl ") == len(PROVIDERS)
    assert f"http://127.0.0.1:{first_port + 4}/v1beta/models/" in text
    assert "The supervisor is not running" in text
    every = run("--snippets")
    assert "from openai import OpenAI" in every
    assert "\nAWS SDK for JavaScript:\n" in every


def test_scripts_get_json(first_port: int) -> None:
    found = json.loads(run("--json"))
    assert [proxy["base_url"] for proxy in found] == [f"http://127.0.0.1:{first_port + n}" for n in range(5)]
    assert {proxy["desired_state"] for proxy in found} == {"running"}
    assert found[0]["snippets"][0]["language"] == "shell"


def test_what_could_not_be_made_is_in_the_json_too(first_port: int, make_proxy: Callable[..., Proxy]) -> None:
    make_proxy("mine", port=first_port)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("demo", "--json", stdout=out)
    missing = json.loads(out.getvalue())[0]
    assert (missing["id"], missing["name"], missing["state"]) == (None, "demo-openai", "failed")
    assert missing["reason"] == f"Port {first_port} belongs to another proxy, 'mine'."


def test_it_waits_until_they_run_and_says_which_do_not(observed: Callable[..., ProxyRuntime]) -> None:
    demo_create()
    for proxy in Proxy.objects.all():
        if proxy.name == "demo-bedrock":
            observed(proxy, "failed", reason="Port 1 is in use by another program.", applied_generation=9)
        else:
            observed(proxy, "running")
    with pytest.raises(CommandError, match=r"^demo-bedrock: Port 1 is in use by another program\.$"):
        run()


def test_with_a_supervisor_that_runs_nothing_is_said_of_one(observed: Callable[..., ProxyRuntime]) -> None:
    now = timezone.now()
    demo_create()
    for proxy in Proxy.objects.all():
        observed(proxy, "running")
    SupervisorHeartbeat.objects.update(pid=os.getpid(), heartbeat_at=now)
    assert "supervisor" not in run()


def test_it_is_removed_again_and_nothing_else_is(make_proxy: Callable[..., Proxy]) -> None:
    make_proxy("mine", port=9992)
    make_proxy("demo-openai", owner=User.objects.create_user("ada@example.com"), port=9993)
    run()
    assert run("--remove") == (
        "Removed demo-openai, demo-anthropic, demo-azure_openai, demo-bedrock, demo-vertex_ai.\n"
    )
    assert set(Proxy.objects.values_list("port", flat=True)) == {9992, 9993}
    assert run("--remove") == "There is no demonstration to remove.\n"
    assert json.loads(run("--remove", "--json")) == []
    assert demo_remove() == []


def test_every_entry_of_the_json_has_the_fields_of_a_proxy() -> None:
    names = {"id", "name", "provider", "port", "base_url", "desired_state", "state", "reason", "snippets"}
    assert all(entry.keys() == names for entry in json.loads(run("--json")))
