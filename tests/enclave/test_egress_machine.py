"""Random histories of the airlock on the real database: what must never happen does not, and nothing gets stuck.

After each step:
- the released invariant, read from the log's bytes and not from the code under test: whatever was let through has, for
  exactly these bytes and this round, as many words of distinct, then entitled outsiders of distinct organisations as
  its files need (counted by an oracle of this test), each approving each file that left, none given earlier and revised
  since;
- nothing dead-ends: from every state that is not over, somebody may do something that leads on;
- `allowed` tells the truth: every verb it lists succeeds when tried, every other is refused;
- blindness: until all needed reviews are in nobody is shown another's word, and the author never before the decision.

`ANSIM_MACHINE_STEPS` sets how many steps are walked (500 in CI, 10,000 at night: `make walk`).
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.commands import drafts, egress, people, release, rerun, reviewing, upkeep
from enclave.commands.content import FileNote, Group
from enclave.errors import EnclaveError
from enclave.model.rerun import RerunState
from enclave.policy.airlock import machine, who
from enclave.policy.allows import allows
from enclave.policy.people import check_role_fits
from enclave.queries import egress as queries
from enclave.queries import rerun as reruns
from enclave.queries.airlock_facts import facts, load_request
from enclave.queries.airlock_shown import release_view, request_view
from enclave.roles import Role
from enclave.states import AIRLOCK, Audience, Decision, FileRole, FileVote, Phase, ReleaseState, RequestState, Verb
from tests.enclave.airlock_acts import attempt
from tests.enclave.scene import CAST, NOW, Scene, reproduced

STEPS = int(os.environ.get("ANSIM_MACHINE_STEPS", "500"))
NIGHTLY = 10_000
LOG = logging.getLogger(__name__)
CHECKERS = ("checker-a", "checker-a2", "checker-b", "checker-c")
EVERYBODY = (*CHECKERS, "checker-own", "scientist", "lead", "colleague", "steward-a", "operator", "auditor", "system")
SEEING = ("checker-a", "checker-b", "checker-c", "scientist", "colleague", "auditor")
MOVING = ("checker-a", "checker-b", "colleague", "scientist")
ASKING = ("scientist", "colleague", "lead")
FLAWS = ("", "", "", "", "stale", "round", "bytes", "unseen")
RARELY = st.sampled_from([False] * 3 + [True])
ASKED = [verb for verb in Verb if verb is not Verb.RELEASE]
LEADS_ON = {Verb.SUBMIT, Verb.REVIEW, Verb.CONCLUDE, Verb.RETURN, Verb.WITHDRAW, Verb.REOPEN, Verb.REJECT}
# How often a step that is open to somebody is taken, so that most histories come as far as a release.
OFTEN = {Verb.REVIEW: 6, Verb.REVISE: 2, Verb.CONCLUDE: 6, Verb.SUBMIT: 6, Verb.REOPEN: 6}
OVER = {state for state, verbs in AIRLOCK.items() if not verbs}


class AirlockMachine(RuleBasedStateMachine):
    """One project, one request after the other, everybody trying everything."""

    steps = 0
    reached: ClassVar[Counter[Verb]] = Counter()

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.project = scene.usual()
        self.request = ""
        self.number = 0
        self.now = NOW
        # What the oracle knows: per (request, round) each reviewer's standing word, from what the test itself sent.
        self.words: dict[tuple[str, int], dict[str, dict[str, FileVote]]] = {}
        self.entitled: set[tuple[str, int, str]] = set()
        # In which rounds somebody was shown the files; and in which all who may judge now were.
        self.seen: set[tuple[str, int]] = set()
        self.all_saw: set[tuple[str, int]] = set()
        self.actors: dict[str, Actor] = {}

    # -- doing -----------------------------------------------------------------------------------------------------

    def _who(self, login: str) -> Actor:
        if login == "system":
            return Actor.system()
        if login not in self.actors:
            self.actors[login] = self.scene.actor(login, now=self.now)
        return self.actors[login]

    def _does(self, act: Callable[[], object]) -> bool:
        """Do it; check that it left exactly one terminal entry that says what happened; return whether it was done."""
        type(self).steps += 1
        with self.scene.new_entries() as entries:
            try:
                act()
                done = True
            except EnclaveError:
                done = False
        terminal = [entry["outcome"] for entry in entries if entry["action"] != "release.requested"]
        assert len(terminal) == 1, entries
        assert (terminal[0] in {"done", "allowed"}) is done, entries
        return done

    def _view(self, login: str = ""):
        """What `login` is shown; without one what anybody's view would hold, also of a draft."""
        if login:
            return queries.request(self.scene.store, self._who(login), self.request, now=self.now)
        with self.scene.store.read() as session:
            return request_view(load_request(session, self.request), self._who("auditor"), self.now)

    def _file(self, name: str = "table.csv", *, block: bool = False):
        self.number += 1
        return self.scene.checked(f"연령,수\n40대,{50 + self.number}\n", name, block=block)

    def _form(self, *, block: bool = False, several: bool = False, coded: bool = False, **changes: object):
        files = [self._file(block=block)]
        if coded:
            files = [replace(files[0], file=replace(files[0].file, code="make.py")), self._file("make.py")]
        if several:
            files += [self._file("second.csv"), self._file("why.csv")]
            changes["notes"] = {
                "second.csv": FileNote(group="둘째"),
                "why.csv": FileNote(group="둘째", role=FileRole.SUPPORTING),
            }
            changes["groups"] = (Group("첫째", "표", "10 미만 가림"), Group("둘째", "표", "반올림"))
        return self.scene.submission(self.project, *files, **changes)

    @initialize(several=st.booleans())
    def begin(self, several: bool) -> None:
        self.ask(blocked=False, several=several, coded=False, drafted=False)

    @precondition(lambda self: self._state() in OVER | {RequestState.RELEASED})
    @rule(blocked=RARELY, several=st.booleans(), coded=RARELY, drafted=RARELY)
    def ask(self, blocked: bool, several: bool, coded: bool, drafted: bool) -> None:
        """A new request, straight away or as a draft."""
        author = next(login for login in ASKING if self._able(login))
        if drafted:
            made: list[str] = []
            self._does(
                lambda: made.append(
                    drafts.save_draft(
                        self.scene.store,
                        self._who(author),
                        project_id=self.project,
                        draft=drafts.Draft(purpose="생각 중"),
                        now=self.now,
                    ).id
                )
            )
            self.request = made[0]
            return
        form = self._form(block=blocked, several=several, coded=coded)
        assert self._does(lambda: setattr(self, "request", self._submit(form, author)))

    @precondition(lambda self: self._state() in {RequestState.DRAFT, RequestState.RETURNED})
    @rule(several=st.booleans(), coded=RARELY, login=st.sampled_from(ASKING))
    def submit(self, several: bool, coded: bool, login: str) -> None:
        """The next round, by its author or by somebody who is not."""
        form = self._form(several=several, coded=coded, request_id=self.request)
        mine = self._view().requester_login == login
        assert self._does(lambda: self._submit(form, login)) is (mine and self._able(login))

    def _submit(self, form, login: str) -> str:
        return egress.submit(self.scene.store, self._who(login), submission=form, now=self.now).id

    @precondition(lambda self: self._state() is RequestState.SUBMITTED and self._waits_for_code())
    @rule()
    def code_is_run(self) -> None:
        """The service ran the code again (once more on half of the data, if it had made the same files)."""
        waiting = next(
            each for each in reruns.of_request(self.scene.store, self.request) if each.state != RerunState.DONE
        )
        ran = reproduced(waiting)
        assert self._does(
            lambda: rerun.conclude(
                self.scene.store, Actor.system(), rerun_id=waiting.id, ran=ran, blocks=True, now=self.now
            )
        )

    @precondition(lambda self: self._state() is RequestState.SUBMITTED)
    @rule(data=st.data(), login=st.sampled_from(CHECKERS), flaw=st.sampled_from(FLAWS))
    def say(self, data, login: str, flaw: str) -> None:
        """A word with a vote on each file."""
        view = self._view()
        outputs = [file for file in view.files if file.role is FileRole.OUTPUT]
        votes = {file.id: data.draw(st.sampled_from([FileVote.APPROVE] * 4 + [FileVote.CHANGES])) for file in outputs}
        self._word(login, Decision.APPROVE, votes, flaw)

    @precondition(lambda self: self._state() is RequestState.SUBMITTED)
    @rule(login=st.sampled_from(EVERYBODY), decision=st.sampled_from(list(Decision)))
    def simple_word(self, login: str, decision: Decision) -> None:
        """A word on the whole request, by anybody."""
        self._word(login, decision, {}, "")

    def _word(self, login: str, decision: Decision, votes: dict[str, FileVote], flaw: str) -> bool:
        actor, view = self._who(login), self._view()
        if flaw == "stale":
            actor = replace(actor, second_factor_at=self.now - timedelta(minutes=5, seconds=1))
        wrong = {"round": {"round": view.round + 1}, "bytes": {"content_sha256": "0" * 64}}.get(flaw, {})
        if flaw != "unseen":
            self._all_look(view)
        ballot = self.scene.ballot(
            self.request,
            decision,
            look=False,
            votes=votes,
            comment="고쳐 주세요.",
            override_reason="위원회 합의",
            **wrong,
        )
        could = Role.OUTPUT_CHECKER in actor.roles
        done = self._does(
            lambda: reviewing.decide(self.scene.store, actor, request_id=self.request, vote=ballot, now=self.now)
        )
        assert not (done and flaw in {"stale", "round", "bytes"})
        if done and (self.request, view.round) not in self.seen:
            assert FileVote.APPROVE not in votes.values(), "approved unseen"
            assert decision is not Decision.APPROVE or set(votes.values()) == {FileVote.CHANGES}, "approved unseen"
        if done and decision in {Decision.APPROVE, Decision.CHANGES}:
            rest = FileVote.APPROVE if decision is Decision.APPROVE else FileVote.CHANGES
            cast = {file.id: votes.get(file.id, rest) for file in view.files if file.role is FileRole.OUTPUT}
            self.words.setdefault((self.request, view.round), {})[login] = cast
            if could:
                self.entitled.add((self.request, view.round, login))
        return done

    @rule(verb=st.sampled_from(ASKED), login=st.sampled_from(EVERYBODY))
    def try_anything(self, verb: Verb, login: str) -> None:
        """`allowed` tells the truth: what it lists succeeds, what it does not list is refused."""
        self._try(verb, login)

    @rule(data=st.data())
    def go_on(self, data) -> None:
        """One of the steps that are open to somebody."""
        with self.scene.store.read() as session:
            about = facts(load_request(session, self.request), self.now)
        may = {login: machine.allowed(self._who(login), about, self.now) for login in EVERYBODY}
        open_now = [verb for verb in ASKED if any(verb in verbs for verbs in may.values())]
        if open_now:
            verb = data.draw(st.sampled_from([verb for verb in open_now for _ in range(OFTEN.get(verb, 1))]))
            self._try(verb, data.draw(st.sampled_from([login for login, verbs in may.items() if verb in verbs])))

    def _try(self, verb: Verb, login: str) -> None:
        actor, before = self._who(login), self._view()
        listed = self._allowed(login)
        if verb in {Verb.REVIEW, Verb.REVISE}:
            # One door for both: whoever has given a word revises it.
            verb = Verb.REVISE if login in self.words.get((self.request, before.round), {}) else Verb.REVIEW
        self._all_look(before)
        done = self._does(lambda: attempt(self.scene, actor, before, verb, self.now, look=False))
        assert done is (verb in listed), (verb, login, before.state, before.phase, sorted(listed))
        self.reached.update([verb] * done)
        if done and verb in {Verb.REVIEW, Verb.REVISE}:
            cast = {file.id: FileVote.APPROVE for file in before.files if file.role is FileRole.OUTPUT}
            self.words.setdefault((self.request, before.round), {})[login] = cast
            self.entitled.add((self.request, before.round, login))

    @precondition(lambda self: self._state() is RequestState.APPROVED)
    @rule()
    def build(self) -> None:
        """Make the package; it may be refused where the approvals no longer carry it, and then can be reopened."""
        wish = self._view().release
        done = self._does(lambda: release.build(self.scene.store, self.scene.depot, release_id=wish.id, now=self.now))
        self.reached.update([Verb.RELEASE] * done)
        if not done:
            assert any(Verb.REOPEN in self._allowed(login) for login in CHECKERS)

    @precondition(lambda self: self._state() is RequestState.RELEASED)
    @rule(login=st.sampled_from(("scientist", "scientist", "lead", "checker-a")))
    def hand_over(self, login: str) -> None:
        view, actor = self._view(), self._who(login)
        with self.scene.store.read() as session:
            listed = release_view(load_request(session, self.request).release, actor, self.now).may
        done = self._does(
            lambda: release.hand_over(
                self.scene.store, self.scene.depot, actor, release_id=view.release.id, now=self.now
            )
        )
        assert done is ("hand_over" in listed)
        assert not done or login == view.receiver_login
        if not done and login == view.receiver_login and view.release.state is ReleaseState.DONE:
            assert any(Verb.RECALL in self._allowed(each) for each in EVERYBODY), "stuck"

    @rule(login=st.sampled_from(MOVING), really=RARELY)
    def change_role(self, login: str, really: bool) -> None:
        """A checker loses the role, a colleague of the project gains it (or the other way round)."""
        if really:
            self._turn(login)

    @precondition(lambda self: self._state() is RequestState.APPROVED)
    @rule(login=st.sampled_from(MOVING))
    def an_approver_leaves(self, login: str) -> None:
        """Between the decision and the package: then nothing is built, and a checker opens the request again."""
        if Role.OUTPUT_CHECKER in self._roles(login) and login in self.words.get(
            (self.request, self._view().round), {}
        ):
            self._turn(login)

    def _turn(self, login: str) -> None:
        self.actors.clear()
        self.all_saw.clear()
        held, console = self._roles(login), Actor.console()
        if Role.OUTPUT_CHECKER in held:
            self._does(
                lambda: people.revoke_role(
                    self.scene.store, console, login=login, role=Role.OUTPUT_CHECKER, reason="r", now=NOW
                )
            )
            return
        if Role.SCIENTIST in held:
            people.revoke_role(self.scene.store, console, login=login, role=Role.SCIENTIST, reason="r", now=NOW)
        check_role_fits(self._roles(login), Role.OUTPUT_CHECKER)
        self._does(
            lambda: people.grant_role(
                self.scene.store, console, login=login, role=Role.OUTPUT_CHECKER, reason="r", now=NOW
            )
        )

    @rule(days=st.sampled_from((1, 8)), really=RARELY)
    def time_passes(self, days: int, really: bool) -> None:
        """Days go by (the project lasts five weeks); what is idle too long is closed, lateness is told."""
        if really and self.now < NOW + timedelta(days=25):
            self.now += timedelta(days=days)
            self.actors.clear()
            for late in queries.to_escalate(self.scene.store, now=self.now):
                upkeep.escalate(self.scene.store, Actor.system(), request_id=late, now=self.now)
            for idle in queries.idle(self.scene.store, now=self.now):
                upkeep.expire(self.scene.store, self.scene.depot, Actor.system(), request_id=idle, now=self.now)
                self.reached[Verb.EXPIRE] += 1

    # -- what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def all_of_it_holds(self) -> None:
        """Look at the request once, through everybody's eyes."""
        if not self.request:
            return
        with self.scene.store.read() as session:
            found = load_request(session, self.request)
            about = facts(found, self.now)
            if found.state in {RequestState.APPROVED, RequestState.RELEASED}:
                self._what_left_was_approved_by_enough_outsiders(request_view(found, self._who("auditor"), self.now))
            if found.state not in OVER | {RequestState.RELEASED}:
                open_to = [machine.allowed(self._who(login), about, self.now) & LEADS_ON for login in EVERYBODY]
                assert any(open_to), "stuck"
            if found.round:
                self._the_content_hash_names_what_is_asked_for(found)
                for login in SEEING:
                    if allows(who.check_may_see, self._who(login), about):
                        self._is_blind(login, request_view(found, self._who(login), self.now))

    def _what_left_was_approved_by_enough_outsiders(self, view) -> None:
        passed = [file for file in view.files if file.passed]
        assert passed
        assert all(file.role is FileRole.OUTPUT for file in passed)
        words = self.words[self.request, view.round]
        outsiders = {login: cast for login, cast in words.items() if CAST[login][0] != "startup"}
        entitled = {login for login in outsiders if (self.request, view.round, login) in self.entitled}
        blocked = any(file.verdict is Verdict.BLOCK for file in view.files if file.role is FileRole.OUTPUT)
        for file in passed:
            approving = {login for login in entitled if outsiders[login].get(file.id) is FileVote.APPROVE}
            organisations = {CAST[login][0] for login in approving}
            assert len(organisations) >= (3 if blocked else 2), (file.name, words)

    @staticmethod
    def _the_content_hash_names_what_is_asked_for(found) -> None:
        rounds = {each.round: each.content_sha256 for each in found.rounds}
        assert rounds[found.round] == found.content_sha256
        assert len(set(rounds.values())) == len(rounds)

    @staticmethod
    def _is_blind(login: str, view) -> None:
        """Nobody sees another's word before all needed are in, and the author never before the decision."""
        others = [each for each in view.reviews if each.round == view.round and each.reviewer_login != login]
        remarks = [
            each
            for each in view.comments
            if each.round == view.round and each.author_login != login and not each.from_author
        ]
        of_authors = login in {"scientist", "colleague"}
        if view.phase is Phase.INDEPENDENT or (of_authors and view.phase is Phase.CONSOLIDATING):
            assert (others, remarks) == ([], []), login
            assert {file.decision for file in view.files} <= {None, "incomplete"}
        if of_authors:
            assert all(each.audience is Audience.PUBLIC for each in view.comments)
            assert "conflicted" not in {file.decision for file in view.files}

    def _all_look(self, view) -> None:
        """Everybody who may judge has the present round on the screen."""
        this = (self.request, view.round)
        if this not in self.all_saw:
            self.scene.looked(self.request)
            self.all_saw.add(this)
            self.seen.add(this)

    def _waits_for_code(self) -> bool:
        return any(each.state != RerunState.DONE for each in reruns.of_request(self.scene.store, self.request))

    def teardown(self) -> None:
        for login in MOVING:
            self._restore(login)

    def _state(self) -> RequestState:
        if not self.request:
            return RequestState.WITHDRAWN
        with self.scene.store.read() as session:
            return load_request(session, self.request).state

    def _allowed(self, login: str) -> frozenset[str]:
        with self.scene.store.read() as session:
            return machine.allowed(self._who(login), facts(load_request(session, self.request), self.now), self.now)

    def _able(self, login: str) -> bool:
        return not {Role.SCIENTIST, Role.PROJECT_LEAD}.isdisjoint(self._roles(login))

    def _roles(self, login: str) -> frozenset[Role]:
        return self.scene.actor(login).roles

    def _restore(self, login: str) -> None:
        wanted = set(CAST[login][1])
        for role in self._roles(login) - wanted:
            people.revoke_role(self.scene.store, Actor.console(), login=login, role=role, reason="r", now=NOW)
        for role in wanted - self._roles(login):
            people.grant_role(self.scene.store, Actor.console(), login=login, role=role, reason="r", now=NOW)


@pytest.mark.timeout(max(900, STEPS))
def test_no_history_releases_without_enough_outsiders_gets_stuck_lies_or_shows_too_much(
    shared: Scene,
) -> None:
    AirlockMachine.steps, AirlockMachine.reached = 0, Counter()
    while AirlockMachine.steps < STEPS // 2:  # half the walk on each database
        run_state_machine_as_test(
            lambda: AirlockMachine(shared),
            settings=settings(
                max_examples=min(STEPS // 100 + 1, 25),
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                # Shortening a history on a real database takes longer than reading it.
                phases=[hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate],
            ),
        )
        LOG.info("%d acts, %s", AirlockMachine.steps, dict(AirlockMachine.reached))
    assert AirlockMachine.steps >= STEPS // 2
    if STEPS >= NIGHTLY:
        assert [verb for verb in Verb if not AirlockMachine.reached[verb]] == [], "a walk that never came there"
