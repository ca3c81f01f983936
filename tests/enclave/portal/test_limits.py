"""Display limits and the meter, at the gate's own socket: a word reaches what runs, and people see what is left."""

# ruff: noqa: F401, F811 - fixtures of another module

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, replace

import pytest

from enclave import clock
from enclave.actor import Actor
from enclave.commands import workspace as commands
from enclave.errors import NotFound
from enclave.gate.door.meter import Amount
from enclave.portal import limits
from enclave.portal.usage import usage, usage_if_any
from enclave.queries import workspace
from enclave.queries.workspace import WorkspaceView
from enclave.workspace.plan import Display, parse_plan
from tests.enclave.portal.test_inner_apis import Core, GateOf, core, entries, gate, inside, place
from tests.enclave.portal.world import ROOT, World

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="loop mounts need root"),
    pytest.mark.docker,
]
TIGHT = replace(Display(), hour_bytes=2 << 20, hour_pictures=0)


def open_door(gate: GateOf, world: World, found: WorkspaceView) -> None:
    """Have the gate hold the door of a workspace open, as it does while a container runs."""
    plan = parse_plan(_row(world, found.id).plan)

    async def nowhere() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise OSError("no container in this test")

    async def hold() -> None:
        gate.front.handler(plan, nowhere)

    asyncio.run_coroutine_threadsafe(hold(), gate.loop).result(10)
    commands.mark_started(world.store, Actor.system(), workspace_id=found.id, container_id="c", now=clock.now())


def _row(world: World, workspace_id: str):
    with world.store.read() as session:
        return workspace.load_workspace(session, workspace_id)


def show(gate: GateOf, found: WorkspaceView, amount: Amount) -> None:
    """Have this much shown."""

    async def count() -> None:
        assert gate.front._doorways[found.id].book.admit(amount) is None

    asyncio.run_coroutine_threadsafe(count(), gate.loop).result(10)


def said(world: World, shown: Display) -> None:
    path = f"/projects/{world.project_id}/display"
    answer = world.browser("suyeon").api("PUT", path, {**asdict(shown), "reason": "민감한 자료"})
    assert answer.status_code == 200, answer.text


def test_a_word_reaches_the_running_workspace_at_once_and_is_an_entry(
    world: World,
    core: Core,
    gate: GateOf,
    place: WorkspaceView,
) -> None:
    open_door(gate, world, place)
    before = workspace.by_id(world.store, world.actor("mina"), place.id).plan_sha256
    show(gate, place, Amount(1 << 20, 3, 1))
    said(world, TIGHT)
    told = usage(world.portal, place.id)
    assert told.limits == TIGHT
    assert [(each.window, each.kind, each.used) for each in told.lines][:3] == [
        ("hour", "bytes", 1 << 20),
        ("hour", "rows", 3),
        ("hour", "pictures", 1),
    ], "what was counted stays counted"
    (entry,) = entries(world, "display.limits")
    assert entry["details"]["hour_pictures"] == 0  # type: ignore[index]
    assert limits.bring_limits(world.portal) == [], "and that is all"
    assert workspace.by_id(world.store, world.actor("mina"), place.id).plan_sha256 == before
    assert (world.settings.volumes / place.id / "current").read_text() == before, "nothing else may be started"


def test_a_word_that_did_not_reach_the_gate_is_brought_later(
    world: World,
    core: Core,
    gate: GateOf,
    place: WorkspaceView,
) -> None:
    said(world, TIGHT)
    assert entries(world, "display.limits") == [], "it was only starting"
    open_door(gate, world, place)
    assert usage(world.portal, place.id).limits == Display()
    assert limits.bring_limits(world.portal) == [place.id]
    assert usage(world.portal, place.id).limits == TIGHT


def test_a_workspace_asks_for_its_own_budget_and_pages_show_it(
    world: World,
    core: Core,
    gate: GateOf,
    place: WorkspaceView,
) -> None:
    closed = inside(world, place).get("/display")
    assert (closed.status_code, closed.json()["code"]) == (404, "display.not-open")
    open_door(gate, world, place)
    show(gate, place, Amount(700 << 10, 7, 100))
    show(gate, place, Amount(700 << 10, 0, 100))
    told = inside(world, place).get("/display").json()
    (pictures,) = [each for each in told["lines"] if (each["window"], each["kind"]) == ("hour", "pictures")]
    assert pictures == {"window": "hour", "kind": "pictures", "used": 200, "left": 0, "limit": 200}
    assert told["message_bytes"] == Display().message_bytes
    browser = world.browser("mina")
    for path in ("/", f"/projects/{world.project_id}"):
        page = browser.get(ROOT + path).text
        assert "1.4 MiB" in page
        assert "다 씀" in page
    assert "1.4 MiB" not in world.browser("jiwoo").get(f"{ROOT}/projects/{world.project_id}").text


def test_pages_go_on_without_the_gate(world: World) -> None:
    assert usage_if_any(world.portal, "w-none") is None


def test_a_workspace_has_no_way_to_tell_what_the_gate_tells(
    world: World,
    core: Core,
    gate: GateOf,
    place: WorkspaceView,
) -> None:
    """What the gate saw is fetched at the gate's socket; nothing that comes from inside becomes an event."""
    client = inside(world, place)
    event = {"id": "e-1", "workspace_id": place.id, "kind": "code", "details": {}, "text": ""}
    for path in ("/events", "/events/settle", "/display", "/code", "/findings", "/gate/events", "/egress/events"):
        answer = client.post(path, json=event)
        assert answer.status_code in {404, 405}, path
    assert client.get("/code").status_code == 404
    assert client.get("/findings").status_code == 404
    recorded = json.dumps([entries(world, name) for name in ("code.executed", "gate.event", "display.shown")])
    assert recorded == "[[], [], []]"


def test_of_somebody_elses_workspace_nothing_is_told(
    world: World,
    core: Core,
    gate: GateOf,
    place: WorkspaceView,
) -> None:
    open_door(gate, world, place)
    assert inside(world, place, "jiwoo").get("/display").status_code == 404
    assert inside(world, place, **{"x-ansim-gate": "guessed"}).get("/display").status_code == 403
    with pytest.raises(NotFound):
        usage(world.portal, "w-none")
