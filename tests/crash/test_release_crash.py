"""The portal killed with -9 between decision and release: at restart it finishes, and the log says what happened."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from enclave.airlock.package import open_content
from enclave.commands import release
from enclave.model.release import Release
from enclave.states import ReleaseState
from tests.crash import release_child
from tests.crash.killing import told_until_killed
from tests.enclave.scene import NOW, Scene, build, reopen

KILLS = 4

pytestmark = pytest.mark.crash


def _settle(url: str, home: Path) -> Scene:
    """What the portal does when it starts again."""
    scene = reopen(url, home)
    release.reap(scene.store, scene.depot, now=NOW)
    return scene


def test_after_every_kill_each_decision_is_released_once_and_no_stray_package_stays(database_url, tmp_path):
    first = build(database_url, tmp_path / "home")
    project_id = first.active()
    first.store.close()
    dice, decided, built = random.Random(20261124), set(), set()
    home = str(tmp_path / "home")
    for number in range(KILLS):
        # The first kill comes at once: nothing but the decision is durable then.
        said = told_until_killed(
            release_child.main, database_url, home, project_id, after_s=dice.uniform(0, 0.4) if number else 0
        )
        decided |= {name for word, name in said if word == "decided"}
        built |= {name for word, name in said if word == "built"}
        scene = _settle(database_url, tmp_path / "home")
        _check(scene, decided, built)
        scene.store.close()
    assert len(decided) >= KILLS


def _check(scene: Scene, decided: set[str], built: set[str]) -> None:
    with scene.store.read() as session:
        rows = {each.id: each for each in session.scalars(select(Release))}
    assert decided <= set(rows)
    assert {each.state for each in rows.values()} == {ReleaseState.DONE}
    # Nothing stays in the depot that no release names, and each release has its own.
    named = {each.package_path for each in rows.values()}
    assert {str(path) for path in scene.depot.folder.iterdir()} == named
    assert len(named) == len(rows)
    for each in rows.values():
        key = scene.vault.open(each.sealed_key or b"", purpose=f"release:{each.id}")
        assert sum(map(len, open_content(Path(str(each.package_path)), key))) > 1 << 20
    entries = scene.entries()
    told = Counter((entry["action"], entry["object"]["id"]) for entry in entries)  # type: ignore[index]
    for name in rows:
        assert (told["release.requested", name], told["release.done", name]) == (1, 1)
    # The log says which of them the next portal finished: none that the killed one had said to be built.
    late = {
        entry["object"]["id"]  # type: ignore[index]
        for entry in entries
        if entry["action"] == "release.done" and entry["details"]["at_start"]  # type: ignore[index]
    }
    assert late
    assert late & built == set()
    assert len(late) == sum(entry["details"]["finished"] for entry in entries if entry["action"] == "release.reap")  # type: ignore[index]
