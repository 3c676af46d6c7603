"""Finds how the providers fail: the module of this package that has a provider's name is that provider's."""

from __future__ import annotations

import importlib
from functools import cache

from providers.faults.base import ProviderFaults


@cache
def get_faults(provider_id: str) -> ProviderFaults:
    """Raises whatever a missing or broken module raises."""
    faults = importlib.import_module(f"providers.faults.{provider_id}").FAULTS
    if not isinstance(faults, ProviderFaults) or faults.provider != provider_id:
        raise RuntimeError(f"providers/faults/{provider_id}.py must declare the faults of {provider_id!r}")
    return faults
