"""Batches in OpenAI's dialect: done as soon as they are made.

Source: openai-python 3.54.0 `types/batch.py` and platform.openai.com/docs/guides/batch, read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from providers.emulated.answer import hexadecimal
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing, read_object
from providers.emulated.dialects.openai_files import find_file, keep_file
from providers.emulated.dialects.openai_lists import object_id, page, query_of

AnswerLine = Callable[[EmulatedRequest, str, bytes], EmulatedReply]
"""Answers one request of a batch: the batch's own request, the path, the body."""

_ENDPOINTS = (
    "/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations",
    "/v1/images/generations", "/v1/images/edits",
)  # fmt: skip
_MOST_LINES = 2000
"""Chosen on purpose: a batch is answered in one go, and nothing else is meanwhile."""
_WINDOW_S = 24 * 3600
_CREATE = {
    "completion_window": checks.one_of("24h"),
    "endpoint": checks.text,
    "input_file_id": checks.text,
    "metadata": checks.metadata,
    "output_expires_after": checks.mapping,
}


def answer_batches(request: EmulatedRequest, desk: Desk, *, shape: Shape, answer_line: AnswerLine) -> EmulatedReply:
    """`batches.create`, `.retrieve`, `.list`, `.cancel`. Raises Invalid, Refused, CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    intercept(desk, operation, "", request)
    if operation == "batches.create":
        body: Any = _create(request, desk, answer_line, shape)
    elif operation == "batches.list":
        body = page(list(desk.shelf.all("batch")), query_of(request), usual_limit=20, most=100)
    elif operation == "batches.retrieve":
        body = _find(desk, object_id(request, 0))
    else:
        status = _find(desk, object_id(request, 1))["status"]
        raise Invalid(f"Cannot cancel a batch with status '{status}'.", status=409)
    return EmulatedReply(200, shape.headers(request), dump(body), is_repeatable=False)


def _find(desk: Desk, batch_id: str) -> dict[str, Any]:
    found = desk.shelf.get("batch", batch_id)
    if not isinstance(found, dict):
        raise Invalid(f"No batch found with id '{batch_id}'.", status=404)
    return found


def _create(request: EmulatedRequest, desk: Desk, answer_line: AnswerLine, shape: Shape) -> dict[str, Any]:
    body = read_object(request.body)
    for name in ("input_file_id", "endpoint", "completion_window"):
        if body.get(name) is None:
            raise missing(name)
    checks.check_members(body, _CREATE)
    endpoint = body["endpoint"]
    # Azure's endpoints have no version.
    if not shape.filters_content or "/v1" + endpoint not in _ENDPOINTS:
        checks.one_of(*_ENDPOINTS)(endpoint, "endpoint")
    source = find_file(desk, body["input_file_id"])
    if source.described["purpose"] != "batch":
        raise Invalid(f"Invalid file purpose: '{source.described['purpose']}'. Expected 'batch'.", "input_file_id")
    now = int(request.now)
    batch_id = "batch_" + hexadecimal(str(desk.shelf.next_number()).encode(), "batch", 32)
    batch: dict[str, Any] = {
        "id": batch_id,
        "object": "batch",
        "endpoint": endpoint,
        "model": None,
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "in_progress_at": None,
        "expires_at": now + _WINDOW_S,
        "finalizing_at": None,
        "completed_at": None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": None,
        "cancelled_at": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
    }
    lines, errors = _read_lines(source.content, endpoint)
    done = dict(batch)
    if errors:
        done |= {"status": "failed", "failed_at": now, "errors": {"object": "list", "data": errors}}
    else:
        done |= _run(request, desk, batch_id, lines, answer_line)
        done |= {"status": "completed", "in_progress_at": now, "finalizing_at": now, "completed_at": now}
    desk.shelf.put("batch", batch_id, done, 2048)
    return batch


def _read_lines(content: bytes, endpoint: str) -> tuple[list[Mapping[str, Any]], list[dict[str, Any]]]:
    """The requests of an input file, and what is wrong with it."""
    lines: list[Mapping[str, Any]] = []
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()

    def wrong(number: int | None, code: str, message: str, param: str | None = None) -> None:
        errors.append({"code": code, "message": message, "param": param, "line": number})

    for number, raw in enumerate(content.splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            line = orjson.loads(raw)
        except orjson.JSONDecodeError:
            line = None
        if not isinstance(line, dict):
            wrong(number, "invalid_json_line", "This line is not parseable as valid JSON.")
        elif not isinstance(line.get("custom_id"), str):
            wrong(number, "missing_required_parameter", "Missing required parameter: 'custom_id'.", "custom_id")
        elif line["custom_id"] in seen:
            wrong(
                number,
                "duplicate_custom_id",
                f"The custom_id for this request is a duplicate of another request: {line['custom_id']}.",
                "custom_id",
            )
        elif not isinstance(line.get("body"), dict):
            wrong(number, "missing_required_parameter", "Missing required parameter: 'body'.", "body")
        elif line.get("method") != "POST":
            wrong(number, "invalid_method", "The method of this request must be POST.", "method")
        elif line.get("url") != endpoint:
            wrong(number, "invalid_url", "The URL provided for this request does not match the batch endpoint.", "url")
        else:
            seen.add(line["custom_id"])
            lines.append(line)
        if len(errors) >= 50:
            break
    if not lines and not errors:
        wrong(
            None, "empty_file", "The input file is empty. Please ensure that the batch contains at least one request."
        )
    if len(lines) > _MOST_LINES:
        wrong(
            None,
            "too_many_tasks",
            f"Rubberduck's emulation answers at most {_MOST_LINES} requests in a batch; this one has {len(lines)}.",
        )
    return lines, errors


def _run(
    request: EmulatedRequest, desk: Desk, batch_id: str, lines: list[Mapping[str, Any]], answer_line: AnswerLine
) -> dict[str, Any]:
    """Answers every line: what becomes of the batch."""
    good: list[bytes] = []
    bad: list[bytes] = []
    used: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "reasoning_tokens": 0}
    model = None
    for number, line in enumerate(lines):
        asked = dump({**line["body"], "stream": False} if "stream" in line["body"] else line["body"])
        reply = answer_line(request, line["url"], asked)
        body = orjson.loads(reply.body if isinstance(reply.body, bytes) else b"null")
        written = {
            "id": "batch_req_" + hexadecimal(batch_id.encode(), str(number), 32),
            "custom_id": line["custom_id"],
            "response": {
                "status_code": reply.status,
                "request_id": hexadecimal(batch_id.encode(), f"request {number}", 32),
                "body": body,
            },
            "error": None,
        }
        (good if reply.status < 300 else bad).append(orjson.dumps(written) + b"\n")
        if isinstance(body, dict):
            model = body.get("model") or model
            _add_usage(used, body.get("usage"))
    found: dict[str, Any] = {
        "model": model,
        "request_counts": {"total": len(lines), "completed": len(good), "failed": len(bad)},
        "usage": {
            "input_tokens": used["input_tokens"],
            "input_tokens_details": {"cached_tokens": used["cached_tokens"]},
            "output_tokens": used["output_tokens"],
            "output_tokens_details": {"reasoning_tokens": used["reasoning_tokens"]},
            "total_tokens": used["input_tokens"] + used["output_tokens"],
        },
    }
    for member, kind, made in (("output_file_id", "output", good), ("error_file_id", "error", bad)):
        if made:
            name = f"{batch_id}_{kind}.jsonl"
            found[member] = keep_file(desk, name, b"".join(made), "batch_output", request.now).described["id"]
    return found


def _add_usage(used: dict[str, Any], usage: Any) -> None:
    if not isinstance(usage, dict):
        return
    prompt = "prompt" if "prompt_tokens" in usage else "input"
    output = "completion" if "prompt_tokens" in usage else "output"
    used["input_tokens"] += usage.get(f"{prompt}_tokens", 0)
    used["output_tokens"] += usage.get(f"{output}_tokens", 0)
    used["cached_tokens"] += (usage.get(f"{prompt}_tokens_details") or {}).get("cached_tokens", 0)
    used["reasoning_tokens"] += (usage.get(f"{output}_tokens_details") or {}).get("reasoning_tokens", 0)
