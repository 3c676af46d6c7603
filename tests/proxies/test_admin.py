"""Proxies in the admin: the services' validation, their generations, their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from model_bakery import baker
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from logs.models import RequestLog
from proxies.models import Proxy, ProxyRuntime, Recording, SupervisorHeartbeat
from proxies.services import proxy_update

pytestmark = pytest.mark.django_db
LIST = "/admin/proxies/proxy/"
ADD = "/admin/proxies/proxy/add/"


def form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "mine",
        "provider": "openai",
        "cache_mode": "on",
        "cache_temperature": "always",
        "cache_pace": "immediate",
        "cache_pace_min_s": "0",
        "cache_pace_max_s": "0",
        "cache_single_flight": "on",
        "emulation_ttft_s": "0",
        "emulation_tokens_per_s": "0",
        "emulation_jitter": "0",
        "limits_per": "proxy",
        "limits_over_limit": "reject",
        "limits_hold_s": "0",
        "limits_counts_hits": "on",
        "faults_seed": "0",
        "faults_enabled": "on",
        "connect_timeout_s": "10",
        "silence_timeout_s": "600",
        **fields,
    }


def messages(reply: Any) -> list[str]:
    return [str(message) for message in reply.context["messages"]]


def change(proxy: Proxy) -> str:
    return f"{LIST}{proxy.pk}/change/"


def test_a_proxy_is_made_through_the_service(admin_client: Client, admin_user: User) -> None:
    assert admin_client.get(ADD).status_code == 200
    fields = form(owner=admin_user.pk, tags="a\r\nb", block="10.0.0.1\r\n", cache_ignored_pointers="/x", bind="0:0::1")
    reply = admin_client.post(ADD, fields)
    assert reply.status_code == 302
    proxy = Proxy.objects.get()
    assert proxy.port  # assigned
    assert (proxy.owner, proxy.tags) == (admin_user, ["a", "b"])
    assert (proxy.block, proxy.cache_ignored_pointers) == (["10.0.0.1"], ["/x"])
    assert (proxy.bind, proxy.generation, proxy.desired_state) == ("::1", 1, "stopped")


def test_what_the_service_refuses_stands_beside_the_field_and_nothing_is_lost(
    admin_client: Client, make_proxy: Callable[..., Proxy]
) -> None:
    taken = make_proxy("mine").port
    reply = admin_client.post(
        ADD,
        form(port=taken, upstream="http://169.254.169.254", block="10.0.0.1\nx", description="do not lose me"),
    )
    assert reply.status_code == 200
    errors = reply.context["adminform"].form.errors
    assert errors.keys() == {"block"}  # the form of each field comes first ...
    reply = admin_client.post(ADD, form(port=taken, upstream="http://169.254.169.254", description="do not lose me"))
    errors = reply.context["adminform"].form.errors
    assert errors.keys() == {"name", "port", "upstream"}  # ... then what depends on other things
    assert errors["port"] == [f"Port {taken} belongs to another proxy, 'mine'."]
    assert "do not lose me" in reply.content.decode()
    assert Proxy.objects.count() == 1


def test_a_reason_about_an_upstream_that_is_missing_stands_there(admin_client: Client) -> None:
    reply = admin_client.post(ADD, form(provider="azure_openai"))
    assert "has no default upstream" in reply.context["adminform"].form.errors["upstream"][0]


def test_saving_raises_the_generation_only_for_a_change(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine")
    assert admin_client.get(change(proxy)).status_code == 200
    fields = form(port=proxy.port)
    assert admin_client.post(change(proxy), fields).status_code == 302
    assert Proxy.objects.get().generation == 1
    assert admin_client.post(change(proxy), {**fields, "cache_mode": "replay"}).status_code == 302
    proxy.refresh_from_db()
    assert (proxy.generation, proxy.cache_mode) == (2, "replay")


def test_the_owner_of_a_proxy_stays(admin_client: Client, admin_user: User, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine")
    admin_client.post(change(proxy), form(port=proxy.port, owner=admin_user.pk))
    assert Proxy.objects.get().owner is None


def test_a_change_of_a_running_proxy_says_whether_it_is_live(
    admin_client: Client, make_proxy: Callable[..., Proxy], observed: Callable[..., ProxyRuntime]
) -> None:
    proxy = make_proxy("mine")
    Proxy.objects.update(desired_state="running")
    observed(proxy, "running", applied_generation=2)
    reply = admin_client.post(change(proxy), form(port=proxy.port, description="x"), follow=True)
    assert "The configuration is live." in messages(reply)
    observed(proxy, "failed", applied_generation=3, reason="Port 1 is in use.")
    reply = admin_client.post(change(proxy), form(port=proxy.port, description="y"), follow=True)
    assert "The configuration does not serve: Port 1 is in use." in messages(reply)


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [
        ("start", "running", "mine: asked to start."),
        ("stop", "stopped", "mine: asked to stop."),
        ("kill", "killed", "mine: killed."),
    ],
)
def test_actions_change_what_is_wanted(
    admin_client: Client, make_proxy: Callable[..., Proxy], action: str, state: str, words: str
) -> None:
    proxy = make_proxy("mine")
    reply = admin_client.post(LIST, {"action": action, "_selected_action": [proxy.pk]}, follow=True)
    assert words in messages(reply)
    assert Proxy.objects.get().desired_state == state


def test_the_cache_is_invalidated_by_an_action(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    pks = [make_proxy(name).pk for name in ("a", "b")]
    reply = admin_client.post(LIST, {"action": "invalidate", "_selected_action": pks}, follow=True)
    assert "a, b: given an empty cache." in messages(reply)
    assert list(Proxy.objects.values_list("cache_epoch", "generation")) == [(1, 2), (1, 2)]


def test_deleting_goes_through_the_service(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    first, second, third = (make_proxy(name) for name in ("a", "b", "c"))
    page = admin_client.get(f"{LIST}{first.pk}/delete/")
    assert "<li>Recordings: 0</li>" in page.content.decode()
    assert admin_client.post(f"{LIST}{first.pk}/delete/", {"post": "yes"}).status_code == 302
    fields = {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"}
    assert admin_client.post(LIST, fields).status_code == 302
    assert list(Proxy.objects.all()) == [third]


def test_the_list_costs_the_same_for_many_proxies(
    admin_client: Client,
    make_proxy: Callable[..., Proxy],
    observed: Callable[..., ProxyRuntime],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        observed(make_proxy(f"proxy {number}"), "running")
    with django_assert_max_num_queries(12):
        page = admin_client.get(LIST).content.decode()
    assert page.count('<td class="field-state">running</td>') == 12


@pytest.mark.parametrize("query", ["q=mine", "q=8001", "desired_state__exact=stopped", "provider=openai"])
def test_searches_and_filters_work(admin_client: Client, make_proxy: Callable[..., Proxy], query: str) -> None:
    make_proxy("mine", port=8001)
    assert "mine" in admin_client.get(f"{LIST}?{query}").content.decode()


def test_staff_without_rights_may_do_nothing(client: Client, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine")
    client.force_login(User.objects.create_user("staff@example.com", is_staff=True))
    assert client.get(LIST).status_code == 403
    assert client.post(LIST, {"action": "kill", "_selected_action": [proxy.pk]}).status_code == 403
    assert Proxy.objects.get().desired_state == "stopped"


# --- what is only looked at


def log_row(**fields: Any) -> RequestLog:
    row: RequestLog = baker.make(RequestLog, started_at=timezone.now(), proxy_name="mine", outcome="hit", **fields)
    return row


@pytest.mark.parametrize("model", [RequestLog, ProxyRuntime, SupervisorHeartbeat])
def test_what_happened_can_be_read_and_not_changed(admin_client: Client, model: type) -> None:
    row = log_row() if model is RequestLog else baker.make(model)
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"  # type: ignore[attr-defined]
    assert admin_client.get(base).status_code == 200
    assert admin_client.get(f"{base}{row.pk}/change/").status_code == 200
    assert admin_client.get(f"{base}add/").status_code == 403
    assert admin_client.post(f"{base}{row.pk}/change/", {}).status_code == 403
    assert admin_client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_log_is_searched(admin_client: Client) -> None:
    log_row(path="/v1/chat/completions", prompt_hash="a" * 64)
    log_row(path="/v1/embeddings", prompt_hash="b" * 64)
    base = "/admin/logs/requestlog/"
    assert "1 request log" in admin_client.get(f"{base}?q={'a' * 64}").content.decode()
    assert "2 request logs" in admin_client.get(f"{base}?outcome=hit").content.decode()
    assert "0 request logs" in admin_client.get(f"{base}?outcome=miss&provider=openai&cache=off").content.decode()


def test_recordings_show_no_body_and_can_be_deleted(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine")
    row = Recording.objects.create(
        proxy=proxy, epoch=0, key="k" * 64, status=200, headers=[["x-secret", "planted"]], body=b"planted",
        frame_sizes=[7], delays_ms=[1], size_bytes=7, recorded_at=timezone.now(), operation="chat.completions",
    )  # fmt: skip
    base = "/admin/proxies/recording/"
    assert "chat.completions" in admin_client.get(base).content.decode()
    assert "planted" not in admin_client.get(f"{base}{row.pk}/change/").content.decode()
    fields = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert admin_client.post(base, fields).status_code == 302
    assert not Recording.objects.exists()
    assert Proxy.objects.get().generation == 2


def test_what_somebody_else_changed_in_the_meantime_is_not_overwritten(
    admin_client: Client, make_proxy: Callable[..., Proxy]
) -> None:
    proxy = make_proxy()
    page = admin_client.get(change(proxy)).content.decode()
    assert '<input type="hidden" name="seen_generation" value="1"' in page
    proxy_update(proxy=proxy, changes={"cache.mode": "replay"})
    fields = form(port=proxy.port, description="mine", seen_generation="1")
    reply = admin_client.post(change(proxy), fields)
    assert "Somebody has changed this in the meantime" in reply.content.decode()
    proxy.refresh_from_db()
    assert (proxy.cache_mode, proxy.description) == ("replay", "")
    reply = admin_client.post(change(proxy), {**fields, "seen_generation": "2", "cache_mode": "replay"})
    assert reply.status_code == 302


def test_those_who_may_only_look_see_a_proxy(client: Client, make_proxy: Callable[..., Proxy]) -> None:
    looker = User.objects.create_user("look@example.com", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_proxy"))
    client.force_login(looker)
    page = client.get(change(make_proxy()))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


def test_a_user_goes_with_proxies_that_have_run_and_no_recording_is_loaded(
    admin_client: Client, make_proxy: Callable[..., Proxy], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    owner = User.objects.create_user("gone@example.com")
    proxy = make_proxy(owner=owner)
    baker.make(ProxyRuntime, proxy=proxy, host="here", state="running")
    baker.make(Recording, proxy=proxy, key="k", headers=[], body=b"x", frame_sizes=[], delays_ms=[])
    path = f"/admin/accounts/user/{owner.pk}/delete/"
    with django_assert_max_num_queries(25) as queries:
        page = admin_client.get(path)
    assert "Are you sure" in page.content.decode()
    assert "Proxies: 1" in page.content.decode()
    assert not any('"proxies_recording"."body"' in query["sql"] for query in queries.captured_queries)
    assert admin_client.post(path, {"post": "yes"}).status_code == 302
    assert not Proxy.objects.exists()
    assert not Recording.objects.exists()


def test_canned_replies_are_written_as_yaml_or_json(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", upstream="emulated")
    fields = form(port=proxy.port, upstream="emulated", emulation_strict="on", emulation_ttft_s="0.5")
    text = "- match: {model: gpt-*}\r\n  reply: {text: hello}\r\n"
    assert admin_client.post(change(proxy), {**fields, "emulation_replies": text}).status_code == 302
    proxy.refresh_from_db()
    assert proxy.emulation_replies == [{"match": {"model": "gpt-*"}, "reply": {"text": "hello"}}]
    assert (proxy.emulation_strict, proxy.emulation_ttft_s, proxy.generation) == (True, 0.5, 2)
    assert "model: gpt-*" in admin_client.get(change(proxy)).content.decode()
    same = '[{"match": {"model": "gpt-*"}, "reply": {"text": "hello"}}]'
    assert admin_client.post(change(proxy), {**fields, "emulation_replies": same}).status_code == 302
    proxy.refresh_from_db()
    assert proxy.generation == 2
    assert admin_client.post(change(proxy), {**fields, "emulation_replies": " "}).status_code == 302
    proxy.refresh_from_db()
    assert proxy.emulation_replies == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- [", "This is neither JSON nor YAML"),
        ("- reply: {error: {status: 1}}", "entry 1, reply.error.status: Input should be"),
        ("text", "Input should be a valid list."),
    ],
)
def test_canned_replies_that_are_refused_are_not_lost(
    admin_client: Client, make_proxy: Callable[..., Proxy], text: str, words: str
) -> None:
    proxy = make_proxy("mine", upstream="emulated")
    reply = admin_client.post(change(proxy), form(port=proxy.port, upstream="emulated", emulation_replies=text))
    assert reply.context["adminform"].form.errors["emulation_replies"][0].startswith(words)
    assert text in reply.content.decode()


def test_faults_and_limits_are_set_with_the_services_own_words(
    admin_client: Client, make_proxy: Callable[..., Proxy]
) -> None:
    proxy = make_proxy("mine")
    text = "- {fault: error, status: 429, rate: 0.1}\r\n- script: [{fault: close, times: 2}]\r\n"
    fields = form(port=proxy.port, faults_rules=text, faults_seed="9223372036854775807", faults_per_request="on")
    fields |= {"limits_rpm": "60", "limits_tpm": "", "limits_per": "client", "limits_quota_headers": "on"}
    assert admin_client.post(change(proxy), fields).status_code == 302
    proxy.refresh_from_db()
    assert proxy.faults_rules == [
        {"fault": "error", "status": 429, "rate": 0.1},
        {"script": [{"fault": "close", "times": 2}]},
    ]
    assert (proxy.faults_seed, proxy.faults_per_request, proxy.faults_enabled) == (2**63 - 1, True, True)
    assert (proxy.limits_rpm, proxy.limits_tpm, proxy.limits_per) == (60, None, "client")
    assert (proxy.limits_counts_hits, proxy.limits_quota_headers) == (True, True)
    baker.make(RequestLog, proxy_id=proxy.pk, started_at=timezone.now(), decision=7)
    page = admin_client.get(change(proxy)).content.decode()
    assert "status: 429" in page
    assert '<div class="readonly">7</div>' in page
    fields |= {"faults_rules": "- {fault: eror}", "limits_over_limit": "hold", "faults_seed": "-1"}
    errors = admin_client.post(change(proxy), fields).context["adminform"].form.errors
    assert errors.keys() == {"faults_seed"}
    fields |= {"faults_seed": "1", "limits_rpm": "0"}
    errors = admin_client.post(change(proxy), fields).context["adminform"].form.errors
    assert errors.keys() == {"faults_rules", "limits_rpm"}
    assert errors["faults_rules"][0].startswith("entry 1, fault: eror: there is no such fault; did you mean error?")


def test_a_run_of_faults_is_begun_again(admin_client: Client, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine")
    reply = admin_client.post(LIST, {"action": "reset_faults", "_selected_action": [proxy.pk]}, follow=True)
    assert messages(reply) == ["mine: given a new run of faults."]
    proxy.refresh_from_db()
    assert proxy.faults_reset_at is not None
