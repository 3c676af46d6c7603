from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types import CreateEmbeddingResponse, ImagesResponse
from openai.types.audio import Transcription
from openai.types.chat import ChatCompletion

from providers.emulated.azure_openai import model_of
from providers.emulated.base import EmulatedReply
from providers.emulated.canned_grammar import read_replies
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.openai_asking import ask_form, chat, events, refused, typed

CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
V1 = "/openai/v1/chat/completions"


@pytest.fixture
def asker() -> Asker:
    return Asker("azure_openai")


def error(reply: EmulatedReply, status: int) -> dict[str, Any]:
    assert reply.status == status, whole(reply)
    found: dict[str, Any] = orjson.loads(whole(reply))["error"]
    return found


def test_both_styles_are_answered(asker: Asker) -> None:
    for target in (CHAT, V1, V1 + "?api-version=preview", CHAT.removeprefix("/openai")):
        made = typed(ChatCompletion, asker.send("POST", target, chat(model="gpt-4o")))
        assert made.model == "gpt-4o-2024-08-06"
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    assert asker.json("POST", CHAT, body)["choices"]


def test_replies_carry_content_filter_results(asker: Asker) -> None:
    raw = asker.json("POST", CHAT, chat())
    assert raw["prompt_filter_results"][0]["content_filter_results"]["jailbreak"] == {
        "filtered": False,
        "detected": False,
    }
    assert raw["choices"][0]["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}


def test_a_stream_begins_with_the_prompts_filter_results(asker: Asker) -> None:
    unary = asker.json("POST", CHAT, chat())
    reply = asker.send("POST", CHAT, chat(stream=True, stream_options={"include_usage": True}))
    first, *others = events(reply)
    assert (first["choices"], first["id"], first["model"]) == ([], "", "")
    assert first["prompt_filter_results"] == unary["prompt_filter_results"]
    said = "".join(choice["delta"].get("content") or "" for chunk in others for choice in chunk["choices"])
    assert said == unary["choices"][0]["message"]["content"]
    assert others[-1]["usage"] == unary["usage"]
    assert others[1]["choices"][0]["content_filter_results"]["violence"]["severity"] == "safe"
    assert not any("obfuscation" in chunk for chunk in others)


def test_deployments_stand_for_models() -> None:
    assert model_of("gpt-4o") == "gpt-4o"
    assert model_of("my-gpt-4o-mini-prod") == "gpt-4o-mini"
    assert model_of("gpt-35-turbo") == "gpt-3.5-turbo"
    assert model_of("GPT-4.1-Nano") == "gpt-4.1-nano"
    assert model_of("ducks") is None


def test_a_deployment_of_any_name_replies_with_a_model(asker: Asker) -> None:
    target = "/openai/deployments/ducks/{}?api-version=2024-10-21"
    assert asker.json("POST", target.format("chat/completions"), chat())["model"] == "gpt-4o-mini-2024-07-18"
    made = typed(CreateEmbeddingResponse, asker.send("POST", target.format("embeddings"), {"input": "x"}))
    assert made.model == "text-embedding-3-small"


def test_media_come_by_deployment(asker: Asker) -> None:
    target = "/openai/deployments/ducks/{}?api-version=2024-10-21"
    image = {"prompt": "A duck", "n": 1}
    assert typed(ImagesResponse, asker.send("POST", target.format("images/generations"), image)).data
    spoken = {"input": "Hi", "voice": "alloy", "model": "tts"}
    assert header(asker.send("POST", target.format("audio/speech"), spoken), "content-type") == "audio/mpeg"
    heard = ask_form(asker, target.format("audio/transcriptions"), {}, file=("a.wav", b"x"))
    assert typed(Transcription, heard).text


def test_an_image_deployment_that_is_asked_for_a_url_gives_one(asker: Asker) -> None:
    body = {"prompt": "A duck", "response_format": "url", "style": "vivid", "size": "1024x1024"}
    reply = asker.send("POST", "/openai/deployments/ducks/images/generations?api-version=2024-10-21", body)
    made = typed(ImagesResponse, reply)
    assert made.data is not None
    assert (made.data[0].url or "").startswith("data:image/png;base64,")


def test_headers_are_azures(asker: Asker) -> None:
    reply = asker.send("POST", CHAT, chat())
    assert header(reply, "apim-request-id") == header(reply, "x-request-id") is not None
    assert header(reply, "x-ms-region")
    assert header(reply, "x-ms-deployment-name") == "gpt-4o"
    assert int(header(reply, "x-ratelimit-remaining-tokens") or 0) < 150_000
    assert header(reply, "openai-version") is None
    odd = asker.send("POST", "/openai/deployments/d%0d%0aset-cookie:x/chat/completions?api-version=1", chat())
    assert odd.status == 200
    assert header(odd, "x-ms-deployment-name") is None


def test_credentials_are_needed_in_one_of_three_places(asker: Asker) -> None:
    def send(headers: dict[str, str], query: str = "") -> EmulatedReply:
        return asker.send("POST", CHAT + query, chat(), headers, has_key=False)

    assert error(send({}), 401)["code"] == "401"
    assert "invalid subscription key" in error(send({}), 401)["message"]
    assert error(send({"authorization": "Bearer "}), 401)["code"] == "Unauthorized"
    assert error(send({"authorization": "Basic x"}), 401)["code"] == "Unauthorized"
    assert error(send({"api-key": ""}), 401)["code"] == "401"
    assert send({"api-key": "x"}).status == 200
    assert send({"authorization": "Bearer x"}).status == 200
    assert send({}, "&subscription-key=x").status == 200


def test_paths_that_lead_nowhere_are_not_found(asker: Asker) -> None:
    expected = {"code": "404", "message": "Resource not found"}
    assert error(asker.send("POST", CHAT.partition("?")[0], chat()), 404) == expected
    assert error(asker.send("POST", "/openai/deployments/x/quack?api-version=1", {}), 404) == expected
    assert error(asker.send("GET", "/quack?api-version=1"), 404) == expected
    assert error(asker.send("POST", "/openai/v1/vector_stores", {}), 404)["code"] == "not_emulated"


def test_a_wrong_parameter_is_refused_as_by_the_model(asker: Asker) -> None:
    assert refused(asker.send("POST", CHAT, chat(temperature=3)))["code"] == "decimal_above_max_value"
    assert asker.send("POST", CHAT, chat(data_sources=[{}])).status == 200


def test_a_deployment_that_cannot_do_it_says_so(asker: Asker) -> None:
    for operation, body in (("embeddings", {"input": "x"}), ("completions", {"prompt": "x"})):
        found = error(asker.send("POST", f"/openai/deployments/gpt-4o/{operation}?api-version=1", body), 400)
        assert found["code"] == "OperationNotSupported"
        assert set(found) == {"code", "message"}


def test_a_strict_proxy_knows_its_deployments() -> None:
    strict = Asker("azure_openai", is_strict=True)
    assert strict.send("POST", CHAT, chat()).status == 200
    ducks = "/openai/deployments/ducks/chat/completions?api-version=1"
    assert error(strict.send("POST", ducks, chat()), 404)["code"] == "DeploymentNotFound"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 418, 429, 500, 503, 529])
def test_canned_errors_are_azures(status: int) -> None:
    canned = Asker("azure_openai", canned=read_replies([{"reply": {"error": {"status": status}}}]))
    reply = canned.send("POST", CHAT, chat())
    found = error(reply, status)
    assert found["code"]
    assert found["message"]
    assert (header(reply, "retry-after") is not None) == (status == 429)


def test_a_batch_is_answered_by_deployment(asker: Asker) -> None:
    line = {"custom_id": "1", "method": "POST", "url": "/chat/completions", "body": chat(model="gpt-4o")}
    made = ask_form(asker, "/openai/v1/files", {"purpose": "batch"}, file=("in.jsonl", orjson.dumps(line)))
    file_id = orjson.loads(whole(made))["id"]
    body = {"input_file_id": file_id, "endpoint": "/chat/completions", "completion_window": "24h"}
    batch = asker.json("POST", "/openai/batches?api-version=2024-10-21", body)
    done = asker.json("GET", f"/openai/batches/{batch['id']}?api-version=2024-10-21")
    output = asker.send("GET", f"/openai/files/{done['output_file_id']}/content?api-version=2024-10-21")
    assert orjson.loads(whole(output))["response"]["body"]["model"] == "gpt-4o-2024-08-06"


def test_responses_and_models_are_answered(asker: Asker) -> None:
    response = asker.json(
        "POST", "/openai/responses?api-version=2025-04-01-preview", {"model": "gpt-4o", "input": "Hi"}
    )
    assert response["object"] == "response"
    assert asker.json("GET", "/openai/v1/models")["data"]
