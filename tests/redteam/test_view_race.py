"""A portal that was taken over exchanges its views under the gate's hands: no other folder is ever mounted."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclave.errors import Denied
from enclave.gate.fastened import Fastened, is_fastened
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import MountKind, WorkspacePlan
from enclave.workspace.views import View

pytestmark = [pytest.mark.redteam]
NAME = "ab" * 32
ROUNDS = 300


@pytest.fixture
def roots(tmp_path: Path) -> Iterator[Roots]:
    made = Roots.under(tmp_path)
    (made.views / NAME).mkdir(parents=True)
    (made.views / NAME / "labs.parquet").write_text("approved")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "patients.csv").write_text("raw")
    yield made
    Fastened(made).release("w1")


def plan_of(roots: Roots, name: str = NAME) -> WorkspacePlan:
    return WorkspacePlan(
        workspace_id="w1", project_id="p1", account_id="a1", login="kim", image_id="sha256:" + "1" * 64,
        mounts=plan_mounts(roots, "w1", {"nafld": View(roots.views / name, name)}),
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def seen(roots: Roots) -> list[str]:
    """What a container would see at the place that the plan names."""
    place = Path(next(m.source for m in plan_of(roots).mounts if m.kind is MountKind.VIEW))
    return [path.name for path in place.iterdir()]


@contextmanager
def swapping(roots: Roots) -> Iterator[None]:
    """Another thread turns the view into a link to the raw data and back, as fast as it can."""
    view, aside, done = roots.views / NAME, roots.views / "aside", threading.Event()
    link = roots.views / "link"

    def swap() -> None:
        while not done.is_set():
            link.symlink_to(roots.views.parent / "source")
            view.rename(aside)
            link.rename(view)
            view.unlink()
            aside.rename(view)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_view_exchanged_for_a_link_meanwhile_is_never_mounted(roots: Roots) -> None:
    fastened, plan, taken = Fastened(roots), plan_of(roots), 0
    with swapping(roots):
        for rounds in itertools.count(1):
            with suppress(Denied):
                fastened.ensure(plan)
                taken += 1
                assert seen(roots) == ["labs.parquet"]
            if taken and rounds >= ROUNDS:  # the honest view gets through now and then
                break


def test_a_gate_that_looks_first_and_mounts_by_name_loses_to_one_exchange(roots: Roots) -> None:
    """The barrier taken away: if the exchange leaked nothing here either, the race above would test nothing."""
    place, view = roots.mounted / "w1" / NAME, roots.views / NAME
    place.mkdir(parents=True)
    assert os.path.realpath(view) == str(view), "what it looks at is honest"
    view.rename(roots.views / "aside")
    view.symlink_to(roots.views.parent / "source")
    subprocess.run(["mount", "--bind", view, place], check=True)
    try:
        assert [path.name for path in place.iterdir()] == ["patients.csv"]
    finally:
        subprocess.run(["umount", place], check=True)


def test_what_is_exchanged_afterwards_changes_nothing(roots: Roots) -> None:
    Fastened(roots).ensure(plan_of(roots))
    shutil.move(roots.views / NAME, roots.views / "aside")
    (roots.views / NAME).symlink_to(roots.views.parent / "source")
    assert seen(roots) == ["labs.parquet"]


@pytest.mark.parametrize("kind", ["link", "file", "nothing", "somebody else's", "a link above"])
def test_what_is_no_view_is_refused(roots: Roots, kind: str) -> None:
    view = roots.views / NAME
    shutil.rmtree(view)
    if kind == "link":
        view.symlink_to(roots.views.parent / "source")
    if kind == "file":
        view.touch()
    if kind == "somebody else's":
        view.mkdir()
        os.chown(view, 12345, 12345)
    if kind == "a link above":
        roots.views.rmdir()
        roots.views.symlink_to(roots.views.parent / "source")
    with pytest.raises(Denied) as refused:
        Fastened(roots).ensure(plan_of(roots))
    assert refused.value.code == "gate.mount-missing"
    assert not any(is_fastened(mount) for mount in plan_of(roots).mounts if mount.kind is MountKind.VIEW)


def test_nothing_in_a_fastened_view_can_be_changed_and_letting_go_leaves_the_view(roots: Roots) -> None:
    fastened = Fastened(roots)
    fastened.ensure(plan_of(roots))
    fastened.ensure(plan_of(roots))
    place = roots.mounted / "w1" / NAME
    with pytest.raises(OSError, match="Read-only"):
        (place / "labs.parquet").write_text("changed")
    fastened.release("w1")
    fastened.release("w1")
    assert not place.exists()
    assert (roots.views / NAME / "labs.parquet").read_text() == "approved"
