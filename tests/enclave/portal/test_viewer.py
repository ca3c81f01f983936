"""Looking into files on the review page: everything can be seen, what was seen is counted, nothing active survives."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.airlock.preview import PieceView
from enclave.portal.marks import Place, place_of
from enclave.queries import egress
from tests.enclave.portal.world import ROOT, SMALL, TABLE, Browser, World, picture

LONG = "지역,환자수\n" + "".join(f"구{number},{number + 11}\n" for number in range(900))
TURNED = {"HX-Request": "true"}


def entries(world: World, action: str) -> int:
    with world.store.read() as rows:
        found = rows.connection().execute(select(audit_entry.c.bytes)).scalars()
        return sum(f'"{action}"'.encode() in data for data in found)


def files_of(world: World, request: str, login: str = "dahye") -> dict[str, str]:
    found = egress.request(world.store, world.actor(login), request, now=clock.now())
    return {file.name: file.id for file in found.files}


def shares(page: str) -> list[str]:
    return re.findall(r'id="share-[^>]*>(?:<span class="soft">.*?</span> )?<span class="tag (ok|warn)">', page)


def piece(browser: Browser, request: str, file: str, **query: object) -> str:
    answer = browser.get(f"{ROOT}/review/{request}/piece", params={"f": file, "p": 0, **query}, headers=TURNED)
    assert answer.status_code == 200, answer.text[-1000:]
    return answer.text


def test_each_session_leaves_one_entry_for_each_file_however_many_pages_it_turns(world: World) -> None:
    request = world.submit({"긴표.csv": LONG.encode(), "그림.png": picture()})
    browser, ids = world.browser("dahye"), files_of(world, request)
    before = entries(world, "egress.view")
    browser.get(f"{ROOT}/review/{request}")
    for start in (0, 100, 500):
        piece(browser, request, ids["긴표.csv"], **{"from": start})
    browser.get(f"{ROOT}/review/{request}/picture/{ids['그림.png']}")
    assert entries(world, "egress.view") == before + 2
    world.browser("dahye").get(f"{ROOT}/review/{request}")
    assert entries(world, "egress.view") == before + 4, "another session is another look"


def test_a_picture_asked_for_by_its_address_alone_leaves_an_entry_too(world: World) -> None:
    request = world.submit({"그림.png": picture()})
    before = entries(world, "egress.view")
    answer = world.browser("dahye").get(f"{ROOT}/review/{request}/picture/{files_of(world, request)['그림.png']}")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert entries(world, "egress.view") == before + 1


def test_every_row_of_a_long_file_is_reached_by_following_the_links_without_scripts(world: World) -> None:
    request = world.submit({"긴표.csv": LONG.encode()})
    browser = world.browser("dahye")
    path, seen = f"{ROOT}/review/{request}", set()
    while path:
        page = browser.get(path).text
        seen |= {int(number) for number in re.findall(r"<td>구(\d+)</td>", page)}
        found = re.search(r'<a href="([^"]+)"[^>]*data-turn="on"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == set(range(900))


def test_a_file_counts_as_shown_only_when_every_row_of_it_was_sent(world: World) -> None:
    request = world.submit({"긴표.csv": LONG.encode()})
    browser, file = world.browser("dahye"), files_of(world, request)["긴표.csv"]
    assert shares(browser.get(f"{ROOT}/review/{request}").text) == ["warn"]
    assert shares(piece(browser, request, file, find="구899")) == ["warn"]
    assert shares(piece(browser, request, file, **{"from": 501})) == ["warn"], "one row is still unseen"
    assert shares(piece(browser, request, file, sort=1, row=500)) == ["ok"]


def test_asking_what_was_shown_shows_nothing(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser, file = world.browser("dahye"), files_of(world, request)["표.csv"]
    for _ in range(3):
        assert shares(browser.get(f"{ROOT}/review/{request}/share", params={"f": file}).text) == ["warn"]
    assert shares(browser.get(f"{ROOT}/review/{request}").text) == ["ok"]


def test_what_one_person_was_shown_counts_for_nobody_else(world: World) -> None:
    request = world.submit({"그림.png": picture()})
    dahye, woojin, file = world.browser("dahye"), world.browser("woojin"), files_of(world, request)["그림.png"]
    dahye.get(f"{ROOT}/review/{request}/picture/{file}")
    assert shares(dahye.get(f"{ROOT}/review/{request}").text) == ["ok"]
    assert shares(woojin.get(f"{ROOT}/review/{request}").text) == ["warn"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({"find": "<15", "in": 1}, ["0", "1", "2", "3"]),
        ({"find": "<15", "in": 1, "sort": 1, "down": 1}, ["3", "2", "1", "0"]),
        ({"find": "구89", "sort": 1}, ["89", *(str(n) for n in range(890, 900))]),
        ({"find": "없는 것"}, []),
        ({"from": 898}, ["898", "899"]),
        ({"from": "x", "sort": "-1", "in": "999", "down": "yes"}, None),
    ],
    ids=str,
)
def test_a_table_is_sorted_and_filtered_on_the_server(
    world: World, query: dict[str, object], rows: list[str] | None
) -> None:
    request = world.submit({"긴표.csv": LONG.encode()})
    shown = piece(world.browser("dahye"), request, files_of(world, request)["긴표.csv"], **query)
    found = re.findall(r"<td>구(\d+)</td>", shown)
    assert found == rows if rows is not None else len(found) == 500


def test_flagged_cells_are_marked_and_their_findings_link_to_them(world: World) -> None:
    request = world.submit({"작은칸.csv": SMALL.encode()})
    file = files_of(world, request)["작은칸.csv"]
    page = world.browser("dahye").get(f"{ROOT}/review/{request}").text
    assert f'<td class="mark block" id="m-{file}-0-1-1" tabindex="-1">' in page
    assert re.search(rf'href="[^"]*row=1[^"]*#m-{file}-0-1-1"[^>]*>R3 C2', page)


SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'


def test_no_text_of_a_file_is_markup_in_a_name_a_cell_a_header_a_line_or_a_filter(world: World) -> None:
    table = f"n,{SCRIPT}\n20,{IMAGE.replace(chr(34), chr(39))}\n30,{SCRIPT}\n"
    request = world.submit({f"{IMAGE}.csv": table.encode(), "글.md": f"# {SCRIPT}\n`{IMAGE}`\n".encode()})
    browser = world.browser("dahye")
    page = browser.get(f"{ROOT}/review/{request}", params={"f": IMAGE, "find": SCRIPT, "p": SCRIPT}).text
    file = files_of(world, request)[f"{IMAGE}.csv"]
    for shown in (page, piece(browser, request, file, find=SCRIPT), piece(browser, request, file, find=IMAGE)):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_a_line_of_code_that_ends_a_tag_or_opens_an_attribute_stays_text(world: World) -> None:
    lines = ["</code></pre><h1>x</h1>", "a = '\" onload=alert(1) '", "<!-- -->", "\u202e거꾸로"]
    request = world.submit({"글.txt": "\n".join(lines).encode()})
    page = world.browser("dahye").get(f"{ROOT}/review/{request}").text
    assert "<h1>x</h1>" not in page
    assert "&lt;/code&gt;&lt;/pre&gt;" in page
    assert "\u202e" not in page
    assert "\\u202e거꾸로" in page


@pytest.mark.parametrize("path", ["piece?f={file}&p=0", "picture/{file}", "share?f={file}"])
def test_a_checker_with_an_interest_sees_nothing_of_a_file(world: World, path: str) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    file = files_of(world, request)["표.csv"]
    answer = world.browser("suyeon").get(f"{ROOT}/review/{request}/{path.format(file=file)}", headers=TURNED)
    assert answer.status_code in {403, 404}
    assert "환자수" not in answer.text


@pytest.mark.parametrize("path", ["piece?f={file}&p=7", "picture/{file}?p=1", "piece?f=nothing", "picture/nothing"])
def test_what_is_not_there_is_told_and_breaks_nothing(world: World, path: str) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    address = path.format(file=files_of(world, request)["표.csv"])
    assert world.browser("dahye").get(f"{ROOT}/review/{request}/{address}", headers=TURNED).status_code in {
        404,
        409,
        422,
    }


PIECES = [
    PieceView(kind="table", path=("시트 ‘가’",), needed=True, units=5, columns=3),
    PieceView(kind="table", path=("시트 ‘가’ R2",), needed=True, units=5, columns=3),
    PieceView(kind="text", path=("[1] 출력",), needed=True, units=9, columns=0),
]
WHOLE = [PieceView(kind="table", path=(), needed=True, units=5, columns=3)]


@pytest.mark.parametrize(
    ("words", "pieces", "place"),
    [
        ("R3 C2 (n)", WHOLE, Place(0, 1, 1)),
        ("R3 C2", WHOLE, Place(0, 1, 1)),
        ("C2 (R9 C9)", WHOLE, Place(0, None, 1)),
        ("R1 C2", WHOLE, Place(0, None, 1)),
        ("R3", WHOLE, Place(0, 1, 0)),
        ("R7 C1", WHOLE, None),
        ("R3 C4", WHOLE, None),
        ("R0 C0", WHOLE, None),
        ("", WHOLE, None),
        ("file name", WHOLE, None),
        ("시트 ‘가’ R3 C2 (n)", PIECES, Place(0, 1, 1)),
        ("시트 ‘가’ R2 R3 C2 (n)", PIECES, Place(1, 1, 1)),
        ("[1] 출력 L9", PIECES, Place(2, 8, None)),
        ("[1] 출력 L10", PIECES, None),
        ("[2] 출력 L1", PIECES, None),
    ],
)
def test_the_words_of_a_finding_lead_to_its_row_and_column(
    words: str, pieces: list[PieceView], place: Place | None
) -> None:
    assert place_of(words, pieces) == place


def words(world: World, request: str, **changes: object) -> dict[str, object]:
    found = egress.request(world.store, world.actor("dahye"), request, now=clock.now())
    judged = dict.fromkeys(("purpose_relation", "identifiability", "safety_measures"), "그렇습니다.")
    fields = {"round": str(found.round), "content": found.content_sha256, "decision": "approve",
              "reason_code": "output-checked", "comment": "나누어 주세요.",
              "override_reason": "집계표입니다."}  # fmt: skip
    return fields | judged | {"code": world.code("dahye")} | changes


def decided(browser: Browser, request: str, fields: dict[str, object]) -> tuple[int, str]:
    answer = browser.form(f"/review/{request}/decide", **fields)
    found = re.search(r'<span class="mono small">\(([a-z.-]+)\)</span>', answer.text)
    return answer.status_code, found[1] if found else ""


def test_an_approval_posted_without_having_been_shown_anything_is_refused(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser = world.browser("dahye")
    fields = words(world, request)
    body = {name: value for name, value in fields.items() if name != "content"}
    body |= {"content_sha256": fields["content"], "round": 1}
    for code in (fields["code"], ""):
        answer = browser.api("POST", f"/requests/{request}/decide", body | {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (403, "egress.not-shown")
    # This refusal comes with the page, and the page with the file: now it has been shown.
    assert decided(browser, request, fields | {"code": ""}) == (403, "egress.not-shown")
    assert decided(browser, request, fields | {"code": ""})[0] == 303


def test_an_approval_after_the_first_page_alone_is_refused_until_the_last_row_was_sent(world: World) -> None:
    few = "지역,환자수\n" + "".join(f"구{number},{number + 11}\n" for number in range(600))
    request = world.submit({"긴표.csv": few.encode()})
    browser, file = world.browser("dahye"), files_of(world, request)["긴표.csv"]
    browser.get(f"{ROOT}/review/{request}")
    assert decided(browser, request, words(world, request)) == (403, "egress.not-shown")
    piece(browser, request, file, find="구599")
    assert decided(browser, request, words(world, request, code="")) == (403, "egress.not-shown")
    piece(browser, request, file, **{"from": 500})
    assert decided(browser, request, words(world, request, code=""))[0] == 303


def test_a_return_needs_no_look_at_everything(world: World) -> None:
    request = world.submit({"긴표.csv": LONG.encode()})
    fields = words(world, request, decision="return", reason_code="row-level")
    assert world.browser("dahye").form(f"/review/{request}/decide", **fields).status_code == 303


def test_a_picture_that_was_named_and_not_sent_was_not_seen(world: World) -> None:
    request = world.submit({"그림.png": picture()})
    browser = world.browser("dahye")
    browser.get(f"{ROOT}/review/{request}")
    assert decided(browser, request, words(world, request)) == (403, "egress.not-shown")
    browser.get(f"{ROOT}/review/{request}/picture/{files_of(world, request)['그림.png']}")
    assert decided(browser, request, words(world, request, code=""))[0] == 303


def test_seeing_all_of_a_file_is_recorded_once_and_outlives_the_portal(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser = world.browser("dahye")
    for _ in range(3):
        browser.get(f"{ROOT}/review/{request}")
    assert entries(world, "egress.shown") == 1
    object.__setattr__(world.portal, "coverage", type(world.portal.coverage)())  # what a restart forgets
    assert decided(browser, request, words(world, request))[0] == 303


def test_whoever_may_not_judge_a_request_leaves_no_word_of_having_seen_it(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    for login in ("mina", "jiwoo", "haneul"):
        page = world.browser(login).get(f"{ROOT}/review/{request}").text
        assert shares(page) == []
    assert entries(world, "egress.shown") == 0
