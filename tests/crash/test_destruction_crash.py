"""A portal killed with -9 anywhere in a destruction: never certified before it is done, finished by the next one."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sqlalchemy import select

from enclave import certificate, clock, keys
from enclave.actor import Actor
from enclave.commands import ends, project, volume_key, workspace
from enclave.errors import Conflict
from enclave.model.ends import Certificate, VolumeKey
from enclave.portal import destroying
from enclave.queries import certificates
from enclave.queries.workspace import load_workspace
from enclave.states import WorkspaceState
from tests.crash import destruction_child, forks
from tests.crash.destruction_child import POINTS, Part, part_of
from tests.enclave.scene import NOW, Scene, build

SYSTEM = Actor.system()
MIB = 1 << 20

pytestmark = pytest.mark.crash


def due(scene: Scene, part: Part) -> str:
    """A workspace with real volumes and a file in them, frozen for good, its grace over."""
    made = scene.active()
    name = workspace.request_start(
        scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW
    ).workspace.id
    given = volume_key.hand_over(scene.store, scene.vault, SYSTEM, workspace_id=name, now=NOW)
    part.gate.volumes.ensure(name, home_bytes=16 * MIB, outbox_bytes=16 * MIB, keys=given)
    (part.settings.volumes / name / "home" / "kept").write_text("x")
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=clock.now())
    ends.begin_grace(scene.store, SYSTEM, workspace_id=name, days=0, now=clock.now())
    return name


def check_never_too_early(part: Part, name: str) -> None:
    with part.store.read() as session:
        certified = session.scalars(select(Certificate)).all()
        sealed = [key.sealed for key in session.scalars(select(VolumeKey))]
        state = load_workspace(session, name).state
    if certified or state is WorkspaceState.DESTROYED:
        assert sealed == [None, None]
        assert not (part.settings.volumes / name).exists()
        assert state is WorkspaceState.DESTROYED


@pytest.mark.parametrize("point", POINTS)
def test_whatever_point_it_is_killed_at_the_next_portal_finishes_and_certifies_once(
    sqlite_url: str, tmp_path: Path, point: str
) -> None:
    scene = build(sqlite_url, tmp_path / "home")
    part = part_of(sqlite_url, tmp_path / "home")
    name = due(scene, part)
    child = forks.start(destruction_child.main, sqlite_url, str(tmp_path / "home"), point)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    check_never_too_early(part, name)
    destroying.destroy_due(part)  # type: ignore[arg-type]
    check_never_too_early(part, name)
    with part.store.read() as session:
        assert load_workspace(session, name).state is WorkspaceState.DESTROYED
    done = [entry for entry in scene.entries() if entry["action"] == "destruction.done"]
    ((identity, found),) = certificates.every(part.store)
    assert [entry["object"]["sha256"] for entry in done] == [found.sha256]  # type: ignore[index]
    certificate.verify(found, keys.load_public_key(part.settings.certificate_key.with_suffix(".pub")))
    assert found.fields["workspace"] == name
    assert (part.settings.certificates / f"{identity}.json").read_bytes() == found.to_json()
    assert identity in (part.settings.certificates / f"{identity}.html").read_text()
    with pytest.raises(Conflict):
        volume_key.hand_over(scene.store, scene.vault, SYSTEM, workspace_id=name, now=NOW)
    assert destroying.destroy_due(part) == []  # type: ignore[arg-type]
    scene.store.close()
    part.store.close()
