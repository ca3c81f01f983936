"""A real Chromium and the people in it: signs in by the hub's form, keeps what the console said and where it asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page, StorageState, sync_playwright

from demo.world import CHECKOUT, World

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENS = CHECKOUT / "build/screens"
VIEW = {"width": 1280, "height": 900}


@dataclass
class Watched:
    """What a page did besides being shown: errors on the console, requests to hosts that are not ours."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def look(self, page: Page) -> None:
        """Listen to one page."""
        page.on(
            "console", lambda said: self.errors.append(f"{said.text} {said.location}") if said.type == "error" else None
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._host(request.url))

    def _host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and not (parts.hostname or "").endswith(".localhost"):
            self.strangers.append(url)


class Visitors:
    """Browser windows of people who are signed in already, each sign-in done once, by hand as it were."""

    def __init__(self, browser: Browser, world: World) -> None:
        self._browser, self._world = browser, world

    @contextmanager
    def window(self, login: str = "", *, javascript: bool = True) -> Iterator[tuple[Page, Watched]]:
        """Give a window of this person (or of nobody) with what is heard of it."""
        state = self.state(login) if login else None
        context = self.context(state, javascript=javascript)
        page, heard = context.new_page(), Watched()
        heard.look(page)
        try:
            yield page, heard
        except Exception as error:
            error.add_note(f"At {page.url}; on its console: {heard.errors or 'nothing'}; {_seen(page)}")
            raise
        finally:
            context.close()

    def context(self, state: StorageState | None = None, *, javascript: bool = True) -> BrowserContext:
        """Open a browser profile of its own."""
        context = self._browser.new_context(
            storage_state=state,
            java_script_enabled=javascript,
            viewport=VIEW,
            locale="ko-KR",  # type: ignore[arg-type]
        )
        context.set_default_timeout(30_000)
        return context

    def state(self, login: str) -> StorageState:
        """Return the cookies with which this person is signed in: one account is used from one browser at a time."""
        session = self._world.session(login)
        session.portal_headers()  # a restarted portal, or a sign-in elsewhere, is made good first
        return cast("StorageState", {"cookies": [_cookie(each) for each in session.http.cookies.jar], "origins": []})

    def sign_in(self, page: Page, login: str) -> None:
        """Fill in the hub's form with the password and the code of the moment; ends on the portal."""
        person = self._world.session(login).person
        page.goto(f"{self._world.settings.public_url}/hub/")
        page.get_by_label("아이디").fill(login)
        page.get_by_label("비밀번호").fill(person.password)
        page.get_by_label("2차 인증 번호").fill(self._world.secrets.code(login))
        page.get_by_role("button", name="로그인").click()
        page.wait_for_url("**/services/portal/")


def _seen(page: Page) -> str:
    """Say what a page shows that a test has failed on; the picture is `failed.png`."""
    try:
        shot(page, "failed")
        return page.evaluate("JSON.stringify([document.title, document.body.dataset, document.body.innerText])")[:1500]
    except Error as error:
        return f"it does not answer ({error.message})"


def _cookie(kept: Cookie) -> dict[str, object]:
    return {
        "name": kept.name, "value": kept.value or "", "domain": kept.domain, "path": kept.path,
        "expires": float(kept.expires or -1), "httpOnly": kept.has_nonstandard_attr("HttpOnly"),
        "secure": kept.secure, "sameSite": "Lax",
    }  # fmt: skip


def lab(page: Page) -> Frame:
    """Return JupyterLab's frame in the desk page, once it is there."""
    page.locator("iframe#workspace").wait_for()
    return page.frame(url="**/user/*/lab**") or page.wait_for_event(
        "framenavigated", lambda each: "/lab" in each.url and each != page.main_frame
    )


@contextmanager
def visitors(world: World) -> Iterator[Visitors]:
    """Run Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            yield Visitors(browser, world)
        finally:
            browser.close()


def shot(page: Page, name: str) -> Path:
    """Save what is seen of the page as a picture, 1280 by 900.

    The caret stays: hiding it leaves empty styles on inputs, which htmx copies and the policy refuses.
    """
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"{name}.png"
    page.screenshot(path=path, caret="initial")
    return path
