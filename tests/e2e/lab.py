"""JupyterLab's real front end as a person uses it: mouse, keyboard, and what is then seen on the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Request, Response, TimeoutError, WebSocket, expect  # noqa: A004 - Playwright's name

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IDLE = re.compile(r"Python 3 \(ipykernel\) \| Idle")


@dataclass
class Routes:
    """Every request that the pages of one workspace made: method, path below `/user/<login>/`, query, status."""

    host: str
    prefix: str
    asked: set[tuple[str, str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def look(self, page: Page) -> None:
        """Listen to one page."""
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("websocket", self._socket)

    def _below(self, url: str) -> tuple[str, str] | None:
        parts = urlsplit(url)
        if parts.hostname != self.host or not parts.path.startswith(self.prefix):
            return None
        return parts.path.removeprefix(self.prefix), parts.query

    def _request(self, request: Request) -> None:
        if found := self._below(request.url):
            self.asked.add((request.method, *found))

    def _response(self, response: Response) -> None:
        if response.status >= 400 and self._below(response.url):
            self.refused.append(f"{response.status} {response.request.method} {response.url}")

    def _socket(self, socket: WebSocket) -> None:
        if found := self._below(socket.url):
            self.asked.add(("WEBSOCKET", *found))

    def shapes(self) -> list[str]:
        """Return the routes as a list for people: ids and hashes replaced, each once."""
        return sorted({f"{method} {_shape(path)}" for method, path, _ in self.asked})


def _shape(path: str) -> str:
    path = UUID.sub("<id>", path)
    if path.startswith("static/"):
        return "static/…"
    return re.sub(r"(lab/extensions/[^/]+)/.*", r"\1/…", path)


class Lab:
    """One window of JupyterLab, inside the portal's desk page."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.inside = page.frame_locator("#workspace")  # the desk's frame
        self.taken: list[str] = []  # what was downloaded

    @property
    def notebook(self) -> Locator:
        """The notebook in front."""
        return self.inside.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")

    @property
    def files(self) -> Locator:
        """The file browser's rows."""
        return self.inside.locator(".jp-DirListing-item")

    def open(self, path: str) -> None:
        """Open a notebook by its address and wait for its kernel."""
        self.page.goto(f"{self.base}/lab/tree/{path}")
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel says that it is idle."""
        expect(self.inside.get_by_role("button", name=IDLE)).to_be_visible(timeout=60_000)

    def new_cell(self, code: str) -> Locator:
        """Add a cell at the end and write into it; the cursor stays there."""
        self.notebook.locator(".jp-Cell").last.locator(".cm-content").click()
        self.page.keyboard.press("Escape")
        before = self.notebook.locator(".jp-Cell").count()
        self.page.keyboard.press("b")
        expect(self.notebook.locator(".jp-Cell")).to_have_count(before + 1)
        made = self.notebook.locator(".jp-Cell").last
        made.locator(".cm-content").click()
        self.page.keyboard.insert_text(code)
        return made

    def run(self, code: str) -> Locator:
        """Write and run a cell; returns the place of its output."""
        made = self.new_cell(code)
        self.page.keyboard.press("Control+Enter")
        return made.locator(".jp-OutputArea")

    def complete(self) -> Locator:
        """Press Tab until something is offered: on a busy machine the first answer of a kernel comes too late."""
        offered = self.inside.locator(".jp-Completer:visible")
        for _ in range(10):
            self.page.keyboard.press("Tab")
            try:
                offered.wait_for(timeout=2000)
            except TimeoutError:
                continue
            break
        return offered

    def menu(self, *path: str) -> None:
        """Click through the menu bar."""
        self.inside.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{path[0]}$")).click()
        for name in path[1:]:
            self.inside.locator(".lm-Menu-item:visible", has_text=name).first.click()

    def items(self, menu: str) -> list[str]:
        """Return what a menu of the menu bar offers now."""
        label = self.inside.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$"))
        label.click()
        # A menu that was closing as this one was clicked swallows the click.
        if not self.inside.locator(".lm-Menu:visible").count():
            label.click()
        return self.offered()

    def offered(self) -> list[str]:
        """Return what the open menu offers, and close it."""
        expect(self.inside.locator(".lm-Menu:visible").last).to_be_visible()
        found = self.inside.locator(".lm-Menu-item:visible .lm-Menu-itemLabel").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [text for text in found if text]

    def command(self, words: str) -> None:
        """Find a command in the palette and run it."""
        self.page.keyboard.press("Control+Shift+c")
        palette = self.inside.locator(".jp-ModalCommandPalette")
        palette.locator("input").fill(words)
        expect(palette.locator(".lm-CommandPalette-item").first).to_be_visible()
        self.page.keyboard.press("Enter")

    @property
    def terminal(self) -> Locator:
        """The terminal in front: its lines as a screen reader is told them, since what is seen is a drawing."""
        return self.inside.locator(".jp-Terminal:visible .xterm-accessibility")

    def type(self, line: str) -> None:
        """Type a line into the terminal in front, key by key."""
        self.inside.locator(".jp-Terminal:visible textarea").focus()
        self.page.keyboard.type(line)
        self.page.keyboard.press("Enter")

    def file(self, name: str) -> Locator:
        """Return the row of a file in the file browser."""
        return self.files.filter(
            has=self.inside.locator(".jp-DirListing-itemText", has_text=re.compile(f"^{re.escape(name)}$"))
        )

    def rename(self, name: str, to: str) -> None:
        """Rename a file in the file browser by F2."""
        self.file(name).click()
        self.page.keyboard.press("F2")
        self.name_it(to)

    def name_it(self, name: str) -> None:
        """Type a name into the row that is being named."""
        editor = self.inside.locator("input.jp-DirListing-editor")
        editor.fill(name)
        editor.press("Enter")
        expect(self.file(name)).to_be_visible()

    def delete(self, name: str) -> None:
        """Delete a file in the file browser and confirm it."""
        self.file(name).click()
        self.page.keyboard.press("Delete")
        self.accept()
        expect(self.file(name)).to_have_count(0)

    def accept(self) -> None:
        """Press the button of a dialog that goes on."""
        self.inside.locator(".jp-Dialog .jp-mod-accept").last.click()
