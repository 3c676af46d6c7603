"""Every provider can answer by itself."""

from __future__ import annotations

import pytest

from providers.emulated.registry import get_emulator
from providers.registry import all_providers


@pytest.mark.parametrize("provider_id", list(all_providers()))
def test_every_provider_has_its_emulator(provider_id: str) -> None:
    assert get_emulator(provider_id).provider == provider_id


def test_a_provider_without_one_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        get_emulator("no_such_provider")
