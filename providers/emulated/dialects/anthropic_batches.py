"""Message batches as Anthropic keeps them.

A batch is being processed when it is made, and has ended when it is next looked at, unless it was cancelled in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from providers.emulated.answer import alphanumeric
from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_pages import Page, page_reply
from providers.emulated.dialects.anthropic_times import written
from providers.emulated.shelf import Shelf

_KIND = "anthropic batch"
_DAY_S = 86_400
_MOST_REQUESTS = 10_000  # the genuine service takes 100,000; an emulated batch is answered all at once, in memory
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Perform = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers the `params` of one request: `{"type": "succeeded", "message"}` or `{"type": "errored", "error"}`."""


@dataclass(slots=True)
class Batch:
    """A batch on the shelf. `results`: JSON lines, None while it is being processed."""

    id: str
    created_at: float
    requests: list[tuple[str, dict[str, Any]]]
    ended_at: float | None = None
    cancelled_at: float | None = None
    results: bytes | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def end(self, perform: Perform, now: float) -> None:
        """Finishes the processing, if that has not been done."""
        if self.results is not None:
            return
        self.counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        lines = []
        for custom_id, params in self.requests:
            result = {"type": "canceled"} if self.cancelled_at is not None else perform(params)
            self.counts[result["type"]] += 1
            lines.append(orjson.dumps({"custom_id": custom_id, "result": result}) + b"\n")
        self.results = b"".join(lines)
        self.requests = []
        self.ended_at = now

    def described(self, base_url: str) -> dict[str, Any]:
        """The batch as its page shows it. `base_url`: where the client finds this API, without a path."""
        status = "in_progress" if self.cancelled_at is None else "canceling"
        if self.results is not None:
            status = "ended"
        waiting = {"processing": len(self.requests), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": self.counts or waiting,
            "ended_at": None if self.ended_at is None else written(self.ended_at),
            "created_at": written(self.created_at),
            "expires_at": written(self.created_at + _DAY_S),
            "archived_at": None,
            "cancel_initiated_at": None if self.cancelled_at is None else written(self.cancelled_at),
            "results_url": f"{base_url}/v1/messages/batches/{self.id}/results" if status == "ended" else None,
        }


def create_batch(body: dict[str, Any], *, shelf: Shelf, shape: ErrorShape, now: float, size_bytes: int) -> Batch:
    """Keeps the requests of a new batch; each is validated only when it is performed."""
    given = fields.sequence(shape, fields.required(shape, body, "requests", ""), "requests")
    if not given:
        raise fields.invalid(shape, "requests: List should have at least 1 item after validation, not 0")
    if len(given) > _MOST_REQUESTS:
        raise fields.invalid(
            shape, f"requests: List should have at most {_MOST_REQUESTS} items after validation, not {len(given)}"
        )
    requests = []
    seen = set()
    for number, request in enumerate(given):
        place = f"requests.{number}"
        request = fields.mapping(shape, request, place)
        custom_id = fields.text(shape, fields.required(shape, request, "custom_id", place + "."), f"{place}.custom_id")
        if not _CUSTOM_ID.fullmatch(custom_id):
            raise fields.invalid(shape, f"{place}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        if custom_id in seen:
            raise fields.invalid(shape, f"requests: custom_id must be unique, found duplicate: {custom_id}")
        seen.add(custom_id)
        params = fields.required(shape, request, "params", place + ".")
        requests.append((custom_id, fields.mapping(shape, params, f"{place}.params")))
    digest = f"{shelf.next_number()} {now}".encode()
    batch = Batch(f"msgbatch_01{alphanumeric(digest, 'batch', 22)}", now, requests)
    shelf.put(_KIND, batch.id, batch, size_bytes + 1024 * len(requests))
    return batch


def find_batch(batch_id: str, *, shelf: Shelf, shape: ErrorShape) -> Batch:
    found = shelf.get(_KIND, batch_id)
    if not isinstance(found, Batch):
        raise shape.refuse(404, "Not found")
    return found


def all_batches(shelf: Shelf) -> list[Batch]:
    """Newest first."""
    return [*shelf.all(_KIND)][::-1]


def list_batches(batches: list[Batch], page: Page, base_url: str) -> dict[str, Any]:
    return page_reply([batch.described(base_url) for batch in batches], page)


def cancel_batch(batch: Batch, now: float) -> None:
    """Nothing that waits will be answered. What has ended stays as it is."""
    if batch.results is None and batch.cancelled_at is None:
        batch.cancelled_at = now


def delete_batch(batch: Batch, *, shelf: Shelf, shape: ErrorShape) -> dict[str, Any]:
    if batch.results is None:
        raise fields.invalid(
            shape, f"Message Batch {batch.id} cannot be deleted while it is being processed; cancel it first"
        )
    shelf.remove(_KIND, batch.id)
    return {"id": batch.id, "type": "message_batch_deleted"}
