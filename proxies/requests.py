"""What requests to the API bring: who asks, and a document in JSON or YAML."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from accounts.models import User
from proxies.documents import MAX_DOCUMENT_BYTES, read_document
from proxies.errors import Invalid


def user_of(request: HttpRequest) -> User:
    """Who has signed in; for operations that are for nobody else."""
    assert isinstance(request.user, User)  # or the authentication would have refused
    return request.user


def document_of(request: HttpRequest, *, field: str) -> Any:
    """The value of the body, JSON or YAML; None for an empty one. Raises Invalid, which names `field`."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise Invalid(fields={field: f"The body is longer than {MAX_DOCUMENT_BYTES} bytes."}) from None
    return read_document(body, field=field)


def documented(schema: dict[str, Any]) -> dict[str, Any]:
    """How the API's documentation describes such a body."""
    content = {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
