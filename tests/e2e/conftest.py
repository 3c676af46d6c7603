"""Whole installations, fresh for one test or shared by those that only look."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.wire.standin.client import StandIn

PORTS = range(26_000, 32_000)  # below the ports the system hands out by itself


@pytest.fixture(scope="session")
def ports() -> Iterator[int]:
    """Ports nobody listens on, never the same twice; runs side by side begin at different ones."""
    start = random.randrange(len(PORTS))
    return (port for port in itertools.cycle([*PORTS[start:], *PORTS[:start]]) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = StandIn(tmp_path_factory.mktemp("standin"))
    yield running
    running.close()


@pytest.fixture
def fresh(tmp_path: Path, ports: Iterator[int]) -> Iterator[Installation]:
    """One that has not been started."""
    installation = Installation(tmp_path, ports, {})
    yield installation
    installation.close()


@pytest.fixture(scope="session")
def installation(
    tmp_path_factory: pytest.TempPathFactory, ports: Iterator[int], standin: StandIn
) -> Iterator[Installation]:
    """A running one, whose upstreams' real names lead to the stand-in."""
    hosts = (
        "api.openai.com",
        "api.anthropic.com",
        "example.openai.azure.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "generativelanguage.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
        "us-east5-aiplatform.googleapis.com",
    )
    environment = {
        "RUBBERDUCK_TESTING": "1",
        "RUBBERDUCK_CONNECT_TO": standin.connect_to(*hosts),
        "RUBBERDUCK_UPSTREAM_CA_FILE": standin.ca_file,
        "AWS_ACCESS_KEY_ID": "AKIASTANDIN000000001",
        "AWS_SECRET_ACCESS_KEY": "standin-secret-key-number-one",
    }
    running = Installation(tmp_path_factory.mktemp("installation"), ports, environment)
    try:
        running.start()
        yield running
    finally:
        running.close()
