"""Finds the providers: every module of this package is one. A module that does not import stops the start-up."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import providers
from providers.base import Provider

_NOT_PROVIDERS = frozenset({"base", "registry", "pricing"})


@cache
def all_providers() -> Mapping[str, Provider]:
    """Provider id -> provider, in alphabetical order. Raises whatever a broken provider module raises."""
    found: dict[str, Provider] = {}
    for info in sorted(pkgutil.iter_modules(providers.__path__), key=lambda module: module.name):
        if info.ispkg or info.name in _NOT_PROVIDERS:
            continue
        module = importlib.import_module(f"providers.{info.name}")
        provider = module.PROVIDER
        if provider.id != info.name:
            raise RuntimeError(f"providers/{info.name}.py declares the id {provider.id!r}; they must be the same")
        found[provider.id] = provider
    return MappingProxyType(found)


def get_provider(provider_id: str) -> Provider:
    """Raises KeyError for an unknown id."""
    return all_providers()[provider_id]
