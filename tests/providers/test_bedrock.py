"""Bedrock: what it calls its operations, the order of regions and credentials, errors."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from providers.base import BodyFacts, Call, Condition, CredentialAction, Header, Origin, OriginUnknown
from providers.bedrock import PROVIDER

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PATH = b"/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
US = Origin("https", "bedrock-runtime.us-east-1.amazonaws.com", 443)
CUSTOM = Origin("http", "127.0.0.1", 9000, "/gateway")
LOCAL: Header = (b"host", b"127.0.0.1:8001")


def call(path: bytes, method: str = "POST") -> Call:
    return PROVIDER.match(method, path)


def signature(host: str, region: str = "us-east-1", extra: dict[str, str] | None = None) -> list[Header]:
    """Headers as boto3 sends them, signed for `host`."""
    request = AWSRequest(
        method="POST",
        url=f"https://{host}{PATH.decode()}",
        headers={"Content-Type": "application/json", **(extra or {})},
        data=b"{}",
    )
    SigV4Auth(Credentials("AKIDCLIENT", "client-secret"), "bedrock", region).add_auth(request)
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    return [(b"host", host.encode()), *headers]


# ---- paths --------------------------------------------------------

CACHEABLE = {
    "invoke", "invoke.stream", "converse", "converse.stream", "count_tokens", "guardrails.apply", "guardrails.check",
    "models.list", "rerank", "messages", "messages.count_tokens", "chat.completions", "responses",
}  # fmt: skip


def test_what_may_be_cached_is_exactly_this() -> None:
    assert {known.name for known in PROVIDER.operations if known.is_cacheable} == CACHEABLE
    assert all(
        known.method == "POST" or known.name == "models.list" for known in PROVIDER.operations if known.is_cacheable
    )


def test_sampling_calls_are_the_ones_that_take_a_temperature() -> None:
    assert {known.name for known in PROVIDER.operations if known.is_sampling} == {
        "invoke", "invoke.stream", "converse", "converse.stream", "messages", "chat.completions", "responses",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        (PATH, "converse", CLAUDE),
        (b"/model/" + CLAUDE.encode() + b"/invoke", "invoke", CLAUDE),
        (b"/model/amazon.nova-lite-v1%3A0/converse-stream", "converse.stream", "amazon.nova-lite-v1:0"),
        (b"/model/amazon.nova-lite-v1%3a0/invoke-with-response-stream", "invoke.stream", "amazon.nova-lite-v1:0"),
        (
            b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0/count-tokens",
            "count_tokens",
            "arn:aws:bedrock:us-east-1:123:inference-profile/us.amazon.nova-lite-v1:0",
        ),
    ],
)
def test_model_is_the_decoded_segment_and_the_path_stays_raw(path: bytes, name: str, model: str) -> None:
    found = call(path)
    assert (found.operation.name if found.operation else None, found.model, found.path) == (name, model, path)


@pytest.mark.parametrize(
    "path", [b"/model/x/converse/", b"/model//converse", b"/model/a/b/converse", b"/x", b"/", b"*", b"\xff"]
)
def test_other_targets_stay_byte_for_byte(path: bytes) -> None:
    assert call(path) == Call(None, path)


def test_streaming_is_told_by_the_path() -> None:
    assert PROVIDER.read_body(call(b"/model/x/converse-stream"), {}).is_streaming
    assert not PROVIDER.read_body(call(b"/model/x/invoke"), {"stream": True}).is_streaming
    assert PROVIDER.read_body(call(PATH), {}).model == CLAUDE


@pytest.mark.parametrize(
    ("body", "temperature"),
    [
        ({"inferenceConfig": {"temperature": 0.5}}, 0.5),
        ({"temperature": 0}, 0.0),
        ({"textGenerationConfig": {"temperature": 1}}, 1.0),
        ({"additionalModelRequestFields": {"temperature": 0.2}}, 0.2),
        ({"inferenceConfig": {"temperature": True}}, None),
        ({"inferenceConfig": []}, None),
        (None, None),
        ([1], None),
    ],
)
def test_temperature_is_found_wherever_a_family_keeps_it(body: Any, temperature: float | None) -> None:
    assert PROVIDER.read_body(call(PATH), body).temperature == temperature


# ---- origin --------------------------------------------------------


def host_of(headers: list[Header], path: bytes = PATH, region: str = "") -> str:
    return PROVIDER.origin(call(path), headers, None, region).host


def bearer(region: str) -> Header:
    url = f"bedrock.amazonaws.com/?X-Amz-Credential=AKID%2F20261121%2F{region}%2Fbedrock%2Faws4_request&Version=1"
    return (b"authorization", b"Bearer bedrock-api-key-" + b64encode(url.encode()))


ARN_PATH = b"/model/arn%3Aaws%3Abedrock%3Aap-south-1%3A123%3Ainference-profile%2Fx/converse"


def test_the_region_comes_from_the_first_that_names_one() -> None:
    scope = signature("127.0.0.1:8001", "eu-west-1")
    real: Header = (b"host", b"bedrock-runtime.us-west-2.amazonaws.com")
    assert PROVIDER.origin(call(ARN_PATH), [real, *scope[1:]], CUSTOM, "eu-north-1") is CUSTOM
    assert host_of([real, *scope[1:]], ARN_PATH, "eu-north-1") == "bedrock-runtime.us-west-2.amazonaws.com"
    assert host_of(scope, ARN_PATH, "eu-north-1") == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert host_of([LOCAL, bearer("sa-east-1")], ARN_PATH, "eu-north-1") == "bedrock-runtime.sa-east-1.amazonaws.com"
    assert host_of([LOCAL], ARN_PATH, "eu-north-1") == "bedrock-runtime.ap-south-1.amazonaws.com"
    assert host_of([LOCAL], PATH, "eu-north-1") == "bedrock-runtime.eu-north-1.amazonaws.com"
    with pytest.raises(OriginUnknown, match="Set the proxy's region"):
        host_of([LOCAL])


def test_china_and_other_partitions_have_their_own_domains() -> None:
    assert host_of([LOCAL], PATH, "cn-north-1") == "bedrock-runtime.cn-north-1.amazonaws.com.cn"
    assert host_of([LOCAL], PATH, "us-gov-west-1") == "bedrock-runtime.us-gov-west-1.amazonaws.com"
    assert (
        host_of([(b"host", b"bedrock-runtime.cn-north-1.amazonaws.com.cn")])
        == "bedrock-runtime.cn-north-1.amazonaws.com.cn"
    )


@given(st.text(max_size=40))
def test_a_scope_never_leads_anywhere_but_to_aws(region: str) -> None:
    value = f"AWS4-HMAC-SHA256 Credential=AKID/20261121/{region}/bedrock/aws4_request, SignedHeaders=host, Signature=00"
    host = host_of([LOCAL, (b"authorization", value.encode())], PATH, "eu-west-1")
    assert re.fullmatch(
        r"bedrock-runtime\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|amazonaws\.eu|[a-z0-9.-]+\.gov|cloud\.adc-e\.uk)", host
    )


MESSAGES = b"/anthropic/v1/messages"
CHAT = b"/openai/v1/chat/completions"


def test_openai_and_anthropic_dialects_have_a_service_of_their_own() -> None:
    assert host_of([LOCAL], MESSAGES, "us-east-1") == "bedrock-mantle.us-east-1.api.aws"
    assert host_of([LOCAL], CHAT, "us-east-1") == "bedrock-mantle.us-east-1.api.aws"
    assert host_of(signature("127.0.0.1:8001"), CHAT) == "bedrock-runtime.us-east-1.amazonaws.com"
    assert host_of([(b"host", b"bedrock-mantle.eu-west-1.api.aws")], CHAT) == "bedrock-mantle.eu-west-1.api.aws"
    assert host_of([(b"host", b"bedrock-mantle.eu-west-1.amazonaws.com")], CHAT, "us-east-1").endswith(
        "us-east-1.api.aws"
    )
    found = plan([LOCAL], Origin("https", "bedrock-mantle.us-east-1.api.aws", 443), CHAT)
    assert (found.service, found.region) == ("bedrock-mantle", "us-east-1")


def test_openai_and_anthropic_dialects_are_read_as_such() -> None:
    facts = PROVIDER.read_body(call(CHAT), {"model": "openai.gpt-oss-120b", "stream": True, "temperature": 0})
    assert facts == BodyFacts("openai.gpt-oss-120b", True, 0.0)
    error = json.loads(PROVIDER.error(Condition.LIMITED, "slow", request_id="r", call=call(CHAT)).body)
    assert error["error"] == {"message": "slow", "type": "ThrottlingException", "code": None}


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ({"inferenceConfig": {"maxTokens": 9}}, 9),
        ({"max_tokens": 9}, 9),
        ({"max_gen_len": 9}, 9),
        ({"textGenerationConfig": {"maxTokenCount": 9}}, 9),
        ({"max_tokens_to_sample": 9}, 9),
        ({"max_tokens": "9"}, None),
        ([], None),
    ],
)
def test_the_most_an_answer_may_have_is_read_from_whichever_name_it_has(body: Any, most: int | None) -> None:
    assert PROVIDER.read_body(call(PATH), body).max_output_tokens == most


def test_upstream_path_puts_the_prefix_before_the_raw_path() -> None:
    assert PROVIDER.upstream_path(call(PATH), CUSTOM) == b"/gateway" + PATH
    assert PROVIDER.upstream_path(call(PATH), US) == PATH


# ---- credentials --------------------------------------------------------

OWN: list[Header] = [
    (b"x-aws-access-key", b"AKIDOWN"), (b"x-aws-secret-key", b"own-secret"), (b"x-aws-session-token", b"own-token"),
]  # fmt: skip
SECRETS = frozenset({b"x-aws-access-key", b"x-aws-secret-key", b"x-aws-session-token"})


def plan(headers: list[Header], origin: Origin = US, path: bytes = PATH) -> Any:
    return PROVIDER.credentials(call(path), headers, origin, is_http2=False)


def test_bearer_passes_before_anything_else_and_secrets_are_dropped() -> None:
    found = plan([LOCAL, (b"authorization", b"Bearer bedrock-api-key-x"), *OWN])
    assert (found.action, found.drop) == (CredentialAction.PASS, SECRETS)


def test_credential_headers_sign_before_the_clients_signature_counts() -> None:
    found = plan([*signature(US.host), *OWN])
    assert found.action is CredentialAction.SIGN
    assert (found.access_key, found.secret_key, found.session_token) == ("AKIDOWN", "own-secret", "own-token")
    assert (found.region, found.service) == ("us-east-1", "bedrock")
    assert found.drop >= SECRETS | {b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256"}
    assert "own-secret" not in repr(found)


@pytest.mark.parametrize(("headers", "missing"), [(OWN[:1], "x-aws-secret-key"), (OWN[1:2], "x-aws-access-key")])
def test_half_a_key_pair_is_refused_naming_the_other_half(headers: list[Header], missing: str) -> None:
    found = plan([*signature(US.host), *headers])
    assert found.action is CredentialAction.REFUSE
    assert f"{missing} is missing" in found.message
    assert headers[0][0] in found.drop


def test_signature_for_the_real_host_passes_verbatim() -> None:
    found = plan(signature(US.host))
    assert (found.action, found.drop) == (CredentialAction.PASS, frozenset())


def test_signature_for_the_proxys_own_address_is_made_anew() -> None:
    found = plan(
        signature("127.0.0.1:8001", "eu-west-1"), Origin("https", "bedrock-runtime.eu-west-1.amazonaws.com", 443)
    )
    assert (found.action, found.region, found.access_key) == (CredentialAction.SIGN, "eu-west-1", "")
    assert b"authorization" in found.drop
    for option in (
        "os.environ/NAME",
        "profile:NAME",
        "Bearer",
        "x-aws-access-key",
        "bedrock-runtime.eu-west-1.amazonaws.com",
    ):
        assert option in found.message


def test_signature_over_authority_is_made_anew_even_for_the_real_host() -> None:
    value = (
        b"AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/bedrock/aws4_request, "
        b"SignedHeaders=:authority;content-type;x-amz-date, Signature=" + b"0" * 64
    )
    found = PROVIDER.credentials(
        call(PATH), [(b"host", US.host.encode()), (b"authorization", value)], US, is_http2=True
    )
    assert found.action is CredentialAction.SIGN


@pytest.mark.parametrize("names", [b"content-type;x-amz-date", b":authority;host;x-amz-date"])
def test_signature_without_host_or_with_authority_besides_never_passes(names: bytes) -> None:
    value = (
        b"AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/bedrock/aws4_request, "
        b"SignedHeaders=" + names + b", Signature=" + b"0" * 64
    )
    assert plan([(b"host", US.host.encode()), (b"authorization", value)]).action is CredentialAction.SIGN


def test_signature_over_a_header_that_is_taken_away_is_made_anew() -> None:
    found = plan(signature(US.host, extra={"x-aws-session-token": "t"}))
    assert found.action is CredentialAction.SIGN
    assert b"x-aws-session-token" in found.drop
    assert found.session_token == ""


@pytest.mark.parametrize("authorization", [None, b"Basic eDp5", b"garbage", b""])
def test_no_usable_credentials_ask_for_the_proxys_own(authorization: bytes | None) -> None:
    headers = [LOCAL] if authorization is None else [LOCAL, (b"authorization", authorization)]
    found = plan(headers)
    assert (found.action, found.access_key) == (CredentialAction.SIGN, "")
    assert found.message


def test_custom_upstream_gets_the_request_as_it_came_without_secrets() -> None:
    assert plan(signature("127.0.0.1:8001"), CUSTOM).action is CredentialAction.PASS
    assert plan([LOCAL], CUSTOM).drop == frozenset()
    found = plan([LOCAL, *OWN, (b"x-aws-anything", b"s")], CUSTOM)
    assert (found.action, found.drop) == (CredentialAction.PASS, SECRETS | {b"x-aws-anything"})


def test_private_endpoint_of_aws_is_signed_for_with_its_region() -> None:
    endpoint = Origin("https", "vpce-1a.bedrock-runtime.eu-central-1.vpce.amazonaws.com", 443)
    assert plan([LOCAL], endpoint).region == "eu-central-1"


# ---- errors --------------------------------------------------------

RUNTIME = botocore.session.Session().get_service_model("bedrock-runtime")


@pytest.mark.parametrize("condition", list(Condition))
def test_every_error_is_read_by_boto3(condition: Condition) -> None:
    reply = PROVIDER.error(condition, "what happened", request_id="018f-1", call=call(PATH))
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    parsed = create_parser("rest-json").parse(
        {"status_code": reply.status, "headers": headers, "body": reply.body},
        RUNTIME.operation_model("Converse").output_shape,
    )
    assert reply.status == condition.status
    assert parsed["Error"]["Message"] == "what happened"
    assert parsed["Error"]["Code"] == headers["x-amzn-errortype"]
    assert parsed["ResponseMetadata"]["RequestId"] == "018f-1"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (Condition.LIMITED, "ThrottlingException"), (Condition.BLOCKED, "AccessDeniedException"),
        (Condition.NO_CREDENTIALS, "AccessDeniedException"), (Condition.BAD_REQUEST, "ValidationException"),
        (Condition.NO_RECORDING, "ResourceNotFoundException"), (Condition.BAD_GATEWAY, "ServiceUnavailableException"),
        (Condition.GATEWAY_TIMEOUT, "ModelTimeoutException"), (Condition.INTERNAL, "InternalServerException"),
    ],
)  # fmt: skip
def test_errors_have_types_the_sdk_has_classes_for(condition: Condition, kind: str) -> None:
    reply = PROVIDER.error(condition, "m", request_id="r", call=call(PATH))
    assert dict(reply.headers)[b"x-amzn-errortype"] == kind.encode()
    assert kind in {shape.name for shape in RUNTIME.error_shapes}


def test_limit_tells_when_to_come_back_in_milliseconds_and_no_recording_keeps_its_code() -> None:
    reply = PROVIDER.error(Condition.LIMITED, "m", request_id="r", call=call(PATH), retry_after_s=1.2)
    assert dict(reply.headers)[b"x-amz-retry-after"] == b"1200"
    assert dict(reply.headers)[b"retry-after"] == b"2"
    reply = PROVIDER.error(Condition.NO_RECORDING, "m", request_id="r", call=call(PATH), code="no_recording")
    assert json.loads(reply.body) == {"message": "m", "code": "no_recording"}


# ---- snippets --------------------------------------------------------


def test_snippets_name_the_proxy_and_the_model_and_hold_no_placeholder() -> None:
    snippets = {snippet.id: snippet for snippet in PROVIDER.snippets("http://127.0.0.1:8001", "amazon.nova-lite-v1:0")}
    assert set(snippets) == {"bedrock-boto3", "bedrock-anthropic-python", "bedrock-aws-javascript", "bedrock-curl"}
    for snippet in snippets.values():
        assert "http://127.0.0.1:8001" in snippet.code
        assert not re.search(r"BASE_URL|MODEL\b|CLAUDE|ENCODED", snippet.code)
        if snippet.language == "python":
            compile(snippet.code, snippet.id, "exec")
    assert "amazon.nova-lite-v1%3A0/converse" in snippets["bedrock-curl"].code
    assert PROVIDER.example_model in snippets["bedrock-anthropic-python"].code
