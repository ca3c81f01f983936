"""Random histories of the egress workflow on the real database: what must never happen does not.

The oracle does not ask the code under test: it reads the log's bytes and the package's bytes. Whatever was released
has, for exactly these bytes and this round, approvals of two people of two organisations, each entitled when they
voted, none of them a member of the project or of its organisation. And every command left one terminal entry.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

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
from enclave.airlock.package import open_content
from enclave.commands import egress, people, release, reviewing
from enclave.commands.content import content_sha256
from enclave.errors import EnclaveError
from enclave.policy.people import check_role_fits
from enclave.queries import egress as queries
from enclave.queries.airlock_facts import load_request
from enclave.roles import Role
from enclave.states import Decision, ReleaseState, RequestState
from tests.enclave.scene import CAST, NOW, Scene

VOTERS = (
    "checker-a",
    "checker-a2",
    "checker-b",
    "checker-c",
    "checker-own",
    "colleague",
    "scientist",
    "steward-a",
    "operator",
)
CHECKERS = ("checker-a", "checker-b", "checker-a2", "checker-c")
RARELY = st.sampled_from([False] * 7 + [True])
MOVING = ("checker-a", "checker-b", "colleague")


class EgressMachine(RuleBasedStateMachine):
    """One project, a few requests, everybody trying everything."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.project = scene.usual()
        self.requests: list[str] = []
        self.states: dict[str, RequestState] = {}
        self.number = 0
        self.began = scene.position()
        # Who could check when: filled at each accepted vote, from the grants and not from the policy.
        self.entitled_votes: set[tuple[str, int, str, str]] = set()

    def _does(self, act: Callable[[], object]) -> bool:
        """Do it; check that it left exactly one terminal entry that says what happened; return whether it was done."""
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

    def _file(self):
        self.number += 1
        return self.scene.checked(f"연령,수\n40대,{50 + self.number}\n")

    @initialize()
    def begin(self) -> None:
        self.submit(blocked=False)

    @precondition(lambda self: not self._in(RequestState.SUBMITTED))
    @rule(blocked=RARELY)
    def submit(self, blocked: bool) -> None:
        file = self.scene.checked(f"수\n{self.number}\n", block=True) if blocked else self._file()
        form = self.scene.submission(self.project, file)
        made: list[str] = []
        self._does(lambda: made.append(self._submit(form)))
        self.requests += made

    @precondition(lambda self: self._in(RequestState.RETURNED))
    @rule(data=st.data())
    def resubmit(self, data) -> None:
        form = self.scene.submission(self.project, self._file(), request_id=self._any(data))
        self._does(lambda: self._submit(form))

    @rule(data=st.data(), really=RARELY)
    def withdraw(self, data, really: bool) -> None:
        if not really:
            return
        made, actor = self._any(data), self.scene.actor("scientist")
        self._does(lambda: egress.withdraw(self.scene.store, actor, request_id=made, now=NOW))

    @precondition(lambda self: self._in(RequestState.SUBMITTED))
    @rule(data=st.data(), first=st.sampled_from(CHECKERS), second=st.sampled_from(CHECKERS), again=st.booleans())
    def approve_twice(self, data, first: str, second: str, again: bool) -> None:
        """Two approvals, perhaps of one organisation, perhaps with a new round in between."""
        made = data.draw(st.sampled_from(self._in(RequestState.SUBMITTED)))
        self._vote(made, first, Decision.APPROVE, "")
        if again:
            self._send_back(made)
        self._vote(made, second, Decision.APPROVE, "")

    @precondition(lambda self: self._in(RequestState.SUBMITTED))
    @rule(data=st.data(), login=st.sampled_from(CHECKERS))
    def approve(self, data, login: str) -> None:
        self._vote(data.draw(st.sampled_from(self._in(RequestState.SUBMITTED))), login, Decision.APPROVE, "")

    @precondition(lambda self: self._in(RequestState.SUBMITTED))
    @rule(data=st.data(), login=st.sampled_from(CHECKERS), flaw=st.sampled_from(("stale", "round", "content")))
    def approve_wrongly(self, data, login: str, flaw: str) -> None:
        made = data.draw(st.sampled_from(self._in(RequestState.SUBMITTED)))
        assert not self._vote(made, login, Decision.APPROVE, flaw)

    @precondition(lambda self: self._in(RequestState.SUBMITTED))
    @rule(data=st.data(), login=st.sampled_from(("checker-own", "colleague", "scientist")))
    def insider_approves(self, data, login: str) -> None:
        made = data.draw(st.sampled_from(self._in(RequestState.SUBMITTED)))
        assert not self._vote(made, login, Decision.APPROVE, "")

    @precondition(lambda self: self._in(RequestState.SUBMITTED))
    @rule(data=st.data())
    def send_back_and_ask_again(self, data) -> None:
        self._send_back(data.draw(st.sampled_from(self._in(RequestState.SUBMITTED))))

    def _send_back(self, made: str) -> None:
        if self._vote(made, "checker-c", Decision.RETURN, ""):
            form = self.scene.submission(self.project, self._file(), request_id=made)
            assert self._does(lambda: self._submit(form))

    @rule(
        data=st.data(),
        login=st.sampled_from(VOTERS),
        decision=st.sampled_from([Decision.APPROVE, Decision.RETURN, Decision.APPROVE, Decision.REJECT]),
        flaw=st.sampled_from(["", "stale", "round", "content"]),
    )
    def vote(self, data, login: str, decision: Decision, flaw: str) -> None:
        self._vote(self._any(data), login, decision, flaw)

    def _vote(self, made: str, login: str, decision: Decision, flaw: str) -> bool:
        actor = self.scene.actor(login)
        if flaw == "stale":
            actor = replace(actor, second_factor_at=NOW - timedelta(minutes=5, seconds=1))
        ballot = self.scene.ballot(made, decision)
        wrong = {"round": {"round": ballot.round + 1}, "content": {"content_sha256": "0" * 64}}.get(flaw, {})
        ballot = self.scene.ballot(made, decision, **wrong)
        could = self._could_check(login)
        done = self._does(lambda: reviewing.decide(self.scene.store, actor, request_id=made, vote=ballot, now=NOW))
        assert not (done and flaw)
        if done and could and decision is Decision.APPROVE:
            self.entitled_votes.add((made, ballot.round, ballot.content_sha256, f"u-{login}"))
        return done

    @rule(login=st.sampled_from(MOVING), really=RARELY)
    def change_role(self, login: str, really: bool) -> None:
        """A checker loses the role, a colleague of the project gains it (or the other way round)."""
        if not really:
            return
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

    @rule(data=st.data(), any_state=RARELY)
    def build(self, data, any_state: bool) -> None:
        ready = self._in(RequestState.APPROVED)
        if not ready and not any_state:
            return
        view = self._view(data.draw(st.sampled_from(ready or self.requests)))
        named = view.release.id if view.release else "r-none"
        self._does(lambda: release.build(self.scene.store, self.scene.depot, release_id=named, now=NOW))

    @precondition(lambda self: self._in(RequestState.RELEASED))
    @rule(data=st.data(), login=st.sampled_from(("scientist", "scientist", "lead", "checker-a")))
    def hand_over(self, data, login: str) -> None:
        made = self._view(data.draw(st.sampled_from(self._in(RequestState.RELEASED)))).release
        named, actor = made.id if made else "r-none", self.scene.actor(login)
        got: list[release.HandedOver] = []
        self._does(
            lambda: got.append(release.hand_over(self.scene.store, self.scene.depot, actor, release_id=named, now=NOW))
        )
        for each in got:
            assert login == "scientist"
            self._check_package(each)

    @invariant()
    def what_was_approved_carries_two_outsiders_votes_on_these_bytes(self) -> None:
        for made in self.requests:
            with self.scene.store.read() as session:
                found = load_request(session, made)
                state, number, content = found.state, found.round, found.content_sha256
                new, self.states[made] = self.states.get(made) is not state, state
                files = [file for file in self.scene_files(found) if file[0] == number]
                bound = (found.receiver_id, found.purpose, found.context)
            again = content_sha256(
                [file[1] for file in files], receiver_id=bound[0], purpose=bound[1], context=bound[2]
            )
            assert again == content
            if new and state in {RequestState.APPROVED, RequestState.RELEASED}:
                self._check_votes(made, number, content)

    @staticmethod
    def scene_files(found):
        from enclave.commands.content import CollectedFile

        return [(file.round, CollectedFile(file.name, file.sha256, file.size)) for file in found.files]

    def teardown(self) -> None:
        for login in MOVING:
            self._restore(login)

    def _check_votes(self, made: str, number: int, content: str) -> None:
        approvals = [
            entry["actor"]["id"]
            for entry in self.scene.entries(self.began)
            if (entry["action"], entry["outcome"]) == ("egress.approve", "done")
            and entry["object"] == {"id": made, "kind": "egress_request", "sha256": content}
            and entry["details"]["round"] == number
        ]
        voters = {voter for voter in approvals if (made, number, content, voter) in self.entitled_votes}
        assert len(approvals) == len(set(approvals))
        assert len(voters) >= 2
        assert voters & {"u-lead", "u-scientist", "u-colleague"} == set()
        organisations = {CAST[voter.removeprefix("u-")][0] for voter in voters}
        assert len(organisations) >= 2
        assert "startup" not in organisations

    def _check_package(self, handed: release.HandedOver) -> None:
        view = self._view(handed.release.request_id)
        with zipfile.ZipFile(io.BytesIO(b"".join(open_content(handed.path, handed.key)))) as archive:
            inside = {one["sha256"] for one in json.loads(archive.read("manifest.json"))["files"]}
        assert inside == {file.sha256 for file in view.files}
        assert handed.release.state is ReleaseState.HANDED_OVER

    def _submit(self, form) -> str:
        return egress.submit(self.scene.store, self.scene.actor("scientist"), submission=form, now=NOW).id

    def _in(self, *states: RequestState) -> list[str]:
        return [made for made, state in self.states.items() if state in states]

    def _any(self, data) -> str:
        return data.draw(st.sampled_from(self.requests))

    def _view(self, made: str):
        return queries.request(self.scene.store, self.scene.actor("reviewer"), made, now=NOW)

    def _roles(self, login: str) -> frozenset[Role]:
        return self.scene.actor(login).roles

    def _could_check(self, login: str) -> bool:
        return Role.OUTPUT_CHECKER in self._roles(login)

    def _restore(self, login: str) -> None:
        wanted = set(CAST[login][1])
        for role in self._roles(login) - wanted:
            people.revoke_role(self.scene.store, Actor.console(), login=login, role=role, reason="r", now=NOW)
        for role in wanted - self._roles(login):
            people.grant_role(self.scene.store, Actor.console(), login=login, role=role, reason="r", now=NOW)


def test_no_history_releases_anything_without_two_outsiders_of_two_organisations_on_these_bytes(shared: Scene) -> None:
    run_state_machine_as_test(
        lambda: EgressMachine(shared),
        settings=settings(
            max_examples=100 if shared.store.engine.dialect.name == "sqlite" else 40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
