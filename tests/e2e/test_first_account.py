"""A new installation in a real browser: the start page leads to the form of the first account."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.installation import Installation

expect.set_options(timeout=30_000)
PASSWORD = "correct horse battery staple"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Chromium's sandbox needs rights that root in a container lacks.
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        await browser.close()


async def test_the_first_account_is_made_in_a_form_and_lands_on_the_start_page(
    fresh: Installation, browser: Browser
) -> None:
    fresh.start()
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(fresh.url)
    assert page.url.endswith("/setup")
    await expect(page.get_by_role("heading", name="Create the first account")).to_be_visible()
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    style = await page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius")
    assert style == "12px"
    assert complaints == []

    await page.get_by_label("E-mail address").fill("ada@example.com")
    await page.get_by_label("Password").fill("short")
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("alert")).to_contain_text("too short")
    await expect(page.get_by_label("E-mail address")).to_have_value("ada@example.com")

    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Rubberduck is running")).to_be_visible()
    assert (
        await page.evaluate("fetch('/api/v1/me').then(reply => reply.json()).then(me => me.email)") == "ada@example.com"
    )
    await page.goto(f"{fresh.url}/admin/")
    await expect(page.get_by_text("Site administration").or_(page.get_by_text("Administration")).first).to_be_visible()
