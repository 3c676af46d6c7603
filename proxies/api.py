"""What the REST API says of providers."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from providers.base import Provider
from providers.registry import all_providers

router = Router(tags=["providers"])


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


@router.get("/providers", response=list[ProviderOut], summary="The providers a proxy can speak for")
def provider_list(request: HttpRequest) -> list[ProviderOut]:
    """Snippets are written for a proxy on the first port of the configured range."""
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
