"""The log's pages and doors: a question and its answer, one entry, plots, kept filters, exports; who sees what."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from enclave.portal.log_lines import PAGES
from tests.enclave.portal.world import ACCOUNTS, ROOT, TABLE, World

ROOT_OF = Path(__file__).parents[3] / "enclave/portal"
READERS = {"haneul", "sora"}
PATHS = ("/log", "/log/0", "/log/activity", "/log/exports", "/log/find?entry=0")


def numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r'<td class="num"><a href="[^"]*/log/(\d+)">', text)]


@pytest.mark.parametrize("login", ACCOUNTS)
def test_only_reviewers_and_auditors_see_the_log(world: World, login: str) -> None:
    world.publish_log()
    browser = world.browser(login)
    for path in PATHS:
        answer = browser.get(ROOT + path)
        assert answer.status_code == (303 if "find" in path else 200 if login in READERS else 403), path
    for path in ("/log", "/log/entries/0", "/log/exports"):
        assert browser.api("GET", path).status_code == (200 if login in READERS else 403), path
    body = {"question": {}, "form": "csv", "reason_code": "log.inspection", "reason": "r"}
    assert browser.api("POST", "/log/exports", body).status_code == (200 if login in READERS else 403)


def test_pages_never_shift_and_a_whole_task_is_asked_for(world: World) -> None:
    browser = world.browser("haneul")
    for _ in range(30):
        browser.get(f"{ROOT}/log")
    world.publish_log()
    first = browser.get(f"{ROOT}/log").text
    older = re.search(r'href="([^"]*after=\d+[^"]*)"', first)
    assert older
    second = browser.get(older[1].replace("&amp;", "&")).text
    assert len(numbers(first)) == 50
    assert numbers(second) == list(range(numbers(first)[-1] - 1, -1, -1))[:50]
    world.publish_log()  # the looks themselves
    assert numbers(browser.get(older[1].replace("&amp;", "&")).text) == numbers(second)
    rights = browser.get(f"{ROOT}/log", params={"action": "task:권한변경"}).text
    assert 0 < len(numbers(rights)) <= 50
    assert browser.get(f"{ROOT}/log", params={"task": "권한변경"}).text.count("<tr>") == rights.count("<tr>")
    assert 'value="task:권한변경" selected' in rights


@pytest.mark.parametrize("asked", ["begin=gestern", "place=x", "text=%25", "recent=3", "outcome=fine"])
def test_a_question_that_means_nothing_is_shown_beside_its_refusal(world: World, asked: str) -> None:
    answer = world.browser("haneul").get(f"{ROOT}/log?{asked}")
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert world.browser("haneul").api("GET", f"/log?{asked}").status_code == 422


def test_an_entry_shows_the_five_items_its_bytes_and_its_session(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    world.publish_log()
    browser = world.browser("haneul")
    number = numbers(browser.get(f"{ROOT}/log?action=egress.submit").text)[0]
    text = browser.get(f"{ROOT}/log/{number}").text
    order = [text.index(word) for word in ("계정", "접속일시", "접속지", "처리한 정보주체", "수행업무")]
    assert order == sorted(order)
    entry = browser.api("GET", f"/log/entries/{number}").json()
    raw = re.findall(r'<pre class="mono" tabindex="0">(.*?)</pre>', text, re.DOTALL)[1]
    assert json.loads(raw.replace("&#34;", '"')) == entry["entry"]
    assert f'href="{ROOT}/review/{request}"' in text
    assert f'href="{ROOT}/log?thing={request}"' in text
    assert 'aria-current="true"' in text
    found = browser.get(f"{ROOT}/log/find", params={"entry": entry["entry_id"]}, follow_redirects=True)
    assert f"<h1>기록 {number}</h1>" in found.text
    assert browser.get(f"{ROOT}/log/99999999").status_code == 404
    assert browser.get(f"{ROOT}/log/none-such").status_code == 404


def test_an_entry_about_the_log_tells_what_was_asked(world: World) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    browser.get(f"{ROOT}/log", params={"text": "<b>김수한무", "recent": "30"})
    world.publish_log()
    number = numbers(world.browser("sora").get(f"{ROOT}/log?action=log.view").text)[0]
    text = world.browser("sora").get(f"{ROOT}/log/{number}").text
    assert "무엇을 찾았나" in text
    assert "&lt;b&gt;김수한무" in text
    assert "김수한무" not in json.dumps(browser.api("GET", f"/log/entries/{number}").json(), ensure_ascii=False)


def test_a_filter_is_kept_and_dropped(world: World) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    assert browser.form("/log/filters", name="한 달 <b>", action="task:반출", recent="30").status_code == 303
    page = browser.get(f"{ROOT}/log").text
    assert "한 달 &lt;b&gt;" in page
    assert "recent=30&amp;task=" in page
    assert "한 달" not in world.browser("sora").get(f"{ROOT}/log").text
    [kept] = browser.api("GET", "/log/filters").json()["filters"]
    assert (kept["question"]["task"], kept["question"]["recent"]) == ("반출", "30")
    assert browser.form("/log/filters", name="", recent="30").status_code == 422
    made = browser.api("POST", "/log/filters", {"name": "x", "question": {"outcome": "denied"}})
    assert made.status_code == 201
    assert browser.form(f"/log/filters/{kept['id']}/drop").status_code == 303
    assert browser.api("POST", f"/log/filters/{made.json()['id']}/drop").json() == {"dropped": True}
    assert browser.api("GET", "/log/filters").json() == {"filters": []}


def test_entries_are_taken_out_with_a_reason_and_the_list_names_the_file(world: World) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    fields = {"form": "csv", "reason_code": "log.periodic-review", "why": "11월 <b>점검", "action": "role.grant"}
    answer = browser.form("/log/export", **fields)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    export = answer.headers["x-ansim-export"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert {row["업무 코드"] for row in rows} == {"role.grant"}
    told = browser.api("GET", f"/log/exports/{export}").json()
    assert (told["entries"], told["sha256"]) == (len(rows), hashlib.sha256(answer.content).hexdigest())
    assert told["checkpoint"] == (world.settings.log / "checkpoint").read_text()
    listed = world.browser("sora").get(f"{ROOT}/log/exports").text
    assert told["sha256"] in listed
    assert "11월 &lt;b&gt;점검" in listed
    manifest = browser.get(f"{ROOT}/log/exports/{export}.json")
    assert manifest.json() == told
    for damage in ({"why": ""}, {"reason_code": "because"}, {"form": "xlsx"}, {"begin": "nie"}):
        refused = browser.form("/log/export", **(fields | damage))
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True), damage


def test_an_evidence_bundle_is_taken_out_by_page_and_door_and_proves_itself(world: World, tmp_path) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    fields = {"form": "bundle", "reason_code": "log.inspection", "why": "감사", "action": "role.grant"}
    page = browser.form("/log/export", **fields)
    body = {"question": {"action": "role.grant"}, "form": "bundle", "reason_code": "log.inspection", "reason": "감사"}
    door = browser.api("POST", "/log/exports", body)
    for answer in (page, door):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        folder = tmp_path / answer.headers["x-ansim-export"]
        zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
        (bundle,) = folder.iterdir()
        key = (world.settings.keys / "log.pub").read_text().strip()
        command = [sys.executable, "-I", bundle / "verify.py", "--key", key, "--lang", "en"]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        entries = (bundle / "entries.jsonl").read_bytes().splitlines()
        assert {json.loads(each)["action"] for each in entries} == {"role.grant"}
    nothing = browser.form("/log/export", **(fields | {"action": "drill.request"}))
    assert (nothing.status_code, 'role="alert"' in nothing.text) == (404, True)


def test_plots_have_their_numbers_and_lead_to_the_entries(world: World) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    for asked in ({"project": world.project_id}, {"actor": "jiwoo"}, {}, {"lang": "en"}, {"recent": "365"}):
        text = browser.get(f"{ROOT}/log/activity", params=asked).text
        assert text.count("<svg") == 2, asked
        assert "style=" not in text
        day = re.search(r'href="[^"]*(/log\?[^"]*begin=[^"]*)"', text)
        assert day
        assert numbers(browser.get(ROOT + day[1].replace("&amp;", "&")).text)
    empty = browser.get(
        f"{ROOT}/log/activity", params={"project": "<p>", "begin": "2020-01-01", "end": "2020-02-01", "lang": "ko"}
    )
    assert "&lt;p&gt;" in empty.text
    assert "조건에 맞는 기록이 없습니다" in empty.text
    assert browser.get(f"{ROOT}/log/activity?begin=nie").status_code == 422
    told = browser.api("GET", "/log/activity?since=2026-01-01T00:00:00Z&until=2100-01-01T00:00:00Z").json()
    assert sum(each["entries"] for each in told["done"]) > 30


def test_every_kind_of_thing_has_a_page_where_the_log_says_so() -> None:
    # Each path is one that the application serves; a link to nowhere helps nobody.
    source = "\n".join(path.read_text() for path in (ROOT_OF / "pages").glob("*.py"))
    for path in PAGES.values():
        pattern = re.escape(path).replace(r"\{\}", r"\{[a-z_]+\}")
        assert re.search(rf'@router\.get\("{pattern}"\)', source), path
