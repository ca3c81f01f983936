"""Random histories of the review on the real database: everybody tries everything, and what must hold does.

After each step, read from rows and entries and not from the policies under test:
- periods follow each other without a gap or an overlap, and at most one is open;
- a signed period has two different signers, nothing open, no download without a reason, and its report's bytes;
- what was accepted was asked by one, explained by whom it concerns, accepted by somebody else: never unheard;
- `may` tells the truth: what it lists succeeds when tried, everything else is refused, and either leaves one entry.
"""

from __future__ import annotations

from functools import partial

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from audit.event import Event
from enclave.actions import Action
from enclave.commands import findings, logreview, signoff
from enclave.commands.acting import intent
from enclave.errors import EnclaveError
from enclave.model.logreview import ReviewFinding, ReviewPeriod, ReviewReport
from enclave.policy.logreview.who import OPEN
from enclave.queries import logreview as queries
from enclave.states import FindingState, PeriodState
from tests.enclave.logreview.office import SECOND, Office

EVERYBODY = ("reviewer", SECOND, "operator", "auditor", "scientist", "lead")
# Most tries are by those who can do something, so that histories come as far as a signature.
TRYING = st.sampled_from(["reviewer", SECOND, "reviewer", SECOND, "operator", "scientist", "auditor", "lead"])
REASON = "research"


class ReviewMachine(RuleBasedStateMachine):
    """One office, one period after the other."""

    signed = 0

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.office = office
        office.publish()

    # -- what happens ----------------------------------------------------------------------------------------------

    @rule(login=st.sampled_from(["scientist", "lead", "reviewer"]))
    def something_without_a_reason(self, login: str) -> None:
        """An egress request as they were recorded before they had a reason."""
        self.office.later(days=1)
        self._record(intent(Action.EGRESS_SUBMIT, self.office.actor(login), ("egress_request", "e-old")))

    @rule()
    def something_of_the_log_fails(self) -> None:
        """What an operator answers for."""
        self.office.later(days=1)
        self._record(Event("log.canary", "failed", "sequencer"))

    @rule(login=TRYING)
    def close(self, login: str) -> None:
        period = self._open()
        self.office.publish()
        may = (period is None and login in {"reviewer", SECOND}) or (
            period is not None and "close" in self._may(period, login)
        )
        self._try(partial(logreview.close, self.office.store, self.office.place), login, may=may)

    @rule(data=st.data(), login=TRYING, verb=st.sampled_from(["ask", "answer", "accept", "escalate"]))
    def say(self, data: st.DataObject, login: str, verb: str) -> None:
        found = self._rows(ReviewFinding)
        pending = [each for each in found if each.state in OPEN] or found
        if not pending:
            return
        chosen = data.draw(st.sampled_from(pending))
        with self.office.store.read() as session:
            may = verb in queries.finding_view(session, queries.load_finding(session, chosen.id), self._who(login)).may
        more = {"ask": {"finding_ids": [chosen.id]}}.get(verb, {"finding_id": chosen.id})
        if verb == "answer":
            more |= {"reason_code": REASON}
        self._try(partial(getattr(findings, verb), self.office.store), login, may=may, text="말", **more)

    @rule(login=st.sampled_from(["reviewer", SECOND]))
    def settle_and_sign(self, login: str) -> None:
        """The earliest period comes a step nearer to its end, so that signatures are reached."""
        waiting = [each for each in self._ordered() if each.state in {PeriodState.CLOSED, PeriodState.REVIEWED}]
        if waiting:
            for found in self.office.period(waiting[0].id)[1]:
                self._finish(found.id)
            self._sign(waiting[0], "review" if waiting[0].state is PeriodState.CLOSED else "approve", login)

    @rule(data=st.data(), login=TRYING, verb=st.sampled_from(["review", "approve", "return"]))
    def sign(self, data: st.DataObject, login: str, verb: str) -> None:
        found = [each for each in self._ordered() if each.state is not PeriodState.OPEN]
        if found:
            self._sign(data.draw(st.sampled_from(found)), verb, login)

    def _sign(self, period: ReviewPeriod, verb: str, login: str) -> None:
        may = verb in self._may(period, login)
        if verb == "return":
            self._try(partial(signoff.send_back, self.office.store), login, may=may, period_id=period.id, reason="다시")
            return
        with self.office.store.read() as session:
            report = signoff.make(session, queries.load_period(session, period.id)).sha256
        act = partial(getattr(signoff, verb), self.office.store)
        self._try(act, login, may=may, period_id=period.id, report_sha256=report)

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def periods_follow_each_other(self) -> None:
        rows = self._ordered()
        assert [each.number for each in rows] == list(range(1, len(rows) + 1))
        assert [each.first_leaf for each in rows[1:]] == [each.size for each in rows[:-1]]
        assert [each.state for each in rows[:-1]].count(PeriodState.OPEN) == 0

    @invariant()
    def what_is_signed_was_signed_by_two_and_is_settled(self) -> None:
        with self.office.store.read() as session:
            for period in session.scalars(select(ReviewPeriod).where(ReviewPeriod.state == PeriodState.SIGNED)):
                assert len({period.reviewer_id, period.approver_id} - {None}) == 2
                assert {each.state for each in period.findings} <= {FindingState.ACCEPTED, FindingState.ESCALATED}
                assert [
                    each.id for each in period.findings if each.rule == "download-reason" and not each.reason_code
                ] == []
                kept = set(session.scalars(select(ReviewReport.kind).where(ReviewReport.period_id == period.id)))
                assert kept == {"json", "html", "pdf"}
                assert session.get(ReviewReport, (period.id, period.report_sha256, "json")) is not None

    @invariant()
    def nobody_is_accepted_unheard_or_by_themselves(self) -> None:
        with self.office.store.read() as session:
            for found in session.scalars(select(ReviewFinding).where(ReviewFinding.state == FindingState.ACCEPTED)):
                said = {each.part: each.author_id for each in found.texts}
                assert set(said) == {FindingState.ASKED, FindingState.ANSWERED, FindingState.ACCEPTED}
                concerned = found.account_id or "u-operator"
                assert said[FindingState.ANSWERED] == concerned
                assert concerned not in {said[FindingState.ASKED], said[FindingState.ACCEPTED]}

    # -- doing -----------------------------------------------------------------------------------------------------

    def _finish(self, finding_id: str) -> None:
        with self.office.store.read() as session:
            found = queries.load_finding(session, finding_id)
            who = found.account_id.removeprefix("u-") if found.account_id else "operator"
        judge = SECOND if who == "reviewer" else "reviewer"
        if found.state is FindingState.RAISED:
            self.office.ask(found.id, login=judge)
        if found.state in {FindingState.RAISED, FindingState.ASKED}:
            self.office.answer(found.id, who, reason=REASON)
        if found.state in OPEN:
            self.office.accept(found.id, judge)

    def _try(self, act: partial[object], login: str, *, may: bool, **more: object) -> None:
        with self.office.scene.new_entries() as entries:
            try:
                act(self._who(login), **more, now=self.office.now)
                done = True
            except EnclaveError as error:
                done, said = False, error.code
        told = [entry for entry in entries if entry["action"] != "finding.raise"]
        assert done is may, (act.func.__name__, login, "" if done else said)
        assert [entry["outcome"] in {"done", "allowed"} for entry in told] == [done], told
        type(self).signed += done and act.func is signoff.approve

    def _record(self, event: Event) -> None:
        with self.office.store.write(event):
            pass

    def _who(self, login: str):
        return self.office.actor(login)

    def _rows(self, kind: type) -> list:
        with self.office.store.read() as session:
            return list(session.scalars(select(kind)))

    def _ordered(self) -> list[ReviewPeriod]:
        return sorted(self._rows(ReviewPeriod), key=lambda each: each.number)

    def _open(self) -> ReviewPeriod | None:
        return next((each for each in self._rows(ReviewPeriod) if each.state is PeriodState.OPEN), None)

    def _may(self, period: ReviewPeriod, login: str) -> frozenset[str]:
        with self.office.store.read() as session:
            found = queries.load_period(session, period.id)
            return queries.period_view(session, found, self._who(login), self.office.now).may


def test_random_histories_keep_what_a_review_promises(office: Office) -> None:
    ReviewMachine.signed = 0
    run_state_machine_as_test(
        lambda: ReviewMachine(office),
        settings=settings(
            max_examples=4,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(hypothesis.Phase.generate,),
        ),
    )
    assert ReviewMachine.signed > 0, "no history came as far as two signatures"
