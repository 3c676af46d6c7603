"""The page at `/` in a real browser, under the real content security policy."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.installation import Installation

expect.set_options(timeout=30_000)
DESKTOP, PHONE = (1440, 900), (390, 844)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Chromium's sandbox needs rights that root in a container lacks.
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="module", autouse=True)
def _account(installation: Installation) -> None:
    """Without one the page leads to where the first is made."""
    installation.manage("createsuperuser", "--noinput", "--email", "front-page@example.com")


async def open_page(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, theme: str = "light"
) -> tuple[Page, list[str]]:
    """The page and what its console complained of, so far and later."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    return page, complaints


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_it_shows_a_healthy_installation_and_breaks_no_policy(
    installation: Installation, browser: Browser, size: tuple[int, int], theme: str
) -> None:
    page, complaints = await open_page(browser, installation.url, size, theme)
    await expect(page.get_by_role("heading", name="Rubberduck is running")).to_be_visible()
    await expect(page.get_by_role("radio", name="Anthropic")).to_be_attached()
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(14, 17, 24)" if theme == "dark" else "rgb(255, 255, 255)")
    assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert await page.evaluate("document.fonts.check('14px \"Inter Variable\"')")
    assert complaints == []


async def test_its_command_for_a_proxy_is_what_lands_on_the_clipboard(
    installation: Installation, browser: Browser
) -> None:
    page, complaints = await open_page(browser, installation.url)
    await page.get_by_text("Azure OpenAI", exact=True).click()
    await page.get_by_text("Forwards to the provider", exact=True).click()
    await page.get_by_role("button", name="Copy the command that creates a proxy").click()
    await expect(page.get_by_text("Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(
        ".venv/bin/python manage.py proxy create my-azure-openai --provider azure_openai --upstream https"
    )
    assert complaints == []


async def test_a_missing_supervisor_is_shown_with_the_command_that_starts_it(
    installation: Installation, browser: Browser
) -> None:
    page, _ = await open_page(browser, "about:blank")
    health = {**installation.health(), "status": "degraded", "supervisor": "missing"}
    await page.route("**/healthz", lambda route: route.fulfill(json=health))
    await page.goto(installation.url)
    await expect(page.get_by_role("heading", name="No proxy is being served")).to_be_visible()
    await expect(page.get_by_text(".venv/bin/python manage.py runproxies")).to_be_visible()


@pytest.mark.parametrize("link", ["Admin", "API", "Health"])
async def test_its_links_lead_somewhere(installation: Installation, browser: Browser, link: str) -> None:
    page, _ = await open_page(browser, installation.url)
    async with page.expect_navigation() as navigation:
        await page.get_by_role("link", name=link, exact=True).click()
    reply = await navigation.value
    assert reply is not None
    assert reply.status == 200


@pytest.mark.parametrize("path", ["/admin/", "/api/v1/docs"])
async def test_the_other_pages_break_no_policy_either(installation: Installation, browser: Browser, path: str) -> None:
    page, complaints = await open_page(browser, f"{installation.url}{path}")
    await page.wait_for_load_state("networkidle")
    assert await page.title()
    assert complaints == []
