"""A review office: the seeded enclave with its log really sequenced and signed, and a second reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from audit import keys as log_keys
from audit.sequencer import Sequencer
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import findings, logreview, people
from enclave.commands.acting import intent
from enclave.ids import new_id
from enclave.model.people import Account, AccountRole
from enclave.queries import logreview as queries
from enclave.queries.logreview import FindingView, PeriodView
from enclave.queries.review_window import Published
from enclave.roles import Role
from enclave.store import Store, open_engine, writable
from tests.enclave.scene import NOW, Scene

SECOND = "second"


@dataclass
class Office:
    """`publish` signs what is committed; the shorthands act as the named login at `now`."""

    scene: Scene
    place: Published
    sequencer: Sequencer
    engine: Engine
    now: datetime = NOW

    def shut(self) -> None:
        self.sequencer.close()
        self.engine.dispose()

    @property
    def store(self) -> Store:
        return self.scene.store

    def actor(self, login: str, *, fresh: bool = True) -> Actor:
        return Actor.system() if login == "system" else self.scene.actor(login, fresh=fresh, now=self.now)

    def publish(self) -> None:
        self.sequencer.step()

    def inspect(self, login: str = "reviewer") -> PeriodView:
        self.publish()
        return logreview.inspect(self.store, self.place, self.actor(login), now=self.now)

    def close(self, login: str = "reviewer") -> PeriodView:
        self.publish()
        return logreview.close(self.store, self.place, self.actor(login), now=self.now)

    def period(self, period_id: str, login: str = "reviewer") -> tuple[PeriodView, tuple[FindingView, ...]]:
        return queries.period(self.store, self.actor(login), period_id, now=self.now)

    def ask(self, *ids: str, login: str = "reviewer", text: str = "무슨 일이었습니까?") -> int:
        return findings.ask(self.store, self.actor(login), finding_ids=ids, text=text, now=self.now)

    def answer(self, finding_id: str, login: str, *, reason: str = "", text: str = "제가 했습니다.") -> FindingView:
        act = partial(findings.answer, self.store, self.actor(login), finding_id=finding_id)
        return act(text=text, reason_code=reason, now=self.now)

    def accept(self, finding_id: str, login: str = "reviewer") -> FindingView:
        return findings.accept(self.store, self.actor(login), finding_id=finding_id, text="맞습니다.", now=self.now)

    def escalate(self, finding_id: str, login: str = "reviewer") -> FindingView:
        return findings.escalate(self.store, self.actor(login), finding_id=finding_id, text="보고함", now=self.now)

    def settle(self, period_id: str) -> None:
        """Ask about, answer and accept everything in a period, each as the one who may."""
        for found in self.period(period_id)[1]:
            who = found.login or "operator"
            judge = SECOND if who == "reviewer" else "reviewer"
            self.ask(found.id, login=judge)
            self.answer(found.id, who, reason="research" if found.wants_reason else "")
            self.accept(found.id, judge)

    def later(self, **more: int) -> None:
        self.now += timedelta(**more)

    def grant(self, login: str = "nobody") -> None:
        """Something that no rule is ever quiet about, and that the operator has to explain."""
        people.grant_role(
            self.store, self.actor("operator"), login=login, role=Role.SCIENTIST, reason="시험", now=self.now
        )


def open_office(scene: Scene) -> Office:
    """Put a second reviewer into the scene, and a sequencer beside its database."""
    settings = scene.means.settings
    signer = log_keys.create(settings.keys / "log.key", name="ansim.test/log")
    with scene.store.write(intent(Action.ACCOUNT_CREATE, Actor.console(), ("account", SECOND))) as tx:
        account = Account(id=f"u-{SECOND}", login=SECOND, name="둘째 점검자", organisation_id="zone", password_hash="x")
        account.created_at = NOW
        account.grants = [
            AccountRole(id=new_id("g"), role=Role.REVIEWER, reason="시험", granted_by="console", granted_at=NOW)
        ]
        tx.session.add(account)
    # An engine of its own: what the sequencer writes is no act, and the guard of the store would refuse it.
    engine = open_engine(scene.store.engine.url.render_as_string(hide_password=False))
    sequencer = Sequencer(writable(engine), settings.log, signer, signer.name)
    return Office(scene, Published.of(settings), sequencer, engine)
