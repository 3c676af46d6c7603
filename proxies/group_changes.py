"""Sets one group of a proxy's fields to what a request's body says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from proxies.api_replies import applied_members
from proxies.errors import Malformed
from proxies.field_schemas import READ_ONLY_IN_GROUPS
from proxies.models import Proxy
from proxies.requests import document_of, user_of
from proxies.schemas import GROUPS
from proxies.selectors import proxy_owned_by
from proxies.services import proxy_update, wait_applied


def replace_group(request: HttpRequest, proxy_id: int, group: str, *ignored: str) -> tuple[Proxy, dict[str, Any]]:
    """The proxy, and the members of an AppliedOut. What is left out goes back to its default. Raises NotFound and
    Invalid."""
    user = user_of(request)
    proxy = proxy_owned_by(user, proxy_id)
    document = document_of(request, field=group)
    if group == "faults" and isinstance(document, list):
        document = {"rules": document}
    if not isinstance(document, Mapping):
        raise Malformed(fields={group: f"Send an object with {', '.join(GROUPS[group].model_fields)}."})
    left = READ_ONLY_IN_GROUPS | set(ignored)
    changes: dict[str, Any] = {f"{group}.{name}": None for name in GROUPS[group].model_fields}
    changes |= {f"{group}.{name}": value for name, value in document.items() if name not in left}
    changed = proxy_update(proxy=proxy, changes=changes, may_reference_credentials=user.is_staff)
    return changed, applied_members(changed, wait_applied(changed))
