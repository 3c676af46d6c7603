"""Drives `anthropic.AnthropicBedrock`."""

from __future__ import annotations

import anthropic
from anthropic_python import DIRECT_ONLY, AnthropicDriver
from driver import arguments

if __name__ == "__main__":
    given = arguments(styles=("keys", "bearer"))
    if given.style == "bearer":
        credential = {"api_key": given.key or "bedrock-api-key-standin"}
    else:
        credential = {
            "aws_access_key": given.key or "AKIASTANDIN000000001",
            "aws_secret_key": given.secret or "standin-secret-key-number-one",
        }
    target = {**credential, "aws_region": "us-east-1", "base_url": given.base_url}
    AnthropicDriver(
        given.salt,
        lambda http: anthropic.AnthropicBedrock(**target, http_client=http),
        lambda: anthropic.AsyncAnthropicBedrock(**target),
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        left_out={*DIRECT_ONLY, "count_tokens", "count_tokens_again"},
    ).run(given.scenarios)
