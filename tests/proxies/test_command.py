"""`manage.py proxy`, called as a person or a script calls it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from proxies.models import Proxy, ProxyRuntime
from proxies.schemas import COLUMNS

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("proxy", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def failure(*arguments: str) -> tuple[str, int]:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value), caught.value.returncode


def test_create_takes_every_option() -> None:
    summary = run_json(
        *("create", "mine", "--provider", "bedrock", "--model", "nova-x", "--port", "9777", "--bind", "127.0.0.2"),
        *("--upstream", "https://api.example.com", "--cache", "replay", "--description", "for tests"),
        *("--tag", "a", "--tag", "b", "--credential", "os.environ/X"),
    )
    proxy = Proxy.objects.get()
    assert summary == {
        "id": proxy.pk,
        "name": "mine",
        "provider": "bedrock",
        "port": 9777,
        "base_url": "http://127.0.0.2:9777",
        "desired_state": "stopped",
        "state": "stopped",
        "reason": "",
    }
    assert (proxy.model, proxy.upstream, proxy.cache_mode) == ("nova-x", "https://api.example.com", "replay")
    assert (proxy.description, proxy.tags, proxy.credential) == ("for tests", ["a", "b"], "os.environ/X")


def test_the_owner_is_the_first_account_or_the_only_staff_user_or_nobody_or_who_is_named() -> None:
    run("create", "first", "--provider", "openai")
    staff = User.objects.create_superuser("staff@example.com")
    run("create", "second", "--provider", "openai")
    user = User.objects.create_user("user@example.com")
    run("create", "third", "--provider", "openai", "--owner", "USER@example.com")
    User.objects.create_superuser("other@example.com")
    run("create", "fourth", "--provider", "openai")
    assert list(Proxy.objects.order_by("pk").values_list("owner", flat=True)) == [staff.pk, staff.pk, user.pk, None]
    assert failure("create", "x", "--provider", "openai", "--owner", "who@example.com") == (
        "owner: There is no account 'who@example.com'.",
        1,
    )


def test_what_is_refused_exits_1_with_the_field() -> None:
    assert failure("create", "x", "--provider", "azure_openai")[1] == 1
    assert failure("create", "x", "--provider", "azure_openai")[0].startswith("upstream: ")
    assert failure("create", "x", "--provider", "openai", "--port", "abc")[0].startswith("port: ")
    assert failure("create", "x", "--provider", "openai", "--cache", "maybe")[0].startswith("cache.mode: ")
    assert failure("show", "nobody") == ("There is no proxy named 'nobody'.", 1)
    assert not Proxy.objects.exists()


def test_set_reads_json_where_the_field_needs_it_and_null_clears() -> None:
    run("create", "mine", "--provider", "openai", "--description", "old")
    text = run(
        *(
            "set",
            "mine",
            "cache.ttl_s=90",
            "cache.single_flight=false",
            'tags=["a","b c"]',
            "access.block=10.0.0.1, ::1",
        ),
        *("name=123", "description=true", "cache.mode=off", 'cache.ignored_pointers=["/a"]', "port=9778"),
    )
    assert text == "123: changed\n"
    proxy = Proxy.objects.get()
    assert (proxy.cache_ttl_s, proxy.cache_single_flight) == (90, False)
    assert (proxy.tags, proxy.block) == (["a", "b c"], ["10.0.0.1", "::1"])
    assert (proxy.name, proxy.description, proxy.cache_mode, proxy.port) == ("123", "true", "off", 9778)
    run("set", "123", "cache.ttl_s=null", "tags=null", "description=", "cache.mode=null", "cache=null")
    proxy.refresh_from_db()
    assert (proxy.cache_ttl_s, proxy.tags, proxy.description, proxy.cache_mode) == (None, [], "", "on")
    run("set", "123", "provider=bedrock", "--credential", "profile:x")
    proxy.refresh_from_db()
    assert proxy.credential == "profile:x"


@pytest.mark.parametrize(
    ("assignment", "message", "code"),
    [
        ("cache.ttl_s=soon", "cache.ttl_s: Input should be a valid number.", 1),
        ("port=true", "port: Input should be a valid integer.", 1),
        ("access.allow=10.0.0.1,nonsense", "access.allow: line 2: 'nonsense' is not an IP address", 1),
        ("colour=blue", "colour: There is no such field.", 1),
        ("owner=ada@example.com", "owner: There is no such field.", 1),
        ("name=null", "name: This field is required.", 1),
        ("nonsense", "nonsense: use KEY=VALUE.", 2),
    ],
)
def test_a_bad_assignment_is_named(assignment: str, message: str, code: int) -> None:
    run("create", "mine", "--provider", "openai")
    text, returncode = failure("set", "mine", assignment)
    assert text.startswith(message)
    assert returncode == code
    assert Proxy.objects.get().generation == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "a\udcff"),
        ("set", "a", "model=\udcff"),
        ("create", "b", "--provider", "openai", "--owner", "\udcff"),
    ],
)
def test_bytes_that_are_no_text_are_a_wrong_command_line(arguments: tuple[str, ...]) -> None:
    text, returncode = failure(*arguments)
    assert text.endswith("is not valid UTF-8.")
    assert returncode == 2


def test_set_without_an_assignment_is_a_wrong_command_line() -> None:
    run("create", "mine", "--provider", "openai")
    assert failure("set", "mine") == ("Name at least one KEY=VALUE.", 2)


def test_list_shows_a_table_for_people_and_json_for_scripts() -> None:
    assert "There is no proxy yet" in run("list")
    assert run_json("list") == []
    run("create", "mine", "--provider", "openai", "--port", "9779")
    run("create", "another one", "--provider", "bedrock")
    header, first, second = run("list").splitlines()
    assert header.split() == ["NAME", "PROVIDER", "BASE", "URL", "OWNER", "STATE"]
    assert first.startswith("another one  bedrock")
    assert second.split() == ["mine", "openai", "http://127.0.0.1:9779", "-", "stopped"]
    assert [proxy["name"] for proxy in run_json("list")] == ["another one", "mine"]


def test_show_tells_every_field_by_the_name_that_set_takes() -> None:
    run("create", "mine", "--provider", "openai", "--tag", "a")
    text = run("show", "mine")
    for name in ("cache.mode", "access.allow", "timeouts.connect_s", "tags", "base URL", "state"):
        assert f"\n{name}" in text
    assert run_json("show", "mine")["name"] == "mine"


def test_a_name_of_several_owners_needs_the_owner() -> None:
    for email in ("ada@example.com", "bob@example.com"):
        User.objects.create_user(email)
        run("create", "mine", "--provider", "openai", "--owner", email)
    assert "say whose with --owner" in failure("stop", "mine")[0]
    run("delete", "mine", "--owner", "ada@example.com")
    assert Proxy.objects.get().owner == User.objects.get(email="bob@example.com")


def test_start_without_a_supervisor_exits_1_and_says_so() -> None:
    run("create", "mine", "--provider", "openai")
    text, returncode = failure("start", "mine")
    assert text == (
        "mine does not run: The supervisor is not running; start it with `make run` or `manage.py runproxies`."
    )
    assert returncode == 1
    assert Proxy.objects.get().desired_state == "running"
    text, returncode = failure("create", "second", "--provider", "openai", "--start")
    assert text.startswith("second is created, but does not run: The supervisor is not running")
    assert returncode == 1


def test_start_returns_when_it_runs(observed: Callable[..., ProxyRuntime]) -> None:
    run("create", "mine", "--provider", "openai", "--port", "9780")
    observed(Proxy.objects.get(), "running")
    assert run("start", "mine") == "mine: running at http://127.0.0.1:9780\n"
    assert run_json("start", "mine")["state"] == "running"


def test_start_says_that_the_port_is_taken(observed: Callable[..., ProxyRuntime]) -> None:
    run("create", "mine", "--provider", "openai")
    proxy = Proxy.objects.get()
    observed(proxy, "failed", reason="Port 9780 is in use by another program.", applied_generation=5)
    assert failure("start", "mine") == ("mine does not run: Port 9780 is in use by another program.", 1)
    assert "failed: Port 9780 is in use" in run("list")


def test_stop_and_kill_return_when_it_has_stopped(observed: Callable[..., ProxyRuntime]) -> None:
    run("create", "mine", "--provider", "openai")
    observed(Proxy.objects.get(), "stopped")
    assert run("stop", "mine") == "mine: stopped\n"
    assert Proxy.objects.get().desired_state == "stopped"
    assert run_json("stop", "mine", "--kill")["desired_state"] == "killed"


def test_set_says_when_a_change_is_live(observed: Callable[..., ProxyRuntime]) -> None:
    run("create", "mine", "--provider", "openai")
    Proxy.objects.update(desired_state="running")
    observed(Proxy.objects.get(), "running", applied_generation=2)
    assert run("set", "mine", "description=x") == "mine: changed, and live\n"
    observed(Proxy.objects.get(), "failed", applied_generation=3, reason="Port 1 is in use.")
    assert failure("set", "mine", "description=y") == (
        "mine is changed, but does not serve: Port 1 is in use.",
        1,
    )


def test_delete_and_invalidate() -> None:
    run("create", "mine", "--provider", "openai")
    assert run("invalidate", "mine") == "mine: its recordings are forgotten\n"
    assert Proxy.objects.get().cache_epoch == 1
    assert run_json("delete", "mine")["name"] == "mine"
    assert not Proxy.objects.exists()


def test_the_exit_codes_are_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert "Exit codes: 0 done, 1 refused or failed" in capsys.readouterr().out


def test_help_names_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    words = capsys.readouterr().out.replace("\n", " ")
    assert [name for name in COLUMNS if f" {name}," not in words and f" {name}." not in words] == []


def test_a_value_is_taken_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create", "mine", "--provider", "openai", "--upstream", "emulated")
    (tmp_path / "replies.yaml").write_text("- reply: {text: hello}\n")
    (tmp_path / "tags.json").write_text('["a", "b"]')
    (tmp_path / "words").write_text("- two\n- lines\n")
    files = {"emulation.replies": "replies.yaml", "tags": "tags.json", "description": "words"}
    run("set", "mine", *(f"{name}=@{tmp_path / file}" for name, file in files.items()))
    proxy = Proxy.objects.get()
    assert proxy.emulation_replies == [{"reply": {"text": "hello"}}]
    assert (proxy.tags, proxy.description) == (["a", "b"], "- two\n- lines")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[c]")))
    run("set", "mine", "tags=@-")
    assert Proxy.objects.get().tags == ["c"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    run("create", "mine", "--provider", "openai")
    missing = tmp_path / "missing"
    assert failure("set", "mine", f"tags=@{missing}") == (f"{missing}: No such file or directory.", 1)
    (tmp_path / "binary").write_bytes(b"\xff")
    assert failure("set", "mine", f"description=@{tmp_path / 'binary'}")[0] == (
        "description: The text is not valid UTF-8."
    )
    (tmp_path / "broken").write_text("[1,")
    assert failure("set", "mine", f"tags=@{tmp_path / 'broken'}")[0].startswith("tags: This is neither JSON nor YAML")


def test_canned_replies_are_shown_replaced_and_cleared(tmp_path: Path) -> None:
    run("create", "mine", "--provider", "openai", "--upstream", "emulated")
    assert run("replies", "mine") == "mine has no canned replies.\n"
    file = tmp_path / "replies.yaml"
    file.write_text("- match: {model: gpt-*}\n  reply: {text: hello}\n- reply: {error: {status: 500}}\n")
    assert run("replies", "mine", "--file", str(file)) == "mine: 2 canned replies; changed\n"
    assert run("replies", "mine").startswith("- match:\n    model: gpt-*\n  reply:\n    text: hello\n")
    assert run_json("replies", "mine")[1] == {"reply": {"error": {"status": 500}}}
    assert "emulation.replies       2; see `manage.py proxy replies mine`" in run("show", "mine")
    assert run_json("replies", "mine", "--clear") == []
    assert Proxy.objects.get().emulation_replies == []


def test_canned_replies_that_are_refused_are_named_and_change_nothing(tmp_path: Path) -> None:
    run("create", "mine", "--provider", "openai")
    file = tmp_path / "replies.yaml"
    file.write_text("- reply: {text: hello}\n- reply: {error: {status: 200}}\n")
    text, returncode = failure("replies", "mine", "--file", str(file))
    assert text == ("emulation.replies: entry 2, reply.error.status: Input should be greater than or equal to 400.")
    assert returncode == 1
    file.write_text("")
    assert "is empty; --clear leaves no reply" in failure("replies", "mine", "--file", str(file))[0]
    assert Proxy.objects.get().generation == 1
    file.write_text("- reply: {text: hello}")
    assert run("replies", "mine", "--file", str(file)) == (
        "mine: 1 canned reply; changed\nThey do nothing until its upstream is emulated.\n"
    )
