"""The desk in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import lab, shot, visitors


@pytest.fixture(scope="module")
def people(world):
    """Chromium; of this module, because its event loop must not be there for others."""
    with visitors(world) as found:
        yield found


def test_first(people, world):
    portal = world.session("mina").portal
    with people.window("mina") as (page, heard):
        page.goto(f"{portal}/")
        page.get_by_role("link", name="작업공간으로 가기").click()
        frame = lab(page)
        expect(frame.locator(".jp-Launcher, .jp-NotebookPanel").first).to_be_visible(timeout=60_000)
        page.wait_for_timeout(1500)
        shot(page, "desk")
        page.get_by_role("button", name="화면 잠그기").click()
        page.wait_for_timeout(1500)
        shot(page, "desk-locked")
        print(heard.errors, heard.strangers, [f.url for f in page.frames])
