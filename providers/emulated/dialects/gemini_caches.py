"""Cached contents: prompts kept at Google, here on the shelf.

Source: google-genai 3.4.0 `caches.py` and the REST references of both services, read November 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from providers.emulated.acting import count_input
from providers.emulated.answer import alphanumeric
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_fields import CACHED_CONTENT
from providers.emulated.dialects.gemini_models import page
from providers.emulated.dialects.gemini_question import CACHES, check_files, tools_of, turns_of
from providers.emulated.dialects.google_errors import is_gemini, json_reply, refuse
from providers.emulated.dialects.google_json import digest, read_body
from providers.emulated.dialects.google_times import moment, timestamp
from providers.emulated.question import Question

_MIN_TOKENS = 1024
_DEFAULT_TTL_S = 3600.0
_TTL = re.compile(r"([0-9]{1,9})(\.[0-9]{1,9})?s")


@dataclass(slots=True)
class CachedContent:
    """`body`: the request that made it. `owner`: what comes before its id in its name. Times in seconds."""

    owner: str
    id: str
    body: dict[str, Any]
    tokens: int
    created_at: float
    updated_at: float
    expires_at: float


def create_cache(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    body = read_body(request, CACHED_CONTENT)
    if not body.get("model"):
        raise refuse(request, "* CreateCachedContentRequest.cached_content.model: model is not specified\n")
    made_from = digest(request, body)
    check_files(request, body.get("contents", ()), desk)
    tokens = count_input(
        Question("", _short(body["model"]), made_from, turns_of(body), tools_of(body))
    )  # fmt: skip
    if tokens < _MIN_TOKENS:
        text = f"Cached content is too small. total_token_count={tokens}, min_total_token_count={_MIN_TOKENS}"
        if not is_gemini(request.call.path):
            text = (
                f"The cached content is of {tokens} tokens. The minimum token count to start caching is {_MIN_TOKENS}."
            )
        raise refuse(request, text)
    number = desk.shelf.next_number()
    owner = _owner(request)
    name = alphanumeric(number.to_bytes(8, "big") + made_from[:8], "cache", 28).lower()
    if owner:
        name = str(10**18 + int.from_bytes(made_from[:6], "big") * 1000 + number % 1000)
    kept = CachedContent(
        owner, name, body, tokens, request.now, request.now, _expires_at(request, body, request.now + _DEFAULT_TTL_S)
    )
    desk.shelf.put(CACHES, name, kept, len(request.body) + 1024)
    return _reply(request, kept)


def list_caches(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    owner = _owner(request)
    found = [
        _shape(kept)
        for kept in desk.shelf.all(CACHES)
        if kept.expires_at > request.now and kept.owner == owner
    ]  # fmt: skip
    query = parse_qs(request.query.decode("latin-1"))
    shape = page(request, query, found, "cachedContents", default=50, most=1000)
    return json_reply(request, shape, is_repeatable=False)


def get_cache(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    return _reply(request, _find(request, desk))


def update_cache(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    kept = _find(request, desk)
    body = read_body(request, CACHED_CONTENT)
    if "ttl" not in body and "expireTime" not in body:
        raise refuse(request, "Only expire_time and ttl can be updated.")
    kept.expires_at = _expires_at(request, body, kept.expires_at)
    kept.updated_at = request.now
    return _reply(request, kept)


def delete_cache(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    desk.shelf.remove(CACHES, _find(request, desk).id)
    return json_reply(request, {}, is_repeatable=False)


def _find(request: EmulatedRequest, desk: Desk) -> CachedContent:
    name = request.call.path.rpartition(b"/")[2].decode("latin-1")
    kept = desk.shelf.get(CACHES, name)
    if not isinstance(kept, CachedContent) or kept.expires_at <= request.now:
        if is_gemini(request.call.path):
            raise refuse(request, "CachedContent not found (or permission denied)", 403)
        raise refuse(request, f"Not found: cached content metadata for {name[:64]}.", 404)
    return kept


def _expires_at(request: EmulatedRequest, body: dict[str, Any], otherwise: float) -> float:
    if "ttl" in body and "expireTime" in body:
        raise refuse(request, "Only one of ttl and expire_time can be set.")
    if "ttl" in body:
        found = _TTL.fullmatch(body["ttl"])
        if found is None:
            raise refuse(
                request,
                "Invalid value at 'cached_content.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', "
                "Illegal duration format; duration must end with 's'",
            )
        return request.now + float(body["ttl"][:-1])
    if "expireTime" in body:
        at = moment(body["expireTime"])
        if at is None:
            raise refuse(
                request,
                "Invalid value at 'cached_content.expire_time' (type.googleapis.com/google.protobuf.Timestamp), Field "
                "'expireTime', Illegal timestamp format",
            )
        if at <= request.now:
            raise refuse(request, "expire_time must be in the future.")
        return at
    return otherwise


def _owner(request: EmulatedRequest) -> str:
    """`projects/p/locations/l/` on Vertex AI, "" at the Gemini API."""
    before = request.call.path.partition(b"/cachedContents")[0].decode("latin-1")
    _, found, owner = before.partition("/projects/")
    return f"projects/{owner}/" if found else ""


def _reply(request: EmulatedRequest, kept: CachedContent) -> EmulatedReply:
    return json_reply(request, _shape(kept), is_repeatable=False)


def _shape(kept: CachedContent) -> dict[str, Any]:
    model = kept.body["model"]
    if not kept.owner and "/" not in model:
        model = f"models/{model}"
    shape: dict[str, Any] = {
        "name": f"{kept.owner}cachedContents/{kept.id}",
        "model": model,
        "createTime": timestamp(kept.created_at),
        "updateTime": timestamp(kept.updated_at),
        "expireTime": timestamp(kept.expires_at),
        "displayName": kept.body.get("displayName", ""),
        "usageMetadata": {"totalTokenCount": kept.tokens},
    }
    if kept.owner:
        texts = [turn.text for turn in turns_of(kept.body)]
        shape["usageMetadata"]["textCount"] = sum(map(len, texts))
    return shape


def _short(name: str) -> str:
    return name.rpartition("/")[2]
