"""Drives the official `google-genai` Python SDK against Vertex AI and against the Gemini API."""

from __future__ import annotations

import asyncio
import functools
import io
import warnings
from collections.abc import Callable
from typing import Any

from driver import WEATHER, Chunks, Driver, Observed, arguments, dumped
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

MODEL = "gemini-2.5-flash"
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_weather", description="Weather", parameters_json_schema=WEATHER)
    ]
)


class GenaiDriver(Driver):
    """The scenarios of `genai.Client`."""

    def __init__(self, salt: str, make_client: Callable[..., genai.Client], *, uploads: bool) -> None:
        super().__init__(salt)
        # The SDK hands `client_args` to its HTTP client.
        self.client = make_client(client_args={"event_hooks": {"response": [self.observe]}})
        self.make_client = make_client
        self.uploads = uploads

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        table: dict[str, Callable[[], Observed]] = {
            "unary": self.unary,
            "unary_again": self.unary,
            "stream": self.stream,
            "stream_again": self.stream,
            "stream_paced": lambda: self.stream("Say it paced 60ms."),
            "stream_cut": lambda: self.stream("Please die mid-stream."),
            "stream_error": lambda: self.stream("Please fail mid-stream."),
            "tool": self.tool,
            "tool_again": self.tool,
            "tool_stream": self.tool_stream,
            "tool_stream_again": self.tool_stream,
            "error_400": lambda: self.unary("please fail 400"),
            "error_401": lambda: self.unary("please fail 401"),
            "error_429": lambda: self.unary("please fail 429"),
            "error_500": lambda: self.unary("please fail 500"),
            "error_stream_429": lambda: self.stream("please fail 429"),
            "embeddings": self.embeddings,
            "embeddings_again": self.embeddings,
            "count_tokens": self.count_tokens,
            "count_tokens_again": self.count_tokens,
            "models": self.models,
            "models_again": self.models,
            "async_unary": lambda: asyncio.run(self.async_unary()),
            "async_stream": lambda: asyncio.run(self.async_stream()),
        }
        if self.uploads:
            table["upload"] = self.upload
        return table

    def unary(self, text: str = "Say hello.") -> Observed:
        return self._made(self.client.models.generate_content(model=MODEL, contents=self.prompt(text)))

    def _made(self, made: Any) -> Observed:
        return {"text": made.text, "usage": dumped(made.usage_metadata), "request_id": made.response_id}

    def stream(self, text: str = "Say hello.") -> Observed:
        seen, usage = Chunks(), None
        for chunk in self.client.models.generate_content_stream(model=MODEL, contents=self.prompt(text)):
            seen.came()
            seen.text += chunk.text or ""
            usage = dumped(chunk.usage_metadata) or usage
        return seen.observed(usage=usage)

    def tool(self) -> Observed:
        config = types.GenerateContentConfig(tools=[TOOL])
        made = self.client.models.generate_content(model=MODEL, contents=self.prompt("Weather?"), config=config)
        call = made.function_calls[0]
        return {"tool": {"name": call.name, "arguments": call.args}, "usage": dumped(made.usage_metadata)}

    def tool_stream(self) -> Observed:
        config = types.GenerateContentConfig(tools=[TOOL])
        seen, call = Chunks(), None
        for chunk in self.client.models.generate_content_stream(
            model=MODEL, contents=self.prompt("Weather?"), config=config
        ):
            seen.came()
            call = chunk.function_calls[0] if chunk.function_calls else call
        return seen.observed(tool={"name": call.name, "arguments": call.args} if call else None)

    def embeddings(self) -> Observed:
        made = self.client.models.embed_content(model="gemini-embedding-001", contents=self.prompt("one"))
        return {"value": [entry.values for entry in made.embeddings]}

    def count_tokens(self) -> Observed:
        return {"value": self.client.models.count_tokens(model=MODEL, contents=self.prompt("Count this.")).total_tokens}

    def models(self) -> Observed:
        return {"value": [model.name for model in self.client.models.list()]}

    async def async_unary(self) -> Observed:
        # A client of its own: in 2.x an asynchronous client is bound to its first event loop.
        models = self.make_client().aio.models
        return self._made(await models.generate_content(model=MODEL, contents=self.prompt("Say hello, async.")))

    async def async_stream(self) -> Observed:
        seen = Chunks()
        async for chunk in await self.make_client().aio.models.generate_content_stream(
            model=MODEL, contents=self.prompt("Say hello, async.")
        ):
            seen.came()
            seen.text += chunk.text or ""
        return seen.observed()

    def upload(self) -> Observed:
        content = b"A duck, in bytes.\n" * 50
        file = self.client.files.upload(file=io.BytesIO(content), config={"mime_type": "text/plain"})
        return {"value": {"size": file.size_bytes, "sent": len(content), "state": str(file.state)}}

    def describe(self, error: BaseException) -> Observed:
        fields = {"status": "code", "code": "status", "message": "message", "body": "details"}
        return {name: getattr(error, attribute, None) for name, attribute in fields.items()}


def make_client(style: str, base_url: str, key: str | None, **options: Any) -> genai.Client:
    """A client without any look-up of default credentials."""
    http = types.HttpOptions(base_url=base_url, **options)
    if style == "vertex":
        credentials = Credentials(token=key or "ya29.standin")
        project = {"project": "standin-project", "location": "us-central1"}
        return genai.Client(vertexai=True, credentials=credentials, http_options=http, **project)
    if style == "express":
        return genai.Client(vertexai=True, api_key=key or "AQ.standin", http_options=http)
    return genai.Client(api_key=key or "AIza-standin", http_options=http)


if __name__ == "__main__":
    given = arguments(styles=("vertex", "express", "gemini"))
    warnings.simplefilter("ignore")
    make = functools.partial(make_client, given.style, given.base_url, given.key)
    GenaiDriver(given.salt, make, uploads=given.style == "gemini").run(given.scenarios)
