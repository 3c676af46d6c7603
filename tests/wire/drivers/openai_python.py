"""Drives the official `openai` Python SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
from driver import WEATHER, Chunks, Driver, Observed, arguments, dumped

CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER}}
RESPONSES_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather",
    "parameters": WEATHER,
    "strict": False,
}


class OpenAIDriver(Driver):
    """The scenarios of `openai.OpenAI`; Azure runs the same ones with its own client."""

    def __init__(self, salt: str, make_client: Callable[[Any], Any], make_async: Callable[[], Any], model: str) -> None:
        super().__init__(salt)
        self.client = make_client(openai.DefaultHttpxClient(event_hooks={"response": [self.observe]}))
        self.make_async = make_async
        self.model = model

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        return {
            "unary": self.unary,
            "unary_again": self.unary,
            "stream": self.stream,
            "stream_again": self.stream,
            "stream_usage": lambda: self.stream(stream_options={"include_usage": True}),
            "stream_usage_again": lambda: self.stream(stream_options={"include_usage": True}),
            "stream_paced": lambda: self.stream("Say it paced 60ms."),
            "stream_cut": lambda: self.stream("Please die mid-stream."),
            "stream_error": lambda: self.stream("Please fail mid-stream."),
            "tool": self.tool,
            "tool_again": self.tool,
            "tool_stream": self.tool_stream,
            "tool_stream_again": self.tool_stream,
            "error_400": lambda: self.unary("please fail 400"),
            "error_401": lambda: self.unary("please fail 401"),
            "error_404": lambda: self.unary("please fail 404"),
            "error_429": lambda: self.unary("please fail 429", max_retries=0),
            "error_500": lambda: self.unary("please fail 500", max_retries=0),
            "embeddings": self.embeddings,
            "embeddings_again": self.embeddings,
            "embeddings_float": lambda: self.embeddings(encoding_format="float"),
            "models": self.models,
            "models_again": self.models,
            "responses": self.responses,
            "responses_again": self.responses,
            "responses_stream": self.responses_stream,
            "responses_stream_again": self.responses_stream,
            "responses_tool": self.responses_tool,
            "async_unary": lambda: asyncio.run(self.async_unary()),
            "async_stream": lambda: asyncio.run(self.async_stream()),
            "gzip": lambda: self.unary("please gzip"),
            "gzip_again": lambda: self.unary("please gzip"),
            "gzip_stream": lambda: self.stream("please gzip"),
            "speech": self.speech,
            "speech_again": self.speech,
            "transcription": self.transcription,
            "transcription_again": self.transcription,
            "image": self.image,
            "image_again": self.image,
            "moderation": self.moderation,
            "moderation_again": self.moderation,
            "files": self.files,
        }

    def messages(self, text: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.prompt(text)}]

    def unary(self, text: str = "Say hello.", max_retries: int | None = None) -> Observed:
        client = self.client if max_retries is None else self.client.with_options(max_retries=max_retries)
        return self._completed(client.chat.completions.create(model=self.model, messages=self.messages(text)))

    def _completed(self, completion: Any) -> Observed:
        usage, request_id = dumped(completion.usage), completion._request_id
        return {"text": completion.choices[0].message.content, "usage": usage, "request_id": request_id}

    def stream(self, text: str = "Say hello.", **options: Any) -> Observed:
        seen, usage = Chunks(), None
        with self.client.chat.completions.create(
            model=self.model, messages=self.messages(text), stream=True, **options
        ) as stream:
            for chunk in stream:
                seen.came()
                if chunk.choices:
                    seen.text += chunk.choices[0].delta.content or ""
                usage = chunk.usage or usage
        return seen.observed(usage=dumped(usage))

    def tool(self) -> Observed:
        completion = self.client.chat.completions.create(
            model=self.model, messages=self.messages("Weather in Paris?"), tools=[CHAT_TOOL]
        )
        function = completion.choices[0].message.tool_calls[0].function
        return {"tool": {"name": function.name, "arguments": function.arguments}, "usage": dumped(completion.usage)}

    def tool_stream(self) -> Observed:
        seen, name = Chunks(), None
        for chunk in self.client.chat.completions.create(
            model=self.model, messages=self.messages("Weather in Paris?"), tools=[CHAT_TOOL], stream=True
        ):
            seen.came()
            for call in (chunk.choices[0].delta.tool_calls if chunk.choices else None) or []:
                name = call.function.name or name
                seen.arguments += call.function.arguments or ""
        return seen.observed(tool={"name": name, "arguments": seen.arguments})

    def embeddings(self, **options: Any) -> Observed:
        made = self.client.embeddings.create(
            model="text-embedding-3-small", input=[self.prompt("one"), self.prompt("two")], **options
        )
        return {"value": [list(entry.embedding) for entry in made.data], "usage": dumped(made.usage)}

    def models(self) -> Observed:
        return {"value": [model.id for model in self.client.models.list()]}

    def responses(self) -> Observed:
        made = self.client.responses.create(model=self.model, input=self.prompt())
        return {"text": made.output_text, "usage": dumped(made.usage), "request_id": made._request_id}

    def responses_stream(self) -> Observed:
        seen, usage = Chunks(), None
        for event in self.client.responses.create(model=self.model, input=self.prompt(), stream=True):
            seen.came(event.type)
            if event.type == "response.output_text.delta":
                seen.text += event.delta
            if event.type == "response.completed":
                usage = dumped(event.response.usage)
        return seen.observed(usage=usage)

    def responses_tool(self) -> Observed:
        made = self.client.responses.create(model=self.model, input=self.prompt("Weather?"), tools=[RESPONSES_TOOL])
        call = made.output[0]
        return {"tool": {"name": call.name, "arguments": call.arguments}, "usage": dumped(made.usage)}

    async def async_unary(self) -> Observed:
        async with self.make_async() as client:
            return self._completed(
                await client.chat.completions.create(model=self.model, messages=self.messages("Say hello, async."))
            )

    async def async_stream(self) -> Observed:
        seen = Chunks()
        async with self.make_async() as client:
            async for chunk in await client.chat.completions.create(
                model=self.model, messages=self.messages("Say hello, async."), stream=True
            ):
                seen.came()
                seen.text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        return seen.observed()

    def speech(self) -> Observed:
        spoken = self.client.audio.speech.create(model="tts-1", voice="alloy", input=self.prompt())
        content = spoken.read()
        return {"value": {"bytes": len(content), "head": content[:6].hex(), "text": content[6:40].decode("latin-1")}}

    def transcription(self) -> Observed:
        sound = ("hello.wav", b"RIFF" + self.salt.encode() + bytes(range(256)), "audio/wav")
        made = self.client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=sound)
        return {"text": made.text, "usage": dumped(made.usage)}

    def image(self) -> Observed:
        made = self.client.images.generate(model="gpt-image-1", prompt=self.prompt("A duck"))
        return {"text": made.data[0].revised_prompt, "value": len(made.data[0].b64_json), "usage": dumped(made.usage)}

    def moderation(self) -> Observed:
        made = self.client.moderations.create(model="omni-moderation-latest", input=self.prompt())
        return {"value": {"id": made.id, "flagged": made.results[0].flagged}}

    def files(self) -> Observed:
        content = b'{"custom_id": "1"}\n' * 100
        made = self.client.files.create(file=("batch.jsonl", content), purpose="batch")
        kept = self.client.files.retrieve(made.id)
        listed = made.id in [file.id for file in self.client.files.list()]
        same = self.client.files.content(made.id).read() == content
        gone = self.client.files.delete(made.id).deleted
        return {"value": {"bytes": kept.bytes, "name": kept.filename, "listed": listed, "same": same, "deleted": gone}}


if __name__ == "__main__":
    given = arguments()
    key = given.key or "sk-standin"
    OpenAIDriver(
        given.salt,
        lambda http: openai.OpenAI(api_key=key, base_url=given.base_url, http_client=http),
        lambda: openai.AsyncOpenAI(api_key=key, base_url=given.base_url),
        "gpt-4o-mini",
    ).run(given.scenarios)
