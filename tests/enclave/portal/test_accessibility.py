"""What a keyboard and a screen reader need, checked on every page as it is served."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tests.enclave.portal.test_pages import PAGES
from tests.enclave.portal.world import ROOT, SMALL, TABLE, World, picture

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, their text and what they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[dict[str, object]] = []
        self.open: list[dict[str, object]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "attrs": {k: v or "" for k, v in attrs}, "text": "", "in": [e["tag"] for e in self.open]}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open[-1]["tag"] == tag, f"<{self.open[-1]['tag']}> is closed by </{tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] = str(element["text"]) + data

    def all(self, *tags: str) -> list[dict[str, object]]:
        return [each for each in self.elements if each["tag"] in tags]


def attrs(element: dict[str, object]) -> dict[str, str]:
    return dict(element["attrs"])  # type: ignore[call-overload,no-any-return]


def faults(page: Page) -> list[str]:
    own = [str(e["tag"]) for e in page.elements if "svg" not in str(e["in"])]
    found = [f"{tag}: not exactly one" for tag in ("h1", "main", "title") if own.count(tag) != 1]
    # Of the picture itself: its parts may have titles of their own.
    named = sum(e["tag"] == "title" and list(e["in"])[-1:] == ["svg"] for e in page.elements)  # type: ignore[call-overload]
    found += ["a picture without a title"] if named != len(page.all("svg")) else []
    ids = Counter(attrs(e)["id"] for e in page.elements if "id" in attrs(e))
    found += [f"id {name} {count} times" for name, count in ids.items() if count > 1]
    labelled = {attrs(e).get("for") for e in page.all("label")}
    for e in page.all("input", "select", "textarea"):
        a = attrs(e)
        if a.get("type") != "hidden" and a.get("id") not in labelled and "label" not in str(e["in"]):
            found.append(f"no label: {a}")
    for e in page.elements:
        refers = (attrs(e).get("aria-describedby", "") + " " + attrs(e).get("aria-labelledby", "")).split()
        found += [f"{e['tag']} refers to no id {name}" for name in refers if name not in ids]
    speaking = page.all("a", "button", "h1", "h2", "h3", "th", "legend", "summary")
    found += [f"empty {e['tag']} {e['attrs']}" for e in speaking if not str(e["text"]).strip()]
    found += [f"no alt {e['attrs']}" for e in page.all("img") if "alt" not in attrs(e)]
    found += [f"th without scope {e['text']}" for e in page.all("th") if "scope" not in attrs(e)]
    levels = [int(str(e["tag"])[1]) for e in page.all("h1", "h2", "h3", "h4")]
    found += [f"h{b} after h{a}" for a, b in pairwise(levels) if b > a + 1]
    if attrs(page.all("a")[0]) != {"class": "skip", "href": "#main"}:
        found.append("the first link does not skip to the content")
    return found


@pytest.mark.parametrize("login", PAGES)
def test_pages_can_be_used_without_eyes_or_mouse(world: World, login: str) -> None:
    request = world.submit({"표2.csv": TABLE.encode(), "작은칸.csv": SMALL.encode(), "그림.png": picture()})
    seen = world.watched()
    world.publish_log()
    browser = world.browser(login)
    for pattern in PAGES[login]:
        path = ROOT + pattern.format(project=world.project_id, snapshot=world.snapshot_id, request=request, **seen)
        page = Page(browser.get(path).text)
        assert not page.open, path
        assert faults(page) == [], path


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two colours given as #rrggbb."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_that_meet_has_enough_contrast(scheme: int) -> None:
    import re
    from pathlib import Path

    from enclave.portal import app

    sheet = (Path(app.__file__).parent / "static/portal.css").read_text()
    blocks = re.findall(r":root \{(.*?)\n *\}", sheet, re.DOTALL)
    values = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [("ink", "ground"), ("ink", "sheet"), ("soft", "ground"), ("soft", "sheet"), ("accent", "sheet"),
             ("accent", "ground"), ("accent", "accent-pale"), ("accent-ink", "accent"), ("ok", "ok-pale"),
             ("warn", "warn-pale"), ("stop", "stop-pale"), ("stop", "sheet"), ("sheet", "stop"),
             ("ink", "ok-pale"), ("ink", "warn-pale"), ("ink", "stop-pale"), ("soft", "warn-pale")]  # fmt: skip
    weak = {f"{a} on {b}": round(contrast(values[a], values[b]), 2) for a, b in pairs
            if contrast(values[a], values[b]) < 4.5}  # fmt: skip
    edges = [("edge", "sheet"), ("focus", "sheet"), ("focus", "ground")]
    weak |= {f"{a} beside {b}": contrast(values[a], values[b]) for a, b in edges if contrast(values[a], values[b]) < 3}
    assert weak == {}
