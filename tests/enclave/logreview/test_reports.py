"""The access-right report and the yearly report: what they say, and that they say it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from click.testing import CliRunner
from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE
from sqlalchemy import select

from audit import keys as log_keys
from audit.paper import Sheet
from audit.sequencer import Sequencer
from audit.tables import audit_entry
from enclave import reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.cli import ansim
from enclave.commands import people, reporting
from enclave.commands.acting import intent
from enclave.errors import Denied, Invalid
from enclave.model.people import Account
from enclave.queries import annual_report
from enclave.reports import annual, html, monthly, pdf, rights
from enclave.reports.basis import Basis
from enclave.reports.document import Column, Document, Section, Table
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import PeriodState
from enclave.store import open_engine
from tests.enclave.logreview.office import SECOND, Office
from tests.enclave.logreview.test_review import sign

DAY = date(2026, 11, 24)
BASIS = Basis(Sheet("ansim.test/log\n7\nAAAA\n\n— ansim.test/log BBBB\n"), 7, "△ 증인 없음")


def of_rights(office: Office, day: date = DAY, kind: str = "json") -> Any:
    settings = office.scene.means.settings
    made = reporting.of_rights(office.store, settings, office.actor("auditor"), day=day, kind=kind, now=office.now)
    return json.loads(made.data) if kind == "json" else made.data


def of_year(office: Office, kind: str = "json") -> Any:
    settings = office.scene.means.settings
    made = reporting.of_year(office.store, settings, office.actor("operator"), year=2026, kind=kind, now=office.now)
    return json.loads(made.data) if kind == "json" else made.data


def test_rights_are_told_as_they_were_on_that_day_whenever_it_is_asked(office: Office) -> None:
    office.grant()
    office.later(days=2)
    office.publish()
    before = {kind: of_rights(office, kind=kind) for kind in ("json", "html", "pdf")}
    operator = office.actor("operator")
    people.revoke_role(office.store, operator, login="nobody", role=Role.SCIENTIST, reason="끝남", now=office.now)
    office.later(days=1)
    assert {kind: of_rights(office, kind=kind) for kind in ("json", "html", "pdf")} == before
    office.publish()
    assert of_rights(office) == before["json"]
    assert of_rights(office, kind="html") != before["html"], "it is printed under the checkpoint of this day"
    held = {(line[0], line[3]): line for line in before["json"]["held"]}
    assert held["nobody", "연구자"][6:8] == ["operator", "시험"]
    after = of_rights(office, DAY + timedelta(days=2))
    assert ("nobody", "연구자") not in {(line[0], line[3]) for line in after["held"]}
    assert [(line[1], line[3], line[4]) for line in after["changes"] if line[1] == "nobody"] == [
        ("nobody", "granted", "operator"),
        ("nobody", "revoked", "operator"),
    ]


def test_a_right_nobody_used_for_ninety_days_is_listed_apart(office: Office) -> None:
    office.later(days=89)
    office.publish()
    assert of_rights(office, DAY + timedelta(days=88))["unused"] == []
    office.later(days=10)
    unused = of_rights(office, DAY + timedelta(days=97))["unused"]
    assert {line[0] for line in unused} >= {"lead", "checker-a", "operator"}
    assert all(line[-1] >= 90 for line in unused)


def test_a_year_counts_what_the_log_says_by_korean_month(office: Office) -> None:
    office.grant()
    project = office.scene.usual()
    office.scene.submitted(project)
    period = office.close()
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    sign(office, SECOND, period.id)
    assert office.period(period.id)[0].state is PeriodState.SIGNED
    found = of_year(office)
    by_name = {ko: counts for ko, _, *counts in found["measures"]}
    assert by_name["반출 신청"] == [*[0] * 10, 1, 0]
    assert sum(by_name["전체 접속기록"]) == period.size
    assert ["set-a", 1] in found["datasets"]
    assert [line[3:6] for line in found["reviews"]] == [[len(office.period(period.id)[1])] * 2 + [0]]
    assert of_year(office, "pdf") == of_year(office, "pdf")


def test_a_year_counts_nothing_of_the_drills_accounts_but_that_there_are_entries(office: Office) -> None:
    office.publish()
    of_year(office)
    office.publish()  # the report that was just made is an entry as well, and its maker one of the people
    before = of_year(office)
    counts = {ko: sum(months) for ko, _, *months in before["measures"]}
    drill = replace(office.actor("lead"), account_id="u-drill", login=reserved.DRILL)
    with office.store.write(intent(Action.ACCOUNT_CREATE, Actor.system(), ("account", "u-drill"))) as tx:
        account = Account(id="u-drill", login=reserved.DRILL, name="x", organisation_id="zone", password_hash="!")
        account.created_at = office.now
        tx.session.add(account)
        tx.also(intent(Action.ACCOUNT_LOG_IN, drill, ("account", "u-drill")))
        tx.also(intent(Action.EGRESS_SUBMIT, drill, ("project", "p-other"), outcome="denied"))
        by_gate = intent(Action.WORKSPACE_STARTED, Actor.system(), ("workspace", "w-drill"), project=reserved.PROJECT)
        tx.also(by_gate)
    office.publish()
    found = of_year(office)
    after = {ko: sum(months) for ko, _, *months in found["measures"]}
    assert found["people"] == before["people"]
    changed = {ko: after[ko] - counts[ko] for ko in after if after[ko] != counts[ko]}
    assert changed == {"새 계정": 1, "전체 접속기록": 5}, "the account, the drill's three, and the report before"


def test_what_was_signed_late_or_only_in_the_next_year_is_told_as_it_stood_at_the_end_of_the_year(
    office: Office,
) -> None:
    office.grant()
    first = office.close()
    office.settle(first.id)
    office.later(days=20)
    sign(office, "reviewer", first.id)
    sign(office, SECOND, first.id)
    second = office.close()
    assert of_year(office)["reviews"][1][6:] == ["", 4], "a year that goes on is told as of today"
    office.later(days=30)
    office.settle(second.id)
    for login in ("reviewer", SECOND):
        sign(office, login, second.id)
    assert [(line[0], bool(line[6]), line[7]) for line in of_year(office)["reviews"]] == [(1, True, 4), (2, False, 21)]


def test_reports_are_refused_to_others_and_of_what_is_not_over(office: Office) -> None:
    for login in ("lead", "steward-a", "checker-a"):
        with pytest.raises(Denied):
            reporting.of_year(
                office.store, office.scene.means.settings, office.actor(login), year=2026, kind="pdf", now=office.now
            )
    with pytest.raises(Invalid, match="pdf, html, json"):
        of_rights(office, DAY - timedelta(days=1), kind="docx")
    with pytest.raises(Invalid, match="끝나지 않은"):
        of_rights(office, DAY)


HOSTILE = "<script>alert(1)</script> & ‘따옴표’ 가나다 👍 " + "길" * 3_000


@pytest.mark.parametrize("rows", [0, 1, 200], ids=lambda rows: f"{rows} rows")
def test_whatever_people_write_is_drawn_as_text_on_as_many_pages_as_it_needs(rows: int) -> None:
    columns = (Column(("가", "a")), Column(("나", "b"), number=True))
    table = Table(columns, ((HOSTILE if rows == 1 else "짧음", "1"),) * rows)
    found = Document(
        (HOSTILE[:40], "x"), ((("라벨", "label"), HOSTILE[:60]),), (Section(("표", ""), table=table),), "0" * 64
    )
    page = html.page(found).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 2
    drawn = pdf.draw(found)
    assert drawn.startswith(b"%PDF")
    assert drawn == pdf.draw(found)


def test_the_data_of_a_report_have_one_spelling() -> None:
    assert monthly.source({"b": 1, "a": "각"}) == '{"a":"각","b":1}\n'.encode()
    decomposed = unicodedata.normalize("NFD", "각")
    assert monthly.source({"a": decomposed}) == monthly.source({"a": "각"})


def test_empty_reports_say_that_there_is_nothing() -> None:
    nothing = rights.document({"day": "2026-11-24", "held": [], "unused": [], "unused_days": 90, "changes": []}, BASIS)
    assert [section.text[0][0] for section in nothing.sections[:3]] == ["없습니다."] * 3
    year = annual.document(
        {"year": 2026, "until": "2026-12-31", "people": 0, "measures": [], "datasets": [], "reviews": []}, BASIS
    )
    assert [section.text[0][1] for section in year.sections[1:3]] == ["None."] * 2


def test_a_report_is_one_command_at_the_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIM_HOME", str(tmp_path))
    (tmp_path / "db").mkdir()
    runner = CliRunner()
    assert runner.invoke(ansim, ["db", "upgrade"]).exit_code == 0
    none = runner.invoke(ansim, ["report", "annual", "--year", "2026", "--out", str(tmp_path / "a.pdf")])
    assert none.exception.code == "report.no-log", "a report has to carry a checkpoint"
    _sign_log(tmp_path)
    for words in (("annual", "--year", "2026"), ("rights",)):
        for kind, begins in (("pdf", b"%PDF"), ("json", b"{"), ("html", b"<!doctype html>")):
            file = tmp_path / f"{words[0]}.{kind}"
            done = runner.invoke(ansim, ["report", *words, "--out", str(file)])
            assert done.exit_code == 0, done.output
            assert file.read_bytes().startswith(begins)
    refused = runner.invoke(ansim, ["report", "annual", "--year", "1999", "--out", str(tmp_path / "a.pdf")])
    assert refused.exception.code == "report.future"


def _sign_log(home: Path) -> None:
    settings = Settings.load(home)
    settings.keys.mkdir()
    signer = log_keys.create(settings.keys / "log.key", name=settings.log_origin)
    engine = open_engine(settings.url)
    sequencer = Sequencer(engine.execution_options(ansim_mode="write"), settings.log, signer, signer.name)
    sequencer.step()
    sequencer.close()
    engine.dispose()


@pytest.mark.parametrize("made", [of_rights, of_year], ids=["rights", "annual"])
def test_every_page_has_the_checkpoint_its_code_and_its_number(office: Office, made: Callable[..., Any]) -> None:
    office.later(days=1)
    office.publish()
    note = office.place.reader().note.decode()
    source = sha256(monthly.source(made(office))).hexdigest()
    printed = pypdfium2.PdfDocument(made(office, kind="pdf"))
    for number in range(len(printed)):
        text = printed[number].get_textpage().get_text_bounded().replace("\r\n", "\n")
        assert set(note.splitlines()[:3]) <= set(text.split("\n"))
        assert source in text
        assert f"{number + 1} / {len(printed)}" in text
        assert any(each.type == FPDF_PAGEOBJ_IMAGE for each in printed[number].get_objects())
    shown = made(office, kind="html").decode()
    assert "확인점의 QR 코드" in shown
    assert "△ 증인이 정해져 있지 않습니다" in shown
    with office.store.read() as session:
        last = session.scalars(select(audit_entry.c.bytes).order_by(audit_entry.c.position.desc())).first()
    assert json.loads(last)["details"]["size"] == office.place.reader().size


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    facts = {
        "format": annual_report.FORMAT, "year": 2026, "until": "2026-11-30", "people": 3,
        "measures": [["로그인", "sign-ins", *range(12)]],
        "datasets": [["set-a", 1]], "reviews": [],
    }  # fmt: skip
    (tmp_path / "facts.json").write_bytes(monthly.source(facts))
    drawn = pdf.draw(annual.document(facts, BASIS)), html.page(annual.document(facts, BASIS))
    code = (
        "import json, sys; from pathlib import Path; from enclave.reports import annual, html, pdf; "
        "from tests.enclave.logreview.test_reports import BASIS; "
        "found = annual.document(json.loads(Path(sys.argv[1]).read_bytes()), BASIS); "
        "sys.stdout.buffer.write(pdf.draw(found) + html.page(found))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "facts.json")],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert other.stdout == b"".join(drawn)
