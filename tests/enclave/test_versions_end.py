"""How a version ends in the enclave: who holds it, when its mounts end, what consent allows, what is left of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from enclave.actor import Actor
from enclave.commands import dataset, workspace
from enclave.errors import Conflict, Denied, NotFound
from enclave.policy.workspace import check_consent
from enclave.queries import dataset as datasets
from enclave.queries import ends, holders
from enclave.queries import workspace as workspaces
from enclave.states import WorkspaceState
from enclave.workspace.forgetting import forget_views
from tests.enclave import scene as scenes
from tests.enclave.scene import NOW, Scene

CONSOLE, SYSTEM = Actor.console(), Actor.system()


def opened(scene: Scene, project: str) -> str:
    start = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=project, now=NOW)
    workspace.mark_started(scene.store, SYSTEM, workspace_id=start.workspace.id, container_id="c", now=NOW)
    return start.workspace.id


def withdraw(scene: Scene, *, running_stay: bool) -> None:
    dataset.withdraw_snapshot(
        scene.store,
        scene.actor("steward-a"),
        snapshot_id=scene.folders["set-a"].name,
        reason="정보주체 철회",
        running_stay=running_stay,
        now=NOW,
    )


def test_what_runs_with_a_withdrawn_version_runs_on_until_its_next_start_or_until_it_is_ended(scene: Scene) -> None:
    project = scene.active()
    name = opened(scene, project)
    with scene.new_entries() as entries:
        withdraw(scene, running_stay=True)
    assert [entry["details"]["mounts_end"] for entry in entries] == ["next-start"]
    assert dict(ends.must_end(scene.store, now=NOW)) == {}
    with pytest.raises(Denied) as refused:
        workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=project, now=NOW)
    assert refused.value.code == "workspace.snapshot-withdrawn"
    snapshot = scene.folders["set-a"].name
    found = datasets.snapshot(scene.store, scene.actor("steward-a"), snapshot)
    assert (found.running_stay, "end_running" in found.may) == (True, True)
    for login in ("steward-b", "scientist"):
        with pytest.raises(Denied):
            dataset.end_running(scene.store, scene.actor(login), snapshot_id=snapshot, reason="지금", now=NOW)
    with scene.new_entries() as entries:
        dataset.end_running(scene.store, scene.actor("steward-a"), snapshot_id=snapshot, reason="지금", now=NOW)
    assert [entry["action"] for entry in entries] == ["snapshot.end-running"]
    assert dict(ends.must_end(scene.store, now=NOW))[name].code == "workspace.snapshot-withdrawn"
    with pytest.raises(Conflict) as again:
        dataset.end_running(scene.store, scene.actor("steward-a"), snapshot_id=snapshot, reason="지금", now=NOW)
    assert again.value.code == "snapshot.ended-already"


def test_who_holds_a_version_is_listed_with_their_workspaces_for_those_who_answer_for_it(scene: Scene) -> None:
    snapshot = scene.folders["set-a"].name
    assert holders.holders(scene.store, CONSOLE, snapshot) == ()
    project = scene.active()
    name = opened(scene, project)
    (held,) = holders.holders(scene.store, scene.actor("steward-a"), snapshot)
    assert (held.project_id, held.columns > 0) == (project, True)
    assert [(one.workspace_id, one.login, one.running) for one in held.workspaces] == [(name, "scientist", True)]
    workspace.mark_stopped(scene.store, SYSTEM, workspace_id=name, reason="closed", now=NOW)
    (held,) = holders.holders(scene.store, CONSOLE, snapshot)
    assert [(one.state, one.running) for one in held.workspaces] == [(WorkspaceState.STOPPED, False)]
    for login in ("scientist", "steward-b"):
        with pytest.raises(Denied):
            holders.holders(scene.store, scene.actor(login), snapshot)
    with pytest.raises(NotFound):
        holders.holders(scene.store, CONSOLE, "0" * 64)


LAST = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2026, 12, 31, 14, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 15, 0, 0, tzinfo=UTC), False),
    ],
    ids=["last second in Seoul", "next day in Seoul"],
)
def test_consent_holds_until_the_end_of_its_last_day_in_seoul(now: datetime, allowed: bool) -> None:
    if allowed:
        check_consent({"ab" * 32: LAST}, now)
        return
    with pytest.raises(Denied, match="2026-12-31") as refused:
        check_consent({"cd" * 32: LAST + timedelta(days=9), "ab" * 32: LAST}, now)
    assert refused.value.code == "workspace.consent-expired"


def test_consent_that_runs_out_stops_what_runs_and_every_start(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = scenes._manifest
    consent = {"version": "v3", "scope_ko": "연구", "scope_en": "Research", "expires": "2026-11-25"}
    monkeypatch.setattr(scenes, "_manifest", lambda *given: replace(plain(*given), consent=consent))
    scene = scenes.build(sqlite_url, tmp_path / "home")
    project = scene.active()
    name = opened(scene, project)
    assert dict(ends.must_end(scene.store, now=NOW)) == {}
    later = NOW + timedelta(days=2)
    assert dict(ends.must_end(scene.store, now=later))[name].code == "workspace.consent-expired"
    with pytest.raises(Denied) as refused:
        workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=project, now=later)
    assert refused.value.code == "workspace.consent-expired"
    scene.store.close()


def test_a_view_is_kept_while_it_is_mounted_or_may_be_and_forgotten_then(scene: Scene) -> None:
    project = scene.active()
    root = scene.means.settings.views
    name = opened(scene, project)
    (view,) = [path.name for path in root.iterdir() if path.is_dir()]
    hour = timedelta(hours=1)
    later = datetime.now(tz=UTC) + 2 * hour
    mounted = workspaces.views_in_force(scene.store)
    assert mounted == {view}
    assert forget_views(root, mounted, now=later, kept_for=hour) == []
    workspace.mark_stopped(scene.store, SYSTEM, workspace_id=name, reason="closed", now=NOW)
    assert workspaces.views_in_force(scene.store) == frozenset()
    assert forget_views(root, (), now=later - 2 * hour, kept_for=hour) == [], "it was asked for a moment ago"
    assert forget_views(root, (), now=later, kept_for=hour) == [view]
    assert list(root.iterdir()) == []
    opened(scene, project)
    assert view in {path.name for path in root.iterdir()}, "made anew at the next start"


def test_a_half_made_view_is_forgotten_and_a_view_asked_for_again_stays(tmp_path: Path) -> None:
    half, old = tmp_path / ".unfinished-x", tmp_path / ("ab" * 32)
    for folder in (half, old):
        folder.mkdir()
        (folder / "labs.parquet").write_bytes(b"decrypted")
        os.utime(folder, (0, 0))
    note = tmp_path / f"{old.name}.json"
    note.write_text("{}")
    now = datetime.now(tz=UTC)
    assert forget_views(tmp_path, (), now=now, kept_for=timedelta(minutes=1)) == [half.name]
    os.utime(note, (0, 0))
    assert forget_views(tmp_path, (), now=now, kept_for=timedelta(minutes=1)) == [old.name]
    assert forget_views(tmp_path / "nowhere", (), now=now, kept_for=timedelta(0)) == []
