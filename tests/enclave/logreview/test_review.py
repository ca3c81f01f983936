"""A period of the log from its first entry to two signatures: what is found, said, accepted and signed."""

from __future__ import annotations

import json
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from enclave.actions import Action
from enclave.commands import findings, logreview, review_limits, signoff
from enclave.commands.acting import intent
from enclave.errors import EnclaveError
from enclave.model.logreview import FindingText, ReviewPeriod, ReviewReport
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.limits import Limits
from enclave.queries import logreview as queries
from enclave.queries import review_limits as limits_now
from enclave.queries.logreview import FindingView
from enclave.states import FindingState, PeriodState
from enclave.store import open_engine, writable
from tests.enclave.logreview.office import SECOND, Office


def grants(office: Office, period_id: str) -> list[FindingView]:
    return [each for each in office.period(period_id)[1] if each.rule is Rule.PRIVILEGE]


def shown(office: Office, period_id: str) -> str:
    with office.store.read() as session:
        return signoff.make(session, queries.load_period(session, period_id)).sha256


def sign(office: Office, login: str, period_id: str, *, fresh: bool = True, report: str = "") -> None:
    act = signoff.approve if office.period(period_id)[0].state is PeriodState.REVIEWED else signoff.review
    actor = office.actor(login, fresh=fresh)
    act(office.store, actor, period_id=period_id, report_sha256=report or shown(office, period_id), now=office.now)


def refusal(act: object, *args: object, **more: object) -> str:
    with pytest.raises(EnclaveError) as refused:
        act(*args, **more)  # type: ignore[operator]
    return refused.value.code


def test_a_period_goes_from_its_first_entry_to_two_signatures(office: Office) -> None:
    office.grant()
    period = office.close()
    assert (period.number, period.first_leaf, period.state) == (1, 0, PeriodState.CLOSED)
    assert period.checkpoint.splitlines()[1] == str(period.size)
    (found,) = grants(office, period.id)
    assert (found.login, found.state, found.limits_sha256) == ("operator", FindingState.RAISED, Limits().sha256)
    assert refusal(sign, office, "reviewer", period.id) == "period.findings-open"
    with office.scene.new_entries() as entries:
        office.settle(period.id)
        sign(office, "reviewer", period.id)
        sign(office, SECOND, period.id)
    signed = office.period(period.id)[0]
    assert (signed.state, signed.reviewer, signed.approver) == (PeriodState.SIGNED, "reviewer", SECOND)
    named = {entry["action"]: entry["object"]["sha256"] for entry in entries if entry["action"].startswith("period.")}
    assert named == {"period.review": signed.report_sha256, "period.approve": signed.report_sha256}
    following = queries.periods(office.store, office.actor("auditor"), now=office.now)[0]
    assert (following.number, following.first_leaf, following.state) == (2, period.size, PeriodState.OPEN)


def test_the_report_that_was_signed_is_kept_and_can_be_made_again_byte_for_byte(office: Office) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    with office.store.read() as session:
        before = signoff.make(session, queries.load_period(session, period.id)).files
    sign(office, "reviewer", period.id)
    office.later(days=40)
    office.grant("other-lead")
    office.publish()
    with office.store.read() as session:
        again = signoff.make(session, queries.load_period(session, period.id)).files
        kept = {each.kind: each for each in session.scalars(select(ReviewReport))}
    assert again == before == {kind: row.data for kind, row in kept.items()}
    assert [sha256(row.data).hexdigest() for row in kept.values()] == [row.sha256 for row in kept.values()]
    facts = json.loads(before["json"])
    assert facts["checkpoint"] == period.checkpoint
    assert sum(sum(counts) for _, *counts in facts["tasks"]) == period.size


def test_findings_are_raised_once_and_grow_with_their_run(office: Office) -> None:
    office.grant()
    period = office.inspect("system")
    (found,) = grants(office, period.id)
    office.grant("other-lead")
    assert office.inspect().id == period.id
    (again,) = grants(office, period.id)
    assert (again.id, again.count, found.count) == (found.id, 2, 1)
    office.close()
    office.later(hours=1)
    assert grants(office, office.close().id) == []


def test_only_whom_it_concerns_explains_and_only_somebody_else_accepts(office: Office) -> None:
    office.grant()
    period = office.close()
    (found,) = grants(office, period.id)
    assert refusal(office.answer, found.id, "operator") == "state.transition"
    assert queries.to_explain(office.store, office.actor("operator")) == ()
    office.ask(found.id)
    assert [each.id for each in queries.to_explain(office.store, office.actor("operator"))] == [found.id]
    assert queries.waiting(office.store, office.actor("operator"), now=office.now)["explain"] == 1
    for login in ("lead", "reviewer", "auditor", "second"):
        assert refusal(office.answer, found.id, login) == "finding.not-yours"
    assert refusal(office.accept, found.id) == "state.transition"
    assert refusal(office.answer, found.id, "operator", text=" ") == "input.missing"
    assert refusal(office.answer, found.id, "operator", text="가" * 5000) == "finding.text-too-long"
    office.answer(found.id, "operator")
    for login in ("operator", "auditor", "lead"):
        assert refusal(office.accept, found.id, login) == "role.missing"
    for act in (findings.accept, findings.escalate):
        judge = partial(act, office.store, office.actor("reviewer"), finding_id=found.id, now=office.now)
        assert refusal(judge, text=" ") == "input.missing"
    done = office.accept(found.id)
    assert [(each.part, each.login) for each in done.texts] == [
        (FindingState.ASKED, "reviewer"),
        (FindingState.ANSWERED, "operator"),
        (FindingState.ACCEPTED, "reviewer"),
    ]
    assert done.may == frozenset()


def test_a_reviewer_neither_judges_their_own_case_nor_signs_while_it_is_open(office: Office) -> None:
    office.grant()
    period = office.inspect()
    for _ in range(5):
        refusal(office.answer, grants(office, period.id)[0].id, "reviewer")
    period = office.close()
    (own,) = (each for each in office.period(period.id)[1] if each.rule is Rule.DENIED_RUN)
    assert own.login == "reviewer"
    assert refusal(office.ask, own.id) == "finding.own-case"
    office.ask(own.id, login=SECOND)
    office.answer(own.id, "reviewer")
    assert refusal(office.accept, own.id) == "finding.own-case"
    assert refusal(sign, office, "reviewer", period.id) == "period.own-finding"
    assert refusal(sign, office, SECOND, period.id) == "period.findings-open"
    office.accept(own.id, SECOND)
    for found in grants(office, period.id):
        office.ask(found.id)
        office.escalate(found.id)
    sign(office, "reviewer", period.id)
    assert office.period(period.id)[0].state is PeriodState.REVIEWED


def test_signing_needs_two_people_a_fresh_second_factor_and_the_report_that_was_shown(office: Office) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    assert refusal(sign, office, "reviewer", period.id, report="0" * 64) == "period.swapped"
    assert refusal(sign, office, "reviewer", period.id, fresh=False) == "second-factor.stale"
    assert refusal(sign, office, "auditor", period.id) == "role.missing"
    sign(office, "reviewer", period.id)
    assert refusal(sign, office, "reviewer", period.id) == "period.two-person"
    assert refusal(sign, office, SECOND, period.id, report="0" * 64) == "period.swapped"
    assert refusal(sign, office, SECOND, period.id, fresh=False) == "second-factor.stale"
    act = partial(signoff.send_back, office.store, office.actor(SECOND), period_id=period.id, now=office.now)
    assert refusal(act, reason=" ") == "input.missing"
    back = act(reason="다시")
    assert (back.state, back.reviewer, back.returned_reason) == (PeriodState.CLOSED, "", "다시")
    sign(office, SECOND, period.id)
    sign(office, "reviewer", period.id)
    assert office.period(period.id)[0].approver == "reviewer"


def test_nobody_approves_while_a_finding_of_their_own_is_open_even_in_a_later_period(office: Office) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    for _ in range(5):
        refusal(office.answer, grants(office, period.id)[0].id, SECOND)
    office.inspect()
    assert refusal(sign, office, SECOND, period.id) == "period.own-finding"


def test_what_changed_after_the_review_is_not_approved_under_either_report(office: Office) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    signed = office.period(period.id)[0].report_sha256
    rewrite(office, grants(office, period.id)[0].id)
    assert shown(office, period.id) != signed
    for report in (signed, shown(office, period.id)):
        assert refusal(sign, office, SECOND, period.id, report=report) == "period.swapped"


def test_what_changes_while_the_report_is_drawn_is_not_signed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    before, drawn = shown(office, period.id), signoff.make

    def drawn_and_overtaken(*given: object) -> signoff.Report:
        report = drawn(*given)  # type: ignore[arg-type]
        rewrite(office, grants(office, period.id)[0].id)
        return report

    monkeypatch.setattr(signoff, "make", drawn_and_overtaken)
    assert refusal(sign, office, "reviewer", period.id, report=before) == "period.swapped"


def rewrite(office: Office, finding_id: str, reason: str = "misuse") -> None:
    """Change the reason that a finding has: no command can."""
    with office.store.write(intent(Action.FINDING_ASK, office.actor("system"), ("log_finding", finding_id))) as tx:
        queries.load_finding(tx.session, finding_id).reason_code = reason


def test_who_explained_for_nobody_in_particular_does_not_judge_it(office: Office) -> None:
    office.grant()
    period = office.inspect()
    found = grants(office, period.id)[0].id
    with office.store.write(intent(Action.FINDING_ANSWER, office.actor("system"), ("log_finding", found))) as tx:
        row = queries.load_finding(tx.session, found)
        row.account_id, row.state, row.answered_by = None, FindingState.ANSWERED, office.actor(SECOND).account_id
    for act in (office.accept, office.escalate):
        assert refusal(act, found, SECOND) == "finding.own-case"
    assert office.accept(found).state is FindingState.ACCEPTED


def test_an_earlier_period_is_signed_first_and_nothing_is_closed_twice(office: Office) -> None:
    first, second = office.close(), office.close()
    assert (second.number, second.first_leaf) == (2, first.size)
    for each in (first, second):
        office.settle(each.id)
    assert refusal(sign, office, "reviewer", second.id) == "period.earlier"
    sign(office, "reviewer", first.id)
    assert refusal(sign, office, "reviewer", second.id) == "period.earlier"
    sign(office, SECOND, first.id)
    sign(office, "reviewer", second.id)


def test_a_download_without_a_reason_stands_in_the_way_until_there_is_one(office: Office) -> None:
    period, found = without_reason(office)
    office.ask(found.id)
    assert refusal(sign, office, "reviewer", period) == "period.findings-open"
    assert refusal(office.answer, found.id, found.login) == "finding.reason"
    assert refusal(office.answer, found.id, found.login, reason="misuse") == "finding.reason"
    office.answer(found.id, found.login, reason="research")
    rewrite(office, found.id, "")
    assert refusal(office.accept, found.id) == "finding.reason-missing"
    rewrite(office, found.id, "research")
    office.accept(found.id)
    rewrite(office, found.id, "")
    assert refusal(sign, office, "reviewer", period) == "period.reason-missing"
    rewrite(office, found.id, "research")
    sign(office, "reviewer", period)
    assert office.period(period)[1][0].reason_code == "research"


def test_who_gives_no_reason_has_misused_it(office: Office) -> None:
    period, found = without_reason(office)
    office.ask(found.id)
    assert office.escalate(found.id).reason_code == "misuse"
    sign(office, "reviewer", period)


def without_reason(office: Office) -> tuple[str, FindingView]:
    """A period whose one finding is an egress request of before requests recorded a reason."""
    event = intent(Action.EGRESS_SUBMIT, office.actor("scientist"), ("egress_request", "e-old"))
    with office.store.write(event):
        pass
    period = office.close()
    (found,) = office.period(period.id)[1]
    assert (found.rule, found.login) == (Rule.DOWNLOAD_REASON, "scientist")
    return period.id, found


def test_the_log_has_hashes_and_codes_of_what_was_written_and_the_database_keeps_the_texts(office: Office) -> None:
    secret = "김수한무가 밤새 돌린 작업입니다"
    office.grant()
    period = office.close()
    with office.scene.new_entries() as entries:
        (found,) = grants(office, period.id)
        office.ask(found.id, text=secret)
        office.answer(found.id, "operator", text=secret)
        office.accept(found.id)
    assert secret not in json.dumps(entries, ensure_ascii=False)
    assert [entry["action"] for entry in entries] == ["finding.ask", "finding.answer", "finding.accept"]
    assert all(len(entry["details"]["text_sha256"]) == 64 for entry in entries)
    with office.store.read() as session:
        assert [each.text for each in session.scalars(select(FindingText).order_by(FindingText.part))].count(
            secret
        ) == 2


@pytest.mark.parametrize("table", ["finding_text", "review_report"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_itself_refuses_to_change_what_was_said_and_signed(office: Office, table: str, act: str) -> None:
    office.grant()
    period = office.close()
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    column = {"finding_text": "text = 'x'", "review_report": "kind = 'x'"}[table]
    engine = open_engine(office.store.engine.url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseError, match="cannot be changed"), writable(engine).begin() as connection:
        connection.execute(text(act.format(table, column)))
    engine.dispose()


def test_several_are_asked_at_once_and_each_has_its_entry(office: Office) -> None:
    office.grant()
    office.later(days=1)
    office.grant("other-lead")
    period = office.close()
    ids = [each.id for each in grants(office, period.id)]
    assert len(ids) == 2
    with office.scene.new_entries() as entries:
        assert office.ask(*ids, ids[0]) == 2
    assert [(entry["action"], entry["object"]["id"]) for entry in entries] == [("finding.ask", each) for each in ids]
    assert refusal(office.ask) == "finding.how-many"
    assert refusal(office.ask, *(f"n-{number}" for number in range(201))) == "finding.how-many"
    assert refusal(office.ask, "n-none") == "review.unknown"


def test_a_late_period_is_told_once_and_shown_to_those_who_watch(office: Office) -> None:
    period = office.close()
    system, store = office.actor("system"), office.store
    assert refusal(logreview.note_late, store, system, period_id=period.id, now=office.now) == "period.not-late"
    office.later(days=17)
    with office.scene.new_entries() as entries:
        logreview.note_late(store, system, period_id=period.id, now=office.now)
    assert [(entry["action"], entry["details"]["days"]) for entry in entries] == [("period.late", 1)]
    assert refusal(logreview.note_late, store, system, period_id=period.id, now=office.now) == "period.not-late"
    assert (
        refusal(logreview.note_late, store, office.actor("lead"), period_id=period.id, now=office.now) == "role.missing"
    )
    for login in ("reviewer", "auditor"):
        # The period that began with this one's end is as late.
        assert queries.waiting(store, office.actor(login), now=office.now)["late"] == 2
    assert office.period(period.id)[0].late == 1
    office.settle(period.id)
    sign(office, "reviewer", period.id)
    assert office.period(period.id)[0].late == 1, "one signature is none"
    sign(office, SECOND, period.id)
    assert office.period(period.id)[0].late == 0


def test_the_plan_counts_from_the_next_period_on_and_every_version_is_kept(office: Office) -> None:
    first = office.close()
    plan = Plan("2026-3판", 3, 5)
    who, store = office.actor("reviewer"), office.store
    review_limits.set_plan(store, who, plan=plan, reason="운영위원회 의결", now=office.now)
    second = office.close()
    assert (first.plan.months, second.plan.months) == (1, 1)
    third = queries.periods(store, who, now=office.now)[0]
    assert (third.plan, third.plan.is_long) == (plan, True)
    assert [each.plan for each in limits_now.plans(store, office.actor("auditor"))] == [plan]
    for login, fresh, code in (("operator", True, "role.missing"), ("reviewer", False, "second-factor.stale")):
        other = office.actor(login, fresh=fresh)
        assert refusal(review_limits.set_plan, store, other, plan=plan, reason="x", now=office.now) == code


def test_limits_need_two_reviewers_and_findings_name_the_version_they_were_found_under(office: Office) -> None:
    store, project = office.store, office.scene.usual()
    loose = Limits(requests_per_day=9)

    def propose(scope: str = project) -> str:
        who = office.actor("reviewer")
        made = review_limits.propose(
            store, who, scope=scope, text=loose.canonical(), reason="연구 일정", now=office.now
        )
        return made.id

    made = propose()

    def activate(login: str, sha256: str = loose.sha256, *, fresh: bool = True) -> None:
        who = office.actor(login, fresh=fresh)
        review_limits.activate(store, who, limits_id=made, sha256=sha256, now=office.now)

    assert refusal(activate, "reviewer") == "review-limits.two-person"
    assert refusal(activate, "operator") == "role.missing"
    assert refusal(activate, SECOND, "0" * 64) == "limits.swapped"
    assert refusal(activate, SECOND, fresh=False) == "second-factor.stale"
    activate(SECOND)
    assert refusal(activate, SECOND) == "review-limits.active"
    assert refusal(propose) == "limits.same"
    assert refusal(propose, "P-none") == "project.unknown"
    with store.read() as session:
        assert limits_now.active(session) == {"": Limits(), project: loose}
    for number in range(4):
        office.scene.submitted(project, office.scene.checked(f"연령,수\n40대,{50 + number}\n"))
    period = office.close()
    assert [each for each in office.period(period.id)[1] if each.rule is Rule.EXPORT_BURST] == []


def test_without_a_signed_log_nothing_is_reviewed_and_only_reviewers_and_the_service_may(office: Office) -> None:
    assert (
        refusal(logreview.inspect, office.store, office.place, office.actor("system"), now=office.now)
        == "review.no-log"
    )
    office.publish()
    for login in ("auditor", "operator", "lead"):
        act = logreview.inspect if login == "operator" else logreview.close
        assert refusal(act, office.store, office.place, office.actor(login), now=office.now) == "role.missing"
        if login != "auditor":
            assert refusal(queries.periods, office.store, office.actor(login), now=office.now) == "role.missing"
    with office.store.read() as session:
        assert list(session.scalars(select(ReviewPeriod))) == []
    office.place.key.write_text("ansim.test/log+00000000+AAAA")
    assert refusal(office.close) == "review.no-log"
