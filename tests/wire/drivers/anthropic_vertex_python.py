"""Drives `anthropic.AnthropicVertex`."""

from __future__ import annotations

import anthropic
from anthropic_python import DIRECT_ONLY, AnthropicDriver
from driver import arguments

if __name__ == "__main__":
    given = arguments()
    target = {
        "region": "us-east5",
        "project_id": "standin-project",
        "access_token": given.key or "ya29.standin",
        "base_url": given.base_url,
    }
    AnthropicDriver(
        given.salt,
        lambda http: anthropic.AnthropicVertex(**target, http_client=http),
        lambda: anthropic.AsyncAnthropicVertex(**target),
        "claude-haiku-4-5@20251001",
        left_out=DIRECT_ONLY,
    ).run(given.scenarios)
