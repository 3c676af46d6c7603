"""What requests to the API bring: who asks, and a document in JSON or YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from accounts.models import User
from proxies.documents import MAX_DOCUMENT_BYTES, read_document
from proxies.errors import Malformed, TooLarge, UnsupportedType


def user_of(request: HttpRequest) -> User:
    """Who has signed in; for operations that are for nobody else."""
    assert isinstance(request.user, User)  # or the authentication would have refused
    return request.user


def document_of(request: HttpRequest, *, field: str) -> Any:
    """The value of the body, JSON or YAML; None for an empty one. Raises Malformed and TooLarge, which name `field`,
    and UnsupportedType."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise TooLarge(fields={field: f"The body is longer than {MAX_DOCUMENT_BYTES} bytes."}) from None
    if body and (sent := request.content_type or "") not in _TYPES:
        raise UnsupportedType(f"Send JSON or YAML, and say so: content-type: application/json, not {sent[:80]}.")
    return read_document(body, field=field)


def object_of(request: HttpRequest, *, field: str = "body") -> dict[str, Any]:
    """The members of the body, an object in JSON or YAML; none for an empty body. Raises what `document_of` does."""
    document = document_of(request, field=field)
    if not request.body:
        return {}
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise Malformed(fields={field: "Send an object whose members have texts for names."})
    return document


def documented(schema: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """How the API's documentation describes such a body."""
    content = {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


_TYPES: Final = frozenset(
    {"", "application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"}
)
