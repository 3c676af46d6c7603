"""One web server for the tests of signing in, started when the first of them wants it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.accounts.provider import Provider, running_provider
from tests.accounts.serving import Browser, Web, database_of_its_own


@pytest.fixture(scope="session")
def _provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def _web(tmp_path_factory: pytest.TempPathFactory, _provider: Provider) -> Iterator[Web]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    for url in database_of_its_own(os.environ.get("DATABASE_URL", ""), f"sign_in_{worker}"):
        web = Web(tmp_path_factory.mktemp("web"), _provider, url)
        try:
            web.start()
            web.add_account("first@example.com", is_staff=True, is_superuser=True)
            yield web
        finally:
            web.close()


@pytest.fixture
def web(_web: Web) -> Web:
    """With the site settings of a new installation."""
    _web.set_site()
    _web.provider.person = None
    return _web


@pytest.fixture
def open_web(web: Web) -> Web:
    """Anybody may sign up."""
    web.set_site(allow_registration=True)
    return web


@pytest.fixture
def browser(web: Web) -> Iterator[Browser]:
    with Browser(web) as browser:
        yield browser


@pytest.fixture
def other_browser(web: Web) -> Iterator[Browser]:
    with Browser(web) as browser:
        yield browser
