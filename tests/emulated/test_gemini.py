"""The official Google Gen AI SDKs over an emulated proxy, as clients of the Gemini API and of Vertex AI: what they
offer parses into types of their own."""

from __future__ import annotations

import asyncio
import base64
import enum
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from pydantic import BaseModel

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
MODEL = "gemini-2.5-flash"
THINKER = "gemini-3-flash-preview"
STYLES = ("gemini", "vertex", "express")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


class Person(BaseModel):
    name: str
    age: int
    kind: list[str]


class Animal(enum.Enum):
    CAT = "cat"
    DOG = "dog"


def make(style: str, base_url: str) -> genai.Client:
    """A client that looks for no default credentials."""
    http = types.HttpOptions(base_url=base_url)
    if style == "vertex":
        project = {"project": "my-project", "location": "us-central1"}
        return genai.Client(vertexai=True, credentials=Credentials(token="ya29.test"), http_options=http, **project)
    if style == "express":
        return genai.Client(vertexai=True, api_key="AQ.test", http_options=http)
    return genai.Client(api_key="AIza-test", http_options=http)


@pytest.fixture(scope="module", params=STYLES)
def client(request: pytest.FixtureRequest, emulated: EmulatedProxies) -> genai.Client:
    return make(request.param, emulated.url("vertex_ai"))


@pytest.fixture(scope="module")
def gemini(emulated: EmulatedProxies) -> genai.Client:
    return make("gemini", emulated.url("vertex_ai"))


@pytest.fixture(scope="module")
def vertex(emulated: EmulatedProxies) -> genai.Client:
    return make("vertex", emulated.url("vertex_ai"))


# --- content


def test_content_is_typed_and_a_stream_says_the_same(client: genai.Client) -> None:
    whole = client.models.generate_content(model=MODEL, contents="Tell me something about ducks.")
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Tell me something about ducks."))
    assert whole.text == "".join(chunk.text or "" for chunk in chunks) != ""
    assert whole.candidates is not None
    assert whole.candidates[0].finish_reason is types.FinishReason.STOP
    assert len(chunks) > 1
    assert chunks[-1].usage_metadata == whole.usage_metadata
    assert {chunk.response_id for chunk in chunks} == {whole.response_id}
    assert whole.model_version == MODEL


def test_content_is_the_same_asynchronously(emulated: EmulatedProxies) -> None:
    client = make("gemini", emulated.url("vertex_ai"))

    async def ask() -> tuple[str | None, str]:
        whole = await client.aio.models.generate_content(model=MODEL, contents="Say hello.")
        stream = await client.aio.models.generate_content_stream(model=MODEL, contents="Say hello.")
        return whole.text, "".join([chunk.text or "" async for chunk in stream])

    whole, streamed = asyncio.run(ask())
    assert whole == streamed == client.models.generate_content(model=MODEL, contents="Say hello.").text


def test_a_schema_is_parsed_into_its_type(client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person)
    made = client.models.generate_content(model=MODEL, contents="Ann is a duck of 3 years.", config=config)
    assert isinstance(made.parsed, Person)
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=list[Person])
    many = client.models.generate_content(model=MODEL, contents="Name some ducks.", config=config)
    assert isinstance(many.parsed, list)
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=Person.model_json_schema()
    )
    raw = client.models.generate_content(model=MODEL, contents="Name a duck.", config=config)
    assert Person.model_validate_json(raw.text or "")


def test_an_enumeration_is_parsed_into_its_type(client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="text/x.enum", response_schema=Animal)
    made = client.models.generate_content(model=MODEL, contents="Which animal barks?", config=config)
    assert isinstance(made.parsed, Animal)


@pytest.mark.parametrize("model", [MODEL, THINKER])
def test_functions_are_called_by_the_sdk_until_the_answer_is_there(client: genai.Client, model: str) -> None:
    asked = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"12 degrees in {city}"

    config = types.GenerateContentConfig(tools=[get_weather])
    made = client.models.generate_content(model=model, contents="What is the weather in Paris?", config=config)
    assert asked == ["Paris"]
    assert "12 degrees" in (made.text or "")
    assert len(made.automatic_function_calling_history or []) == 3


@pytest.mark.parametrize("model", [MODEL, THINKER])
def test_a_chat_with_tools_goes_on_streaming(client: genai.Client, model: str) -> None:
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"12 degrees in {city}"

    chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather]))
    text = "".join(chunk.text or "" for chunk in chat.send_message_stream("What is the weather in Paris?"))
    assert "12 degrees" in text
    assert chat.send_message("Thank you.").text


def test_functions_called_by_hand(client: genai.Client) -> None:
    tool = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name="get_weather",
                parameters=types.Schema(
                    type=types.Type.OBJECT,
                    properties={
                        "city": types.Schema(type=types.Type.STRING),
                        "unit": types.Schema(type=types.Type.STRING, enum=["celsius", "fahrenheit"]),
                    },
                    required=["city", "unit"],
                ),
            )
        ]
    )
    config = types.GenerateContentConfig(
        tools=[tool],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(
                mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["get_weather"]
            )
        ),
    )
    prompt = types.Content(role="user", parts=[types.Part(text="Weather in Paris?")])
    made = client.models.generate_content(model=THINKER, contents=[prompt], config=config)
    (call,) = made.function_calls or []
    assert (call.args or {})["unit"] in ("celsius", "fahrenheit")
    assert made.candidates is not None
    response = types.Part(
        function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "12 degrees"})
    )
    history = [prompt, made.candidates[0].content, types.Content(role="user", parts=[response])]
    config.tool_config = None
    final = client.models.generate_content(model=THINKER, contents=history, config=config)
    assert "12 degrees" in (final.text or "")
    assert not final.function_calls


def test_a_chat_remembers(client: genai.Client) -> None:
    chat = client.chats.create(model=MODEL)
    chat.send_message("My name is Ada.")
    assert "Ada" in (chat.send_message("What is my name?").text or "")
    assert len(chat.get_history()) == 4


def test_thoughts_are_shown_when_asked_for(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=128)
    )
    made = client.models.generate_content(model=MODEL, contents="How many ducks are there?", config=config)
    assert made.candidates is not None
    assert made.candidates[0].content is not None
    thought, said = made.candidates[0].content.parts or []
    assert thought.thought
    assert said.thought_signature
    assert made.usage_metadata is not None
    assert (made.usage_metadata.thoughts_token_count or 0) > 0


def test_the_whole_configuration_is_taken(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        system_instruction="Be kind.",
        temperature=0.2,
        top_p=0.9,
        top_k=40,
        candidate_count=2,
        max_output_tokens=5,
        stop_sequences=["END"],
        presence_penalty=0.1,
        frequency_penalty=0.1,
        seed=7,
        response_logprobs=True,
        logprobs=2,
        safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
        tools=[types.Tool(google_search=types.GoogleSearch()), types.Tool(code_execution=types.ToolCodeExecution())],
        media_resolution=types.MediaResolution.MEDIA_RESOLUTION_LOW,
        labels={"team": "ducks"} if client.vertexai else None,
    )
    made = client.models.generate_content(model=MODEL, contents="Tell me a long story.", config=config)
    assert [candidate.finish_reason for candidate in made.candidates or []] == [types.FinishReason.MAX_TOKENS] * 2
    assert (made.candidates or [])[0].logprobs_result is not None


def test_pictures_and_speech_are_made(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio="16:9")
    )
    picture = client.models.generate_content(model="gemini-2.5-flash-image", contents="A duck.", config=config)
    blobs = [part.inline_data for part in picture.parts or [] if part.inline_data]
    assert [blob.mime_type for blob in blobs] == ["image/png"]
    assert (blobs[0].data or b"").startswith(b"\x89PNG")
    config = types.GenerateContentConfig(response_modalities=["AUDIO"], speech_config="Kore")
    spoken = client.models.generate_content(model="gemini-2.5-flash-preview-tts", contents="Say: quack.", config=config)
    assert (spoken.parts or [])[0].inline_data is not None


def test_a_picture_in_the_prompt_is_seen(client: genai.Client) -> None:
    image = types.Part.from_bytes(data=base64.b64decode("iVBORw0KGgo="), mime_type="image/png")
    made = client.models.generate_content(model=MODEL, contents=[image, "What is in this image?"])
    assert "image" in (made.text or "").lower()
    assert made.usage_metadata is not None
    assert {detail.modality for detail in made.usage_metadata.prompt_tokens_details or []} == {
        types.MediaModality.TEXT,
        types.MediaModality.IMAGE,
    }


# --- tokens, embeddings, models


def test_counted_tokens_are_the_usage(client: genai.Client) -> None:
    counted = client.models.count_tokens(model=MODEL, contents="How many tokens is this?")
    made = client.models.generate_content(model=MODEL, contents="How many tokens is this?")
    assert made.usage_metadata is not None
    assert counted.total_tokens == made.usage_metadata.prompt_token_count


def test_tokens_are_computed(vertex: genai.Client) -> None:
    made = vertex.models.compute_tokens(model=MODEL, contents="Some words.")
    assert b"".join(token for info in made.tokens_info or [] for token in info.tokens or []) == b"Some words."


@pytest.mark.parametrize(
    ("model", "texts", "size"),
    [("gemini-embedding-001", ["a duck", "a goose"], 3072), ("gemini-embedding-2", ["a duck"], 3072)],
)
def test_texts_are_embedded(client: genai.Client, model: str, texts: list[str], size: int) -> None:
    made = client.models.embed_content(model=model, contents=texts)
    assert [len(embedding.values or []) for embedding in made.embeddings or []] == [size] * len(texts)
    config = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=64)
    small = client.models.embed_content(model=model, contents=texts[:1], config=config)
    assert [len(embedding.values or []) for embedding in small.embeddings or []] == [64]


def test_older_models_embed_by_predict(vertex: genai.Client) -> None:
    config = types.EmbedContentConfig(task_type="RETRIEVAL_DOCUMENT", title="Ducks", auto_truncate=True)
    made = vertex.models.embed_content(model="text-embedding-005", contents=["a duck", "a goose"], config=config)
    assert [len(embedding.values or []) for embedding in made.embeddings or []] == [768, 768]
    assert made.metadata is not None
    assert made.metadata.billable_character_count == len("aduckagoose")


@pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning")
def test_imagen_paints(vertex: genai.Client) -> None:
    config = types.GenerateImagesConfig(number_of_images=2, aspect_ratio="4:3")
    made = vertex.models.generate_images(model="imagen-4.0-generate-001", prompt="A duck.", config=config)
    assert [image.image.mime_type for image in made.generated_images or [] if image.image] == ["image/png"] * 2


def test_models_are_listed_and_described(client: genai.Client) -> None:
    names = [model.name for model in client.models.list(config={"page_size": 10})]
    assert len(names) == len(set(names)) > 10
    assert client.models.get(model=MODEL).name in names


# --- what is kept


def test_a_file_is_uploaded_used_and_deleted(gemini: genai.Client) -> None:
    content = b"A duck, in bytes.\n" * 50
    file = gemini.files.upload(file=io.BytesIO(content), config={"mime_type": "text/plain", "display_name": "Ducks"})
    assert (file.size_bytes, file.state, file.display_name) == (len(content), types.FileState.ACTIVE, "Ducks")
    assert gemini.files.get(name=file.name or "") == file
    assert file.name in [listed.name for listed in gemini.files.list()]
    assert gemini.files.download(file=file.name or "") == content
    assert gemini.models.generate_content(model=MODEL, contents=["What is in this document?", file]).text
    gemini.files.delete(name=file.name or "")
    with pytest.raises(errors.ClientError) as refused:
        gemini.files.get(name=file.name or "")
    assert (refused.value.code, refused.value.status) == (403, "PERMISSION_DENIED")


def test_a_large_file_is_uploaded_in_pieces(gemini: genai.Client) -> None:
    content = b"x" * (8 * 1024 * 1024 + 10)  # more than one piece of the SDK's
    file = gemini.files.upload(file=io.BytesIO(content), config={"mime_type": "application/octet-stream"})
    assert file.size_bytes == len(content)
    gemini.files.delete(name=file.name or "")


@pytest.mark.parametrize("style", ["gemini", "vertex"])
def test_a_cache_is_made_used_and_deleted(style: str, emulated: EmulatedProxies) -> None:
    client = make(style, emulated.url("vertex_ai"))
    config = types.CreateCachedContentConfig(
        contents=["The duck swims on the pond. " * 300], system_instruction="Be kind.", ttl="600s", display_name="Ducks"
    )
    cache = client.caches.create(model=MODEL, config=config)
    assert cache.name
    assert client.caches.get(name=cache.name) == cache
    assert cache.name in [listed.name for listed in client.caches.list()]
    later = client.caches.update(name=cache.name, config=types.UpdateCachedContentConfig(ttl="1200s"))
    assert later.expire_time is not None
    assert cache.expire_time is not None
    assert later.expire_time > cache.expire_time
    made = client.models.generate_content(
        model=MODEL, contents="What swims?", config=types.GenerateContentConfig(cached_content=cache.name)
    )
    assert made.usage_metadata is not None
    assert cache.usage_metadata is not None
    assert made.usage_metadata.cached_content_token_count == cache.usage_metadata.total_token_count
    client.caches.delete(name=cache.name)
    with pytest.raises(errors.ClientError):
        client.caches.get(name=cache.name)


# --- interactions


def test_interactions_go_on_and_stream_the_same(client: genai.Client) -> None:
    first = client.interactions.create(model=THINKER, input="My name is Ada.")
    second = client.interactions.create(model=THINKER, input="What is my name?", previous_interaction_id=first.id)
    assert second.status == "completed"
    assert "Ada" in (second.output_text or "")
    events = list(client.interactions.create(model=THINKER, input="My name is Ada.", stream=True))
    deltas = [event.delta.text for event in events if event.event_type == "step.delta" and event.delta.type == "text"]
    assert "".join(deltas) == first.output_text
    added = {"initial_input_tokens"}  # by the SDK itself, to what comes whole
    assert events[-1].interaction.usage.model_dump() == first.usage.model_dump(exclude=added)
    assert client.interactions.get(id=second.id).output_text == second.output_text
    client.interactions.delete(id=second.id)


def test_interactions_call_functions(gemini: genai.Client) -> None:
    tool: Any = {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    first = gemini.interactions.create(model=THINKER, input="What is the weather in Paris?", tools=[tool])
    assert first.status == "requires_action"
    call = (first.steps or [])[-1]
    assert (call.name, call.arguments) == ("get_weather", {"city": "Paris"})
    result: Any = {"type": "function_result", "call_id": call.id, "name": call.name, "result": "12 degrees"}
    final = gemini.interactions.create(
        model=THINKER, input=[result], tools=[tool], previous_interaction_id=first.id
    )  # fmt: skip
    assert "12 degrees" in (final.output_text or "")


# --- refusals


def test_refusals_are_the_sdks_errors(client: genai.Client) -> None:
    config = types.GenerateContentConfig(temperature=9)
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=MODEL, contents="Hi", config=config)
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    with pytest.raises(errors.ClientError):
        list(client.models.generate_content_stream(model=MODEL, contents="Hi", config=config))


def test_a_canned_error_is_the_sdks_error(emulated: EmulatedProxies) -> None:
    canned = read_replies([{"match": {"prompt_contains": "overload"}, "reply": {"error": {"status": 503}}}])
    client = make("gemini", emulated.proxy("vertex_ai", canned=canned).url)
    with pytest.raises(errors.ServerError) as failed:
        client.models.generate_content(model=MODEL, contents="Please overload.")
    assert (failed.value.code, failed.value.status) == (503, "UNAVAILABLE")
    assert client.models.generate_content(model=MODEL, contents="Hi").text


# --- JavaScript


@pytest.mark.parametrize("style", STYLES)
def test_the_javascript_sdk_gets_all_of_it(style: str, emulated: EmulatedProxies) -> None:
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "gemini.mjs"), emulated.url("vertex_ai"), style],
        env={**os.environ, "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    python = make(style, emulated.url("vertex_ai"))
    assert told["whole"] == told["streamed"] == python.models.generate_content(model=MODEL, contents="Say hello.").text
    Person.model_validate_json(told["parsed"])
    assert told["called"] == ["Paris"]
    assert "12 degrees" in told["final"]
    assert "Ada" in told["remembered"]
    assert told["counted"] == told["used"]
    assert told["embedded"] == [64, 64]
    assert told["models"] == [model.name for model in python.models.list()]
    assert told["thoughts"] > 0
    assert told["picture"] == "image/png"
    assert told["refused"]["status"] == 400
    assert told["interaction"] == told["interaction_streamed"] != ""
    if style == "gemini":
        assert told["file"] == {"size": 900, "state": "ACTIVE", "gone": 403}
    if style != "express":
        assert told["cached"] > 1024
