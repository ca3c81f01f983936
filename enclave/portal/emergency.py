"""Closing things while the log cannot be written: done at once, spooled, and recorded first thing after recovery.

Nothing is ever opened here. The act is done at the gate and at this door's sessions; a line is synced to a file whose
room was taken beforehand, so that a full disk does not stop it. Where even that file cannot be written (a read-only
file system) the run folder takes it, which survives this process but no loss of power; failing that too, the act is
done all the same and told to the machine's own log, because stopping never waits for the log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from enclave import clock
from enclave.actor import Actor
from enclave.commands import emergency as commands
from enclave.errors import Unavailable
from enclave.gate.events import GateEvent
from enclave.gate.spool import Spool
from enclave.policy.emergency import Act, Emergency, Running, check_may_act
from enclave.portal.stopping import stop_all
from enclave.roles import Role
from enclave.settings import Settings
from enclave.store import Store

LOG = logging.getLogger("ansim.portal.emergency")
T = TypeVar("T")
FIELDS = ("account", "login", "roles", "organisation", "ip", "session", "role")


class Emergencies:
    """The acts that wait, and what was last seen to run. `stop`: how a workspace is revoked at the gate."""

    def __init__(self, settings: Settings, store: Store, stop: Callable[[str], None]) -> None:
        self._store, self._stop = store, stop
        self._spools = list(_opened(settings.emergency, settings.run_folder / "emergency"))
        self._lock = threading.RLock()
        self._replaying = False
        self.running: dict[str, Running] = {}

    def reserve(self) -> None:
        """Take the room of the next acts while there is some; what cannot be had is told and done without."""
        for spool in self._spools:
            try:
                spool.reserve()
            except OSError:
                LOG.exception("no room is kept for emergency acts")

    def waiting(self) -> int:
        """Return how many acts are not recorded yet."""
        return sum(spool.figures()["events"] for spool in self._spools)

    def remember(self, running: Iterable[Running]) -> None:
        """Keep what runs, for when the database cannot be asked."""
        self.running = {each.workspace_id: each for each in running}

    def act(self, actor: Actor, act: Act, on: str, *, reason: str = "", role: str = "") -> list[str]:
        """Do it now and keep it to be recorded; returns the workspaces that the gate did not stop.

        Raises `Denied` by the roles last known; nothing was done then.
        """
        check_may_act(actor, act, on, self.running)
        self._keep(actor, act, on, reason, role)
        return stop_all(self._stop, sorted(self._concerned(act, on)))

    def settle(self) -> int:
        """Record what waits; returns how many. Raises `Unavailable` while that cannot be done: then nothing else may.

        The store calls it before it writes anything (`Store.first`).
        """
        with self._lock:
            if self._replaying or not self.waiting():
                return 0
            self._replaying = True
            try:
                return sum(self._settle(spool) for spool in self._spools)
            finally:
                self._replaying = False

    def _settle(self, spool: Spool) -> int:
        settled = 0
        while events := spool.events():
            for event in events:
                commands.replay(self._store, emergency=_read(event), now=clock.now())
                spool.settle([event.id])
                settled += 1
        return settled

    def _keep(self, actor: Actor, act: Act, on: str, reason: str, role: str) -> None:
        values = (
            actor.account_id, actor.login, actor.role_names, actor.organisation_id, actor.ip, actor.session_id, role
        )  # fmt: skip
        details = {"on": on, **dict(zip(FIELDS, values, strict=True))}
        for spool in self._spools:
            try:
                spool.put("", act.value, details, reason.encode())
            except (OSError, Unavailable):
                LOG.exception("an act cannot be kept here")
            else:
                return
        # The last resort: journald or syslog has it. Nobody is kept from stopping something by a broken log.
        LOG.critical("NOT RECORDED: %s %s by %s (%s)", act, on, actor.account_id, actor.role_names)

    def _concerned(self, act: Act, on: str) -> set[str]:
        if act is Act.STOP:
            return {on}
        if act is Act.FREEZE:
            return {name for name, each in self.running.items() if each.project_id == on}
        if act is Act.LOG_OUT:
            return set()
        return {name for name, each in self.running.items() if each.login == on}


def unless_writable(write: Callable[[], T], instead: Callable[[], T]) -> T:
    """Do `write`; when the database cannot take it, do `instead`. Any other refusal stands."""
    try:
        return write()
    except Unavailable as error:
        if not error.code.startswith("store."):
            raise
        LOG.error("%s: the act is done without its entry, which follows", error.code)  # noqa: TRY400 - no defect
        return instead()


def _opened(*folders: Path) -> Iterable[Spool]:
    for folder in folders:
        try:
            spool = Spool(folder)
        except OSError:
            LOG.exception("emergency acts cannot be kept in %s", folder)
        else:
            yield spool


def _read(event: GateEvent) -> Emergency:
    told = {name: str(value) for name, value in event.details.items()}
    roles = frozenset(Role(name) for name in told["roles"].split("+") if name != "none")
    actor = Actor(told["account"], told["login"], roles, told["organisation"], told["ip"], told["session"])
    return Emergency(
        f"emergency-{event.id}", Act(event.kind), actor, told["on"], told["role"], event.text.decode(), event.at
    )
