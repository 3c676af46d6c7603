"""Chat completions that were stored: listed, told again, changed and deleted.

Source: openai-python 3.54.0 `resources/chat/completions/`, read November 2026.
"""

from __future__ import annotations

from typing import Any

from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing, read_object
from providers.emulated.dialects.openai_lists import object_id, page, query_of

_UPDATE = {"metadata": checks.metadata}


def answer_stored_chat(request: EmulatedRequest, desk: Desk, *, shape: Shape) -> EmulatedReply:
    """`chat.completions.list`, `.retrieve`, `.update`, `.delete`, `.messages.list`. Raises Invalid, Refused,
    CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    intercept(desk, operation, "", request)
    if operation == "chat.completions.list":
        body = _list(request, desk)
    elif operation == "chat.completions.messages.list":
        body = _messages(request, _find(desk, object_id(request, 1)))
    else:
        stored = _find(desk, object_id(request, 0))
        body = stored["completion"]
        if operation == "chat.completions.update":
            given = read_object(request.body)
            if given.get("metadata") is None:
                raise missing("metadata")
            checks.check_members(given, _UPDATE)
            body["metadata"] = given["metadata"]
        elif operation == "chat.completions.delete":
            desk.shelf.remove("chat.completion", body["id"])
            body = {"object": "chat.completion.deleted", "id": body["id"], "deleted": True}
    return EmulatedReply(200, shape.headers(request), dump(body), is_repeatable=False)


def _find(desk: Desk, completion_id: str) -> dict[str, Any]:
    found = desk.shelf.get("chat.completion", completion_id)
    if not isinstance(found, dict):
        raise Invalid(f"Chat completion with id '{completion_id}' not found.", "id", status=404)
    return found


def _list(request: EmulatedRequest, desk: Desk) -> dict[str, Any]:
    query = query_of(request)
    model = query.get("model")
    wanted = {name[9:-1]: value for name, value in query.items() if name.startswith("metadata[") and name.endswith("]")}
    found = []
    for stored in desk.shelf.all("chat.completion"):
        completion = stored["completion"]
        if model and completion["model"] != model:
            continue
        if all(completion["metadata"].get(name) == value for name, value in wanted.items()):
            found.append(completion)
    return page(found, query, usual_limit=20, most=100, order="asc")


def _messages(request: EmulatedRequest, stored: dict[str, Any]) -> dict[str, Any]:
    messages = []
    for number, message in enumerate(stored["messages"]):
        content = message.get("content")
        messages.append(
            {
                "id": f"{stored['completion']['id']}-{number}",
                "role": message["role"],
                "content": content if isinstance(content, str) else None,
                "name": message.get("name"),
                "content_parts": content if isinstance(content, list) else None,
            }
        )
    return page(messages, query_of(request), usual_limit=20, most=100, order="asc")
