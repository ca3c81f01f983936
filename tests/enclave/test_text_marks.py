"""The values that reviewers marked: sealed, in no entry, handed over once, and what the next run reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deid.marks import read_marks
from enclave.actor import Actor
from enclave.commands import text_marks, text_sample
from enclave.console.missed import add_marks
from enclave.errors import Conflict, Denied, Invalid
from enclave.model.publication import TextSampleCase
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_text_sample import CANARY, built, close, judge, look, receive


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    return shared


def mark(scene: Scene, snapshot_id: str, *values: tuple[str, str]) -> None:
    text_sample.judge(
        scene.store, scene.vault, scene.actor("steward-a"), snapshot_id=snapshot_id, number=1, missed={}, note="",
        values=values, now=NOW,
    )  # fmt: skip


def hand_over(scene: Scene, snapshot_id: str, out: Path, actor: Actor | None = None) -> int:
    return text_marks.hand_over(
        scene.store, scene.vault, actor or Actor.console(), snapshot_id=snapshot_id,
        keep=lambda marks: add_marks(out, marks), now=NOW,
    )  # fmt: skip


def test_marked_values_reach_the_next_runs_file_once_and_no_entry(scene: Scene, tmp_path: Path) -> None:
    made, out = receive(scene, *built(scene, tmp_path)), tmp_path / "missed.csv"
    with scene.new_entries() as entries:
        mark(scene, made, ("NAME", CANARY))
        assert look(scene, made).values == (("NAME", CANARY),)
        assert look(scene, made).missed == {"NAME": 1}
        with pytest.raises(Conflict):
            hand_over(scene, made, out)
        for number in range(2, 7):
            judge(scene, made, number)
        assert not close(scene, made).passed
        with pytest.raises(Denied):
            hand_over(scene, made, out, scene.actor("steward-b"))
        assert hand_over(scene, made, out) == 1
        with pytest.raises(Conflict):
            hand_over(scene, made, out)
    assert read_marks(out) == (("NAME", CANARY),)
    assert out.stat().st_mode & 0o077 == 0
    assert CANARY not in json.dumps(list(entries), ensure_ascii=False, default=str)
    add_marks(out, [("NAME", CANARY), ("PHONE", "010-2345-6789")])
    assert len(read_marks(out)) == 2
    with scene.store.read() as session:
        rows = session.query(TextSampleCase).filter_by(snapshot_id=made).all()
        assert rows
        assert all(row.sealed is None and row.marks_sealed is None for row in rows)


@pytest.mark.parametrize("values", [("NAME", "이몽룡"), ("NOTHING", CANARY), ("NAME", ""), ("", CANARY)])
def test_a_value_that_is_not_in_the_text_or_of_no_type_is_refused(
    scene: Scene, tmp_path: Path, values: tuple[str, str]
) -> None:
    made = receive(scene, *built(scene, tmp_path))
    with pytest.raises(Invalid) as refused:
        mark(scene, made, values)
    assert refused.value.code == "sample.values"
    assert CANARY not in refused.value.ko + refused.value.en
