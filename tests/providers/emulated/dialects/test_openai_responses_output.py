from __future__ import annotations

import math

from providers.emulated.dialects.openai_responses_output import Ids, tail_of
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import WEATHER, ask


def test_all_ids_of_an_answer_end_alike() -> None:
    ids = Ids(bytes(range(32)))
    made = [ids.response(), ids.item("msg", 0), ids.item("fc", 0), ids.item("fc", 1)]
    assert len(set(made)) == len(made)
    assert {tail_of(given) for given in made} == {ids.tail}
    assert len(ids.response()) == len("resp_") + 48


def test_a_reasoning_item_comes_first_and_hides_its_text_unless_asked() -> None:
    hidden = ask(Asker("openai"), {"model": "o4-mini", "input": "Say hello."})
    assert [item["type"] for item in hidden["output"]] == ["reasoning", "message"]
    assert hidden["output"][0]["summary"] == []
    assert hidden["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    shown = ask(Asker("openai"), {"model": "o4-mini", "input": "Say hello.", "reasoning": {"summary": "auto"}})
    assert shown["output"][0]["summary"][0]["text"]
    assert shown["reasoning"] == {"effort": "medium", "summary": "detailed"}


def test_encrypted_content_comes_when_it_is_included() -> None:
    body = {"model": "o4-mini", "input": "Say hello.", "store": False, "include": ["reasoning.encrypted_content"]}
    found = ask(Asker("openai"), body)
    assert found["output"][0]["encrypted_content"]
    again = ask(Asker("openai"), body | {"input": [*found["output"], {"role": "user", "content": "Again."}]})
    assert again["status"] == "completed"


def test_a_model_cut_while_it_reasons_says_nothing() -> None:
    found = ask(Asker("openai"), {"model": "o4-mini", "input": "Say hello.", "max_output_tokens": 16})
    assert found["usage"]["output_tokens"] == 16
    assert found["status"] == "incomplete"
    assert found["output"][0]["type"] == "reasoning"


def test_parallel_calls_have_ids_of_their_own() -> None:
    found = ask(Asker("openai"), {"input": "What is the weather in Paris and in Rome?", "tools": [WEATHER]})
    calls = [item for item in found["output"] if item["type"] == "function_call"]
    assert len(calls) == 2
    assert len({call["id"] for call in calls} | {call["call_id"] for call in calls}) == 4
    assert all(call["call_id"].startswith("call_") and call["id"].startswith("fc_") for call in calls)


def test_logprobs_go_with_every_token() -> None:
    body = {"input": "Say hello.", "include": ["message.output_text.logprobs"], "top_logprobs": 3}
    found = ask(Asker("openai"), body)
    part = found["output"][0]["content"][0]
    assert "".join(entry["token"] for entry in part["logprobs"]) == part["text"]
    for entry in part["logprobs"]:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        assert len(entry["top_logprobs"]) == 3
        assert sum(math.exp(other["logprob"]) for other in entry["top_logprobs"]) <= 1
    assert found["top_logprobs"] == 3


def test_a_response_shows_what_was_asked() -> None:
    asked = {
        "instructions": "Be terse.",
        "max_tool_calls": 3,
        "parallel_tool_calls": False,
        "store": False,
        "truncation": "auto",
        "user": "ann",
        "safety_identifier": "ann",
        "prompt_cache_key": "key",
        "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "top_p": 0.9,
    }
    found = ask(Asker("openai"), {"input": "Say hello.", "service_tier": "fast", "text": {"verbosity": "low"}} | asked)
    assert {name: found[name] for name in asked} == asked
    assert found["service_tier"] == "priority"
    assert found["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert "include" not in found
