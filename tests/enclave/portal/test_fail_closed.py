"""Drills: the log cannot be written. Nothing opens or leaves; what closes still closes, and is recorded afterwards.

The database lies on a file system of its own that is really filled, really read-only, or really gone. The gate is the
gate's own code.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.canonical import decode
from audit.tables import audit_entry
from enclave import clock
from enclave.actor import Actor
from enclave.commands import emergency as commands
from enclave.commands import workspace
from enclave.commands.log_watch import canary
from enclave.errors import Denied, Unavailable
from enclave.policy.emergency import Act, Running
from enclave.policy.log_health import Canary, Trouble
from enclave.portal.emergency import Emergencies, _read
from enclave.queries import people
from enclave.queries.workspace import WorkspaceView, by_id
from enclave.roles import Role
from enclave.states import WorkspaceState
from tests.enclave.portal import world as worlds
from tests.enclave.portal.hub_peer import HubPeer
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_inner_apis import Core, GateOf, core, gate, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import ROOT, World

SYSTEM = Actor.system()
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="file systems are mounted by root"),
    pytest.mark.docker,
]


@dataclass
class Disk:
    """The file system of the database: how it breaks, and how it is mended."""

    folder: Path
    image: Path

    def mount(self) -> None:
        run("mount", "-o", "loop", self.image, self.folder)

    def fill(self) -> None:
        with (self.folder / "filler").open("wb", buffering=0) as file:
            # To the last block: a large piece is refused as a whole while several blocks, and so an entry, have room.
            for piece in (1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while file.write(bytes(piece)):
                        pass

    def empty(self) -> None:
        (self.folder / "filler").unlink()

    def turn_read_only(self) -> None:
        # What ext4 does by itself when the disk reports errors, with files open.
        run("mount", "-o", "remount,abort", self.folder)

    def repair(self) -> None:
        run("umount", self.folder)
        subprocess.run(["e2fsck", "-y", self.image], check=False, capture_output=True)
        self.mount()

    def take_away(self) -> None:
        for path in self.folder.glob("ansim.sqlite*"):
            path.rename(path.with_name("away-" + path.name))
        (self.folder / "ansim.sqlite").mkdir()

    def bring_back(self) -> None:
        (self.folder / "ansim.sqlite").rmdir()
        for path in self.folder.glob("away-*"):
            path.rename(path.with_name(path.name.removeprefix("away-")))


BREAKS: dict[str, tuple[Callable[[Disk], None], Callable[[Disk], None]]] = {
    "full": (Disk.fill, Disk.empty),
    "read-only": (Disk.turn_read_only, Disk.repair),
    "gone": (Disk.take_away, Disk.bring_back),
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "home" / "db", tmp_path / "image")
    made.folder.mkdir(parents=True)
    with made.image.open("wb") as file:
        file.truncate(24 << 20)
    # Blocks of a page: SQLite takes the room of its shared index page by page, so that it never meets a hole in it.
    run("mkfs.ext4", "-q", "-F", "-b", "4096", made.image)
    made.mount()
    yield made
    run("umount", made.folder)


@pytest.fixture
def world(template: World, peer: HubPeer, disk: Disk, tmp_path: Path) -> Iterator[World]:
    made = worlds.copy(template, tmp_path / "home")
    made.portal.emergency.reserve()
    yield made
    made.close()


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60)


def entries(world: World) -> list[dict[str, object]]:
    with world.store.read() as session:
        rows = session.execute(audit_entry.select().order_by(audit_entry.c.position))
        return [decode(row.bytes) for row in rows]


def broken(world: World, disk: Disk, kind: str) -> None:
    """Break it; connections that are open already are given back, as after a while they would be."""
    world.portal.watch.look(world.portal)
    world.store.engine.dispose()
    BREAKS[kind][0](disk)


def mended(world: World, disk: Disk, kind: str) -> None:
    world.store.engine.dispose()
    BREAKS[kind][1](disk)


@pytest.fixture
def running(world: World, gate: GateOf, place: WorkspaceView) -> str:  # noqa: F811 - fixtures
    workspace.mark_started(world.store, SYSTEM, workspace_id=place.id, container_id="c", now=clock.now())
    return place.id


@pytest.mark.parametrize("kind", BREAKS)
def test_nothing_opens_what_closes_closes_and_all_of_it_is_recorded_first_thing_afterwards(
    world: World,
    disk: Disk,
    core: Core,  # noqa: F811 - a fixture
    running: str,
    kind: str,
) -> None:
    by = {name: world.browser(name) for name in ("suyeon", "mina", "operator")}
    for each in by.values():
        each.get(f"{ROOT}/")
    before = len(entries(world))
    broken(world, disk, kind)
    nothing_opens(world, core, by)
    what_closes_closes(world, core, running, by)
    mended(world, disk, kind)
    canary(world.store, before=Canary(), now=clock.now())
    all_is_recorded_first(world, running, entries(world)[before:])


def nothing_opens(world: World, core: Core, by: dict[str, worlds.Browser]) -> None:  # noqa: F811 - the class
    """No sign-in, no start, no request; pages say so, in Korean first, and lead to what still works."""
    refused = core.ask("/login", login="mina", password="demo-only-mina-2026", code=world.code("mina"))
    assert (refused.status_code, refused.json()["code"][:6]) == (503, "store.")
    assert core.ask("/workspaces/mina/plan").status_code == 503
    with pytest.raises(Unavailable):
        canary(world.store, before=Canary(), now=clock.now())
    world.portal.watch.look(world.portal)
    assert Trouble.UNWRITABLE in world.portal.watch.troubles
    page = by["suyeon"].get(f"{ROOT}/").text
    assert "접속기록에 문제가 있습니다" in page
    assert f'href="{ROOT}/emergency"' in page


def what_closes_closes(world: World, core: Core, running: str, by: dict[str, worlds.Browser]) -> None:  # noqa: F811
    """At the gate and at the door, and nothing of it is lost."""
    in_force = world.settings.volumes / running / "current"
    assert in_force.exists()
    shown = by["suyeon"].get(f"{ROOT}/emergency")
    assert shown.status_code == 200
    assert running in shown.text
    assert faults(Page(shown.text)) == []
    assert press(by["suyeon"], shown.text, "freeze", on=world.project_id, reason="유출 의심").status_code == 303
    assert not in_force.exists()
    operator = by["operator"]
    shown = operator.get(f"{ROOT}/emergency").text
    revoked = press(operator, shown, "revoke-role", on="dahye", role=Role.OUTPUT_CHECKER.value, reason="오용")
    assert revoked.status_code == 303
    assert press(operator, shown, "end-account", on="woojin", reason="퇴직").status_code == 303
    left = by["mina"].post(f"{ROOT}/logout", data={"csrf": token(by["mina"].get(f"{ROOT}/emergency").text)})
    assert "로그아웃했습니다" in left.text
    assert core.ask("/events", event="logout", login="sora", ip="127.0.0.1").status_code == 200
    assert world.portal.emergency.waiting() == 5


def all_is_recorded_first(world: World, running: str, told: list[dict[str, object]]) -> None:
    """Before the canary that found the database well again: each act once, flagged, and with its effect."""
    told = told[next(at for at, each in enumerate(told) if each["action"] == "emergency.act") :]
    assert [(each["action"], each.get("details", {}).get("act", ""), each["outcome"]) for each in told] == [
        ("emergency.act", "freeze", "done"),
        ("emergency.act", "revoke-role", "done"),
        ("emergency.act", "end-account", "done"),
        ("emergency.act", "log-out", "done"),
        ("emergency.act", "log-out", "done"),
        ("log.canary", "", "done"),
    ]
    assert all(each["details"]["acted_at"] < each["at"] for each in told[:-1])
    with world.store.read() as session:
        assert by_id(world.store, SYSTEM, running).state is WorkspaceState.FROZEN
        assert people.roles_now(people.load_account(session, "dahye"), clock.now()) == frozenset()
        assert people.load_account(session, "woojin").ended_at is not None
    assert world.portal.emergency.settle() == 0
    assert world.portal.emergency.waiting() == 0


def press(browser: worlds.Browser, page: str, act: str, **fields: str) -> worlds.httpx.Response:
    return browser.post(f"{ROOT}/emergency/{act}", data={"csrf": token(page), **fields})


def token(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def test_the_ordinary_buttons_work_as_well_while_the_disk_is_full(world: World, disk: Disk, running: str) -> None:
    lead, operator = world.browser("jiwoo"), world.browser("operator")
    world.portal.watch.look(world.portal)
    disk.fill()
    # The next few entries find room in what the database has already; then there is none.
    with contextlib.suppress(Unavailable):
        while canary(world.store, before=Canary(), now=clock.now()):
            pass
    assert lead.form(f"/projects/{world.project_id}/freeze", freeze_reason="유출 의심").status_code == 303
    assert not (world.settings.volumes / running / "current").exists()
    ended = operator.form("/accounts/woojin/end", end_reason="퇴직")
    assert ended.status_code == 303
    told = operator.api("POST", "/accounts/dahye/revoke", {"role": "output_checker", "reason": "오용"})
    assert told.json() == {"spooled": True}
    disk.empty()
    assert world.portal.emergency.settle() == 3
    assert by_id(world.store, SYSTEM, running).state is WorkspaceState.FROZEN


def test_while_entries_can_be_written_the_emergency_page_does_nothing(world: World) -> None:
    operator = world.browser("operator")
    answer = press(operator, operator.get(f"{ROOT}/emergency").text, "end-account", on="woojin", reason="퇴직")
    assert answer.status_code == 409
    assert "지금은 기록이 됩니다" in answer.text
    assert world.portal.emergency.waiting() == 0


def emergencies(world: World, stopped: list[str]) -> Emergencies:
    made = Emergencies(world.settings, world.store, stopped.append)
    lead = world.actor("jiwoo").account_id
    made.remember([Running("w-1", "mina", world.project_id, "u-x"), Running("w-2", "mina", "p-other", lead)])
    return made


@pytest.mark.parametrize(
    ("who", "act", "on", "allowed"),
    [
        ("mina", Act.STOP, "w-1", True),
        ("jiwoo", Act.STOP, "w-2", False),
        ("mina", Act.FREEZE, "p-other", False),
        ("jiwoo", Act.FREEZE, "p-other", True),
        ("jiwoo", Act.FREEZE, "p-unknown", False),
        ("suyeon", Act.STOP, "w-2", True),
        ("suyeon", Act.FREEZE, "p-unknown", True),
        ("suyeon", Act.END_ACCOUNT, "mina", False),
        ("dahye", Act.FREEZE, "p-other", False),
        ("haneul", Act.STOP, "w-1", False),
        ("operator", Act.STOP, "w-1", True),
        ("operator", Act.END_ACCOUNT, "mina", True),
        ("operator", Act.END_ACCOUNT, "operator", False),
        ("operator", Act.REVOKE_ROLE, "operator", False),
    ],
)
def test_who_may_do_what_in_an_emergency(world: World, who: str, act: Act, on: str, allowed: bool) -> None:
    stopped: list[str] = []
    made = emergencies(world, stopped)
    try:
        made.act(world.actor(who), act, on, reason="시험")
    except Denied:
        assert not allowed
        assert (stopped, made.waiting()) == ([], 0)
    else:
        assert allowed
        assert made.waiting() == 1


def test_an_act_replayed_twice_is_recorded_once_and_a_refused_one_stands_in_nobodys_way(world: World) -> None:
    made, before = emergencies(world, []), len(entries(world))
    operator = world.actor("operator")
    made.act(operator, Act.END_ACCOUNT, "nobody-of-this-name", reason="x")
    made.act(operator, Act.STOP, "w-1", reason="x")  # no such workspace in the database
    made.act(operator, Act.END_ACCOUNT, "woojin", reason="x")
    waiting = made._spools[0].events()
    # A portal killed between the commit and letting go of the event.
    commands.replay(world.store, emergency=_read(waiting[0]), now=clock.now())
    assert made.settle() == 3
    told = entries(world)[before:]
    assert [(each["action"], each["outcome"], each["object"]["id"]) for each in told] == [
        ("emergency.act", "failed", "nobody-of-this-name"),
        ("emergency.act", "failed", "w-1"),
        ("emergency.act", "done", told[2]["object"]["id"]),
    ]


def test_what_waits_is_recorded_before_anything_else_and_goes_on_waiting_while_that_fails(
    world: World, disk: Disk
) -> None:
    waiting, before = world.portal.emergency, len(entries(world))
    waiting.act(world.actor("operator"), Act.END_ACCOUNT, "woojin", reason="퇴직")
    disk.take_away()
    world.store.engine.dispose()
    with pytest.raises(Unavailable):
        waiting.settle()
    with pytest.raises(Unavailable):
        canary(world.store, before=Canary(), now=clock.now())
    assert waiting.waiting() == 1
    disk.bring_back()
    world.store.engine.dispose()
    canary(world.store, before=Canary(), now=clock.now())
    assert [each["action"] for each in entries(world)[before:]] == ["emergency.act", "log.canary"]
    assert waiting.waiting() == 0


def test_whoever_had_lost_the_right_meanwhile_stopped_it_and_changed_nothing(world: World) -> None:
    made = emergencies(world, [])
    made.act(Actor("u-gone", "gone", frozenset({Role.OPERATOR}), "zone", "10.0.0.9", "s"), Act.END_ACCOUNT, "woojin")
    assert made.settle() == 1
    assert [each["outcome"] for each in entries(world)[-1:]] == ["denied"]
    with world.store.read() as session:
        assert people.load_account(session, "woojin").ended_at is None


def test_where_the_spool_itself_cannot_be_written_the_run_folder_keeps_it(world: World) -> None:
    folder = world.settings.emergency
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", folder)
    try:
        made = emergencies(world, [])
        run("mount", "-o", "remount,ro", folder)
        made.act(world.actor("operator"), Act.STOP, "w-1", reason="x")
        assert [each.figures()["events"] for each in made._spools] == [0, 1]
        # A portal that starts again finds it there.
        assert emergencies(world, []).waiting() == 1
    finally:
        run("umount", folder)


def test_stopping_works_although_nothing_anywhere_can_be_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    stopped: list[str] = []
    made = emergencies(world, stopped)
    made._spools = []
    assert made.act(world.actor("operator"), Act.STOP, "w-1", reason="x") == []
    assert stopped == ["w-1"]
    assert "NOT RECORDED" in caplog.text
