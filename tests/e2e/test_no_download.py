"""Every way in which a person could click a file out of the workspace: absent, or refused and on record."""

from __future__ import annotations

import hashlib

import pytest
from playwright.sync_api import expect

from tests.e2e.acts import entries, until
from tests.e2e.browsing import shot, visitors
from tests.e2e.lab import Lab

NOTE = "내려받기.ipynb"
WORDS = ("Download", "Export", "Browser Tab", "Save and Export", "Download Link", "Open from URL")


@pytest.fixture(scope="module")
def lab(world):
    """A window with a notebook; what was downloaded is collected in `lab.taken`."""
    mina = world.session("mina")
    mina.save_notebook(NOTE, ["x = 41"])
    with visitors(world) as people, people.window("mina") as (page, _):
        page.set_default_timeout(45_000)
        made = Lab(page, mina.workspace)
        page.on("download", lambda got: made.taken.append(got.url))
        made.open(NOTE)
        yield made


def _offered(lab, *path: str) -> list[str]:
    return [text for text in lab.items(*path) if any(word in text for word in WORDS)]


@pytest.mark.parametrize("menu", ["File", "Edit", "View", "Run", "Kernel", "Settings", "Help"])
def test_no_menu_offers_a_download(lab, menu):
    assert len(lab.items(menu)) > 2
    assert _offered(lab, menu) == []


@pytest.mark.parametrize("name", ["table.csv", "hdl.png", NOTE])
def test_a_files_own_menu_offers_no_download(lab, name):
    lab.file(name).click(button="right")
    offered = lab.offered()
    assert "Rename" in offered
    assert not [text for text in offered if any(word in text for word in WORDS)]


def test_the_palette_knows_no_download(lab):
    lab.page.keyboard.press("Control+Shift+c")
    palette = lab.inside.locator(".jp-ModalCommandPalette")
    for word in ("download", "export", "browser tab"):
        palette.locator("input").fill(word)
        expect(palette).to_be_visible()
        found = palette.locator(".lm-CommandPalette-itemLabel").all_inner_texts()
        assert not [text for text in found if any(each.lower() in text.lower() for each in WORDS)], found
    lab.page.keyboard.press("Escape")


def test_no_row_of_the_file_browser_can_be_dragged_to_the_desktop(lab):
    assert lab.files.count() > 3
    assert lab.inside.locator(".jp-FileBrowser [draggable=true]").count() == 0


ADDRESSES = {
    "files/table.csv": "files",
    "files/table.csv?download=1": "files",
    "view/table.csv": "files",
    f"nbconvert/html/{NOTE}?download=true": "export",
    f"nbconvert/script/{NOTE}": "export",
    "api/nbconvert": "export",
    "api/contents/table.csv?format=base64&type=file": "contents",
    "api/contents/table.csv?download=1": "contents",
    "api/contents/hdl.png?type=file&format=base64&content=1": "contents",
    "lab/api/extensions": "extensions",
    "lsp/status": "proxy",
    "proxy/8085/": "proxy",
    "bundle?notebook=x.ipynb&bundler=zip": "export",
    "new-thing": "other",
}


@pytest.fixture(scope="module")
def before(world):
    """How long the log was before the first address was tried."""
    return len(entries(world))


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(("address", "kind"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_typed_into_the_browser_shows_the_reason_and_the_way_that_is_open(world, lab, address, kind):
    page = lab.page.context.new_page()
    try:
        assert page.goto(f"{lab.base}/{address}").status == 403
        expect(page.locator("h1")).to_contain_text(
            "없습니다" if kind in {"files", "export", "contents"} else "닫혀 있습니다"
        )
        expect(page.locator("main")).to_contain_text("This attempt has been recorded.")
        assert (
            page.locator("a.first").get_attribute("href")
            == f"{world.session('mina').portal}/projects/{world.project_id}"
        )
        assert "age_band" not in page.content()
        if kind == "files":
            shot(page, "no-download")
    finally:
        page.close()
    assert lab.taken == []


def test_each_of_these_tries_is_on_record(world, before):
    """Each by its own entry, or as one of those that an entry counts: a minute has at most twenty of one kind."""

    wanted = {(hashlib.sha256(_path(each)).hexdigest(), kind) for each, kind in ADDRESSES.items()}

    def told() -> bool:
        refused = [each["details"] for each in entries(world)[before:] if each["action"] == "route.refused"]
        own = [each for each in refused if (each.get("path_sha256"), each.get("route")) in wanted]
        return len(own) + sum(each.get("more", 0) for each in refused) >= len(ADDRESSES)

    until("entries about all of them", told)


def _path(address: str) -> bytes:
    return address.partition("?")[0].strip("/").encode()


LINKS = {
    "a link of IPython's": "from IPython.display import FileLink; FileLink('table.csv')",
    "a link to the file": "from IPython.display import HTML; HTML('<a href=\"table.csv\">out</a>')",
    "a link to the address": "from IPython.display import HTML; HTML('<a href=\"/user/mina/files/a.csv\">out</a>')",
}


@pytest.mark.parametrize("code", LINKS.values(), ids=LINKS)
def test_a_link_in_an_output_downloads_nothing(lab, code):
    shown = lab.run(code)
    link = shown.locator("a").last
    expect(link).to_be_visible()
    link.click()
    lab.page.wait_for_timeout(1500)
    for page in lab.page.context.pages[1:]:
        assert "age_band" not in page.content()
        page.close()
    assert lab.taken == []
    lab.open(NOTE)


SCRIPTS = {
    "a blob": "a.href = URL.createObjectURL(new Blob(['secret'])); a.download = 'x.csv'",
    "a data address": "a.href = 'data:application/octet-stream,secret'; a.download = 'x.csv'",
    "a file": "a.href = '/user/mina/api/contents/table.csv?content=1'; a.download = 'x.json'",
}


@pytest.mark.parametrize("how", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_of_an_output_saves_nothing_to_the_disk(lab, how):
    frame = next(each for each in lab.page.frames if each.url.startswith(lab.base))
    frame.evaluate(f"() => {{ const a = document.createElement('a'); {how}; document.body.append(a); a.click() }}")
    lab.page.wait_for_timeout(1000)
    assert lab.taken == []
