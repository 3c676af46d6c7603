"""Drives Pydantic AI with every provider's model: an agent with a tool, a structured output, a stream.

Runs under an interpreter of its own. Arguments: JSON of provider id -> base URL. One JSON line per model and scenario
on stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import boto3
from anthropic import AsyncAnthropic
from google.genai import Client as GoogleClient
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials
from openai import AsyncAzureOpenAI, AsyncOpenAI
from pydantic import BaseModel, Field
from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

URLS: dict[str, str] = json.loads(sys.argv[1])


class City(BaseModel):
    """What is known of a city."""

    name: str
    country: str
    population: int = Field(ge=1)
    landmarks: list[str] = Field(min_length=1)


def models() -> dict[str, Callable[[], Model]]:
    openai = lambda: OpenAIProvider(openai_client=AsyncOpenAI(api_key="k", base_url=f"{URLS['openai']}/v1"))  # noqa: E731
    azure = lambda: OpenAIProvider(  # noqa: E731
        openai_client=AsyncAzureOpenAI(api_key="k", azure_endpoint=URLS["azure_openai"], api_version="2024-10-21")
    )
    bedrock = lambda: BedrockProvider(  # noqa: E731
        bedrock_client=boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=URLS["bedrock"],
            aws_access_key_id="AKIA",
            aws_secret_access_key="k",
        )
    )
    gemini = lambda: GoogleProvider(  # noqa: E731
        client=GoogleClient(api_key="k", http_options=HttpOptions(base_url=URLS["vertex_ai"]))
    )
    vertex = lambda: GoogleProvider(  # noqa: E731
        client=GoogleClient(
            vertexai=True,
            project="p",
            location="us-central1",
            credentials=Credentials(token="t"),
            http_options=HttpOptions(base_url=URLS["vertex_ai"]),
        )
    )
    anthropic = lambda: AnthropicProvider(  # noqa: E731
        anthropic_client=AsyncAnthropic(api_key="k", base_url=URLS["anthropic"])
    )
    return {
        "openai-chat": lambda: OpenAIChatModel("gpt-4o-mini", provider=openai()),
        "openai-responses": lambda: OpenAIResponsesModel("gpt-4o-mini", provider=openai()),
        "azure": lambda: OpenAIChatModel("gpt-4o-mini", provider=azure()),
        "anthropic": lambda: AnthropicModel("claude-haiku-4-5", provider=anthropic()),
        "bedrock-claude": lambda: BedrockConverseModel(
            "us.anthropic.claude-haiku-4-5-20251001-v1:0", provider=bedrock()
        ),
        "bedrock-nova": lambda: BedrockConverseModel("us.amazon.nova-lite-v1:0", provider=bedrock()),
        "gemini": lambda: GoogleModel("gemini-2.5-flash", provider=gemini()),
        "vertex": lambda: GoogleModel("gemini-2.5-flash", provider=vertex()),
    }


async def agent(model: Model) -> dict[str, Any]:
    """An agent that must ask its tool, and then answer from what it said."""
    asked: list[str] = []

    def get_weather(city: str) -> str:
        """The weather in a city, right now."""
        asked.append(city)
        return f"17 degrees and drizzle in {city}"

    done = await Agent(model, tools=[get_weather]).run("What is the weather in Paris?")
    return {"text": done.output, "asked": asked, "requests": done.usage.requests, "tokens": done.usage.output_tokens}


async def structured(model: Model) -> dict[str, Any]:
    """An output of a given type."""
    done = await Agent(model, output_type=City).run("Tell me about the city of Lisbon.")
    return {"value": done.output.model_dump()}


async def structured_after_tool(model: Model) -> dict[str, Any]:
    """A tool first, then an output of a given type: both are tools to the model."""
    asked: list[str] = []

    def find_population(city: str) -> int:
        """How many people live in a city."""
        asked.append(city)
        return 545_000

    done = await Agent(model, output_type=City, tools=[find_population]).run("Find the population of Lisbon.")
    return {"value": done.output.model_dump(), "asked": asked}


async def stream(model: Model) -> dict[str, Any]:
    """The same words in pieces and at once."""
    prompt = "Tell me something about ducks."
    async with Agent(model).run_stream(prompt) as streamed:
        pieces = [piece async for piece in streamed.stream_text(delta=True, debounce_by=None)]
    return {"pieces": len(pieces), "text": "".join(pieces), "unary": (await Agent(model).run(prompt)).output}


SCENARIOS: dict[str, Callable[[Model], Awaitable[dict[str, Any]]]] = {
    "agent": agent,
    "structured": structured,
    "structured_after_tool": structured_after_tool,
    "stream": stream,
}


async def main() -> None:
    for name, make in models().items():
        for scenario, run in SCENARIOS.items():
            result: dict[str, Any] = {"model": name, "scenario": scenario}
            try:
                result |= await run(make())
            except Exception:  # noqa: BLE001 - what it raises is the observation
                result["error"] = traceback.format_exc()[-1500:]
            print(json.dumps(result), flush=True)


asyncio.run(main())
