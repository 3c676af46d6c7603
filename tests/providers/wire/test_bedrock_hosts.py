"""Which host serves a call of Bedrock: every one of botocore's service models, and no host that is not AWS's."""

from __future__ import annotations

import re

import botocore.session
import pytest

from providers.base import Header
from providers.bedrock import PROVIDER
from providers.wire import bedrock_hosts

LOCAL: Header = (b"host", b"127.0.0.1:8001")
PATH = b"/model/x/converse"
SERVICES = ("bedrock-runtime", "bedrock", "bedrock-agent-runtime", "bedrock-agent")

# The tags of agents and of their sessions share a path: only a Host header or an upstream tells them apart.
AMBIGUOUS = {("bedrock-agent-runtime", name) for name in ("TagResource", "UntagResource", "ListTagsForResource")}


def modelled_calls() -> list[tuple[str, str, str, bytes]]:
    """Service, call, method and path of all that botocore can call."""
    loader = botocore.session.Session().get_component("data_loader")
    found = []
    for service in SERVICES:
        for name, shape in loader.load_service_model(service, "service-2")["operations"].items():
            path = re.sub(r"\{[^}]+\}", "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy", shape["http"]["requestUri"])
            found.append((service, name, shape["http"]["method"], path.encode()))
    return found


def test_every_call_of_aws_reaches_the_host_of_its_service() -> None:
    calls = modelled_calls()
    assert len(calls) > 200
    wrong = []
    for service, name, method, path in calls:
        origin = PROVIDER.origin(PROVIDER.match(method, path), [LOCAL], None, "us-east-1")
        if origin.host != f"{service}.us-east-1.amazonaws.com" and (service, name) not in AMBIGUOUS:
            wrong.append((service, name, origin.host))
    assert wrong == []


def test_every_call_of_the_runtime_but_the_two_way_stream_is_known() -> None:
    unknown = [
        name
        for service, name, method, path in modelled_calls()
        if service == "bedrock-runtime" and PROVIDER.match(method, path).operation is None
    ]
    assert unknown == ["InvokeModelWithBidirectionalStream"]


@pytest.mark.parametrize(
    "host",
    [
        b"bedrock-runtime.us-east-1.amazonaws.com.evil.example",
        b"bedrock-runtime.evil.amazonaws.com",
        b"bedrock-runtime.us-east-1.evil.example",
        b"bedrock-runtime.us-east-1.amazonaws.com@evil.example",
        b"bedrock-runtime.us-east-1.amazonaws.com:9999",
        b"bedrock-runtime.s3-us-west-2.amazonaws.com",
        b"bedrock-runtime.us-east-1.amazonaws.com.cn",
        b"bedrock-runtime.us-east-1/x.amazonaws.com",
        b"bedrockruntime.us-east-1.amazonaws.com",
        b"bedrock-mantle.us-east-1.amazonaws.com",
        b"bedrock-mantle.evil.api.aws",
        b"bedrock-runtime.us-east-1.api.aws",
        b"",
    ],
)
def test_no_other_host_can_be_named_by_a_request(host: bytes) -> None:
    assert bedrock_hosts.real_host(host) is None
    assert PROVIDER.origin(PROVIDER.match("POST", PATH), [(b"host", host)], None, "eu-west-1").host == (
        "bedrock-runtime.eu-west-1.amazonaws.com"
    )


@pytest.mark.parametrize(
    ("written", "host"),
    [
        (b"bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com"),
        (b"Bedrock-Runtime.us-east-1.amazonaws.com:443", "bedrock-runtime.us-east-1.amazonaws.com"),
        (b"bedrock-runtime-fips.us-east-1.amazonaws.com", "bedrock-runtime-fips.us-east-1.amazonaws.com"),
        (b"bedrock-agent-runtime.eu-west-1.amazonaws.com", "bedrock-agent-runtime.eu-west-1.amazonaws.com"),
        (b"bedrock-runtime.cn-north-1.amazonaws.com.cn", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        (b"bedrock-mantle.eu-west-1.api.aws", "bedrock-mantle.eu-west-1.api.aws"),
    ],
)
def test_bedrocks_own_hosts_are_taken_from_the_host_header(written: bytes, host: str) -> None:
    assert bedrock_hosts.real_host(written) == host


def test_openai_and_anthropic_dialects_have_a_service_of_their_own() -> None:
    messages = PROVIDER.match("POST", b"/anthropic/v1/messages")
    chat = PROVIDER.match("POST", b"/openai/v1/chat/completions")
    assert bedrock_hosts.host(messages, "us-east-1", "bedrock") == "bedrock-mantle.us-east-1.api.aws"
    assert bedrock_hosts.host(chat, "us-east-1", "") == "bedrock-mantle.us-east-1.api.aws"
    assert bedrock_hosts.host(chat, "us-east-1", "bedrock-mantle") == "bedrock-mantle.us-east-1.api.aws"
    assert bedrock_hosts.host(chat, "us-east-1", "bedrock") == "bedrock-runtime.us-east-1.amazonaws.com"
    assert bedrock_hosts.host(chat, "evil.example", "") is None
