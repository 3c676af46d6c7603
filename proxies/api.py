"""What the REST API says of providers, and of the canned replies of proxies."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from accounts.authentication import api_auth
from providers.base import Provider
from providers.registry import all_providers
from proxies.api_replies import AppliedOut, applied_members
from proxies.errors import Invalid
from proxies.requests import document_of, documented, user_of
from proxies.selectors import proxy_owned_by
from proxies.services import proxy_update, wait_applied

router = Router()


class SnippetOut(Schema):
    id: str
    label: str
    language: str
    code: str


class ProviderOut(Schema):
    """`needs_upstream`: there is no default upstream, so a proxy must name its own."""

    id: str
    label: str
    example_model: str
    default_upstream: str | None
    needs_upstream: bool
    snippets: list[SnippetOut]


@router.get(
    "/providers",
    tags=["providers"],
    auth=None,
    response=list[ProviderOut],
    summary="The providers a proxy can speak for",
)
def provider_list(request: HttpRequest) -> list[ProviderOut]:
    """Snippets are written for a proxy on the first port of the configured range."""
    return described_providers()


def described_providers() -> list[ProviderOut]:
    base_url = f"http://127.0.0.1:{settings.PROXY_PORTS[0]}"
    return [_describe(provider, base_url) for provider in all_providers().values()]


def _describe(provider: Provider, base_url: str) -> ProviderOut:
    return ProviderOut(
        id=provider.id,
        label=provider.label,
        example_model=provider.example_model,
        default_upstream=provider.default_upstream,
        needs_upstream=provider.needs_upstream,
        snippets=[
            SnippetOut(id=snippet.id, label=snippet.label, language=snippet.language, code=snippet.code)
            for snippet in provider.snippets(base_url, provider.example_model)
        ],
    )


class RepliesOut(AppliedOut):
    replies: list[Any]


_ENTRIES: Final = {"type": "array", "items": {"type": "object"}}


@router.get("/proxies/{int:proxy_id}/replies", tags=["proxies"], auth=api_auth, response=list[Any])
def replies_list(request: HttpRequest, proxy_id: int) -> Any:
    """The canned replies of an emulated proxy, in the order they are tried."""
    return proxy_owned_by(user_of(request), proxy_id).emulation_replies


@router.put(
    "/proxies/{int:proxy_id}/replies",
    tags=["proxies"],
    auth=api_auth,
    response=RepliesOut,
    openapi_extra=documented(_ENTRIES),
)
def replies_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Puts the list in the body, JSON or YAML, in the place of the one there was."""
    user = user_of(request)
    proxy = proxy_owned_by(user, proxy_id)
    replies = document_of(request, field=_FIELD)
    if replies is None:  # an empty document; in a field it would stand for the default
        raise Invalid(fields={_FIELD: "Send a list; [] for none."})
    changed = proxy_update(proxy=proxy, changes={_FIELD: replies}, may_reference_credentials=user.is_staff)
    return {"replies": changed.emulation_replies, **applied_members(changed, wait_applied(changed))}


_FIELD: Final = "emulation.replies"
