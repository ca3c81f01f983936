"""One drill: both workspaces started the way that people's are, every barrier attacked, everything taken away again.

As root, because it plays several users; it holds no socket of the engine's. `drill` returns what was found for every
barrier of the list: what could not be tried for any reason is broken, with that reason.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from enclave import clock, host, reserved
from enclave.commands.drill import Found
from enclave.commands.drill_ground import Ground
from enclave.drill import neighbours
from enclave.drill.bridged import bridged, datagrams
from enclave.drill.ground import Canaries, canaries, in_store, lay
from enclave.drill.hub import Door
from enclave.drill.kernel import Kernel, KernelError
from enclave.drill.opening import open_workspace
from enclave.drill.others import as_user
from enclave.drill.outside import browser, ends, floods, front, identity, outbox, services
from enclave.drill.place import ATTACKS, Place
from enclave.errors import EnclaveError
from enclave.gate.client import Gate
from enclave.queries.drill import stage
from enclave.settings import Settings
from enclave.workspace.barriers.barrier import Area, Barrier, Outcome
from enclave.workspace.barriers.catalogue import BARRIERS, BY_ID
from enclave.workspace.barriers.program import neighbour, program
from enclave.workspace.engine import HUB_PORT, NOTEBOOK_PORT, PORTAL_PORT, SHM_BYTES, TMPFS
from enclave.workspace.plan import WorkspacePlan, parse_plan

LOG = logging.getLogger("ansim.drill")
# In the order in which they run: floods spend what others need, and the last of identity ends the drill's own rights.
PROGRAMS = ("network", "kernel", "files", "doors", "resources", "counters")
MODULES = (services, browser, outbox, front, identity, floods, ends)
DOORS = (HUB_PORT, PORTAL_PORT)
PROGRAM_S = 120
Say = Callable[[str], None]


class AlreadyRunningError(RuntimeError):
    """Another drill runs on this enclave."""


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the drill's lock; raises `AlreadyRunningError`."""
    settings.drill.mkdir(mode=0o700, exist_ok=True)
    with (settings.drill / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError("another drill runs on this enclave") from error
        yield


def drill(settings: Settings, say: Say = LOG.info, only: Sequence[str] = ()) -> list[Found]:
    """Run one drill; returns what was found, in the order of the list. `only`: ids, for a drill of a few barriers."""
    wanted = [barrier for barrier in BARRIERS if not only or barrier.id in only]
    door = Door.of(settings)
    clear(settings, door)
    seen = canaries(settings, clock.now())
    lay(settings, seen.folder, Ground())
    before: dict[str, int] = {}
    try:
        for login in sorted(reserved.LOGINS):
            say(f"start {login}")
            before[login] = open_workspace(settings, door, login)
        with Kernel(door, reserved.NEIGHBOUR) as beside, Kernel(door, reserved.DRILL) as inside:
            found = _attacked(settings, door, seen, beside, inside, wanted, say, before)
    finally:
        clear(settings, door)
        say("both workspaces are removed")
    return found


def clear(settings: Settings, door: Door) -> None:
    """Stop and remove the drill's workspaces with their volumes, whatever an earlier drill left of them."""
    for login in sorted(reserved.LOGINS):
        door.stop(login)
    plans = in_store(settings, lambda store: stage(store).plans)
    gate = Gate(settings.gate_socket)

    def remove() -> None:
        for text in plans.values():
            workspace = parse_plan(text.encode()).workspace_id
            with contextlib.suppress(EnclaveError):
                gate.revoke(workspace)
                gate.remove_volumes(workspace)

    as_user(settings.app_user, remove)


def _attacked(  # noqa: PLR0913, PLR0917 - what a drill consists of
    settings: Settings,
    door: Door,
    seen: Canaries,
    beside: Kernel,
    inside: Kernel,
    wanted: list[Barrier],
    say: Say,
    before: dict[str, int],
) -> list[Found]:
    ready = in_store(settings, lambda store: asdict(stage(store)))
    plans = {login: parse_plan(text.encode()) for login, text in ready["plans"].items()}
    facts = _facts(settings, plans, seen, ready["others"])
    beside.run(neighbour(facts))
    facts["neighbour"]["uid"] = beside.value("import json; print(json.dumps(NEIGHBOUR.report()['uid']))")
    if plans[reserved.DRILL].network:
        facts["bridge"] = bridged(settings, inside, beside, facts["neighbour"]["port"])
    place = _place(settings, door, seen, plans, beside, inside)
    place.notes["signature"] = ready["signatures"][reserved.DRILL]
    place.notes["before"] = before
    place.notes["relay_port"] = _relays(settings)[plans[reserved.DRILL].workspace_id]["port"]
    times: dict[str, tuple[float, float]] = {}
    found = _from_inside(door, facts, wanted, times, say)
    found |= _from_outside(place, wanted, times, say)
    report = beside.value("NEIGHBOUR.stop(); print(json.dumps(NEIGHBOUR.report()))")
    if "net.udp" in found:
        found["net.udp"] = datagrams(found["net.udp"], report["heard"], bridge="bridge" in facts)
    work = neighbours.Work(report["ticks"], [(at, what) for at, what in report["failures"]], report["uid"])
    return [_told(barrier, found, work, times) for barrier in wanted]


def _told(
    barrier: Barrier,
    found: dict[str, tuple[Outcome, str]],
    work: neighbours.Work,
    times: dict[str, tuple[float, float]],
) -> Found:
    """Return what is said of one barrier; a barrier that was not tried never held."""
    if barrier.id == "res.neighbour":
        outcome, evidence = _whole_time(work, times)
    elif barrier.id not in found:
        outcome, evidence = Outcome.BROKEN, "it was not tried"
    else:
        outcome, evidence = found[barrier.id]
        if barrier.area is Area.RESOURCES and outcome is Outcome.HELD:
            outcome, evidence = neighbours.judged(outcome, evidence, work, *times[barrier.id])
    return Found(barrier.id, outcome, evidence)


def _whole_time(work: neighbours.Work, times: dict[str, tuple[float, float]]) -> tuple[Outcome, str]:
    if not times:
        return Outcome.BROKEN, "nothing was attacked meanwhile"
    began, ended = min(began for began, _ in times.values()), max(ended for _, ended in times.values())
    evidence = f"{len(work.ticks)} rounds of work, {len(work.failures)} failed"
    return neighbours.judged(Outcome.HELD, evidence, work, began, ended)


def _from_inside(
    door: Door, facts: dict[str, Any], wanted: list[Barrier], times: dict[str, tuple[float, float]], say: Say
) -> dict[str, tuple[Outcome, str]]:
    found: dict[str, tuple[Outcome, str]] = {}
    for name in PROGRAMS:
        ids = [barrier.id for barrier in wanted if barrier.program == name]
        if not ids:
            continue
        say(f"{name}: {len(ids)} attacks from inside")
        began = time.monotonic()
        try:
            # A kernel for each: one that an attack has killed takes nothing with it.
            with Kernel(door, reserved.DRILL) as kernel:
                text = kernel.run(program(name, facts, ids), seconds=PROGRAM_S)
        except (KernelError, OSError) as error:
            text = ""
            found |= dict.fromkeys(ids, (Outcome.BROKEN, f"the program did not end: {error}"[:500]))
        for line in text.splitlines():
            if line.startswith('{"id": '):
                told = json.loads(line)
                found[told["id"]] = Outcome(told["outcome"]), told["evidence"]
                times[told["id"]] = told["began"], told["ended"]
        say(f"{name}: {time.monotonic() - began:.0f} s")
    return found


def _from_outside(
    place: Place, wanted: list[Barrier], times: dict[str, tuple[float, float]], say: Say
) -> dict[str, tuple[Outcome, str]]:
    ids = {barrier.id for barrier in wanted}
    found: dict[str, tuple[Outcome, str]] = {}
    for module in MODULES:
        mine = [(name, work) for name, work in ATTACKS.items() if work.__module__ == module.__name__ and name in ids]
        say(f"{module.__name__.rpartition('.')[2]}: {len(mine)} attacks from outside")
        for name, work in mine:
            began = time.monotonic()
            try:
                found[name] = work(place)
            except Exception as error:  # whatever an attack stumbles over, it has shown nothing
                LOG.exception("%s", name)
                found[name] = Outcome.BROKEN, f"the probe failed: {type(error).__name__}: {error}"[:500]
            times[name] = began, time.monotonic()
    return found


def _facts(
    settings: Settings, plans: dict[str, WorkspacePlan], seen: Canaries, others: Sequence[str]
) -> dict[str, Any]:
    own, beside = plans[reserved.DRILL], plans[reserved.NEIGHBOUR]
    mark = secrets.token_hex(8)
    return {
        "login": reserved.DRILL,
        "dataset": reserved.NAME,
        "canary": seen.approved,
        "secrets": seen.closed,
        "host_addresses": host.addresses(),
        "host_ports": host.ports(),
        # On a bridge the doors are at the gateway, and nothing is at the own loopback but the notebook server.
        "own_ports": [NOTEBOOK_PORT] if own.network else [*DOORS, NOTEBOOK_PORT],
        "gate": own.gate_host,
        "door_ports": DOORS,
        "door_s": 20,
        "relay_ports": [each["port"] for each in _relays(settings).values()],
        "database": str(settings.db / "ansim.sqlite"),
        "host_paths": [str(path) for path in services.secrets(settings).values()],
        "names_of_others": list(others),
        "sockets": [str(each) for each in (settings.gate_socket, settings.engine_socket, settings.core_socket)],
        "neighbour": {
            "login": reserved.NEIGHBOUR, "workspace": beside.workspace_id, "uid": 0, "port": 9871,
            "abstract": f"drill-{mark}", "file": f"drill-{mark}.txt", "text": f"mine-{mark}-mine",
        },
        "limits": {
            "pids": own.pids, "memory_bytes": own.memory_bytes, "cpus": own.cpus, "home_bytes": own.home_bytes,
            "outbox_bytes": own.outbox_bytes, "shm_bytes": SHM_BYTES,
            "tmpfs": {place: _size(options) for place, options in TMPFS.items()},
        },
    }  # fmt: skip


def _size(options: str) -> int:
    text = next(option for option in options.split(",") if option.startswith("size=")).removeprefix("size=")
    return int(text.removesuffix("m")) << 20


def _place(  # noqa: PLR0913, PLR0917 - its parts
    settings: Settings, door: Door, seen: Canaries, plans: dict[str, WorkspacePlan], beside: Kernel, inside: Kernel
) -> Place:
    ask = "import json, os; print(json.dumps(os.environ['JUPYTERHUB_API_TOKEN']))"
    return Place(
        settings=settings,
        door=door,
        canaries=seen,
        login=reserved.DRILL,
        neighbour=reserved.NEIGHBOUR,
        plan=plans[reserved.DRILL],
        neighbour_plan=plans[reserved.NEIGHBOUR],
        kernel=inside,
        token=inside.value(ask),
        neighbour_token=beside.value(ask),
    )


def _relays(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = as_user(settings.app_user, lambda: Gate(settings.gate_socket).status()["relays"])
    return found


def name_of(barrier_id: str, lang: str) -> str:
    """Return what a barrier keeps from happening, in a language."""
    barrier = BY_ID[barrier_id]
    return barrier.en if lang == "en" else barrier.ko
