"""What an AWS request says about itself, compared with botocore's own data."""

from __future__ import annotations

from base64 import b64encode

import botocore.session
import pytest

from providers.wire import aws


def test_every_region_botocore_knows_has_the_same_domain() -> None:
    partitions = botocore.session.Session().get_data("partitions")["partitions"]
    known = {
        region: partition["outputs"]["dnsSuffix"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")
    }
    assert len(known) > 30
    assert {region: aws.dns_suffix(region) for region in known} == known


@pytest.mark.parametrize(
    "word",
    ["", "us-east", "global", "s3-us-west-2", "us-east-1.evil.com", "us-east-1/", "US-EAST-1", "-1", "us-east-1\n"],
)
def test_a_word_that_is_no_region_has_no_domain(word: str) -> None:
    assert aws.dns_suffix(word) is None


def test_signature_tells_region_and_signed_headers() -> None:
    signature = aws.read_signature(
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/bedrock/aws4_request, "
        b"SignedHeaders=content-type;host;x-amz-date, Signature=" + b"0" * 64
    )
    assert signature == aws.Signature("eu-west-1", "bedrock", frozenset({b"content-type", b"host", b"x-amz-date"}))


@pytest.mark.parametrize("value", [b"", b"Bearer x", b"Basic eDp5", b"AWS4-HMAC-SHA256 Credential=AKID"])
def test_other_authorizations_are_no_signature(value: bytes) -> None:
    assert aws.read_signature(value) is None


def test_a_scope_with_an_odd_region_names_none() -> None:
    signature = aws.read_signature(
        b"AWS4-HMAC-SHA256 Credential=AKID/20261121/evil.example/bedrock/aws4_request, SignedHeaders=host, Signature=00"
    )
    assert signature is not None
    assert signature.region == ""


def short_term_key(region: str) -> bytes:
    url = (
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential=AKID%2F20261121%2F{region}%2Fbedrock%2Faws4_request&X-Amz-Signature=00&Version=1"
    )
    return b"bedrock-api-key-" + b64encode(url.encode())


def test_a_short_term_key_tells_its_region_with_and_without_padding() -> None:
    token = short_term_key("eu-west-1")
    assert aws.region_in_token(token) == "eu-west-1"
    assert aws.region_in_token(token.rstrip(b"=")) == "eu-west-1"


@pytest.mark.parametrize(
    "token", [b"ABSKlongterm", b"bedrock-api-key-", b"bedrock-api-key-!!!", short_term_key("evil.example")]
)
def test_other_tokens_tell_no_region(token: bytes) -> None:
    assert aws.region_in_token(token) is None


def test_bearer_is_told_from_other_schemes() -> None:
    assert aws.bearer_token(b"Bearer abc") == b"abc"
    assert aws.bearer_token(b"bearer abc") == b"abc"
    assert aws.bearer_token(b"Basic abc") is None


def test_an_arn_names_its_region() -> None:
    assert aws.region_in_arn("arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.x") == "eu-west-3"
    assert aws.region_in_arn("anthropic.claude-sonnet-4-5-20250929-v1:0") is None
    assert aws.region_in_arn("arn:aws:bedrock::123456789012:x/y") is None


def test_hosts_of_aws_are_known_by_their_domain() -> None:
    assert aws.is_aws_host("bedrock-runtime.us-east-1.amazonaws.com")
    assert aws.is_aws_host("vpce-1-2.bedrock-runtime.cn-north-1.vpce.amazonaws.com.cn")
    assert not aws.is_aws_host("amazonaws.com.evil.example")
    assert not aws.is_aws_host("127.0.0.1")
    assert aws.region_in_host("vpce-1-2.bedrock-runtime.cn-north-1.vpce.amazonaws.com.cn") == "cn-north-1"
    assert aws.region_in_host("localhost") is None
