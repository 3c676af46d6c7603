"""What the official SDKs raise for every error by name, and how often they try: each cell of the documents' tables is
held here."""

from __future__ import annotations

import pytest

from providers.faults.base import Reason
from providers.registry import all_providers
from proxies.dataplane.faults.error_clients import RAISES
from tests.emulated.serving import EmulatedProxies
from tests.faults.raising import raised_by

CLIENTS = [(provider, client) for provider, clients in RAISES.items() for client in clients]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.mark.parametrize(("provider", "client"), CLIENTS, ids=[client for _, client in CLIENTS])
def test_the_sdk_raises_what_the_documents_say_and_tries_as_often(
    emulated: EmulatedProxies, provider: str, client: str
) -> None:
    assert raised_by(emulated, provider, client) == RAISES[provider][client]


def test_every_error_is_described_for_every_provider() -> None:
    assert set(RAISES) == set(all_providers())
    assert {len(met) for clients in RAISES.values() for met in clients.values()} == {len(Reason)}
