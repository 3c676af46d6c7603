"""Drives LangChain with every provider's chat model: an agent with a tool, a structured output, a stream.

Runs under an interpreter of its own. Arguments: JSON of provider id -> base URL. One JSON line per model and scenario
on stdout.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from google.oauth2.credentials import Credentials
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_aws import BedrockEmbeddings, ChatBedrock, ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

URLS: dict[str, str] = json.loads(sys.argv[1])
AWS = {"region_name": "us-east-1", "aws_access_key_id": "AKIA", "aws_secret_access_key": "k"}


class City(BaseModel):
    """What is known of a city."""

    name: str = Field(description="The name of the city")
    country: str
    population: int = Field(ge=1)
    landmarks: list[str] = Field(min_length=1)


def models() -> dict[str, Callable[[], BaseChatModel]]:
    openai: dict[str, Any] = {"model": "gpt-4o-mini", "api_key": "k", "base_url": f"{URLS['openai']}/v1"}
    claude = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    return {
        "openai-chat": lambda: ChatOpenAI(**openai),
        "openai-responses": lambda: ChatOpenAI(**openai, use_responses_api=True),
        "azure": lambda: AzureChatOpenAI(
            azure_deployment="gpt-4o-mini",
            api_key="k",
            azure_endpoint=URLS["azure_openai"],
            api_version="2024-10-21",
        ),
        "anthropic": lambda: ChatAnthropic(
            model_name="claude-haiku-4-5", api_key="k", base_url=URLS["anthropic"], timeout=60, stop=None
        ),
        "bedrock-converse": lambda: ChatBedrockConverse(model=claude, endpoint_url=URLS["bedrock"], **AWS),
        "bedrock-nova": lambda: ChatBedrockConverse(
            model="us.amazon.nova-lite-v1:0", endpoint_url=URLS["bedrock"], **AWS
        ),
        "bedrock-invoke": lambda: ChatBedrock(model=claude, endpoint_url=URLS["bedrock"], **AWS),
        "gemini": lambda: ChatGoogleGenerativeAI(
            model="gemini-2.5-flash", google_api_key="k", base_url=URLS["vertex_ai"]
        ),
        "vertex": lambda: ChatGoogleGenerativeAI(
            model="gemini-2.5-flash",
            vertexai=True,
            project="p",
            location="us-central1",
            credentials=Credentials(token="t"),
            base_url=URLS["vertex_ai"],
        ),
    }


def agent(model: BaseChatModel) -> dict[str, Any]:
    """An agent that must ask its tool, and then answer from what it said."""
    asked: list[str] = []

    @tool
    def get_weather(city: str) -> str:
        """The weather in a city, right now."""
        asked.append(city)
        return f"17 degrees and drizzle in {city}"

    done = create_agent(model, tools=[get_weather]).invoke(
        {"messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
    )
    last = done["messages"][-1]
    return {"text": last.text, "asked": asked, "tokens": last.usage_metadata["output_tokens"]}


def structured(model: BaseChatModel) -> dict[str, Any]:
    """An output of a given type."""
    return {"value": model.with_structured_output(City).invoke("Tell me about the city of Lisbon.").model_dump()}


def structured_agent(model: BaseChatModel) -> dict[str, Any]:
    """A tool first, then an output of a given type."""
    asked: list[str] = []

    @tool
    def find_population(city: str) -> int:
        """How many people live in a city."""
        asked.append(city)
        return 545_000

    # ChatBedrock would put a native response_format into a body that Claude on Bedrock refuses.
    output = ToolStrategy(City) if isinstance(model, ChatBedrock) else City
    done = create_agent(model, tools=[find_population], response_format=output).invoke(
        {"messages": [{"role": "user", "content": "Find the population of Lisbon."}]}
    )
    return {"value": done["structured_response"].model_dump(), "asked": asked}


def stream(model: BaseChatModel) -> dict[str, Any]:
    """The same words in pieces and at once."""
    prompt = "Tell me something about ducks."
    pieces = [piece.text for piece in model.stream(prompt)]
    return {"pieces": len(pieces), "text": "".join(pieces), "unary": model.invoke(prompt).text}


def embeddings() -> dict[str, Callable[[], Any]]:
    return {
        "openai": lambda: OpenAIEmbeddings(
            model="text-embedding-3-small",
            api_key="k",
            base_url=f"{URLS['openai']}/v1",
            check_embedding_ctx_length=False,  # else it fetches a tokenizer
        ),
        "bedrock": lambda: BedrockEmbeddings(
            model_id="amazon.titan-embed-text-v2:0", endpoint_url=URLS["bedrock"], **AWS
        ),
        "gemini": lambda: GoogleGenerativeAIEmbeddings(
            model="gemini-embedding-001", google_api_key="k", base_url=URLS["vertex_ai"]
        ),
    }


def embed(make: Callable[[], Any]) -> dict[str, Any]:
    model = make()
    ducks, pond, tax = model.embed_documents(["ducks on a pond", "a pond full of ducks", "quarterly tax return"])

    def near(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    return {"size": len(ducks), "near": near(ducks, pond), "far": near(ducks, tax)}


SCENARIOS: dict[str, Callable[[BaseChatModel], dict[str, Any]]] = {
    "agent": agent,
    "structured": structured,
    "structured_agent": structured_agent,
    "stream": stream,
}


def observe(name: str, scenario: str, run: Callable[[], dict[str, Any]]) -> None:
    result: dict[str, Any] = {"model": name, "scenario": scenario}
    try:
        result |= run()
    except Exception:  # noqa: BLE001 - what it raises is the observation
        result["error"] = traceback.format_exc()[-1500:]
    print(json.dumps(result), flush=True)


for model_name, make_model in models().items():
    for scenario_name, scenario_run in SCENARIOS.items():
        observe(model_name, scenario_name, lambda run=scenario_run, make=make_model: run(make()))
for model_name, make_embeddings in embeddings().items():
    observe(model_name, "embed", lambda make=make_embeddings: embed(make))
