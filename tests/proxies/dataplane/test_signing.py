"""Signatures as AWS would check them, and credential references."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from providers.base import CredentialAction, CredentialPlan, Origin
from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.signing import AwsCredentials, CredentialSource, sign

NOW = dt.datetime(2026, 11, 21, 9, 32, 45, tzinfo=dt.UTC)
ORIGIN = Origin("https", "bedrock-runtime.us-east-1.amazonaws.com", 443)
PLAN = CredentialPlan(CredentialAction.SIGN, region="us-east-1", service="bedrock")
KEYS = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TARGET = b"/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse"
BODY = b'{"messages": []}'


def signed(**changes: Any) -> list[tuple[bytes, bytes]]:
    given: dict[str, Any] = {
        "method": "POST", "origin": ORIGIN, "target": TARGET, "headers": [(b"Content-Type", b"application/json")],
        "body": BODY, "now": NOW,
    }  # fmt: skip
    return sign(changes.pop("plan", PLAN), changes.pop("credentials", KEYS), **{**given, **changes})


def authorization_aws_expects(
    headers: list[tuple[bytes, bytes]], *, method: str, host: str, target: str, body: bytes, secret: str
) -> str:
    """What botocore, asked as a server would ask it, makes of the request as it arrives."""
    received: dict[str, str] = {}
    for name, value in headers:
        key = name.decode().lower()
        received[key] = f"{received[key]},{value.decode()}" if key in received else value.decode()
    received["host"] = host
    claims = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=(\S+), Signature=\S+",
        received["authorization"],
    )
    assert claims is not None
    access_key, day, region, service, names = claims.groups()
    assert received["x-amz-date"].startswith(day)
    request = AWSRequest(
        method=method,
        url=f"https://{host}{target}",
        headers={name: received[name] for name in names.split(";")},
        data=body,
    )
    request.context["timestamp"] = received["x-amz-date"]
    auth = SigV4Auth(Credentials(access_key, secret), service, region)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    scope = f"{access_key}/{day}/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def assert_valid(
    headers: list[tuple[bytes, bytes]], *, target: bytes = TARGET, body: bytes = BODY, method: str = "POST"
) -> None:
    assert dict(headers)[b"Authorization"].decode() == authorization_aws_expects(
        headers, method=method, host=ORIGIN.authority, target=target.decode(), body=body, secret=KEYS.secret_key
    )


def test_signature_is_the_one_of_a_computation_by_hand() -> None:
    """SigV4 once more from its specification, so that we do not only compare botocore with itself."""
    import hashlib
    import hmac

    headers = dict(signed(headers=[]))
    canonical = "\n".join(
        [
            "POST",
            quote(TARGET.decode(), safe="/~"),
            "",
            f"host:{ORIGIN.host}",
            "x-amz-date:20261121T093245Z",
            "",
            "host;x-amz-date",
            hashlib.sha256(BODY).hexdigest(),
        ]
    )
    scope = "20261121/us-east-1/bedrock/aws4_request"
    text = f"AWS4-HMAC-SHA256\n20261121T093245Z\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{KEYS.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    assert headers[b"Authorization"].decode().endswith(f"SignedHeaders=host;x-amz-date, Signature={expected}")


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x/converse-stream",
        b"/model/amazon.nova-lite-v1:0/invoke",
        b"/async-invoke?sortBy=SubmissionTime&maxResults=5&statusEquals=Completed",
        b"/foundation-models?byProvider=a%20b",
    ],
)
def test_signature_holds_for_targets_as_clients_send_them(target: bytes) -> None:
    assert_valid(signed(target=target), target=target)


def test_meaning_headers_are_signed_and_noise_is_not() -> None:
    headers = signed(
        headers=[
            (b"Content-Type", b"application/json"),
            (b"User-Agent", b"Boto3/1.44.5"),
            (b"Accept-Encoding", b"identity"),
            (b"X-Amzn-Bedrock-Trace", b"ENABLED"),
            (b"x-amz-user-agent", b"aws-sdk-js/3"),
            (b"amz-sdk-request", b"attempt=1; max=3"),
        ]
    )
    assert_valid(headers)
    names = dict(headers)[b"Authorization"].decode().split("SignedHeaders=")[1].split(",")[0]
    assert names == "content-type;host;x-amz-date;x-amz-user-agent;x-amzn-bedrock-trace"
    assert (b"User-Agent", b"Boto3/1.44.5") in headers
    assert (b"Accept-Encoding", b"identity") in headers


def test_the_clients_own_signature_and_secrets_are_replaced() -> None:
    headers = signed(
        headers=[
            (b"Authorization", b"AWS4-HMAC-SHA256 Credential=dummy/x, SignedHeaders=host, Signature=00"),
            (b"X-Amz-Date", b"20200101T000000Z"),
            (b"X-Amz-Security-Token", b"theirs"),
            (b"x-amz-content-sha256", b"00"),
            (b"X-AWS-Secret-Key", b"planted"),
            (b"Host", b"127.0.0.1:8001"),
            (b"Content-Type", b"application/json"),
        ]
    )  # fmt: skip
    assert_valid(headers)
    assert sorted(name.lower() for name, _ in headers) == [b"authorization", b"content-type", b"x-amz-date"]
    assert b"planted" not in b"".join(value for _, value in headers)


def test_session_token_is_sent_and_signed() -> None:
    headers = signed(credentials=AwsCredentials(KEYS.access_key, KEYS.secret_key, "TOKEN"))
    assert (b"X-Amz-Security-Token", b"TOKEN") in headers
    assert b"x-amz-security-token" in dict(headers)[b"Authorization"]
    assert_valid(headers)


def test_empty_and_large_bodies_are_signed() -> None:
    assert_valid(signed(body=b"", method="GET"), body=b"", method="GET")
    large = b"x" * (5 * 1024 * 1024)
    assert_valid(signed(body=large), body=large)


def test_duplicate_and_non_ascii_headers_are_signed_as_aws_joins_them() -> None:
    headers = signed(
        headers=[(b"X-Amzn-Bedrock-Trace", b"a"), (b"x-amzn-bedrock-trace", b"b"), (b"x-amz-note", "é".encode())]
    )
    assert_valid(headers)


def test_streamed_body_is_refused_in_words() -> None:
    with pytest.raises(UpstreamError, match="too large to be signed") as caught:
        signed(body=None)
    assert caught.value.kind is ErrorKind.BODY_TOO_LARGE


def test_target_that_is_not_ascii_is_refused_in_words() -> None:
    with pytest.raises(UpstreamError, match="not ASCII") as caught:
        signed(target=b"/model/\xff/converse")
    assert caught.value.kind is ErrorKind.BAD_REQUEST


def test_secrets_appear_in_no_repr() -> None:
    plan = CredentialPlan(
        CredentialAction.SIGN, access_key="AKIDPLANTED", secret_key="planted", session_token="planted"
    )
    shown = repr(AwsCredentials("AKIDPLANTED", "planted", "planted")) + repr(plan)
    assert "planted" not in shown.lower()


async def test_credentials_of_the_request_come_before_the_proxys() -> None:
    plan = CredentialPlan(CredentialAction.SIGN, access_key="A", secret_key="B", session_token="C")
    assert await CredentialSource({}).resolve(plan, "os.environ/NOTHING") == AwsCredentials("A", "B", "C")


async def test_reference_to_the_environment_reads_three_variables_each_time() -> None:
    environ = {"TEAM_ACCESS_KEY_ID": "A", "TEAM_SECRET_ACCESS_KEY": "B"}
    source = CredentialSource(environ)
    assert await source.resolve(PLAN, "os.environ/TEAM") == AwsCredentials("A", "B", "")
    environ["TEAM_SESSION_TOKEN"] = "C"
    assert await source.resolve(PLAN, "os.environ/TEAM") == AwsCredentials("A", "B", "C")


async def test_missing_variable_is_named() -> None:
    with pytest.raises(UpstreamError, match="TEAM_SECRET_ACCESS_KEY is not set") as caught:
        await CredentialSource({"TEAM_ACCESS_KEY_ID": "A"}).resolve(PLAN, "os.environ/TEAM")
    assert caught.value.kind is ErrorKind.NO_CREDENTIALS


async def test_no_reference_says_what_the_plan_says() -> None:
    plan = CredentialPlan(CredentialAction.SIGN, message="Give the proxy a credential.")
    with pytest.raises(UpstreamError, match="Give the proxy a credential") as caught:
        await CredentialSource({}).resolve(plan, "")
    assert caught.value.kind is ErrorKind.NO_CREDENTIALS


async def test_a_plan_that_refuses_is_refused_even_with_credentials_at_hand() -> None:
    plan = CredentialPlan(CredentialAction.REFUSE, access_key="A", message="One half is missing.")
    with pytest.raises(UpstreamError, match="One half is missing") as caught:
        await CredentialSource({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"}).resolve(plan, "os.environ/AWS")
    assert caught.value.kind is ErrorKind.NO_CREDENTIALS


@pytest.mark.parametrize(
    "reference", ["AKIDEXAMPLE", "os.environ/", "os.environ/A-B", "profile:", "env:AWS", "profile:a\nb"]
)
async def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(UpstreamError, match=re.escape("os.environ/NAME or profile:NAME")):
        await CredentialSource({"A_ACCESS_KEY_ID": "x"}).resolve(PLAN, reference)


async def test_profile_is_read_from_the_aws_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text(
        "[team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = secret\naws_session_token = token\n"
    )
    (tmp_path / "config").write_text("[profile empty]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    source = CredentialSource({})
    assert await source.resolve(PLAN, "profile:team") == AwsCredentials("AKIDTEAM", "secret", "token")
    with pytest.raises(UpstreamError, match="no AWS profile 'nobody'"):
        await source.resolve(PLAN, "profile:nobody")
    with pytest.raises(UpstreamError, match="'empty' holds no credentials"):
        await source.resolve(PLAN, "profile:empty")
