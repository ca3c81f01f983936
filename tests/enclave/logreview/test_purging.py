"""Entries whose time is over: what each class asks, who decides, and that nothing younger ever goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from audit import outbox
from audit.event import Event
from audit.purgecheck import ORDER
from audit.reader import LogReader
from audit.verify import verify_log
from enclave.actions import Action, Retention
from enclave.actor import Actor
from enclave.commands import dataset, retention
from enclave.errors import EnclaveError
from enclave.model.data import Snapshot
from enclave.policy.logreview.line import Line
from enclave.policy.retention import Data, Holding, Keeping, check_may_propose, check_over, kept_until
from enclave.queries import retention as queries
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import PeriodState, SnapshotState
from enclave.store import writable
from tests.enclave.logreview.office import SECOND, Office
from tests.enclave.logreview.test_review import sign

MADE = datetime(2026, 2, 28, 12, tzinfo=UTC)
ENDED = datetime(2028, 2, 29, 12, tzinfo=UTC)
DATA = Data(
    {"P-gone": ENDED, "P-lives": None},
    (Holding(MADE, ENDED), Holding(MADE + timedelta(days=1), None)),
)
TIMES = {
    "a sign-in": ("account.log-in", "", MADE, datetime(2028, 2, 28, 12, tzinfo=UTC)),
    "a role": ("role.grant", "", MADE, datetime(2029, 2, 28, 12, tzinfo=UTC)),
    "an egress of a project whose data was destroyed": (
        "egress.submit",
        "P-gone",
        MADE,
        datetime(2031, 3, 1, 12, tzinfo=UTC),
    ),
    "an egress of a project that goes on": ("egress.submit", "P-lives", MADE, None),
    "one after the destruction": (
        "egress.view",
        "P-gone",
        ENDED + timedelta(days=9),
        datetime(2031, 3, 9, 12, tzinfo=UTC),
    ),
    "data of no project, all of which is gone": ("snapshot.publish", "", MADE, datetime(2031, 3, 1, 12, tzinfo=UTC)),
    "data of no project, some of which is there": ("snapshot.publish", "", MADE + timedelta(days=2), None),
    "a project nobody knows": ("egress.submit", "P-x", MADE + timedelta(days=2), None),
    "a heartbeat": ("log.heartbeat", "", MADE, datetime(2029, 2, 28, 12, tzinfo=UTC)),
    "what is no entry": ("log.unreadable", "", MADE, datetime(2029, 2, 28, 12, tzinfo=UTC)),
}


def line(action: str, project: str = "", at: datetime = MADE) -> Line:
    return Line(7, at, "u-1", action, "done", project)


@pytest.mark.parametrize("case", TIMES)
def test_an_entry_is_kept_as_long_as_its_class_asks(case: str) -> None:
    action, project, at, until = TIMES[case]
    assert kept_until(line(action, project, at), Keeping(), DATA) == until


@pytest.mark.parametrize("years", [0, 1, 2, -5])
def test_no_setting_makes_it_shorter(years: int) -> None:
    set_to = queries.keeping(Settings(keep_access_years=years, keep_rights_years=years, keep_data_years=years))
    assert {each: set_to.of(each) for each in Retention} == {
        Retention.ACCESS: 2,
        Retention.RIGHTS: 3,
        Retention.DATA: 3,
    }


def test_a_setting_makes_it_longer() -> None:
    longer = queries.keeping(Settings(keep_access_years=5))
    assert kept_until(line("account.log-in"), longer, DATA) == datetime(2031, 2, 28, 12, tzinfo=UTC)


def test_one_young_entry_keeps_a_whole_period() -> None:
    now = datetime(2028, 3, 1, tzinfo=UTC)
    assert check_over([line("account.log-in")] * 5, Keeping(), DATA, now) == 5
    with pytest.raises(EnclaveError) as refused:
        check_over([line("account.log-in"), line("role.grant")], Keeping(), DATA, now)
    assert (refused.value.code, "2029-02-28" in refused.value.en) == ("log.purge-young", True)


def test_the_order_is_the_entry_that_the_verifier_looks_for() -> None:
    assert Action.LOG_PURGE_REQUESTED.value == ORDER


def fill(office: Office, count: int = 300) -> None:
    with writable(office.engine).begin() as connection:
        for _ in range(count):
            event = Event(Action.ACCOUNT_LOG_IN.value, "done", "u-scientist", session="s-1")
            outbox.append(connection, event, observer="test")


def signed(office: Office) -> str:
    """A period of more than one bundle, closed and signed by two people."""
    fill(office)
    period = office.close()
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    sign(office, SECOND, period.id)
    return period.id


def years(office: Office, count: int) -> None:
    office.now = office.now.replace(year=office.now.year + count) + timedelta(days=3)


def destroy_data(office: Office) -> None:
    with office.store.read() as session:
        there = select(Snapshot.id).where(Snapshot.state != SnapshotState.WITHDRAWN)
        found = session.scalars(there).all()
    for snapshot_id in found:
        actor = Actor.console()
        dataset.withdraw_snapshot(office.store, actor, snapshot_id=snapshot_id, reason="끝", now=office.now)


def propose(office: Office, period_id: str, login: str = "reviewer", reason: str = "보존 기간 만료") -> str:
    settings = office.scene.means.settings
    made = retention.propose(
        office.store, settings, office.actor(login), period_id=period_id, reason=reason, now=office.now
    )
    return made.id


def approve(office: Office, purge_id: str, login: str = SECOND, *, fresh: bool = True) -> None:
    settings, actor = office.scene.means.settings, office.actor(login, fresh=fresh)
    retention.approve(office.store, settings, actor, purge_id=purge_id, now=office.now)


def order(office: Office, purge_id: str, actor: Actor | None = None) -> None:
    settings, actor = office.scene.means.settings, actor or Actor.console()
    retention.order(office.store, settings, actor, purge_id=purge_id, now=office.now)


def code_of(act: object, *given: object, **more: object) -> str:
    with pytest.raises(EnclaveError) as refused:
        act(*given, **more)  # type: ignore[operator]
    return refused.value.code


def test_a_signed_period_whose_times_are_over_gives_up_its_bytes_by_three_hands(office: Office) -> None:
    period = signed(office)
    settings, log = office.scene.means.settings, office.place
    for wait in (0, 2, 2):  # now; past the access records; past the rights: the data is still there
        years(office, wait)
        assert code_of(propose, office, period) == "log.purge-young"
    destroy_data(office)
    years(office, 2)
    assert code_of(propose, office, period) == "log.purge-young"
    years(office, 2)
    assert code_of(propose, office, period, reason=" ") == "input.missing"
    with office.scene.new_entries() as entries:
        purge_id = propose(office, period)
        assert code_of(order, office, purge_id) == "log.purge-not-waiting"
        assert code_of(approve, office, purge_id, "reviewer") == "log.purge-two-person"
        assert code_of(approve, office, purge_id, fresh=False) == "second-factor.stale"
        approve(office, purge_id)
        assert code_of(approve, office, purge_id) == "log.purge-not-waiting"
        assert code_of(order, office, purge_id, office.actor("operator")) == "log.purge-console"
        order(office, purge_id)
        assert code_of(order, office, purge_id) == "log.purge-not-waiting"
        assert (
            code_of(retention.finish, office.store, settings, Actor.system(), purge_id=purge_id, now=office.now)
            == "log.purge-not-gone"
        )
        office.publish()
        assert retention.waiting(office.store, settings) == (purge_id,)
        retention.finish(office.store, settings, Actor.system(), purge_id=purge_id, now=office.now)
        assert retention.waiting(office.store, settings) == ()
    told = [(each["action"], each["outcome"]) for each in entries if each["outcome"] in {"allowed", "done"}]
    assert told == [
        ("log.purge-propose", "done"),
        ("log.purge-approve", "done"),
        ("log.purge-requested", "allowed"),
        ("log.purge-done", "done"),
    ]
    (seen,) = queries.purges(office.store, office.actor("auditor"))
    assert (seen.state, seen.first, seen.end) == ("done", 0, LogReader(log.folder).kept)
    report = verify_log(log.folder, log.vkey())
    assert (report.ok, "log.purged" in [claim.code for claim in report.claims]) == (True, True)
    assert "보존 기간" not in str(entries)  # what people wrote is in the database alone


REFUSED = {
    "nobody of the review": (lambda office, period: propose(office, period, "operator"), "role.missing"),
    "a period that does not exist": (lambda office, _: propose(office, "t-none"), "review.unknown"),
}


def test_what_stands_in_the_way_of_a_purge(office: Office) -> None:
    fill(office, 300)
    open_one = office.close()
    years(office, 9)
    assert code_of(propose, office, open_one.id) == "log.purge-unsealed"
    assert office.period(open_one.id)[0].state is PeriodState.CLOSED
    for name, (act, code) in REFUSED.items():
        with office.scene.new_entries() as entries:
            assert code_of(act, office, open_one.id) == code
        assert [each["outcome"] for each in entries] in (["denied"], ["failed"]), name


def test_every_period_before_it_is_signed_too() -> None:
    """Signing sees to that by itself: here it is asked once more."""
    reviewer = Actor("u-reviewer", "reviewer", frozenset({Role.REVIEWER}), "zone", "127.0.0.1", "s-1")
    check_may_propose(reviewer, sealed=True, earlier=0)
    assert code_of(check_may_propose, reviewer, sealed=True, earlier=1) == "log.purge-unsealed"


def test_a_clock_that_jumped_at_the_order_does_not_help(office: Office) -> None:
    """What the rooms below refuses by itself: two years by the ids of the entries."""
    period = signed(office)
    years(office, 4)
    destroy_data(office)
    years(office, 4)
    purge_id, then = propose(office, period), office.now
    office.now = then.replace(year=then.year - 7)
    assert code_of(approve, office, purge_id) == "log.purge-young"
    office.now = then
    approve(office, purge_id)
    # Past the two years of the room below, and not past the three of rights.
    office.now = then.replace(year=then.year - 5, month=4)
    assert code_of(order, office, purge_id) == "log.purge-young"
    office.now = then.replace(year=then.year - 7)
    assert code_of(order, office, purge_id) in {"log.purge-young", "audit.purge-young"}
