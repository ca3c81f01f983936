"""Random walks through everything that can happen to policies, on the real database: nothing leads round the replay."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from enclave.actor import Actor
from enclave.commands import provider_policy
from enclave.commands.provider_policy import Replayed
from enclave.errors import EnclaveError
from enclave.model.policy import PolicyReplay, ProviderPolicy
from enclave.queries import policy_versions
from enclave.queries import provider_policy as queries
from enclave.states import Decision, PolicyState
from tests.enclave.provider.policies import policies
from tests.enclave.scene import NOW, Scene, build

LOGINS = st.sampled_from(["steward-a", "owner", "steward-b", "lead", "scientist", "operator", "checker-a"])
ALLOWED = {"steward-a", "owner"}


class Walk(RuleBasedStateMachine):
    """`replayed`: by version, the rounds that were replayed on it when it was put into force."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        home = Path(self.folder.name)
        self.scene: Scene = build(f"sqlite:///{home / 'walk.sqlite'}", home / "home")
        self.project = self.scene.active()
        self.made: list[str] = []
        self.decided: set[str] = set()
        self.files = 0

    def teardown(self) -> None:
        self.scene.store.close()
        self.folder.cleanup()

    def tried(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except EnclaveError:
            return False
        return True

    @rule(document=policies(), login=LOGINS)
    def propose(self, document: object, login: str) -> None:
        def act() -> None:
            made = provider_policy.propose(
                self.scene.store, self.scene.actor(login), provider="hospital-a",
                text=document.canonical(), reason="이유", now=NOW,  # type: ignore[attr-defined]
            )  # fmt: skip
            self.made.append(made.id)

        assert not self.tried(act) or login == "steward-a"

    @rule()
    def decide(self) -> None:
        self.files += 1
        request = self.scene.submitted(self.project, self.scene.checked(f"가,수\n나,{self.files}77\n"))
        self.scene.vote("checker-a", request, Decision.RETURN)
        self.decided.add(request)

    @rule(number=st.integers(0, 5), most=st.integers(0, 3))
    def replay(self, number: int, most: int) -> None:
        if not self.made:
            return
        policy_id = self.made[number % len(self.made)]
        found = [
            Replayed(each.request_id, each.round, each.document.sha256, False, {})
            for each in policy_versions.due(self.scene.store, policy_id)[:most]
        ]
        self.tried(
            lambda: provider_policy.record_replay(
                self.scene.store, Actor.system(), policy_id=policy_id, found=found, now=NOW
            )
        )

    @rule(number=st.integers(0, 5), login=LOGINS, fresh=st.booleans(), forged=st.booleans())
    def activate(self, number: int, login: str, fresh: bool, forged: bool) -> None:
        if not self.made:
            return
        store, policy_id = self.scene.store, self.made[number % len(self.made)]
        actor = self.scene.actor(login)
        shown = policy_versions.policy(store, Actor.console(), policy_id)
        sha256 = "0" * 64 if forged else shown.sha256
        actor = actor if fresh else replace(actor, second_factor_at=None)
        done = self.tried(lambda: provider_policy.activate(store, actor, policy_id=policy_id, sha256=sha256, now=NOW))
        may = shown.state is PolicyState.REPLAYED and not shown.missing and login == "owner" and fresh and not forged
        assert done is may, (shown.state, shown.missing, login, fresh, forged)
        if done:
            with store.read() as session:
                replays = session.scalars(select(PolicyReplay.request_id).filter_by(policy_id=policy_id))
                assert set(replays) == self.decided

    @rule(number=st.integers(0, 5), login=LOGINS)
    def withdraw(self, number: int, login: str) -> None:
        if self.made:
            policy_id = self.made[number % len(self.made)]
            actor = self.scene.actor(login)
            done = self.tried(lambda: provider_policy.withdraw(self.scene.store, actor, policy_id=policy_id, now=NOW))
            assert not done or login == "steward-a"

    @invariant()
    def one_version_counts_and_two_persons_stand_behind_it(self) -> None:
        with self.scene.store.read() as session:
            rows = list(session.scalars(select(ProviderPolicy)))
            for row in rows:
                queries.kept(row.kept.text, row.sha256)
            counting = [row for row in rows if row.state is PolicyState.ACTIVE]
            assert len(counting) <= 1
            put = [row for row in rows if row.activated_at is not None]
            assert all(row.activated_by != row.proposed_by for row in put)
            assert all(row.state in {PolicyState.ACTIVE, PolicyState.SUPERSEDED} for row in put)
            assert sorted(row.number for row in rows) == list(range(2, len(rows) + 2))


TestWalk = Walk.TestCase
TestWalk.settings = settings(
    max_examples=6, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
