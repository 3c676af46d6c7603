"""Every official SDK, with nothing but its base URL changed, through real proxies to the providers' real host names."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.wire.expectations import comparable, mismatch, reply_number
from tests.wire.log_expectations import expected
from tests.wire.rubberduck import AZURE, CREDENTIAL, PROXY_KEY, Row, Rubberduck, RunningProxy
from tests.wire.sdks import SETUPS, Result, Setup, run_driver
from tests.wire.standin.client import CapturedRequest, StandIn

_PLACE = Decimal("1E-10")
_CLIENT_KEY = "AKIASTANDIN000000001"
# Their signature is made for the proxy's own address, or missing: the proxy signs with what it refers to.
_RESIGNED = {"boto3", "boto3-unsigned", "aws-bedrock-js", "anthropic-bedrock-python"}
# One set-up of every provider and, where there is one, of both languages.
_EACH = [
    setup
    for setup in SETUPS
    if setup.name.removesuffix("-older")
    in {
        "openai-python",
        "openai-js",
        "azure-python-deployments",
        "anthropic-python",
        "anthropic-js",
        "boto3",
        "aws-bedrock-js",
        "anthropic-bedrock-python",
        "google-genai-python-vertex",
        "google-genai-js-gemini",
    }
]
_BEDROCK_STYLES = [setup for setup in _EACH if setup.provider == "bedrock"]


def _kind(setup: Setup) -> str:
    return setup.name.removesuffix("-older")


def _proxy(rubberduck: Rubberduck, setup: Setup) -> RunningProxy:
    """The proxy that serves a set-up: one per provider, and a second one for Bedrock with credentials to sign with."""
    match setup.provider:
        case "azure_openai":
            return rubberduck.proxy("azure", "azure_openai", "--upstream", AZURE)
        case "bedrock" if _kind(setup) in _RESIGNED:
            return rubberduck.proxy("bedrock-signing", "bedrock", "--credential", CREDENTIAL, region="us-east-1")
        case "bedrock":
            return rubberduck.proxy("bedrock", "bedrock", region="us-east-1")
        case provider:
            return rubberduck.proxy(provider, provider)


def _credentials(setup: Setup) -> dict[str, str]:
    """Keys that no upstream would take, for clients whose signature is replaced."""
    return {"key": "dummy", "secret": "dummy"} if _kind(setup) in _RESIGNED else {}


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_an_sdk_works_as_with_the_genuine_service_is_cached_and_is_logged(
    setup: Setup, standin: StandIn, rubberduck: Rubberduck
) -> None:
    proxy = _proxy(rubberduck, setup)
    rubberduck.forget_recordings(proxy)
    since, upstream_starts = datetime.now(UTC), standin.last_number()
    results = run_driver(setup, proxy.url, salt=f"through {setup}", **_credentials(setup))
    captured = standin.requests(after=upstream_starts)

    assert {name: wrong for name, result in results.items() if (wrong := mismatch(setup, result))} == {}
    assert _wrongly_cached(results) == []
    rows = rubberduck.rows_with(len(captured), proxy, since)
    assert sum(row["attempts"] for row in rows) == len(captured)
    by_scenario = rubberduck.rows_of(results, since)
    assert len(by_scenario) >= len(results) - 2  # the asynchronous clients keep their headers to themselves
    assert _wrongly_logged(setup, results, by_scenario) == []
    assert _wrongly_sent(setup, captured) == []
    assert _came_one_by_one(results["stream_paced"], captured)
    if setup.direct:
        # Salts of one length: some replies tell the size of what was sent.
        direct = run_driver(setup, standin.url, salt=f"besides {setup}")
        assert {name: comparable(result) for name, result in results.items()} == {
            name: comparable(result) for name, result in direct.items()
        }


def _wrongly_cached(results: dict[str, Result]) -> list[str]:
    """The scenarios whose second call was not the replay of the first, or whose first was one."""
    wrong = [name for name in results if name.endswith("_again") and not _is_replay(results[name[:-6]], results[name])]
    assert len([name for name in results if name.endswith("_again")]) >= 4
    return wrong + [name for name in results if not name.endswith("_again") and _cache(results[name]) == "hit"]


def _is_replay(first: Result, second: Result) -> bool:
    return _cache(first) == "miss" and _cache(second) == "hit" and reply_number(first) == reply_number(second)


def _cache(result: Result) -> str | None:
    found: str | None = result["headers"].get("x-rubberduck-cache")
    return found


def _wrongly_logged(setup: Setup, results: dict[str, Result], rows: dict[str, Row]) -> list[Any]:
    """(scenario, field, what the row says, what it should) for every field that is not as it must be."""
    wrong = []
    for name, row in rows.items():
        result = results[name]
        due: dict[str, Any] = {
            "provider": setup.provider,
            "client_ip": "127.0.0.1",
            "outcome": _outcome(name, result, row),
            "is_streaming": "arrivals" in result or name in {"stream_helper", "error_stream_429"} or "stream" in name,
        }
        if not result["ok"] and result["error"].get("status") and name != "stream_error":
            due["status"] = result["error"]["status"]
        logged = expected(setup, result, row)
        names = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
        due |= dict(zip(names, logged.tokens, strict=True))
        cost = None if logged.cost_usd is None else str(logged.cost_usd.quantize(_PLACE))
        is_hit = _cache(result) == "hit"
        due |= {"cost_usd": str(_PLACE * 0) if is_hit else cost, "cost_avoided_usd": cost if is_hit else None}
        if is_hit:
            due |= {"attempts": 0, "prompt_hash": rows[name.removesuffix("_again")]["prompt_hash"]}
        elif not name.startswith("models") and setup.upstream:
            due["endpoint"] = f"https://{setup.upstream}"
        wrong += [(name, field, row[field], value) for field, value in due.items() if row[field] != value]
        if not row["operation"] or (row["method"] == "POST" and "upload" not in name and not row["prompt_hash"]):
            wrong.append((name, "operation", row["operation"], row["prompt_hash"]))
    return wrong


def _outcome(name: str, result: Result, row: Row) -> str:
    if name.startswith("error") or name == "stream_cut":
        return "error"
    if name == "stream_error" and row["outcome"] == "client_left":
        return "client_left"  # an SDK hangs up at the error event, which may be before the stream has ended
    found: str = result["headers"]["x-rubberduck-cache"]
    return found


def _wrongly_sent(setup: Setup, captured: list[CapturedRequest]) -> list[Any]:
    """Requests that did not arrive verified under the real name, with the credentials that belong there."""
    wrong: list[Any] = []
    for request in captured:
        real = (request.scheme, request.sni) == ("https", request.host) and not request.host.startswith("127.")
        control = [name for name, _ in request.headers if name.lower().startswith(("x-rubberduck", "x-aws-"))]
        if not real or control:
            wrong.append((request.target, request.scheme, request.sni, request.host, control))
        if setup.provider == "bedrock":
            authorization = request.header("authorization") or ""
            found = re.search(r"Credential=(\w+)/\d{8}/us-east-1/bedrock/", authorization)
            key = found[1] if found else authorization.split("-")[0]
            due = (
                PROXY_KEY if _kind(setup) in _RESIGNED else "Bearer bedrock" if "bearer" in setup.name else _CLIENT_KEY
            )
            if key != due:
                wrong.append((request.target, authorization))
    return wrong


def _came_one_by_one(result: Result, captured: list[CapturedRequest]) -> bool:
    """Whether every event of a paced stream was with the SDK before the next but one left the upstream."""
    paced = next(request for request in captured if b"paced 60ms" in request.body)
    return bool(result["arrivals"][0] < paced.sent_at[-1] and result["arrivals"][-1] > paced.sent_at[-2])


@pytest.mark.parametrize("setup", _EACH, ids=str)
def test_what_failed_is_never_replayed(setup: Setup, rubberduck: Rubberduck) -> None:
    scenarios = ("error_400", "error_429", "stream_cut", "stream_error")
    # The results are those of the second time.
    second = run_driver(
        setup,
        _proxy(rubberduck, setup).url,
        *scenarios,
        *scenarios,
        salt=f"failing {setup}",
        **_credentials(setup),
    )
    assert {name: _cache(result) for name, result in second.items()} == dict.fromkeys(scenarios, "miss")


@pytest.mark.parametrize("setup", _BEDROCK_STYLES, ids=str)
def test_bedrock_without_any_credentials_is_refused_and_told_the_ways_in(
    setup: Setup, standin: StandIn, rubberduck: Rubberduck
) -> None:
    proxy = rubberduck.proxy("bedrock-bare", "bedrock")
    since = datetime.now(UTC)
    result = run_driver(setup, proxy.url, "unary", salt="no credentials")["unary"]
    error = result["error"]
    assert error["class"] in {"AccessDeniedException", "PermissionDeniedError"}
    assert error["status"] == 403
    for way in (
        "credential reference",
        "Authorization: Bearer",
        "x-aws-access-key",
        "bedrock-runtime.us-east-1.amazona",
    ):
        assert way in error["text"]
    assert result["headers"]["x-amzn-errortype"] == "AccessDeniedException"
    assert result["headers"]["x-amzn-requestid"] == result["headers"]["x-rubberduck-request-id"]
    row = rubberduck.rows_of({"unary": result}, since)["unary"]
    assert (row["outcome"], row["error_kind"], row["cost_usd"]) == ("error", "no_credentials", "0E-10")
    assert [request for request in standin.requests() if b"no credentials" in request.body] == []


def test_bedrock_without_a_region_says_where_to_name_one(rubberduck: Rubberduck) -> None:
    proxy = rubberduck.proxy("bedrock-bare", "bedrock")
    error = run_driver(_setup("boto3-unsigned"), proxy.url, "unary")["unary"]["error"]
    assert (error["class"], error["status"]) == ("ValidationException", 400)
    assert "Set the proxy's region" in error["message"]


def test_bedrock_goes_to_the_proxys_region_when_the_request_names_none(
    standin: StandIn, rubberduck: Rubberduck
) -> None:
    proxy = rubberduck.proxy("bedrock-signing", "bedrock", "--credential", CREDENTIAL, region="us-east-1")
    rubberduck.change(proxy, region="eu-west-1")
    try:
        result = run_driver(_setup("boto3-unsigned"), proxy.url, "unary", salt="by region")["unary"]
    finally:
        rubberduck.change(proxy, region="us-east-1")
    assert result["ok"]
    assert (
        standin.wait_for(lambda request: b"by region" in request.body).host == "bedrock-runtime.eu-west-1.amazonaws.com"
    )


def test_an_upstream_that_is_not_aws_gets_the_request_as_it_came(standin: StandIn, rubberduck: Rubberduck) -> None:
    proxy = rubberduck.proxy("bedrock-custom", "bedrock", "--upstream", standin.url, "--credential", CREDENTIAL)
    bearer = run_driver(_setup("boto3-bearer-hook"), proxy.url, "unary", "stream", salt="custom bearer")
    assert {name: mismatch(_setup("boto3"), result) for name, result in bearer.items()} == {
        "unary": None,
        "stream": None,
    }
    unsigned = run_driver(_setup("boto3-unsigned"), proxy.url, "unary", salt="custom unsigned")["unary"]["error"]
    assert (unsigned["status"], unsigned["code"]) == (403, "MissingAuthenticationTokenException")
    signed = run_driver(_setup("boto3"), proxy.url, "unary", salt="custom signed")["unary"]["error"]
    assert (signed["status"], signed["code"]) == (403, "InvalidSignatureException")
    arrived = standin.wait_for(lambda request: b"custom signed" in request.body)
    assert f"Credential={_CLIENT_KEY}/" in (arrived.header("authorization") or "")


@pytest.mark.parametrize("name", ["openai-python", "azure-js-v1", "anthropic-python-v1", "google-genai-js-gemini"])
def test_a_plain_http_upstream_of_ones_own_serves_and_is_cached(
    name: str, standin: StandIn, rubberduck: Rubberduck
) -> None:
    setup = _setup(name)
    proxy = rubberduck.proxy(f"own-{setup.provider}", setup.provider, "--upstream", standin.url)
    results = run_driver(setup, proxy.url, "unary", "unary_again", "stream", "error_429", salt=f"own {name}")
    assert {name: wrong for name, result in results.items() if (wrong := mismatch(setup, result))} == {}
    assert [_cache(result) for result in results.values()] == ["miss", "hit", "miss", "miss"]
    arrived = standin.wait_for(lambda request: f"own {name}".encode() in request.body)
    assert (arrived.scheme, arrived.host) == ("http", f"127.0.0.1:{standin.http_port}")


def _setup(name: str) -> Setup:
    return next(setup for setup in SETUPS if setup.name == name)


_SILENT = {"InternalServerError", "GatewayTimeoutError", "DeadlineExceededError"}
# What each SDK makes of the provider's own error for an upstream that cannot be reached, and for one that is silent.
_UNREACHED = {
    "openai": {502: {"InternalServerError"}, 504: {"InternalServerError"}},
    "azure": {502: {"InternalServerError"}, 504: {"InternalServerError"}},
    "anthropic": {502: {"InternalServerError"}, 504: _SILENT},
    "claude-bedrock": {502: {"InternalServerError"}, 504: _SILENT},
    "bedrock": {502: {"ServiceUnavailableException"}, 504: {"ModelTimeoutException"}},
    "genai": {502: {"ServerError", "ApiError"}, 504: {"ServerError", "ApiError"}},
}


@pytest.mark.parametrize("setup", _EACH, ids=str)
def test_an_upstream_that_cannot_be_reached_is_an_error_of_the_sdks_own_kind(
    setup: Setup, rubberduck: Rubberduck, untrusted: StandIn
) -> None:
    """By a certificate nobody vouches for, a port nobody listens on, and one where nobody answers."""
    stranger = f"https://127.0.0.1:{untrusted.tls_port}"
    proxy = rubberduck.proxy(f"failing-{setup.provider}", setup.provider, "--upstream", stranger)
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as silent:
        closed.bind(("127.0.0.1", 0))
        cases = (
            (stranger, 502, "tls", "certificate"),
            (f"http://127.0.0.1:{closed.getsockname()[1]}", 502, "unreachable", "refused"),
            (f"http://127.0.0.1:{silent.getsockname()[1]}", 504, "timeout", "did not answer in time"),
        )
        for upstream, status, kind, word in cases:
            if kind == "unreachable" and setup.program.endswith(".py"):
                continue  # the same status and class as the first, and these processes take seconds to start
            rubberduck.change(proxy, upstream=upstream, timeouts__silence_s=0.2)
            since = datetime.now(UTC)
            result = run_driver(setup, proxy.url, "error_429", salt="unreached")["error_429"]
            error = result["error"]
            assert error["class"] in _UNREACHED[setup.family][status]
            assert error["status"] == status
            assert word in error["text"]
            row = rubberduck.rows_of({"": result}, since)[""]
            assert (row["outcome"], row["status"], row["error_kind"]) == ("error", status, kind)
            # Nobody knows what a request costs that was sent and never answered.
            assert row["cost_usd"] == (None if kind == "timeout" else "0E-10")
    assert untrusted.requests() == []
