"""Records to write in tests."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from logs.spool import Spool
from proxies.dataplane.exchange import uuid7
from proxies.dataplane.records import RequestRecord

STARTED_AT = 1_795_262_400.25  # 2026-11-21 12:00:00.25 UTC


def make_record(**fields: Any) -> RequestRecord:
    """A miss of gpt-4o-mini: 1000 tokens in, 400 of them cached, 100 out."""
    values: dict[str, Any] = {
        "id": uuid7(time.time()),
        "started_at_us": int(STARTED_AT * 1_000_000),
        "proxy_id": 7,
        "proxy_name": "mine",
        "provider": "openai",
        "client_ip": "127.0.0.1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "operation": "chat.completions",
        "model": "gpt-4o-mini",
        "prompt_hash": "ab" * 32,
        "status": 200,
        "outcome": "miss",
        "latency_ms": 12.5,
        "first_byte_ms": 10.0,
        "upstream_ms": 9.0,
        "cache": "miss",
        "endpoint": "https://api.openai.com",
        "attempts": 1,
        "input_tokens": 1000,
        "output_tokens": 100,
        "cached_tokens": 400,
        "reasoning_tokens": 0,
        "reply_model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "request_bytes": 300,
        "reply_bytes": 700,
        **fields,
    }
    return RequestRecord(**values)


def make_spool(directory: Path, proxy_id: int = 7, **options: Any) -> Spool:
    return Spool(directory, proxy_id, **{"max_bytes": 1024**3, **options})


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.jsonl"))


def spooled(directory: Path) -> list[dict[str, Any]]:
    """What stands in all segments, in their order."""
    return [json.loads(line) for path in segments(directory) for line in path.read_bytes().splitlines()]
