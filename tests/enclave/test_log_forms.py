"""Entries as files: no cell of a CSV that a spreadsheet would run, JSONL that is the entry, OCSF by its schema."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from audit.event import OUTCOMES, Event, Subjects
from audit.hours import Done
from enclave.actions import Action, Task
from enclave.logbook import csv_form, jsonl_form, ocsf
from enclave.logbook.activity import lay_out
from enclave.logbook.charts import short, timeline, week
from enclave.logbook.export_words import ExportForm
from enclave.logbook.files import WRITERS, File
from enclave.logbook.line import Line
from enclave.logbook.question import NAMES, Question, actions_of
from tests.entry_form import unwatched

SCHEMAS = Path(__file__).parents[1] / "vectors/ocsf-1.5.0"
AT = "2026-11-28T23:30:00.000001Z"
EVILS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u3000=1",
    "\u00a0=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
    '=HYPERLINK("x")',
)
# Written out once more: the test must not ask the code what runs.
RUN = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def line(number: int = 0, *, login: str = "mina", **fields: object) -> Line:
    values = {"action": "egress.submit", "outcome": "done", "actor_id": "u-1"} | fields
    entry_id = f"{number:026}"
    return Line(number, entry_id, unwatched(Event(**values), entry_id=entry_id, at=AT, observer="portal"), login)


def cells(*lines: Line) -> list[dict[str, str]]:
    text = b"".join(csv_form.chunks(lines)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("evil", EVILS, ids=repr)
def test_no_cell_of_a_csv_is_a_formula(evil: str) -> None:
    # Of no action of ours: the suite holds those to the form that their entries have.
    made = line(
        action="thing.add", login=evil, actor_role=evil, from_ip=evil, session=evil, object_kind=evil, object_id=evil,
        project=evil, reason_code=evil, reason_text=evil, rule=evil, subjects=Subjects(1, evil), details={"a": evil},
    )  # fmt: skip
    for cell in cells(made)[0].values():
        assert not cell.lstrip(" \u00a0\u3000").startswith(RUN), cell


@given(st.text(max_size=30))
def test_a_cell_keeps_its_text_and_never_runs(text: str) -> None:
    safe = csv_form.safe(text)
    assert safe in {text, f"'{text}"}
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))


def test_a_csv_has_a_byte_order_mark_and_the_five_items_first() -> None:
    made = line(7, from_ip="10.0.0.1", subjects=Subjects(12, "pseudonymised"), details={"n": 1})
    assert b"".join(csv_form.chunks([made])).startswith(b"\xef\xbb\xbf")
    row = cells(made)[0]
    assert list(row.values())[:5] == ["mina", "2026-11-29 08:30:00", "10.0.0.1", "12", "반출"]
    assert (row["업무"], row["순번"], row["잎 해시"]) == (
        "반출 신청",
        "7",
        hashlib.sha256(b"\0" + made.data).hexdigest(),
    )


def test_jsonl_holds_the_entry_byte_by_byte() -> None:
    odd = Line(1, "B" * 26, b"\xff no entry\n")
    first, second = b"".join(jsonl_form.chunks([line(), odd])).splitlines()
    assert first.split(b'"entry":', 1)[1][:-1] == line().data
    assert json.loads(first)["leaf_hash"] == line().leaf
    assert base64.b64decode(json.loads(second)["base64"]) == odd.data


@pytest.fixture(scope="module")
def validators() -> dict[int, Draft202012Validator]:
    names = {ocsf.API_ACTIVITY: "api_activity", ocsf.AUTHENTICATION: "authentication"}
    return {
        uid: Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text())) for uid, name in names.items()
    }


@pytest.mark.parametrize("action", Action)
def test_every_action_is_an_event_of_the_pinned_ocsf_version(validators, action: Action) -> None:
    whole = {
        "actor_role": "auditor", "from_ip": "10.0.0.1", "session": "s-1", "object_kind": "snapshot", "object_id": "x",
        "object_sha256": "ab" * 32, "project": "p-1", "reason_code": "a.b", "rule": "r", "details": {"n": 1, "t": True},
        "subjects": Subjects(3, "identified"),
    }  # fmt: skip
    for outcome, fields in ((outcome, fields) for outcome in OUTCOMES for fields in ({}, whole)):
        event = ocsf.event(line(action=action.value, outcome=outcome, **fields))
        assert event["metadata"]["version"] == ocsf.VERSION
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        errors = [error.message for error in validators[event["class_uid"]].iter_errors(event)]
        assert errors == []


def test_a_schema_refuses_what_is_no_event(validators) -> None:
    event = ocsf.event(line())
    for damage in ({"api": None}, {"activity_id": 77}, {"severity_id": "high"}, {"invented": 1}):
        assert list(validators[ocsf.API_ACTIVITY].iter_errors(event | damage)), damage


def test_bytes_that_are_no_entry_are_an_event_all_the_same(validators) -> None:
    event = ocsf.event(Line(3, "C" * 26, b"\xff"))
    assert list(validators[ocsf.API_ACTIVITY].iter_errors(event)) == []


@pytest.mark.parametrize("form", WRITERS)
def test_a_file_knows_its_rows_and_its_hash_and_is_never_whole_in_memory(form: ExportForm) -> None:
    taken = 0

    def lines():
        nonlocal taken
        for number in range(2_000):
            taken += 1
            yield line(number)

    file = File(WRITERS[form], lines())
    pieces = iter(file)
    first = next(pieces)
    assert taken <= 300
    data = first + b"".join(pieces)
    assert (file.rows, file.sha256) == (2_000, hashlib.sha256(data).hexdigest())


def test_no_form_loses_an_empty_log() -> None:
    assert [b"".join(File(writer, ())).count(b"\n") for writer in WRITERS.values()] == [1, 0, 0]


# --- questions and plots -----------------------------------------------------------------------------------------


def test_a_question_is_the_same_however_it_came() -> None:
    typed = {"actor": " mina ", "text": "x" * 300, "unknown": "1", "end": ""}
    question = Question.of(typed)
    assert question.given() == {"actor": "mina", "text": "x" * 200}
    assert Question.of(question.given()) == question
    assert Question.of({"text": "x" * 200, "actor": "mina"}).sha256 == question.sha256 != Question().sha256
    assert len({Question.of({name: "1"}).sha256 for name in NAMES}) == len(NAMES)


def test_every_action_belongs_to_one_task() -> None:
    assert sorted(name for task in Task for name in actions_of(task)) == sorted(action.value for action in Action)


def done(moment: str, action: str = "code.executed", outcome: str = "done", entries: int = 1) -> Done:
    return Done(datetime.fromisoformat(moment).replace(tzinfo=UTC), action, outcome, entries)


def test_hours_are_laid_out_in_korean_days() -> None:
    found = lay_out(
        [
            done("2026-11-01T14:00", entries=5),  # 23:00 on Sunday
            done("2026-11-01T15:00", entries=7, outcome="denied"),  # midnight, Monday
            done("2026-11-02T03:00", "role.grant"),
            done("2026-11-09T03:00", "unheard.of"),
            done("2026-12-25T03:00"),
        ],
        date(2026, 11, 1),
        date(2026, 11, 9),
    )
    assert [(bar.entries, bar.refused, bar.alerts) for bar in found.total[:2]] == [(5, 0, 0), (8, 7, 1)]
    assert (found.entries, found.refused) == (14, 7)
    assert (found.week[6][23], found.week[0][0], found.week[0][12]) == (5, 7, 2)
    assert list(found.lanes) == [Task.VIEW, Task.RIGHTS, None]


@given(st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.integers(0, 2_000))
def test_bars_cover_every_day_once(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    bars = lay_out([], first, last).total
    days = [bar.first + timedelta(days=number) for bar in bars for number in range((bar.last - bar.first).days + 1)]
    assert days == [first + timedelta(days=number) for number in range(length + 1)]
    assert len(bars) <= 110


def test_a_plot_is_one_well_formed_picture_with_every_count_in_words() -> None:
    draw = random.Random(1)
    names = [action.value for action in Action]
    found = [
        done(
            f"2026-10-{day:02}T{draw.randrange(24):02}:00",
            draw.choice(names),
            draw.choice(OUTCOMES),
            draw.randrange(1, 9),
        )
        for day in range(1, 29)
        for _ in range(9)
    ]
    layout = lay_out(found, date(2026, 10, 1), date(2026, 10, 31))
    evil = "<script>alert('x')</script>"
    lanes = dict.fromkeys(layout.lanes, evil)
    for svg in (
        timeline(layout, lanes, lambda key, **values: f"{key} {values} {evil}"),
        week(layout, [evil] * 7, lambda key, **values: f"{key} {values} {evil}"),
    ):
        root = ET.fromstring(svg)
        assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
        assert root[0].tag.endswith("title")
    titles = "".join(
        element.text or "" for element in ET.fromstring(week(layout, list("월화수목금토일"), str_of)).iter()
    )
    for weekday, row in enumerate(layout.week):
        for hour, count in enumerate(row):
            assert f"{'월화수목금토일'[weekday]} {hour:02} {count:,};" in titles


def str_of(key: str, **values: object) -> str:
    return f"{values.get('day', '')} {values.get('hour', '')} {values.get('entries', '')};"


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0"), (999, "999"), (1_000, "1.0k"), (34_499, "34k"), (2_100_000, "2.1M")]
)
def test_a_count_fits_its_cell(count: int, told: str) -> None:
    assert short(count) == told


HOSTILE = {
    "half a character": b'{"action":"a.b","actor":{"id":"\\ud800"},"outcome":"\\udfff"}',
    "half a character as it is": b'{"action":"a.b","reason":{"text":"\xed\xa0\x80"}}',
    "two bytes a character": '{"action":"a.b","at":"2026"}'.encode("utf-16"),
    "before any calendar": b'{"action":"a.b","at":"0001-01-01T00:00:00"}',
    "after any calendar": b'{"action":"a.b","at":"9999-12-31T23:00:00Z"}',
    "a zero character": b'{"action":"a.b","project":"\\u0000"}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_bytes_past_the_outbox_break_no_export_off(case: str) -> None:
    """Whoever watches from outside would be blind from then on."""
    odd = [Line(1, "B" * 26, HOSTILE[case]), line()]
    for form in (jsonl_form, ocsf):
        assert len([json.loads(each) for each in b"".join(form.chunks(odd)).decode().split("\n")[:-1]]) == len(odd)
    assert len(cells(*odd)) == len(odd)
