"""What a window is made of: the signed entries with their history, and what only the database knows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from audit.event import Event
from audit.tables import audit_entry
from enclave.actions import Action
from enclave.commands import project
from enclave.commands.acting import intent
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.rolling import runs
from enclave.queries import review_limits, review_window
from enclave.queries.logreview import FindingView
from enclave.store import writable
from tests.enclave.logreview.office import Office

START = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN, MOST = timedelta(minutes=10), 3


def acted(office: Office, action: Action, login: str, *, ip: str = "10.0.0.9", **more: object) -> None:
    """Something this person did, as its command would record it."""
    event = intent(action, replace(office.actor(login), ip=ip), ("account", login))
    with office.store.write(replace(event, **more)):  # type: ignore[arg-type]
        pass


def found(office: Office, rule: Rule) -> list[FindingView]:
    return [each for each in office.period(office.close().id)[1] if each.rule is rule]


def test_a_place_known_from_long_before_the_window_is_no_new_place_and_another_one_is(office: Office) -> None:
    for ip in ("10.1.1.1", "10.2.2.2"):
        acted(office, Action.ACCOUNT_LOG_IN, "lead", ip=ip)
    office.close()
    office.later(days=50)
    acted(office, Action.ACCOUNT_LOG_IN, "lead", ip="10.1.1.1")
    acted(office, Action.ACCOUNT_LOG_IN, "lead", ip="10.3.3.3")
    assert [(each.login, each.told[1]) for each in found(office, Rule.NEW_PLACE)] == [
        ("lead", "first seen at 10.3.3.3")
    ]


def test_somebody_who_comes_back_is_noticed_although_their_last_visit_is_before_the_window(office: Office) -> None:
    acted(office, Action.ACCOUNT_LOG_IN, "lead")
    office.close()
    office.later(days=40)
    acted(office, Action.ACCOUNT_LOG_IN, "scientist")
    office.close()
    office.later(days=70)
    for login in ("lead", "scientist"):
        acted(office, Action.ACCOUNT_LOG_IN, login)
    assert [(each.login, each.told[0]) for each in found(office, Rule.DORMANT)] == [("lead", "110일 만의 로그인")]


def test_an_account_that_outlives_its_last_project_is_the_operators_to_explain(office: Office) -> None:
    made = office.scene.active()
    project.end_project(office.store, office.actor("lead"), project_id=made, reason="끝", now=office.now)
    told = {each.told[1].split()[1]: each.login for each in found(office, Rule.DORMANT)}
    assert told == {"lead": "", "scientist": "", "colleague": ""}


def test_a_rejected_output_counts_against_who_asked_even_if_they_asked_before_the_window(office: Office) -> None:
    made = office.scene.usual()
    asked = [office.scene.submitted(made, office.scene.checked(f"연령,수\n40대,{50 + n}\n")) for n in range(3)]
    office.close()
    office.later(days=40)
    for request in asked:
        acted(office, Action.EGRESS_REJECT, "checker-a", object_id=request, project=made, reason_code="x")
    assert [each.login for each in found(office, Rule.PROBING)] == ["scientist"]


def test_the_window_reads_what_was_signed_and_not_what_the_database_says_now(office: Office) -> None:
    acted(office, Action.CODE_EXECUTED, "lead")
    office.publish()
    with office.store.write(Event("log.canary", "failed", "sequencer")):
        pass
    with office.store.read() as session:
        log = office.place.reader()
        limits = review_limits.active(session)
        window = review_window.load(session, log, start=0, limits=limits, now=office.now)
    assert len(window.lines) == log.size
    assert [each.action for each in window.lines][-1] == Action.CODE_EXECUTED.value


def too_many(lines: Sequence[Line]) -> bool:
    return len(lines) >= MOST


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=40).map(sorted))
def test_runs_are_exactly_the_lines_of_stretches_that_exceed_and_never_overlap(seconds: list[int]) -> None:
    lines = [Line(n, START + timedelta(seconds=10 * at), "u", "x", "denied") for n, at in enumerate(seconds)]
    told = list(runs(lines, WITHIN, too_many))
    # Of every line, the stretch that ends with it: what a person with a ruler would mark.
    marked: set[int] = set()
    for end in lines:
        stretch = [each for each in lines if each.index <= end.index and end.at - each.at <= WITHIN]
        marked |= {each.index for each in stretch} if too_many(stretch) else set()
    assert [each.index for run in told for each in run] == sorted(marked)
    for one, other in itertools.pairwise(told):
        assert one[-1].index < other[0].index


PAST_THE_OUTBOX = {
    "no time": b'{"at":"zzz","action":"account.log-in","outcome":"done","actor":{"id":"u-lead"}}',
    "a year without days before it": b'{"at":"0001-01-01T00:00:00.000000Z","action":"a.b"}',
    "a year without days after it": b'{"at":"9999-12-31T23:00:00.000000Z","action":"dataset.view"}',
    "half a character": b'{"at":"2026-11-24T03:00:00.000000Z","action":"log.canary","project":"\\ud800"}',
    "half a character as it is": b'{"at":"2026-11-24T03:00:00.000000Z","action":"role.grant","project":"\xed\xa0\x80"}',
    "a zero character": b'{"at":"2026-11-24T03:00:00.000000Z","action":"log.canary","project":"\\u0000"}',
}


def test_what_is_written_past_the_outbox_is_found_and_stops_no_review(office: Office) -> None:
    """Of each period's first entry and of later ones; an operator has to say what they are."""
    office.publish()
    for number, data in enumerate(PAST_THE_OUTBOX.values()):
        with writable(office.engine).begin() as connection:
            connection.execute(insert(audit_entry), {"id": f"{number:026}", "bytes": data})
        office.later(days=40)
        period = office.close()
        assert (Rule.LOG_HEALTH, "unreadable") in {(each.rule, each.why) for each in office.period(period.id)[1]}
