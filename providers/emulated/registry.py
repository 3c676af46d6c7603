"""Finds the emulators: the module of this package that has a provider's name is that provider's."""

from __future__ import annotations

import importlib
from functools import cache

from providers.emulated.base import Emulator


@cache
def get_emulator(provider_id: str) -> Emulator:
    """Raises ModuleNotFoundError for a provider that cannot answer by itself, and whatever a broken module raises."""
    emulator = importlib.import_module(f"providers.emulated.{provider_id}").EMULATOR
    if not isinstance(emulator, Emulator) or emulator.provider != provider_id:
        raise RuntimeError(f"providers/emulated/{provider_id}.py must declare the emulator of {provider_id!r}")
    return emulator
