from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseCompactionItem,
    ResponseItem,
)
from pydantic import TypeAdapter

from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.responses_asking import WEATHER, ask, events_of, refusal, refused, stream

_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


# --- answers


def test_an_answer_is_a_whole_response(asker: Asker) -> None:
    found = ask(asker, {"input": "Say hello.", "metadata": {"a": "b"}, "user": "ann"})
    assert found["status"] == "completed"
    assert found["model"] == "gpt-4o-mini-2024-07-18"
    assert found["metadata"] == {"a": "b"}
    assert [item["type"] for item in found["output"]] == ["message"]
    assert found["usage"]["total_tokens"] == found["usage"]["input_tokens"] + found["usage"]["output_tokens"]


def test_the_same_request_gets_the_same_bytes() -> None:
    body = {"model": "o4-mini", "input": "Say hello.", "reasoning": {"summary": "auto"}}
    first, second = [whole(Asker("openai").send("POST", "/v1/responses", body)) for _ in range(2)]
    assert first == second


def test_text_and_a_message_are_asked_alike(asker: Asker) -> None:
    text = ask(asker, {"input": "Say hello."})
    message = ask(asker, {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Say hello."}]}]})
    assert text["usage"]["input_tokens"] == message["usage"]["input_tokens"]


def test_instructions_count_as_input_and_are_shown(asker: Asker) -> None:
    plain = ask(asker, {"input": "Say hello."})
    found = ask(asker, {"input": "Say hello.", "instructions": "Be very brief, please."})
    assert found["instructions"] == "Be very brief, please."
    assert found["usage"]["input_tokens"] > plain["usage"]["input_tokens"]


def test_an_answer_that_is_cut_is_incomplete(asker: Asker) -> None:
    found = ask(asker, {"input": "Write a long poem about the sea.", "max_output_tokens": 16})
    assert found["status"] == "incomplete"
    assert found["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found["output"][-1]["status"] == "incomplete"
    assert found["usage"]["output_tokens"] == 16


def test_a_schema_is_kept_to(asker: Asker) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "choice", "schema": schema, "strict": True}
    found = ask(asker, {"input": "Which colour?", "text": {"format": form}})
    assert orjson.loads(found["output"][0]["content"][0]["text"])["colour"] in ("red", "blue")
    assert found["text"]["format"]["name"] == "choice"


def test_a_reply_counts_for_the_rate_limits_and_names_its_request(asker: Asker) -> None:
    reply = asker.send("POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "Say hello."})
    assert (header(reply, "x-request-id") or "").startswith("req_")
    assert header(reply, "x-ratelimit-remaining-tokens") is not None
    assert reply.tokens > 0


def test_a_strict_desk_knows_only_listed_models() -> None:
    strict = Asker("openai", is_strict=True)
    status, error = refusal(strict, "POST", "/v1/responses", {"model": "no-such-model", "input": "hello"})
    assert (status, error["code"]) == (404, "model_not_found")


# --- tools


def test_a_call_and_its_output_lead_to_an_answer_and_the_loop_ends(asker: Asker) -> None:
    first = ask(asker, {"input": "What is the weather in Paris?", "tools": [WEATHER], "tool_choice": "required"})
    (call,) = [item for item in first["output"] if item["type"] == "function_call"]
    assert "city" in orjson.loads(call["arguments"])
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
    second = ask(asker, {"previous_response_id": first["id"], "input": [output], "tools": [WEATHER]})
    assert [item["type"] for item in second["output"]] == ["message"]
    assert second["previous_response_id"] == first["id"]


def test_history_may_be_sent_back_instead(asker: Asker) -> None:
    question = {"role": "user", "content": "What is the weather in Paris?"}
    first = ask(asker, {"input": [question], "tools": [WEATHER], "tool_choice": "required", "store": False})
    call = first["output"][-1]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
    second = ask(asker, {"input": [question, *first["output"], output], "tools": [WEATHER], "store": False})
    assert second["output"][0]["type"] == "message"


def test_a_custom_tool_gets_plain_text(asker: Asker) -> None:
    tool = {"type": "custom", "name": "run_code", "description": "Runs a program."}
    choice = {"type": "custom", "name": "run_code"}
    found = ask(asker, {"input": "Run print(1).", "tools": [tool], "tool_choice": choice})
    (call,) = found["output"]
    assert call["type"] == "custom_tool_call"
    assert isinstance(call["input"], str)
    output = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "1"}
    again = ask(asker, {"previous_response_id": found["id"], "input": [output], "tools": [tool]})
    assert again["output"][0]["type"] == "message"


def test_an_unanswered_call_is_refused(asker: Asker) -> None:
    first = ask(asker, {"input": "Weather in Paris?", "tools": [WEATHER], "tool_choice": "required"})
    call_id = first["output"][-1]["call_id"]
    param, _, message = refused(asker, {"previous_response_id": first["id"], "input": "And now?"})
    assert (param, message) == ("input", f"No tool output found for function call {call_id}.")


def test_an_output_without_a_call_is_refused(asker: Asker) -> None:
    item = {"type": "function_call_output", "call_id": "call_x", "output": "1"}
    assert refused(asker, {"input": [item]}) == (
        "input",
        None,
        "No tool call found for function call output with call_id call_x.",
    )


# --- state


def test_a_response_is_kept_until_it_is_deleted(asker: Asker) -> None:
    made = ask(asker, {"input": "Say hello."})
    path = f"/v1/responses/{made['id']}"
    assert asker.json("GET", path) == made
    assert asker.json("DELETE", path) == {"id": made["id"], "object": "response", "deleted": True}
    expected = f"Response with id '{made['id']}' not found."
    for method in ("GET", "DELETE"):
        status, error = refusal(asker, method, path)
        assert (status, error["message"], error["type"]) == (404, expected, "invalid_request_error")
    ask(asker, {"input": "Say hello."})
    assert asker.json("GET", path)["id"] == made["id"]


def test_a_response_that_is_not_to_be_stored_is_not_found(asker: Asker) -> None:
    made = ask(asker, {"input": "Say hello.", "store": False})
    assert refusal(asker, "GET", f"/v1/responses/{made['id']}")[0] == 404
    _, code, message = refused(asker, {"previous_response_id": made["id"]})
    assert code == "previous_response_not_found"
    assert message == f"Previous response with id '{made['id']}' not found."


def test_ids_of_another_kind_are_refused(asker: Asker) -> None:
    assert refused(asker, {"previous_response_id": "msg_1"}) == (
        "previous_response_id",
        "invalid_value",
        "Invalid 'previous_response_id': 'msg_1'. Expected an ID that begins with 'resp'.",
    )
    assert refusal(asker, "GET", "/v1/responses/msg_1")[0] == 400


def test_a_chain_of_responses_is_one_conversation(asker: Asker) -> None:
    first = ask(asker, {"input": "My name is Ann."})
    second = ask(asker, {"input": "What is my name?", "previous_response_id": first["id"]})
    third = ask(asker, {"input": "And again?", "previous_response_id": second["id"]})
    alone = ask(asker, {"input": "And again?"})
    assert alone["usage"]["input_tokens"] < second["usage"]["input_tokens"] < third["usage"]["input_tokens"]
    assert "Ann" in second["output"][0]["content"][0]["text"]


def test_input_items_are_those_of_the_whole_chain(asker: Asker) -> None:
    first = ask(asker, {"input": "One."})
    second = ask(asker, {"input": [{"role": "user", "content": "Two."}], "previous_response_id": first["id"]})
    path = f"/v1/responses/{second['id']}/input_items"
    page = asker.json("GET", f"{path}?order=asc")
    for item in page["data"]:
        _ITEM.validate_python(item)
    assert [item["content"][0]["text"] for item in page["data"]] == [
        "One.",
        first["output"][0]["content"][0]["text"],
        "Two.",
    ]
    assert [item["id"] for item in asker.json("GET", path)["data"]] == [item["id"] for item in page["data"]][::-1]
    assert (page["has_more"], page["first_id"]) == (False, page["data"][0]["id"])


def test_input_items_come_in_pages(asker: Asker) -> None:
    items = [{"role": "user", "content": f"Number {number}"} for number in range(5)]
    made = ask(asker, {"input": items})
    path = f"/v1/responses/{made['id']}/input_items?order=asc&limit=2"
    seen = []
    page = asker.json("GET", path)
    while True:
        seen += [item["content"][0]["text"] for item in page["data"]]
        if not page["has_more"]:
            break
        page = asker.json("GET", f"{path}&after={page['last_id']}")
    assert seen == [f"Number {number}" for number in range(5)]


def test_a_reference_stands_for_an_item_that_is_stored(asker: Asker) -> None:
    first = ask(asker, {"input": "Say hello."})
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    again = {"role": "user", "content": "Once more."}
    second = ask(asker, {"input": [{"role": "user", "content": "Say hello."}, reference, again]})
    listed = asker.json("GET", f"/v1/responses/{second['id']}/input_items?order=asc")["data"]
    assert listed[1] == first["output"][0]
    status, error = refusal(
        asker, "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": [{"type": "item_reference", "id": "msg_1"}]}
    )
    assert (status, error["message"]) == (404, "Item with id 'msg_1' not found.")


# --- background


def test_a_background_response_is_queued_and_then_done(asker: Asker) -> None:
    made = ask(asker, {"input": "Say hello.", "background": True})
    assert (made["status"], made["output"], made["usage"]) == ("queued", [], None)
    done = asker.json("GET", f"/v1/responses/{made['id']}")
    assert (done["status"], done["id"]) == ("completed", made["id"])
    assert asker.json("POST", f"/v1/responses/{made['id']}/cancel") == done


def test_a_background_response_can_be_cancelled_while_it_waits(asker: Asker) -> None:
    made = ask(asker, {"input": "Say hello.", "background": True})
    cancelled = asker.json("POST", f"/v1/responses/{made['id']}/cancel")
    assert (cancelled["status"], cancelled["output"]) == ("cancelled", [])
    assert asker.json("GET", f"/v1/responses/{made['id']}") == cancelled


def test_only_background_responses_can_be_cancelled_or_streamed_again(asker: Asker) -> None:
    made = ask(asker, {"input": "Say hello."})
    status, error = refusal(asker, "POST", f"/v1/responses/{made['id']}/cancel")
    assert (status, error["message"]) == (400, "Cannot cancel a synchronous response.")
    status, error = refusal(asker, "GET", f"/v1/responses/{made['id']}?stream=true")
    assert (status, error["param"]) == (400, "stream")


def test_a_background_stream_can_be_taken_up_again(asker: Asker) -> None:
    sent = stream(asker, {"input": "Say hello.", "background": True})
    assert [event["type"] for event in sent[:3]] == ["response.created", "response.queued", "response.in_progress"]
    path = f"/v1/responses/{sent[0]['response']['id']}?stream=true"
    assert events_of(asker.send("GET", path)) == sent
    rest = asker.send("GET", f"{path}&starting_after=4")
    assert whole(rest) == b"".join(frame.data for frame in list(asker.send("GET", path).body)[5:])  # type: ignore[union-attr]


def test_background_and_conversations_are_not_recorded(asker: Asker) -> None:
    reply = asker.send("POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "hello", "background": True})
    plain = asker.send("POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "hello"})
    assert (reply.is_repeatable, plain.is_repeatable) == (False, True)


# --- counting, compacting


def test_counted_tokens_are_those_of_the_usage(asker: Asker) -> None:
    body = {"model": "gpt-4o-mini", "input": "Weather in Paris?", "instructions": "Be brief.", "tools": [WEATHER]}
    counted = asker.json("POST", "/v1/responses/input_tokens", body)
    InputTokenCountResponse.model_validate(counted)
    assert counted["input_tokens"] == ask(asker, body)["usage"]["input_tokens"]


def test_a_compacted_conversation_can_be_gone_on_with(asker: Asker) -> None:
    first = ask(asker, {"input": "My name is Ann."})
    body = {"model": "gpt-4o-mini", "previous_response_id": first["id"], "input": "Thanks."}
    compacted = asker.json("POST", "/v1/responses/compact", body)
    *kept, sealed = compacted["output"]
    assert [item["content"][0]["text"] for item in kept] == ["My name is Ann.", "Thanks."]
    ResponseCompactionItem.model_validate(sealed)
    CompactedResponse.model_validate(compacted | {"output": [sealed]})
    again = ask(asker, {"input": [*compacted["output"], {"role": "user", "content": "Go on."}]})
    assert again["usage"]["input_tokens"] > compacted["usage"]["output_tokens"]


# --- whatever comes

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_NAMES = [
    "model", "input", "instructions", "previous_response_id", "conversation", "prompt", "include", "tools",
    "tool_choice", "text", "reasoning", "metadata", "stream", "stream_options", "background", "store",
    "max_output_tokens", "temperature", "top_logprobs", "service_tier", "user", "parallel_tool_calls",
]  # fmt: skip
_ITEM_MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([
            "message", "function_call", "function_call_output", "reasoning", "item_reference", "compaction",
            "custom_tool_call", "custom_tool_call_output", "web_search_call",
        ]) | _JSON,
        "role": st.sampled_from(["user", "assistant", "system"]) | _JSON,
        "content": st.lists(
            st.fixed_dictionaries({"type": st.sampled_from(["input_text", "output_text", "input_image"])},
                                  optional={"text": _JSON}), max_size=2) | _JSON,
        "id": _JSON, "call_id": _JSON, "name": _JSON, "arguments": _JSON, "output": _JSON, "input": _JSON,
        "summary": _JSON, "encrypted_content": _JSON,
    },
)  # fmt: skip
_TOOLS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["function", "custom", "web_search", "mcp"])},
        optional={"name": st.just("f") | _JSON, "parameters": _JSON, "strict": _JSON},
    ),
    max_size=2,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=6),
    st.lists(_ITEM_MEMBERS, max_size=3) | st.text(max_size=8),
    _TOOLS | st.none(),
    st.booleans(),
)
def test_no_body_breaks_it(others: dict[str, Any], items: Any, tools: Any, is_whole: bool) -> None:
    asker = Asker("openai")
    body = {"model": "gpt-4o-mini", "input": items} | ({} if tools is None else {"tools": tools})
    body = others | body if is_whole else body | others
    try:
        data = orjson.dumps(body)
    except orjson.JSONEncodeError:
        data = repr(body).encode("utf-8", "replace")
    for path in ("/v1/responses", "/v1/responses/input_tokens", "/v1/responses/compact", "/v1/conversations"):
        reply = asker.send("POST", path, data)
        assert reply.status in (200, 400, 404)
        if reply.status == 200 and isinstance(reply.body, bytes):
            assert orjson.loads(reply.body)["object"]


@pytest.mark.parametrize("depth", [100, 250, 252, 253, 254, 255, 1000, 5000])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_deep_nesting_is_answered_or_refused(asker: Asker, depth: int, is_streaming: bool) -> None:
    schema = b'{"a":' * depth + b"1" + b"}" * depth
    tool = b'[{"type":"function","name":"f","parameters":%b}]' % schema
    flag = b"true" if is_streaming else b"false"
    body = b'{"model":"gpt-4o-mini","input":"hi","stream":%b,"tools":%b}' % (flag, tool)
    reply = asker.send("POST", "/v1/responses", body)
    assert reply.status in (200, 400)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_no_bytes_break_it(data: bytes) -> None:
    reply = Asker("openai").send("POST", "/v1/responses", data)
    assert reply.status == 400


@pytest.mark.parametrize("given_id", ["%ff", "a%00b", "resp_" + "x" * 5000, "..", "resp_%F0%9F%8E%88"])
def test_no_id_breaks_it(asker: Asker, given_id: str) -> None:
    for method, path in (
        ("GET", f"/v1/responses/{given_id}"),
        ("DELETE", f"/v1/responses/{given_id}"),
        ("GET", f"/v1/responses/{given_id}/input_items?limit=%ff&order=&after="),
        ("GET", f"/v1/conversations/{given_id}/items/{given_id}"),
    ):
        assert asker.send(method, path).status in (400, 404)


# --- canned replies


def test_canned_words_calls_and_thoughts_are_said() -> None:
    reply = {
        "text": "Quack.",
        "thinking": "Ducks.",
        "tool_calls": [{"name": "get_weather", "arguments": {"city": "X"}}],
    }
    asker = Asker("openai", canned=read_replies([{"match": {"operation": "responses"}, "reply": reply}]))
    found = ask(asker, {"input": "Say hello.", "tools": [WEATHER]})
    assert [item["type"] for item in found["output"]] == ["reasoning", "message", "function_call"]
    assert found["output"][1]["content"][0]["text"] == "Quack."
    assert stream(asker, {"input": "Say hello.", "tools": [WEATHER]})[-1]["response"] == found


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "/v1/responses"), ("GET", "/v1/responses/resp_1"), ("POST", "/v1/responses/input_tokens")],
)
def test_a_canned_error_takes_the_place_of_any_reply(method: str, target: str) -> None:
    asker = Asker("openai", canned=read_replies([{"match": {}, "reply": {"error": {"status": 429}}}]))
    body = {"model": "gpt-4o-mini", "input": "Say hello.", "stream": target == "/v1/responses"}
    status, error = refusal(asker, method, target, body if method == "POST" else None)
    assert (status, error["code"]) == (429, "rate_limit_exceeded")


# --- Azure


@pytest.mark.parametrize("query", ["/openai/v1/responses", "/openai/responses?api-version=2025-04-01-preview"])
def test_azure_answers_likewise(query: str) -> None:
    asker = Asker("azure_openai")
    path, _, version = query.partition("?")
    found = asker.json("POST", query, {"model": "gpt-4o-mini", "input": "Say hello."})
    Response.model_validate(found)
    assert asker.json("GET", f"{path}/{found['id']}?{version}") == found
    events = events_of(asker.send("POST", query, {"model": "gpt-4o-mini", "input": "Say hello.", "stream": True}))
    assert events[-1]["response"] == found
    assert not [event for event in events if "obfuscation" in event]
    assert events[0]["response"]["content_filters"] is None
    assert [(entry["source_type"], entry["blocked"]) for entry in found["content_filters"]] == [
        ("prompt", False),
        ("completion", False),
    ]
