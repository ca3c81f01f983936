"""Each of the eleven rules: what makes it speak, and what leaves it quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.event import Event, Subjects
from enclave.actions import Action
from enclave.policy.logreview.catalogue import RULES, run
from enclave.policy.logreview.hit import Hit, Rule
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import UNREADABLE, Line, Value, read
from enclave.policy.logreview.window import Facts, Leaver, Window
from enclave.policy.logreview.wording import CASES, said

# A Tuesday, 10:00 in Korea.
DAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
# Chuseok 2026: Friday, 25 September.
CHUSEOK = datetime(2026, 9, 25, 3, 0, tzinfo=UTC)


DETAILS = {"rows", "files", "bytes", "verdict", "kind", "more", "offset_ms", "content_sha256"}


def line(action: str, at: datetime = DAY, actor: str = "u-1", **more: object) -> Line:
    details = {
        key: more.pop(key)
        for key in ("rows", "files", "bytes", "verdict", "kind", "more", "offset_ms", "content_sha256")
        if key in more
    }
    fields: dict[str, object] = {"outcome": "done", "project": "P-1", "ip": "10.0.0.1", "session": "s", **more}
    return Line(index=0, at=at, actor=actor, action=action, details=details, **fields)  # type: ignore[arg-type]


def window(
    lines: Sequence[Line], *, history: int = 0, limits: Limits | None = None, facts: Facts | None = None
) -> Window:
    """A window of these lines in this order; the first `history` of them are before the period."""
    numbered = [replace(each, index=at) for at, each in enumerate(lines)]
    return Window(numbered, history, {"": Limits(), "P-1": limits or Limits()}, facts or Facts())


def every(minutes: float, count: int, action: str, start: datetime = DAY, **more: object) -> list[Line]:
    return [
        line(action, start + timedelta(minutes=minutes * number), **{"object_id": f"o-{number}", **more})
        for number in range(count)
    ]


@dataclass(frozen=True)
class Case:
    """What is in the log, and which case of the rule it must bring up ("": none)."""

    name: str
    rule: Rule
    why: str
    window: Window
    values: dict[str, Value] | None = None


SUBMIT, SHOWN, LOGIN = Action.EGRESS_SUBMIT.value, Action.DISPLAY_SHOWN.value, Action.ACCOUNT_LOG_IN.value
HANDED, CODE, GRANT = Action.RELEASE_HAND_OVER.value, Action.CODE_EXECUTED.value, Action.ROLE_GRANT.value
APPROVE, PREFLIGHT = Action.EGRESS_APPROVE.value, Action.EGRESS_PREFLIGHT.value
WEEKS = [line(SHOWN, DAY - timedelta(days=20 - number), rows=30) for number in range(20)]
REQUESTS = [line(SUBMIT, DAY + timedelta(hours=number), object_id=f"e-{number}") for number in range(6)]


def judged(pairs: Sequence[tuple[str, str]]) -> list[Line]:
    return [
        line(APPROVE, DAY + timedelta(hours=number, minutes=at), actor=who, object_id=f"e-{number}")
        for number, pair in enumerate(pairs)
        for at, who in enumerate(pair)
    ]


SAME, OTHER = ("u-a", "u-b"), ("u-b", "u-c")
LOUD = [
    Case(
        "code at half past eleven at night", Rule.OFF_HOURS, "night", window([line(CODE, NIGHT)]), {"day": "2026-11-24"}
    ),
    Case(
        "an early morning belongs to the night before",
        Rule.OFF_HOURS,
        "night",
        window([line(CODE, NIGHT + timedelta(hours=5))]),
        {"day": "2026-11-24"},
    ),
    Case("an egress view on a Sunday", Rule.OFF_HOURS, "holiday", window([line("egress.view", SUNDAY)])),
    Case("data on Chuseok", Rule.OFF_HOURS, "holiday", window([line(SHOWN, CHUSEOK, rows=1)]), {"day": "2026-09-25"}),
    Case(
        "more rows in a clock hour than the plan",
        Rule.BULK_READ,
        "rows",
        window(every(10, 3, SHOWN, rows=400)),
        {"rows": 1200, "limit": 1000},
    ),
    Case(
        "far more than the usual hour",
        Rule.BULK_READ,
        "unusual",
        window([*WEEKS, line(SHOWN, DAY + timedelta(hours=5), rows=200)], history=20),
        {"rows": 200, "usual": 30},
    ),
    Case(
        "four requests in a day",
        Rule.EXPORT_BURST,
        "day",
        window(every(60, 4, SUBMIT, files=1)),
        {"requests": 4, "files": 4},
    ),
    Case("many files in one request", Rule.EXPORT_BURST, "day", window([line(SUBMIT, files=21)])),
    Case(
        "a request of last night counts",
        Rule.EXPORT_BURST,
        "day",
        window(every(60, 4, SUBMIT, files=1), history=3),
        {"requests": 4, "files": 4},
    ),
    Case(
        "bytes of a month",
        Rule.EXPORT_BURST,
        "bytes",
        window(every(5000, 3, SUBMIT, bytes=40 << 20)),
        {"mib": 120, "limit": 100},
    ),
    Case(
        "three different blocked outputs",
        Rule.PROBING,
        "stopped",
        window([line(PREFLIGHT, DAY + timedelta(hours=n), verdict="BLOCK", content_sha256=str(n)) for n in range(3)]),
        {"outputs": 3},
    ),
    Case(
        "rejections count against who asked",
        Rule.PROBING,
        "stopped",
        window(
            [
                *REQUESTS[:3],
                *(line("egress.reject", DAY + timedelta(hours=4), "u-c", object_id=f"e-{n}") for n in range(3)),
            ]
        ),
    ),
    Case(
        "back after half a year",
        Rule.DORMANT,
        "back",
        window([line(LOGIN)], facts=Facts(logins={"u-1": DAY - timedelta(days=180)})),
        {"days": 180},
    ),
    Case(
        "an account outlives its project",
        Rule.DORMANT,
        "enabled",
        window([], facts=Facts(leavers=(Leaver("u-9", "P-1", DAY),))),
    ),
    Case(
        "a first-seen address",
        Rule.NEW_PLACE,
        "first",
        window([line(LOGIN), line(LOGIN, ip="10.9.9.9")]),
        {"address": "10.9.9.9"},
    ),
    Case(
        "two places at once",
        Rule.NEW_PLACE,
        "two",
        window(
            [
                line(CODE, DAY + timedelta(minutes=n), session="ab"[n % 2], ip=("10.0.0.1", "10.7.7.7")[n % 2])
                for n in range(3)
            ],
            facts=Facts(places=frozenset({("u-1", "10.0.0.1"), ("u-1", "10.7.7.7")})),
        ),
    ),
    Case(
        "five refusals in ten minutes", Rule.DENIED_RUN, "denied", window(every(2, 5, "egress.view", outcome="denied"))
    ),
    Case("a flood in one entry", Rule.DENIED_RUN, "denied", window([line("route.refused", outcome="denied", more=40)])),
    Case("a role was granted", Rule.PRIVILEGE, "granted", window([line(GRANT, actor="u-op")])),
    Case(
        "somebody tries to grant themselves",
        Rule.PRIVILEGE,
        "own",
        window([line(GRANT, outcome="denied", reason="role.own")]),
    ),
    Case(
        "an administrator in a workspace", Rule.PRIVILEGE, "entered", window([line("hub.event", kind="admin-access")])
    ),
    *(
        Case(action, Rule.PRIVILEGE, why, window([line(action, outcome=outcome)]))
        for action, outcome, why in [
            ("emergency.act", "done", "emergency"),
            ("emergency.act", "denied", "emergency"),
            ("log.purge-approve", "done", "purged"),
            ("log.purge-requested", "allowed", "purged"),
            ("log.purge-propose", "denied", "purge-refused"),
            ("log.purge-requested", "failed", "purge-refused"),
            ("log.key-requested", "allowed", "keys"),
            ("log.policy", "done", "keys"),
            ("review.plan", "done", "limits"),
            ("review.limits", "done", "limits"),
            ("display.policy", "done", "limits"),
            ("policy.activate", "done", "limits"),
            ("log.export-requested", "allowed", "exported"),
        ]
    ),
    Case(
        "a key is handed over in two entries",
        Rule.PRIVILEGE,
        "keys",
        window([line("log.key-requested", outcome="allowed"), line("log.key-done")]),
        {"day": "2026-11-24"},
    ),
    Case(
        "the author judges",
        Rule.TWO_PERSON,
        "own",
        window([REQUESTS[0], line(APPROVE, object_id="e-0")]),
        {"request": "e-0"},
    ),
    Case(
        "always the same two",
        Rule.TWO_PERSON,
        "pair",
        window(judged([SAME] * 5)),
        {"percent": 100, "requests": 5, "other": "u-b", "month": "2026-11"},
    ),
    Case(
        "a silence",
        Rule.LOG_HEALTH,
        "silent",
        window([line(CODE), line(CODE, DAY + timedelta(minutes=90))]),
        {"minutes": 90},
    ),
    Case("bytes that are no entry", Rule.LOG_HEALTH, "unreadable", window([read(0, b"\xff")])),
    Case(
        "a failed canary", Rule.LOG_HEALTH, "failed", window([line("log.canary", actor="sequencer", outcome="failed")])
    ),
    Case(
        "a clock that is off", Rule.LOG_HEALTH, "clock", window([line("log.clock", actor="sequencer", offset_ms=-1500)])
    ),
    Case(
        "shown texts nobody searched",
        Rule.LOG_HEALTH,
        "unsearched",
        window([line("display.unsearched", outcome="failed")]),
    ),
    Case("a download without a reason", Rule.DOWNLOAD_REASON, "missing", window([line(HANDED)])),
    Case("a large download", Rule.DOWNLOAD_REASON, "large", window([line(HANDED, reason="approved", files=10)])),
]
QUIET = [
    Case("by day", Rule.OFF_HOURS, "", window([line(CODE)])),
    Case("just before ten at night", Rule.OFF_HOURS, "", window([line(CODE, NIGHT - timedelta(minutes=31 + 60))])),
    Case("an approved night", Rule.OFF_HOURS, "", window([line(CODE, NIGHT)], limits=Limits(night_approved=1))),
    Case("an approved holiday", Rule.OFF_HOURS, "", window([line(CODE, SUNDAY)], limits=Limits(holiday_approved=1))),
    Case("what the service does at night", Rule.OFF_HOURS, "", window([line("workspace.stopped", NIGHT, "system")])),
    Case("a refusal at night", Rule.OFF_HOURS, "", window([line("egress.view", NIGHT, outcome="denied")])),
    Case("signing in at night", Rule.OFF_HOURS, "", window([line(LOGIN, NIGHT)])),
    Case("history is not told again", Rule.OFF_HOURS, "", window([line(CODE, NIGHT)], history=1)),
    Case("the plan's rows spread over two hours", Rule.BULK_READ, "", window(every(31, 3, SHOWN, rows=400))),
    Case("the first 14 days use the plan only", Rule.BULK_READ, "", window([*WEEKS[-13:], line(SHOWN, DAY, rows=200)])),
    Case(
        "a few rows are never unusual",
        Rule.BULK_READ,
        "",
        window([*(replace(each, details={"rows": 2}) for each in WEEKS), line(SHOWN, rows=90)]),
    ),
    Case("three requests in a day", Rule.EXPORT_BURST, "", window(every(60, 3, SUBMIT, files=6))),
    Case("a resubmission counts once", Rule.EXPORT_BURST, "", window(every(60, 9, SUBMIT, files=15, object_id="e-1"))),
    Case("four requests in four days", Rule.EXPORT_BURST, "", window(every(1441, 4, SUBMIT, files=20))),
    Case(
        "a project with a wider plan",
        Rule.EXPORT_BURST,
        "",
        window(every(60, 9, SUBMIT, files=1), limits=Limits(requests_per_day=9)),
    ),
    Case(
        "the same blocked file again",
        Rule.PROBING,
        "",
        window([line(PREFLIGHT, DAY + timedelta(hours=n), verdict="BLOCK", content_sha256="a") for n in range(9)]),
    ),
    Case("warnings", Rule.PROBING, "", window(every(60, 9, PREFLIGHT, verdict="WARN"))),
    Case(
        "three people, one each",
        Rule.PROBING,
        "",
        window([line(PREFLIGHT, actor=f"u-{n}", verdict="BLOCK") for n in range(3)]),
    ),
    Case(
        "back after a month",
        Rule.DORMANT,
        "",
        window([line(LOGIN)], facts=Facts(logins={"u-1": DAY - timedelta(days=30)})),
    ),
    Case("the first sign-in of all", Rule.DORMANT, "", window([line(LOGIN)])),
    Case("a known address", Rule.NEW_PLACE, "", window([line(LOGIN), line(LOGIN, DAY + timedelta(days=1))])),
    Case("the very first address", Rule.NEW_PLACE, "", window([line(LOGIN)])),
    Case(
        "another desk of the same pool",
        Rule.NEW_PLACE,
        "",
        replace(window([line(LOGIN), line(LOGIN, ip="10.0.0.77")]), limits={"": Limits(pools=("10.0.0.0/24",))}),
    ),
    Case(
        "moving on is not being at two places",
        Rule.NEW_PLACE,
        "",
        window(
            [line(CODE), line(CODE, ip="10.7.7.7", session="b")],
            facts=Facts(places=frozenset({("u-1", "10.0.0.1"), ("u-1", "10.7.7.7")})),
        ),
    ),
    Case("four refusals", Rule.DENIED_RUN, "", window(every(2, 4, "egress.view", outcome="denied"))),
    Case("five refusals in an hour", Rule.DENIED_RUN, "", window(every(12, 5, "egress.view", outcome="denied"))),
    Case(
        "five refusals of five people",
        Rule.DENIED_RUN,
        "",
        window([line("egress.view", actor=f"u-{n}", outcome="denied") for n in range(5)]),
    ),
    Case("a role was taken away", Rule.PRIVILEGE, "", window([line("role.revoke")])),
    *(
        Case(action, Rule.PRIVILEGE, "", window([line(action, outcome=outcome)]))
        for action, outcome in [
            ("role.grant", "denied"),
            ("log.purge-propose", "done"),
            ("log.purge-done", "done"),
            ("log.view", "done"),
            ("log.export-requested", "denied"),
            ("log.export-done", "done"),
            ("log.stamp", "done"),
            ("log.policy", "denied"),
            ("review.propose", "done"),
            ("review.limits", "denied"),
            ("policy.propose", "done"),
            ("display.limits", "done"),
        ]
    ),
    Case("the hub stopped a server", Rule.PRIVILEGE, "", window([line("hub.event", kind="server-stopped")])),
    Case("others judge", Rule.TWO_PERSON, "", window([REQUESTS[0], line(APPROVE, actor="u-2", object_id="e-0")])),
    Case("pairs that change", Rule.TWO_PERSON, "", window(judged([SAME, OTHER, SAME, OTHER, SAME]))),
    Case(
        "a body of two cannot change", Rule.TWO_PERSON, "", window(judged([SAME] * 5), facts=Facts(checkers={"P-1": 2}))
    ),
    Case("too few requests to say", Rule.TWO_PERSON, "", window(judged([SAME] * 4))),
    Case("a heartbeat every hour", Rule.LOG_HEALTH, "", window(every(60, 5, "log.heartbeat", actor="sequencer"))),
    Case(
        "a late commit of an early entry",
        Rule.LOG_HEALTH,
        "",
        window([line(CODE), line(CODE, DAY - timedelta(hours=9)), line(CODE)]),
    ),
    Case("a clock within bounds", Rule.LOG_HEALTH, "", window([line("log.clock", actor="sequencer", offset_ms=900)])),
    Case("a refused look at the log", Rule.LOG_HEALTH, "", window([line("log.view", outcome="denied")])),
    Case("a reason was given", Rule.DOWNLOAD_REASON, "", window([line(HANDED, reason="approved", files=9)])),
    Case("a refused download", Rule.DOWNLOAD_REASON, "", window([line(HANDED, outcome="denied")])),
]


@pytest.mark.parametrize("case", LOUD, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_speaks_once_about_what_it_is_for(case: Case) -> None:
    found = list(RULES[case.rule](case.window))
    assert [(each.rule, each.why) for each in found] == [(case.rule, case.why)]
    assert case.values is None or dict(found[0].values) == case.values
    ko, en = said(found[0].rule, found[0].why, found[0].count, found[0].values)
    assert all((ko, en))
    assert "{" not in ko + en


@pytest.mark.parametrize("case", QUIET, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_is_quiet_about_what_is_usual(case: Case) -> None:
    assert list(RULES[case.rule](case.window)) == []


def test_every_rule_and_every_case_is_triggered_by_some_test_and_every_rule_is_quiet_in_another() -> None:
    assert {(case.rule, case.why) for case in LOUD} == set(CASES)
    assert {case.rule for case in QUIET} == set(RULES) == set(Rule)


def test_a_finding_keeps_its_key_while_its_run_goes_on() -> None:
    keys = {each.key for count in (4, 5, 9) for each in _hits(every(60, count, SUBMIT, files=1))}
    assert len(keys) == 1
    assert [(each.count, each.first, each.last) for each in _hits(every(60, 9, SUBMIT, files=1))] == [(9, 0, 8)]


def test_two_runs_apart_are_two_findings() -> None:
    later = every(60, 4, SUBMIT, DAY + timedelta(days=3), files=1)
    assert [each.count for each in _hits([*every(60, 4, SUBMIT, files=1), *later])] == [4, 4]


def _hits(lines: list[Line]) -> list[Hit]:
    return [each for each in run(window(lines)) if each.rule is Rule.EXPORT_BURST]


def test_a_line_is_read_from_the_entry_as_it_was_recorded() -> None:
    event = Event(
        SUBMIT,
        "done",
        "u-7",
        actor_role="scientist",
        from_ip="10.1.1.1",
        session="s-1",
        object_kind="egress_request",
        object_id="e-1",
        project="P-1",
        reason_code="purpose",
        subjects=Subjects(3, "pseudonymised"),
        details={"files": 2},
    )
    data = event.entry(entry_id="0" * 26, at="2026-11-24T01:02:03.000004Z", observer="portal")
    found = read(9, data)
    assert found == Line(
        9,
        datetime(2026, 11, 24, 1, 2, 3, 4, UTC),
        "u-7",
        SUBMIT,
        "done",
        "P-1",
        "e-1",
        "10.1.1.1",
        "s-1",
        "purpose",
        {"files": 2},
    )


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"{}", b'{"at":"yesterday"}', b'{"actor":1,"at":5}'])
def test_bytes_that_are_no_entry_are_a_line_of_the_log_itself(data: bytes) -> None:
    assert read(1, data).action == UNREADABLE
