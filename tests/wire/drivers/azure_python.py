"""Drives the official `openai` Python SDK against Azure OpenAI, in the deployments style and in the v1 style."""

from __future__ import annotations

from collections.abc import Callable

import openai
from driver import Observed, arguments
from openai_python import OpenAIDriver

_VERSION = "2024-10-21"
# Served by no Azure deployment of the stand-in.
_ELSEWHERE = {"moderation", "moderation_again", "error_401", "error_404"}


class AzureDriver(OpenAIDriver):
    """The OpenAI scenarios that Azure has."""

    def scenarios(self) -> dict[str, Callable[[], Observed]]:
        return {name: scenario for name, scenario in super().scenarios().items() if name not in _ELSEWHERE}


if __name__ == "__main__":
    given = arguments(styles=("deployments", "entra", "base-url", "v1"))
    key = given.key or "azure-standin-key"
    target: dict[str, object]
    if given.style == "deployments":
        sync, asynchronous = openai.AzureOpenAI, openai.AsyncAzureOpenAI
        target = {"api_key": key, "azure_endpoint": given.base_url, "api_version": _VERSION}
    elif given.style == "entra":
        sync, asynchronous = openai.AzureOpenAI, openai.AsyncAzureOpenAI
        target = {"azure_ad_token": key, "azure_endpoint": given.base_url, "api_version": _VERSION}
    elif given.style == "base-url":
        sync, asynchronous = openai.AzureOpenAI, openai.AsyncAzureOpenAI
        target = {"api_key": key, "base_url": given.base_url, "api_version": _VERSION}
    else:
        sync, asynchronous = openai.OpenAI, openai.AsyncOpenAI
        target = {"api_key": key, "base_url": f"{given.base_url}/openai/v1/"}
    AzureDriver(
        given.salt, lambda http: sync(**target, http_client=http), lambda: asynchronous(**target), "my-deployment"
    ).run(given.scenarios)
