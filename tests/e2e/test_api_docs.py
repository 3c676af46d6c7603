"""The interactive documentation of the API in a real browser: nothing from elsewhere, and what is tried out works."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.installation import Installation

expect.set_options(timeout=30_000)
EMAIL, PASSWORD = "api-docs@example.com", "correct horse battery"
RENAME = "#operations-accounts-me_update"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Chromium's sandbox needs rights that root in a container lacks.
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="module", autouse=True)
def token(installation: Installation) -> str:
    installation.manage(
        "shell", "-c", f"from accounts.models import User; User.objects.create_superuser({EMAIL!r}, {PASSWORD!r})"
    )
    return installation.manage("createtoken", EMAIL, "--name", "docs").strip()


async def open_docs(browser: Browser, url: str, *, signs_in: bool = False) -> tuple[Page, list[str]]:
    """The page, and what its console complained of or what was loaded from elsewhere."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    if signs_in:
        await page.goto(f"{url}/admin/login/")
        await page.locator("#id_username").fill(EMAIL)
        await page.locator("#id_password").fill(PASSWORD)
        await page.locator("[type=submit]").click()
        await page.wait_for_url(f"{url}/admin/")
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: complaints.append(sent.url) if not sent.url.startswith((url, "data:")) else None)
    await page.goto(f"{url}/api/v1/docs")
    return page, complaints


async def try_out(page: Page, body: str) -> str:
    """Changes one's own name with the form of the page; what the page shows of the reply."""
    operation = page.locator(RENAME)
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.locator("textarea.body-param__text").fill(body)
    await operation.get_by_role("button", name="Execute").click()
    replied = operation.locator(".live-responses-table")
    await expect(replied).to_contain_text("content-length")
    return str(await replied.inner_text())


async def test_it_shows_every_operation_and_takes_a_token(
    installation: Installation, browser: Browser, token: str
) -> None:
    page, complaints = await open_docs(browser, installation.url)
    await expect(page.locator(RENAME)).to_be_visible()
    assert await page.locator(".opblock").count() > 40
    await page.get_by_role("button", name="Authorize").first.click()
    await page.locator(".auth-container input").first.fill(token)
    await page.locator(".auth-btn-wrapper button.authorize").first.click()
    await page.locator(".btn-done").first.click()
    replied = await try_out(page, '{"name": "by token"}')
    assert '"name": "by token"' in replied
    assert complaints == []


async def test_what_is_tried_out_in_a_browsers_session_is_no_forgery(
    installation: Installation, browser: Browser
) -> None:
    page, complaints = await open_docs(browser, installation.url, signs_in=True)
    replied = await try_out(page, '{"name": "by session"}')
    assert '"name": "by session"' in replied
    assert complaints == []
