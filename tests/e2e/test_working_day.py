"""A working day in JupyterLab's real front end: everything a scientist does works, and nothing is asked in vain.

The tests share one window and stand in the order of the day. At its end: every request that the front end made is
on the gate's list, none was refused, none went to a stranger, and the console is clean.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets

import pytest
from playwright.sync_api import expect

from enclave.gate.door import routes
from enclave.gate.door.target import read_target
from tests.e2e.acts import entries, forget_layout, until
from tests.e2e.browsing import VIEW, shot, visitors
from tests.e2e.lab import Lab, Routes

# JupyterLab 4.6's own words on the console, without us as well: its search looks at a cell before the cell's editor is
# there, a reload leaves the debugger's question unanswered, and asking whether a name is free is a 404.
UPSTREAM = re.compile(
    "CodeMirrorEditor already set|Could not restore the debugger state: Canceled future"
    "|Failed to load resource: the server responded with a status of 404"
)
# The notebook server knows no such thing: so JupyterLab asks whether a name is free, and when a notebook is closed and
# deleted within a moment it ends a session that has just ended. What the gate refuses is 403, what breaks is 5xx.
IS_NOT_THERE = r"404 (GET|DELETE) \S+/api/(contents|sessions|kernels)/"
TERMINALS = "@jupyterlab/terminal-extension:plugin"
NOTE, PREVIEW, OTHER = "하루.ipynb", "미리보기.md", "새 노트.ipynb"
MADE = (NOTE, PREVIEW, OTHER, "walked", "walked further")


@pytest.fixture(scope="module")
def day(world):
    """Sign in by the form, go from the portal into the workspace; (Lab, what was heard, what was asked)."""
    mina = world.session("mina")
    for name in MADE:  # of a day that was broken off
        mina.http.delete(f"{mina.workspace}/api/contents/{name}", headers=mina._xsrf(mina.workspace))
    forget_layout(mina)
    mina.save_notebook(NOTE, ["import os\nx = 41"])
    answer = mina.http.put(f"{mina.workspace}/lab/api/settings/{TERMINALS}", headers=mina._xsrf(mina.workspace),
                           json={"raw": json.dumps({"screenReaderMode": True})})  # fmt: skip
    assert answer.status_code == 204
    host = mina.workspace.split("://")[1].split(":")[0]
    asked = Routes(host, "/user/mina/")
    with visitors(world) as people, people.window() as (page, heard):
        asked.look(page)
        people.sign_in(page, "mina")
        page.locator("a[href*='/desk/']").first.click()
        page.wait_for_url("**/desk/**")
        page.set_default_timeout(45_000)
        expect.set_options(timeout=45_000)
        lab = Lab(page, mina.workspace)
        lab.open(NOTE)
        yield lab, heard, asked
        print("\n".join(asked.shapes()), *asked.refused, sep="\nINFO ")


@pytest.fixture
def lab(day, request):
    """The window of the day; how it looks after the test is kept as a picture."""
    while day[0].page.locator(".jp-Dialog").count():  # left by a test that failed: one failure, not ten
        day[0].page.keyboard.press("Escape")
    yield day[0]
    shot(day[0].page, f"day-{request.node.originalname.removeprefix('test_')}")


def test_a_notebook_is_edited_and_run(lab):
    first = lab.notebook.locator(".jp-CodeCell").first
    first.locator(".cm-content").click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.insert_text("\nx + 1")
    lab.page.keyboard.press("Control+Enter")
    expect(first.locator(".jp-OutputArea-output")).to_have_text("42", timeout=60_000)


def test_a_plot_is_shown_as_a_picture(lab):
    shown = lab.run("import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]); plt.show()")
    expect(shown.locator("img[src^='data:image/png']")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_table_is_shown_as_a_table(lab, library):
    shown = lab.run(f"import {library}\n{library}.DataFrame({{'a': [1, 2]}})")
    expect(shown.locator("table.dataframe")).to_be_visible(timeout=60_000)


def test_the_completer_offers_what_fits_and_takes_it(lab):
    cell = lab.new_cell("os.getc")
    expect(lab.complete()).to_contain_text("getcwdb")
    lab.page.keyboard.press("Enter")
    expect(cell.locator(".cm-content")).to_contain_text("os.getcwd")


def test_the_tooltip_explains_a_function(lab):
    lab.new_cell("os.getcwd(")
    lab.page.keyboard.press("Shift+Tab")
    expect(lab.inside.locator(".jp-Tooltip")).to_contain_text("current working directory")
    lab.page.keyboard.press("Escape")


def test_the_contextual_help_follows_the_cursor(lab):
    lab.menu("Help", "Show Contextual Help")
    cell = lab.new_cell("os.getpid")
    expect(lab.inside.locator(".jp-Inspector")).to_contain_text("Return the current process id")
    lab.menu("Help", "Show Contextual Help")  # its item is a switch
    expect(lab.inside.locator(".jp-Inspector")).to_have_count(0)
    cell.locator(".cm-content").click()  # the panel took the keyboard with it


def test_the_document_is_searched(lab):
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Control+f")
    lab.inside.locator(".jp-DocumentSearch-input").first.fill("DataFrame")
    expect(lab.inside.locator(".jp-DocumentSearch-index-counter")).to_contain_text("/2")
    lab.page.keyboard.press("Escape")


def test_the_notebook_is_saved(lab):
    with lab.page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url
    ) as sent:
        lab.page.keyboard.press("Control+s")
    assert sent.value.ok


def test_a_running_cell_is_interrupted(lab):
    shown = lab.run("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    expect(shown).to_contain_text("begun")
    lab.menu("Kernel", "Interrupt Kernel")
    expect(shown).to_contain_text("KeyboardInterrupt")
    lab.idle()


def test_the_kernel_is_restarted_and_has_forgotten(lab):
    lab.menu("Kernel", "Restart Kernel…")
    lab.accept()
    lab.idle()
    expect(lab.run("print('x' in globals())")).to_contain_text("False", timeout=60_000)


def test_the_debugger_stops_at_a_breakpoint_and_shows_the_variables(lab):
    lab.inside.locator(".jp-DebuggerBugButton").click()
    cell = lab.new_cell("def double(n):\n    y = n * 2\n    return y\nprint(double(21))")
    # The gutter's first element is an invisible one that gives it its width.
    cell.locator(".cm-breakpoint-gutter .cm-gutterElement").nth(3).click()
    expect(lab.inside.locator(".jp-DebuggerBreakpoint")).to_have_count(1)
    cell.locator(".cm-content").click()
    lab.page.keyboard.press("Control+Enter")
    expect(lab.inside.locator(".jp-DebuggerVariables")).to_contain_text("21", timeout=30_000)
    shot(lab.page, "debugger")
    lab.inside.locator("jp-button[data-command='debugger:continue']").click()
    expect(cell.locator(".jp-OutputArea")).to_contain_text("42")
    lab.inside.locator(".jp-DebuggerBugButton").click()
    lab.idle()


def test_a_folder_is_made_renamed_and_deleted_in_the_file_browser(lab):
    lab.inside.get_by_role("button", name="New Folder").click()
    lab.name_it("walked")
    lab.rename("walked", "walked further")
    lab.delete("walked further")


def test_a_new_notebook_is_made_renamed_and_deleted(lab):
    lab.menu("File", "New Launcher")
    lab.inside.locator(".jp-LauncherCard[data-category='Notebook']:visible").click()
    lab.idle()
    lab.menu("File", "Rename Notebook…")
    lab.inside.locator(".jp-Dialog input").fill(OTHER)
    lab.accept()
    expect(lab.file(OTHER)).to_be_visible()
    lab.menu("File", "Close and Shut Down Notebook…")
    lab.accept()
    lab.delete(OTHER)


def test_a_small_table_opens_in_the_csv_viewer(lab):
    lab.file("table.csv").dblclick()
    expect(lab.inside.locator(".jp-CSVViewer:visible")).to_be_visible()
    lab.menu("File", "Close Tab")


def test_the_palette_makes_a_markdown_file_and_its_preview_is_shown(lab):
    lab.command("new markdown file")
    editor = lab.inside.locator(".jp-FileEditor:visible")
    editor.locator(".cm-content").click()
    lab.page.keyboard.insert_text("# 제목\n\n본문")
    lab.page.keyboard.press("Control+s")
    lab.inside.locator(".jp-Dialog input[type=text]").fill(PREVIEW)  # the first time it asks for a name
    lab.accept()
    expect(lab.file(PREVIEW)).to_be_visible()
    editor.click(button="right")
    lab.inside.locator(".lm-Menu-item:visible", has_text="Show Markdown Preview").click()
    expect(lab.inside.locator(".jp-MarkdownViewer h1")).to_contain_text("제목")
    lab.menu("File", "Close Tab")  # the preview
    lab.menu("File", "Close Tab")  # the text
    lab.delete(PREVIEW)


@pytest.fixture
def terminal(lab):
    """A terminal from the launcher, at its prompt; shut down again by the menu."""
    lab.menu("File", "New Launcher")
    lab.inside.locator(".jp-LauncherCard:visible", has_text="Terminal").click()
    expect(lab.terminal).to_contain_text("$")
    yield lab.terminal
    shot(lab.page, "terminal")
    lab.menu("File", "Shutdown Terminal")
    expect(lab.terminal).to_have_count(0)


def test_a_terminal_runs_what_is_typed_and_the_line_is_on_record(world, lab, terminal):
    own = secrets.token_hex(4)  # not a line of another day
    line = f"echo {own} $((6 * 7))."
    lab.type(line)
    expect(terminal).to_contain_text(f"{own} 42.")
    sha256 = hashlib.sha256(f"{line}\r".encode()).hexdigest()

    def recorded():
        found = world.session("haneul").api("GET", f"/code?project_id={world.project_id}").json()["code"]
        return [each["source"] for each in found if each["sha256"] == sha256]

    assert until("the typed line in the record", recorded) == ["terminal"]
    until("its hash in the log", lambda: [each for each in entries(world) if each["action"] == "code.executed"
                                          and each["object"]["sha256"] == sha256])  # fmt: skip


def test_a_terminal_follows_its_window(lab, terminal):
    def columns() -> int:
        lab.type("clear; echo columns=$(tput cols).")
        expect(terminal).to_contain_text(re.compile(r"columns=\d+\."))
        return int(re.search(r"columns=(\d+)\.", terminal.inner_text()).group(1))

    wide = columns()
    lab.page.set_viewport_size({"width": 1000, "height": 900})
    until("fewer columns", lambda: columns() < wide)
    lab.page.set_viewport_size(VIEW)
    until("as many as before", lambda: columns() == wide)


def test_a_setting_is_changed_in_the_settings_editor(lab):
    lab.menu("Settings", "Settings Editor")
    expect(lab.inside.locator(".jp-SettingsPanel")).to_be_visible()
    lab.inside.locator(".jp-PluginList-entry", has_text="CSV Viewer").first.click()
    with lab.page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/lab/api/settings/" in answer.url
    ) as sent:
        lab.inside.locator(".jp-SettingsForm:visible input[type=checkbox]").first.click()
    assert sent.value.ok
    lab.menu("File", "Close Tab")


def test_after_a_reload_the_same_kernel_is_there(lab):
    lab.file(NOTE).dblclick()
    lab.idle()
    lab.run("remembered = 'still here'")
    lab.idle()
    lab.page.keyboard.press("Control+s")
    lab.page.reload()
    lab.idle()
    expect(lab.run("print(remembered)")).to_contain_text("still here")
    lab.page.keyboard.press("Control+s")


def test_the_kernel_is_shut_down(lab):
    lab.menu("Kernel", "Shut Down Kernel")
    expect(lab.inside.get_by_role("button", name=re.compile("No Kernel")).first).to_be_visible()


def test_nothing_was_refused_no_stranger_asked_and_the_console_is_clean(day):
    _, heard, asked = day
    assert [answer for answer in asked.refused if not re.match(IS_NOT_THERE, answer)] == []
    assert heard.strangers == []
    assert [text for text in heard.errors if not UPSTREAM.match(text)] == []


def test_all_that_was_asked_is_on_the_gates_list(day):
    _, _, asked = day
    assert {method for method, _, _ in asked.asked} == {"GET", "POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"}
    assert {"api/terminals", "terminals/websocket/1"} <= {path for _, path, _ in asked.asked}
    beyond = [each for each in sorted(asked.asked) if not each[1].startswith("ansim/")]  # the gate's own pages
    missing = [each for each in beyond if not isinstance(_listed(*each), routes.Route)]
    assert missing == []


def _listed(method: str, path: str, query: str) -> routes.Route | str:
    target = read_target("mina", f"/user/mina/{path}?{query}".encode())
    websocket = method == "WEBSOCKET"
    return routes.find("GET" if websocket else method, target, websocket=websocket)


def test_a_route_that_nobody_listed_is_refused_explained_and_on_record(world, day):
    page = day[0].page
    answer = page.goto(f"{world.session('mina').workspace}/new-thing")
    assert answer.status == 403
    expect(page.locator("h1")).to_contain_text("닫혀 있습니다")
    expect(page.locator("[lang=en]")).to_contain_text("closed in the enclave")
    assert (
        page.locator("a").first.get_attribute("href") == f"{world.session('mina').portal}/projects/{world.project_id}"
    )
    shot(page, "refused")
    path = hashlib.sha256(b"new-thing").hexdigest()
    until("an entry about it", lambda: [each for each in entries(world) if each["action"] == "route.refused"
                                        and each["details"].get("path_sha256") == path])  # fmt: skip
