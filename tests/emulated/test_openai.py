"""The official OpenAI SDK over an emulated proxy, all but chat and responses: everything parses into its own types."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import Batch, Completion

from providers.emulated.media import wav
from tests.emulated.serving import EmulatedProxies

SOUND = ("duck.wav", wav(0.5))


@pytest.fixture(scope="module")
def client(emulated: EmulatedProxies) -> Iterator[OpenAI]:
    with OpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test", max_retries=0) as made:
        yield made


def test_legacy_completions_are_the_same_streamed(client: OpenAI) -> None:
    made = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hello.")
    assert isinstance(made, Completion)
    streamed = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hello.", stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == made.choices[0].text != ""


def test_embeddings_are_the_same_in_both_encodings(client: OpenAI) -> None:
    # Without an encoding the SDK asks for base64, and decodes it.
    usual = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=16)
    floats = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], dimensions=16, encoding_format="float"
    )
    for left, right in zip(usual.data, floats.data, strict=True):
        assert left.embedding == pytest.approx(right.embedding, abs=1e-6)
    assert usual.usage == floats.usage


def test_models_are_listed(client: OpenAI) -> None:
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o-mini").object == "model"
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4o-mini")


def test_moderations_are_typed(client: OpenAI) -> None:
    made = client.moderations.create(model="omni-moderation-latest", input="I will kill you")
    assert made.results[0].flagged
    assert made.results[0].categories.violence


def test_images_are_generated_edited_and_varied(client: OpenAI) -> None:
    made = client.images.generate(model="gpt-image-1.5", prompt="A duck", n=2)
    assert made.data is not None
    assert [base64.b64decode(image.b64_json or "")[:4] for image in made.data] == [b"\x89PNG"] * 2
    edited = client.images.edit(model="gpt-image-1.5", image=[io.BytesIO(b"x"), io.BytesIO(b"y")], prompt="Blue")
    assert edited.usage is not None
    with pytest.warns(DeprecationWarning, match="deprecated"):
        varied = client.images.create_variation(image=("a.png", b"x"), n=1, size="256x256")
    assert varied.data is not None
    assert (varied.data[0].url or "").startswith("data:image/png;base64,")


def test_images_are_streamed(client: OpenAI) -> None:
    stream = client.images.generate(model="gpt-image-1.5", prompt="A duck", stream=True, partial_images=2)
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    edit = client.images.edit(model="gpt-image-1.5", image=("a.png", b"x"), prompt="Blue", stream=True)
    assert [event.type for event in edit] == ["image_edit.completed"]


def test_speech_is_written_to_a_file(client: OpenAI, tmp_path: Path) -> None:
    target = tmp_path / "duck.wav"
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Quack", response_format="wav"
    ) as response:
        response.stream_to_file(target)
    with wave.open(str(target)) as sound:
        assert sound.getnframes() > 0
    spoken = client.audio.speech.create(model="tts-1", voice="alloy", input="Quack")
    assert spoken.read()[:2] == b"\xff\xf3"


def test_transcriptions_come_in_every_format(client: OpenAI) -> None:
    create = client.audio.transcriptions.create
    plain = create(model="whisper-1", file=SOUND)
    assert "duck.wav" in plain.text
    for form in ("text", "srt", "vtt"):
        assert plain.text in create(model="whisper-1", file=SOUND, response_format=form)  # type: ignore[call-overload]
    verbose = create(
        model="whisper-1", file=SOUND, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert verbose.duration == pytest.approx(0.5)
    assert verbose.words
    assert verbose.segments
    diarized = create(model="gpt-4o-transcribe-diarize", file=SOUND, response_format="diarized_json")
    assert diarized.segments[0].speaker == "A"  # type: ignore[union-attr]
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert "duck.wav" in client.audio.translations.create(model="whisper-1", file=SOUND).text


def test_transcriptions_are_streamed(client: OpenAI) -> None:
    whole = client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=SOUND)
    events = list(client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=SOUND, stream=True))
    text = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert text == last.text == whole.text


def test_files_are_kept_and_listed_page_by_page(client: OpenAI) -> None:
    ids = [client.files.create(file=(f"{n}.jsonl", b"{}"), purpose="fine-tune").id for n in range(5)]
    assert [file.id for file in client.files.list(limit=2, purpose="fine-tune", order="asc")][-5:] == ids
    assert client.files.content(ids[0]).read() == b"{}"
    assert client.files.wait_for_processing(ids[0]).status == "processed"
    for file_id in ids:
        assert client.files.delete(file_id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(ids[0])


def test_a_large_file_is_uploaded_in_parts(client: OpenAI, tmp_path: Path) -> None:
    source = tmp_path / "ducks.jsonl"
    source.write_bytes(b'{"duck": 1}\n' * 1000)
    done = client.uploads.upload_file_chunked(
        file=source, mime_type="application/jsonl", purpose="fine-tune", part_size=5000
    )
    assert done.status == "completed"
    assert done.file is not None
    assert client.files.content(done.file.id).read() == source.read_bytes()
    client.files.delete(done.file.id)


def test_a_batch_is_run(client: OpenAI) -> None:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": body}
    source = client.files.create(file=("in.jsonl", orjson.dumps(line)), purpose="batch")
    batch = client.batches.create(
        input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
    )
    assert isinstance(batch, Batch)
    done = client.batches.retrieve(batch.id)
    assert done.status == "completed"
    output = orjson.loads(client.files.content(done.output_file_id or "").read())
    assert output["response"]["body"]["choices"][0]["message"]["content"]
    assert batch.id in [entry.id for entry in client.batches.list(limit=1)]
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_what_is_not_emulated_says_so(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"emulation does not answer 'vector_stores\.create'"):
        client.vector_stores.create(name="ducks")


def test_the_async_client_does_the_same(emulated: EmulatedProxies, client: OpenAI) -> None:
    async def use() -> list[Any]:
        async with AsyncOpenAI(base_url=emulated.url("openai") + "/v1", api_key="sk-test", max_retries=0) as made:
            embedded = await made.embeddings.create(model="text-embedding-3-small", input="one", dimensions=8)
            heard = await made.audio.transcriptions.create(model="whisper-1", file=SOUND)
            spoken = await made.audio.speech.create(model="tts-1", voice="alloy", input="Quack")
            models = [model.id async for model in made.models.list()]
            return [embedded.data[0].embedding, heard.text, await spoken.aread(), models]

    vector, text, sound, models = asyncio.run(use())
    assert (
        vector == client.embeddings.create(model="text-embedding-3-small", input="one", dimensions=8).data[0].embedding
    )
    assert text == client.audio.transcriptions.create(model="whisper-1", file=SOUND).text
    assert sound
    assert "gpt-4o-mini" in models
