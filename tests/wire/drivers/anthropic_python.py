"""Drives the official `anthropic` Python SDK; the Bedrock and Vertex drivers run the same scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
from driver import WEATHER, Chunks, Driver, Observed, arguments, dumped

TOOL = {"name": "get_weather", "description": "Weather", "input_schema": WEATHER}
# Of the direct API only: the SDK refuses them on the clouds, or has no such call there.
DIRECT_ONLY = {"models", "models_again"}


class AnthropicDriver(Driver):
    """The scenarios of `anthropic.Anthropic` and its siblings."""

    def __init__(
        self,
        salt: str,
        make_client: Callable[[Any], Any],
        make_async: Callable[[], Any],
        model: str = "claude-haiku-4-5",
        left_out: set[str] | None = None,
    ) -> None:
        super().__init__(salt)
        self.client = make_client(anthropic.DefaultHttpxClient(event_hooks={"response": [self.observe]}))
        self.make_async = make_async
        self.model = model
        self.left_out = left_out or set()

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        table: dict[str, Callable[[], Observed]] = {
            "unary": self.unary,
            "unary_again": self.unary,
            "stream": self.stream,
            "stream_again": self.stream,
            "stream_helper": self.stream_helper,
            "stream_paced": lambda: self.stream("Say it paced 60ms."),
            "stream_cut": lambda: self.stream("Please die mid-stream."),
            "stream_error": lambda: self.stream("Please fail mid-stream."),
            "tool": self.tool,
            "tool_again": self.tool,
            "tool_stream": self.tool_stream,
            "tool_stream_again": self.tool_stream,
            "error_400": lambda: self.unary("please fail 400"),
            "error_401": lambda: self.unary("please fail 401"),
            "error_429": lambda: self.unary("please fail 429", max_retries=0),
            "error_500": lambda: self.unary("please fail 500", max_retries=0),
            "error_529": lambda: self.unary("please fail 529", max_retries=0),
            "count_tokens": self.count_tokens,
            "count_tokens_again": self.count_tokens,
            "models": self.models,
            "models_again": self.models,
            "async_unary": lambda: asyncio.run(self.async_unary()),
            "async_stream": lambda: asyncio.run(self.async_stream()),
            "gzip": lambda: self.unary("please gzip"),
            "gzip_again": lambda: self.unary("please gzip"),
        }
        return {name: scenario for name, scenario in table.items() if name not in self.left_out}

    def asked(self, text: str, **more: Any) -> dict[str, Any]:
        return {
            "model": self.model,
            "max_tokens": 64,
            "messages": [{"role": "user", "content": self.prompt(text)}],
            **more,
        }

    def unary(self, text: str = "Say hello.", max_retries: int | None = None) -> Observed:
        client = self.client if max_retries is None else self.client.with_options(max_retries=max_retries)
        return self._replied(client.messages.create(**self.asked(text)))

    def _replied(self, message: Any) -> Observed:
        return {
            "text": "".join(block.text for block in message.content if block.type == "text"),
            "usage": dumped(message.usage),
            "request_id": message._request_id,
        }

    def stream(self, text: str = "Say hello.") -> Observed:
        seen, usage = Chunks(), None
        for event in self.client.messages.create(**self.asked(text, stream=True)):
            seen.came(event.type)
            if event.type == "content_block_delta":
                seen.text += event.delta.text
            if event.type == "message_delta":
                usage = dumped(event.usage)
        return seen.observed(usage=usage)

    def stream_helper(self) -> Observed:
        with self.client.messages.stream(**self.asked("Say hello, helped.")) as stream:
            text = "".join(stream.text_stream)
            return {"text": text, "usage": dumped(stream.get_final_message().usage)}

    def tool(self) -> Observed:
        message = self.client.messages.create(**self.asked("Weather in Paris?", tools=[TOOL]))
        block = message.content[0]
        return {"tool": {"name": block.name, "arguments": block.input}, "usage": dumped(message.usage)}

    def tool_stream(self) -> Observed:
        seen, name = Chunks(), None
        for event in self.client.messages.create(**self.asked("Weather in Paris?", tools=[TOOL], stream=True)):
            seen.came(event.type)
            if event.type == "content_block_start":
                name = event.content_block.name
            elif event.type == "content_block_delta":
                seen.arguments += event.delta.partial_json
        return seen.observed(tool={"name": name, "arguments": seen.arguments})

    def count_tokens(self) -> Observed:
        asked = self.asked("Count this.")
        del asked["max_tokens"]
        return {"value": self.client.messages.count_tokens(**asked).input_tokens}

    def models(self) -> Observed:
        return {"value": [model.id for model in self.client.models.list()]}

    async def async_unary(self) -> Observed:
        async with self.make_async() as client:
            return self._replied(await client.messages.create(**self.asked("Say hello, async.")))

    async def async_stream(self) -> Observed:
        seen = Chunks()
        async with self.make_async() as client:
            async for event in await client.messages.create(**self.asked("Say hello, async.", stream=True)):
                seen.came(event.type)
                if event.type == "content_block_delta":
                    seen.text += event.delta.text
        return seen.observed()


if __name__ == "__main__":
    given = arguments(styles=("api-key", "auth-token"))
    credential = {"api_key" if given.style == "api-key" else "auth_token": given.key or "sk-ant-standin"}
    AnthropicDriver(
        given.salt,
        lambda http: anthropic.Anthropic(**credential, base_url=given.base_url, http_client=http),
        lambda: anthropic.AsyncAnthropic(**credential, base_url=given.base_url),
    ).run(given.scenarios)
