"""boto3, the AWS SDK for JavaScript and Anthropic's clients meet Bedrock's failures: the classes, codes, messages and
retries of the genuine service."""

from __future__ import annotations

import http.client
import json
import os
import socketserver
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from tests.emulated.serving import EmulatedProxies, EmulatedProxy

ROOT = Path(__file__).resolve().parents[2]
OF_THE_MODEL = "The model returned the following errors: "
NOTHING_RETRIED = Config(retries={"total_max_attempts": 1})
RETRIED_ONCE = Config(retries={"total_max_attempts": 2})


@dataclass(frozen=True)
class Case:
    """A fault, and what it is to a client: HTTP status, boto3's code ("" for the status), message, Anthropic's class.

    `is_modelled`: the AWS clients have a class for it. `is_of_the_model`: Converse says whose words these are.
    """

    fault: dict[str, Any]
    status: int
    code: str
    message: str
    claude: str
    is_modelled: bool = True
    is_of_the_model: bool = False

    @property
    def converse_message(self) -> str:
        return OF_THE_MODEL + self.message if self.is_of_the_model else self.message


TOO_MANY = "Too many requests, please wait before trying again."
UNEXPECTED = "The system encountered an unexpected error during processing. Try your request again."
UNABLE = "Bedrock is unable to process your request."
TIMED_OUT = "Model has timed out in processing the request. Try your request again."
NO_ACCESS = "You don't have access to the model with the specified model ID."
NO_TOKEN = "The security token included in the request is invalid."
NOT_VALID = "The provided request is not valid"
NO_MODEL = "Could not resolve the foundation model from the provided model identifier."
NOT_READY = "The model is not ready for inference. Try your request again."

CASES: dict[str, Case] = {
    "rate_limit": Case({"reason": "rate_limit"}, 429, "ThrottlingException", TOO_MANY, "RateLimitError"),
    "token_limit": Case(
        {"reason": "token_limit"}, 429, "ThrottlingException",
        "Too many tokens, please wait before trying again.", "RateLimitError",
    ),
    "throttling": Case({"reason": "throttling"}, 429, "ThrottlingException", TOO_MANY, "RateLimitError"),
    "quota": Case(
        {"reason": "quota"}, 400, "ServiceQuotaExceededException",
        "Your request exceeds the service quota for your account.", "BadRequestError",
    ),
    "quota of a day": Case(
        {"reason": "quota", "status": 429}, 429, "ThrottlingException",
        "Too many tokens per day, please wait before trying again.", "RateLimitError",
    ),
    "overloaded": Case(
        {"reason": "overloaded"}, 503, "ServiceUnavailableException",
        "Too many connections, please wait before trying again.", "ServiceUnavailableError",
    ),
    "server_error": Case({"reason": "server_error"}, 500, "InternalServerException", UNEXPECTED, "InternalServerError"),
    "unavailable": Case(
        {"reason": "unavailable"}, 503, "ServiceUnavailableException", UNABLE, "ServiceUnavailableError"
    ),
    "timeout": Case({"reason": "timeout"}, 408, "ModelTimeoutException", TIMED_OUT, "RequestTimeoutError"),
    "invalid_key": Case(
        {"reason": "invalid_key"}, 403, "UnrecognizedClientException", NO_TOKEN, "PermissionDeniedError",
        is_modelled=False,
    ),
    "permission_denied": Case(
        {"reason": "permission_denied"}, 403, "AccessDeniedException", NO_ACCESS, "PermissionDeniedError"
    ),
    "model_not_found": Case(
        {"reason": "model_not_found"}, 400, "ValidationException",
        "The provided model identifier is invalid.", "BadRequestError",
    ),
    "model_not_found as 404": Case(
        {"reason": "model_not_found", "status": 404}, 404, "ResourceNotFoundException", NO_MODEL, "NotFoundError"
    ),
    "context_length": Case(
        {"reason": "context_length"}, 400, "ValidationException",
        "Input is too long for requested model.", "BadRequestError", is_of_the_model=True,
    ),
    "content_filter": Case(
        {"reason": "content_filter"}, 400, "ValidationException",
        "Output blocked by content filtering policy", "BadRequestError", is_of_the_model=True,
    ),
    "invalid_request": Case({"reason": "invalid_request"}, 400, "ValidationException", NOT_VALID, "BadRequestError"),
    "request_too_large": Case(
        {"reason": "request_too_large"}, 413, "RequestEntityTooLargeException",
        "The request body is too large.", "ContentTooLargeError", is_modelled=False,
    ),
    "not ready": Case(
        {"status": 429, "code": "ModelNotReadyException"}, 429, "ModelNotReadyException", NOT_READY, "RateLimitError"
    ),
    "expired": Case(
        {"status": 403, "code": "ExpiredTokenException"}, 403, "ExpiredTokenException",
        "The security token included in the request is expired", "PermissionDeniedError", is_modelled=False,
    ),
    "in other words": Case(
        {"status": 400, "message": "Nein."}, 400, "ValidationException", "Nein.", "BadRequestError"
    ),
    "400": Case({"status": 400}, 400, "ValidationException", NOT_VALID, "BadRequestError"),
    "401": Case(
        {"status": 401}, 401, "UnrecognizedClientException", NO_TOKEN, "AuthenticationError", is_modelled=False
    ),
    "402": Case({"status": 402}, 402, "", "Payment Required", "PaymentRequiredError", is_modelled=False),
    "403": Case({"status": 403}, 403, "AccessDeniedException", NO_ACCESS, "PermissionDeniedError"),
    "404": Case({"status": 404}, 404, "ResourceNotFoundException", NO_MODEL, "NotFoundError"),
    "408": Case({"status": 408}, 408, "ModelTimeoutException", TIMED_OUT, "RequestTimeoutError"),
    "409": Case(
        {"status": 409}, 409, "ConflictException", "The request conflicts with the state of the resource.",
        "ConflictError",
    ),
    "422": Case({"status": 422}, 422, "", "Unprocessable Entity", "UnprocessableEntityError", is_modelled=False),
    "424": Case(
        {"status": 424}, 424, "ModelErrorException",
        "The model returned an unexpected error. Try your request again.", "APIStatusError",
    ),
    "429": Case({"status": 429}, 429, "ThrottlingException", TOO_MANY, "RateLimitError"),
    "500": Case({"status": 500}, 500, "InternalServerException", UNEXPECTED, "InternalServerError"),
    "502": Case({"status": 502}, 502, "", "Bad Gateway", "InternalServerError", is_modelled=False),
    "503": Case({"status": 503}, 503, "ServiceUnavailableException", UNABLE, "ServiceUnavailableError"),
    "504": Case({"status": 504}, 504, "", "Gateway Timeout", "GatewayTimeoutError", is_modelled=False),
    "520": Case({"status": 520}, 520, "", "The request failed with status 520", "InternalServerError",
                is_modelled=False),
    "529": Case({"status": 529}, 529, "", "The request failed with status 529", "OverloadedError", is_modelled=False),
}  # fmt: skip

# Replies of the genuine service as public issue reports quote them, byte for byte but for their ids and dates.
_HEAD = b"Content-Type: application/json\r\nx-amzn-RequestId: ca47a5ce-e260-4824-aa0e-2e62669d5d6e"
_SERVICE = b":http://internal.amazon.com/coral/com.amazon.bedrock/"
_DOOR = b":http://internal.amazon.com/coral/com.amazon.coral.service/"
GENUINE: dict[str, tuple[bytes, bytes]] = {
    "token_limit": (
        b"ThrottlingException" + _SERVICE, b'{"message":"Too many tokens, please wait before trying again."}',
    ),
    "rate_limit": (
        b"ThrottlingException" + _SERVICE, b'{"message":"Too many requests, please wait before trying again."}',
    ),
    "overloaded": (
        b"ServiceUnavailableException" + _SERVICE,
        b'{"message":"Too many connections, please wait before trying again."}',
    ),
    "unavailable": (
        b"ServiceUnavailableException" + _SERVICE, b'{"message":"Bedrock is unable to process your request."}',
    ),
    "model_not_found": (
        b"ValidationException" + _SERVICE, b'{"message":"The provided model identifier is invalid."}',
    ),
    "permission_denied": (
        b"AccessDeniedException" + _SERVICE,
        b'{"message":"You don\'t have access to the model with the specified model ID."}',
    ),
    "invalid_key": (
        b"UnrecognizedClientException" + _DOOR,
        b'{"message":"The security token included in the request is invalid."}',
    ),
    "expired": (
        b"ExpiredTokenException" + _DOOR, b'{"message":"The security token included in the request is expired"}',
    ),
}  # fmt: skip
RETRIED = ["400", "403", "404", "408", "424", "429", "500", "502", "503", "504", "529", "not ready"]
RETRIED_BY_AWS = {"429", "500", "502", "503", "504", "not ready"}
RETRIED_BY_CLAUDE = {"408", "409", "429", "500", "502", "503", "504", "529", "not ready"}


class Plain(socketserver.ThreadingTCPServer):
    """A server that sends the same bytes to whoever asks."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, reply: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _PlainHandler)
        self.reply = reply
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _PlainHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length)
        assert isinstance(self.server, Plain)
        self.wfile.write(self.server.reply)


@pytest.fixture(scope="module")
def plain() -> Iterator[dict[str, str]]:
    """The URL of a plain server for each genuine reply."""
    servers = {}
    for name, (kind, body) in GENUINE.items():
        head = b"HTTP/1.1 %d \r\n%b\r\nx-amzn-ErrorType: %b\r\n" % (CASES[name].status, _HEAD, kind)
        servers[name] = Plain(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    yield {name: server.url for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def failing(emulated: EmulatedProxies) -> EmulatedProxy:
    """A proxy that fails by the model's name."""
    rules = [{"fault": "error", **case.fault, "match": {"model": name}} for name, case in CASES.items()]
    return emulated.proxy("bedrock", faults=rules)


def connect(url: str, config: Config = NOTHING_RETRIED) -> Any:
    return boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=url, aws_access_key_id="AKIADUMMY",
        aws_secret_access_key="dummy", config=config,
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(failing: EmulatedProxy) -> Iterator[Any]:
    made = connect(failing.url)
    yield made
    made.close()


def claude(url: str, max_retries: int = 0) -> anthropic.AnthropicBedrock:
    return anthropic.AnthropicBedrock(
        base_url=url, aws_access_key="AKIADUMMY", aws_secret_key="dummy", aws_region="us-east-1",
        max_retries=max_retries,
    )  # fmt: skip


def hello(model: str) -> dict[str, Any]:
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": "Say hello."}]}]}


def message(model: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Say hello."}]}


def invoked(model: str) -> dict[str, Any]:
    return {"modelId": model, "body": json.dumps(message(model))}


def failure(work: Any, given: dict[str, Any]) -> ClientError:
    with pytest.raises(ClientError) as caught:
        work(**given)
    return caught.value


def told(error: ClientError) -> tuple[str, int, str, str]:
    response = error.response
    return (
        type(error).__name__,
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


# --- boto3


@pytest.mark.parametrize("name", CASES)
def test_boto3_raises_the_class_of_the_genuine_error(client: Any, failing: EmulatedProxy, name: str) -> None:
    case = CASES[name]
    code = case.code or str(case.status)
    kind = code if case.is_modelled else "ClientError"
    for work, given, words in (
        (client.converse, hello(name), case.converse_message),
        (client.converse_stream, hello(name), case.converse_message),
        (client.invoke_model, invoked(name), case.message),
        (client.invoke_model_with_response_stream, invoked(name), case.message),
    ):
        error = failure(work, given)
        assert told(error) == (kind, case.status, code, words)
        assert not case.is_modelled or isinstance(error, getattr(client.exceptions, code))
        row = failing.records.all[-1]
        assert error.response["ResponseMetadata"]["RequestId"] == row["id"]
        assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
        assert (row["status"], row["outcome"], row["fault"]) == (case.status, "fault", "error")


def test_boto3_reads_what_the_model_s_error_tells_besides(client: Any) -> None:
    response = failure(client.invoke_model, invoked("424")).response
    assert (response["originalStatusCode"], response["resourceName"]) == (500, "424")


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_bytes_from_a_plain_server_raise_the_same(client: Any, plain: dict[str, str], name: str) -> None:
    direct = connect(plain[name])
    genuine = failure(direct.converse, hello(name))
    direct.close()
    simulated = failure(client.converse, hello(name))
    assert told(simulated) == told(genuine)
    fields = simulated.response["ResponseMetadata"]["HTTPHeaders"]
    wanted = genuine.response["ResponseMetadata"]["HTTPHeaders"]
    for header in ("x-amzn-errortype", "content-type", "content-length"):
        assert fields[header] == wanted[header]
    ours = {header for header in fields if not header.startswith("x-rubberduck-")}
    assert ours - {"date"} == set(wanted) - {"connection"}


@pytest.mark.parametrize("name", RETRIED)
def test_boto3_retries_what_it_retries_of_the_genuine_service(
    emulated: EmulatedProxies, failing: EmulatedProxy, name: str
) -> None:
    client = connect(failing.url, RETRIED_ONCE)
    before = len(failing.records.all)
    error = failure(client.converse, hello(name))
    client.close()
    attempts = [row["client_attempt"] for row in failing.records.all[before:]]
    assert attempts == ([0, 1] if name in RETRIED_BY_AWS else [0])
    assert error.response["ResponseMetadata"]["RetryAttempts"] == len(attempts) - 1
    assert told(error)[1] == CASES[name].status


def test_boto3_gets_its_answer_after_a_failure_that_passes(emulated: EmulatedProxies) -> None:
    script = [{"fault": "error", "status": 503, "times": 1}, {"fault": "pass"}]
    proxy = emulated.proxy("bedrock", faults=[{"script": script}])
    client = connect(proxy.url, RETRIED_ONCE)
    reply = client.converse(**hello("us.amazon.nova-lite-v1:0"))
    client.close()
    assert reply["ResponseMetadata"]["RetryAttempts"] == 1
    assert [row["status"] for row in proxy.records.all] == [503, 200]


def test_a_wait_is_told_to_every_client_in_the_header_it_reads(emulated: EmulatedProxies) -> None:
    proxy = emulated.proxy("bedrock", faults=[{"fault": "error", "status": 503, "retry_after": 0.1}])
    client = connect(proxy.url, RETRIED_ONCE)
    fields = failure(client.converse, hello("any")).response["ResponseMetadata"]["HTTPHeaders"]
    client.close()
    assert (fields["x-amz-retry-after"], fields["retry-after"]) == ("100", "1")
    first, second = proxy.records.all
    # boto3's own back-off would be less than 50 ms
    assert second["started_at_us"] - first["started_at_us"] >= 100_000


def test_a_key_that_is_wrong_is_refused_in_the_words_for_keys(failing: EmulatedProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", failing.port, timeout=20)
    connection.request("POST", "/model/invalid_key/converse", b"{}", {"authorization": "Bearer bedrock-api-key-x"})
    reply = connection.getresponse()
    assert json.loads(reply.read()) == {"Message": "Authentication failed: Please make sure your API Key is valid."}
    kind = reply.headers["x-amzn-errortype"]
    assert (reply.status, kind) == (403, "AccessDeniedException" + _DOOR.decode())
    connection.close()


# --- Anthropic's client


@pytest.mark.parametrize("name", CASES)
def test_anthropic_s_client_raises_the_class_of_the_status(failing: EmulatedProxy, name: str) -> None:
    case = CASES[name]
    with claude(failing.url) as client:
        for streams in (False, True):
            with pytest.raises(anthropic.APIStatusError) as caught:
                client.messages.create(**message(name), stream=streams)
            error = caught.value
            assert (type(error).__name__, error.status_code) == (case.claude, case.status)
            assert isinstance(error.body, dict)
            assert error.body["message"] == case.message


@pytest.mark.parametrize("name", GENUINE)
def test_anthropic_s_client_raises_the_same_for_genuine_bytes(
    failing: EmulatedProxy, plain: dict[str, str], name: str
) -> None:
    errors = []
    for url in (failing.url, plain[name]):
        with claude(url) as client, pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(**message(name))
        errors.append((type(caught.value), caught.value.status_code, caught.value.message, caught.value.body))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("name", ["400", "403", "408", "424", "529"])
def test_anthropic_s_client_retries_what_it_retries_of_the_genuine_service(failing: EmulatedProxy, name: str) -> None:
    before = len(failing.records.all)
    with claude(failing.url, max_retries=1) as client, pytest.raises(anthropic.APIStatusError):
        client.messages.create(**message(name))
    attempts = [row["client_attempt"] for row in failing.records.all[before:]]
    assert attempts == ([0, 1] if name in RETRIED_BY_CLAUDE else [0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("rate_limit", "RateLimitError"), ("invalid_key", "AuthenticationError"), ("404", "NotFoundError"),
     ("500", "InternalServerError"), ("502", "InternalServerError")],
)  # fmt: skip
def test_the_clients_of_other_vendors_paths_raise_their_own_classes(
    failing: EmulatedProxy, name: str, kind: str
) -> None:
    given: Any = message(name)
    with openai.OpenAI(base_url=f"{failing.url}/openai/v1", api_key="bedrock-api-key", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=name, messages=given["messages"])
    keys: Any = {"aws_access_key": "AKIADUMMY", "aws_secret_key": "dummy", "aws_region": "us-east-1"}
    with anthropic.AnthropicBedrockMantle(base_url=f"{failing.url}/anthropic", max_retries=0, **keys) as mantle:
        with pytest.raises(anthropic.APIStatusError) as also_caught:
            mantle.messages.create(**given)
    for error in (caught.value, also_caught.value):
        assert type(error).__name__ == kind
        assert error.status_code == (401 if name == "invalid_key" else CASES[name].status)
        assert ("Invalid bearer token" if name == "invalid_key" else CASES[name].message) in error.message
        assert error.response.headers["x-amzn-requestid"]


# --- inside streams

STREAMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "as it comes": (
        {}, "modelStreamErrorException", "An error occurred while streaming the response. Retry your request.",
    ),
    "throttled": ({"status": 429}, "throttlingException", TOO_MANY),
    "unavailable": ({"status": 503}, "serviceUnavailableException", UNABLE),
    "failed": ({"status": 500}, "internalServerException", UNEXPECTED),
    "invalid": ({"status": 400}, "validationException", NOT_VALID),
    "overloaded": (
        {"reason": "overloaded"}, "serviceUnavailableException",
        "Too many connections, please wait before trying again.",
    ),
    "late": ({"reason": "timeout"}, "modelTimeoutException", TIMED_OUT),
    "in other words": ({"status": 429, "message": "Nein."}, "throttlingException", "Nein."),
}  # fmt: skip


def model_of(name: str) -> str:
    """A model that answers before it fails."""
    return f"anthropic.claude-{name.replace(' ', '-')}-v1:0"


@pytest.fixture(scope="module")
def breaking(emulated: EmulatedProxies) -> EmulatedProxy:
    """A proxy whose streams fail by the model's name, after two events."""
    rules = [
        {"fault": "stream_error", "events": 2, **fault, "match": {"model": model_of(name)}}
        for name, (fault, _, _) in STREAMS.items()
    ]
    return emulated.proxy("bedrock", faults=rules)


def in_stream(name: str, *, is_converse: bool) -> str:
    """The exception that a stream of Converse knows in the place of one it does not."""
    kind = STREAMS[name][1]
    return "modelStreamErrorException" if is_converse and kind == "modelTimeoutException" else kind


def read(stream: Any) -> tuple[int, Any]:
    """How many events came, and what ended them."""
    events = 0
    try:
        for _ in stream:
            events += 1
    except EventStreamError as error:
        return events, error
    finally:
        stream.close()  # boto3 leaves the connection open
    return events, None


@pytest.mark.parametrize("name", STREAMS)
def test_boto3_meets_an_exception_frame_after_two_events(breaking: EmulatedProxy, name: str) -> None:
    client = connect(breaking.url)
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": message(name)["messages"],
    }
    for is_converse in (True, False):
        if is_converse:
            stream = client.converse_stream(**hello(model_of(name)))["stream"]
        else:
            stream = client.invoke_model_with_response_stream(modelId=model_of(name), body=json.dumps(body))["body"]
        events, failed = read(stream)
        assert (events, type(failed)) == (2, EventStreamError)
        error = failed.response["Error"]
        assert (error["Code"], error["Message"]) == (in_stream(name, is_converse=is_converse), STREAMS[name][2])
    client.close()


@pytest.mark.parametrize("name", STREAMS)
def test_anthropic_s_client_meets_an_exception_frame(breaking: EmulatedProxy, name: str) -> None:
    with claude(breaking.url) as client, pytest.raises(anthropic.APIStatusError) as caught:
        list(client.messages.create(**message(model_of(name)), stream=True))
    assert caught.value.body == {"type": "error", "error": {"type": STREAMS[name][1], "message": STREAMS[name][2]}}


# --- JavaScript

SPOILT = ("refusal", "length_stop", "empty_content")


@pytest.fixture(scope="module")
def seen_by_javascript(emulated: EmulatedProxies, plain: dict[str, str]) -> dict[str, Any]:
    """What the JavaScript clients made of every case: by client and model; and the attempts that the proxy saw."""
    rules: list[dict[str, Any]] = [
        {"fault": "error", **case.fault, "match": {"model": name}} for name, case in CASES.items()
    ]
    rules += [
        {"fault": "stream_error", "events": 2, **fault, "match": {"model": model_of(name)}}
        for name, (fault, _, _) in STREAMS.items()
    ]
    rules += [{"fault": kind, "match": {"model": model_of(kind)}} for kind in SPOILT]
    rules += [{"fault": "error", "status": 503, "retry_after": 0.3, "match": {"model": "waits"}}]
    proxy = emulated.proxy("bedrock", faults=rules)
    plan = {
        "endpoint": proxy.url,
        "models": list(CASES),
        "retried": ["waits"],
        "streams": [model_of(name) for name in STREAMS],
        "replies": [model_of(kind) for kind in SPOILT],
        "plain": plain,
    }
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "bedrock_errors.mjs"), json.dumps(plan)],
        env={
            **os.environ,
            "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules)),
            "NODE_NO_WARNINGS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found: dict[str, Any] = {f"{line['client']} {line['model']}": line["value"] for line in lines}
    found["asked"] = Counter(row["model"] for row in proxy.records.all)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_javascript_sdk_raises_the_class_of_the_genuine_error(
    seen_by_javascript: dict[str, Any], name: str
) -> None:
    case = CASES[name]
    for operation in ("converse", "converse_stream"):
        error = seen_by_javascript[f"{operation} {name}"]
        assert error["class"] == (case.code if case.is_modelled else "BedrockRuntimeServiceException")
        assert error["name"] == (case.code or "Unknown")
        assert (error["status"], error["message"]) == (case.status, case.converse_message)
        assert error["fault"] == ("client" if case.status < 500 else "server")
        assert len(error["request_id"]) == 36


@pytest.mark.parametrize("name", CASES)
def test_anthropic_s_javascript_client_raises_the_class_of_the_status(
    seen_by_javascript: dict[str, Any], name: str
) -> None:
    case = CASES[name]
    error = seen_by_javascript[f"claude {name}"]
    assert error["class"] == case.claude.replace("APIStatusError", "APIError")
    assert (error["status"], error["message"]) == (case.status, f"{case.status} {case.message}")


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_bytes_raise_the_same_in_javascript(seen_by_javascript: dict[str, Any], name: str) -> None:
    genuine, simulated = seen_by_javascript[f"plain {name}"], seen_by_javascript[f"converse {name}"]
    ours = ("request_id", "attempts", "delay")
    assert {key: simulated[key] for key in simulated if key not in ours} == {
        key: genuine[key] for key in genuine if key not in ours
    }
    assert seen_by_javascript[f"plain_claude {name}"] == seen_by_javascript[f"claude {name}"]


def test_the_javascript_sdk_waits_as_long_as_it_is_told_and_tries_again(seen_by_javascript: dict[str, Any]) -> None:
    error = seen_by_javascript["retried waits"]
    assert error["attempts"] == seen_by_javascript["asked"]["waits"] == 2
    # what it says it waited: the milliseconds of the one header rather than the whole second of the other
    assert 200 <= error["delay"] <= 300


@pytest.mark.parametrize("name", STREAMS)
def test_the_javascript_sdk_meets_an_exception_frame_after_two_events(
    seen_by_javascript: dict[str, Any], name: str
) -> None:
    for operation, is_converse in (("stream", True), ("invoke_stream", False)):
        error = seen_by_javascript[f"{operation} {model_of(name)}"]
        kind = in_stream(name, is_converse=is_converse)
        assert error["name"] == error["class"] == kind[0].upper() + kind[1:]
        assert (error["message"], error["events"]) == (STREAMS[name][2], 2)
    error = seen_by_javascript[f"claude_stream {model_of(name)}"]
    assert error["class"] == "APIError"
    assert error["body"]["error"] == {"type": STREAMS[name][1], "message": STREAMS[name][2]}


def test_the_javascript_clients_read_spoilt_replies(seen_by_javascript: dict[str, Any]) -> None:
    refused, cut, empty = (seen_by_javascript[f"reply {model_of(kind)}"] for kind in SPOILT)
    assert (refused["reason"], cut["reason"], empty["reason"]) == ("content_filtered", "max_tokens", "end_turn")
    for reply in (refused, cut, empty):
        assert reply["stream_reason"] == reply["reason"]
        assert reply["claude_stream"]["stop_reason"] == reply["claude"]["stop_reason"]
    assert refused["text"] == refused["content"][0]["text"]
    assert (empty["text"], empty["content"], empty["claude"]["content"]) == ("", [], [])
    assert refused["claude"]["stop_reason"] == "refusal"
    assert cut["text"]
    assert cut["claude"]["stop_reason"] == "max_tokens"
