"""A reviewer who wants something not to be seen: what goes on after a judgement, limits loosened for an hour."""

from __future__ import annotations

import json

import pytest

from enclave.commands import people, review_limits, signoff
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.limits import Limits
from enclave.queries import logreview as queries
from enclave.queries.logreview import FindingView
from enclave.roles import Role
from enclave.states import FindingState
from tests.enclave.logreview.office import SECOND, Office


def grants(office: Office, period_id: str) -> list[FindingView]:
    return [each for each in office.period(period_id)[1] if each.rule is Rule.PRIVILEGE]


def again(office: Office) -> None:
    """Take the right away, which is no finding, and give it once more."""
    actor, role = office.actor("operator"), Role.SCIENTIST
    people.revoke_role(office.store, actor, login="nobody", role=role, reason="시험", now=office.now)
    office.grant("nobody")


def judge(office: Office, finding: FindingView, login: str = "operator") -> None:
    office.ask(finding.id)
    office.answer(finding.id, login)
    office.accept(finding.id)


def test_what_goes_on_after_it_was_accepted_is_raised_anew_each_time(office: Office) -> None:
    office.grant("nobody")
    period = office.inspect()
    (first,) = grants(office, period.id)
    judge(office, first)
    assert office.inspect().counts[FindingState.RAISED] == 0
    seen = {first.id}
    for _ in range(2):
        again(office)
        office.inspect()
        (more,) = [each for each in grants(office, period.id) if each.id not in seen]
        assert (more.state, more.count) == (FindingState.RAISED, 1)
        assert more.first_leaf == more.last_leaf > first.last_leaf
        # Looked at again it is the same one.
        office.inspect()
        assert len(grants(office, period.id)) == len(seen) + 1
        seen.add(more.id)
        judge(office, more)


@pytest.mark.parametrize("judged", [True, False])
def test_what_goes_on_after_its_period_was_closed_belongs_to_the_next(office: Office, judged: bool) -> None:
    office.grant("nobody")
    period = office.close()
    (first,) = grants(office, period.id)
    if judged:
        judge(office, first)
    project = office.scene.usual()
    for number in range(3):
        office.scene.submitted(project, office.scene.checked(f"연령,수\n40대,{50 + number}\n"))
    closed = office.close()
    assert [each for each in office.period(closed.id)[1] if each.rule is Rule.EXPORT_BURST] == []
    # The fourth within a day makes it a run, most of which the last period has.
    for number in range(3, 6):
        office.scene.submitted(project, office.scene.checked(f"연령,수\n40대,{50 + number}\n"))
    burst = [each for each in office.period(office.close().id)[1] if each.rule is Rule.EXPORT_BURST]
    assert len(burst) == 1
    office.scene.submitted(project, office.scene.checked("연령,수\n40대,90\n"))
    (more,) = [each for each in office.period(office.close().id)[1] if each.rule is Rule.EXPORT_BURST]
    assert (more.count, more.first_leaf > burst[0].last_leaf) == (1, True)


def test_limits_that_were_loosened_for_an_hour_are_in_the_report(office: Office) -> None:
    loose, project = Limits(requests_per_day=99, files_per_day=999), office.scene.usual()

    def put(limits: Limits) -> None:
        who = office.actor("reviewer")
        text, reason = limits.canonical(), "연구 일정"
        made = review_limits.propose(office.store, who, scope=project, text=text, reason=reason, now=office.now)
        who = office.actor(SECOND)
        review_limits.activate(office.store, who, limits_id=made.id, sha256=made.sha256, now=office.now)

    def reported(period_id: str) -> list[list[str]]:
        with office.store.read() as session:
            return json.loads(signoff.make(session, queries.load_period(session, period_id)).source)["limits"]

    first = office.close()
    office.later(hours=1)
    put(loose)
    office.later(hours=1)
    put(Limits())
    office.later(hours=1)
    second = office.close()
    office.later(hours=1)
    house, own = ["", Limits().sha256], [project, Limits().sha256]
    assert reported(first.id) == [house]
    assert reported(second.id) == sorted([house, own, [project, loose.sha256]])
    assert reported(office.close().id) == [house, own]
