"""What stands under /imports and /packages is what was approved, or nothing is mounted at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclave.errors import Denied
from enclave.gate.fastened import Fastened, is_fastened
from enclave.workspace.mounts import Brought, Roots, check_mounts, plan_mounts
from enclave.workspace.plan import MountKind, WorkspacePlan
from enclave.workspace.tree import NotATree, leaves_of, tree_sha256

pytestmark = [pytest.mark.redteam]


def name_of(folder: Path) -> str:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        return tree_sha256(leaves_of(descriptor))
    finally:
        os.close(descriptor)


def laid_out(root: Path) -> Path:
    """A small tree, put where its content's name says."""
    fresh = root / "fresh"
    (fresh / "src").mkdir(parents=True)
    (fresh / "src" / "model.py").write_text("x = 1\n")
    shutil.copy("/bin/true", fresh / "true")
    place = root / name_of(fresh)
    fresh.rename(place)
    return place


@pytest.fixture
def roots(tmp_path: Path) -> Iterator[Roots]:
    made = Roots.under(tmp_path)
    yield made
    Fastened(made).release("w1")


def plan_of(roots: Roots, brought: Brought) -> WorkspacePlan:
    return WorkspacePlan(
        workspace_id="w1", project_id="p1", account_id="a1", login="kim", image_id="sha256:" + "1" * 64,
        mounts=plan_mounts(roots, "w1", {}, brought), expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_an_approved_import_can_be_read_and_neither_changed_nor_run(roots: Roots) -> None:
    name = laid_out(roots.imports).name
    plan = plan_of(roots, Brought({"tool": name, "again": name}))
    check_mounts(plan, roots)
    Fastened(roots).ensure(plan)
    (place,) = {Path(mount.source) for mount in plan.mounts if mount.kind is MountKind.IMPORT}
    assert {mount.target for mount in plan.mounts if mount.kind is MountKind.IMPORT} == {
        "/imports/tool", "/imports/again"
    }  # fmt: skip
    assert (place / "src" / "model.py").read_text() == "x = 1\n"
    with pytest.raises(OSError, match="Read-only"):
        (place / "src" / "model.py").write_text("x = 2\n")
    with pytest.raises(PermissionError):
        subprocess.run([place / "true"], check=True)


def test_approved_packages_may_hold_machine_code(roots: Roots) -> None:
    plan = plan_of(roots, Brought(packages=laid_out(roots.packages).name))
    check_mounts(plan, roots)
    Fastened(roots).ensure(plan)
    (mount,) = [mount for mount in plan.mounts if mount.kind is MountKind.PACKAGES]
    assert mount.target == "/packages"
    assert is_fastened(mount)
    subprocess.run([Path(mount.source) / "true"], check=True)
    with pytest.raises(OSError, match="Read-only"):
        (Path(mount.source) / "more.py").touch()


TAMPERING: dict[str, Callable[[Path], object]] = {
    "a byte": lambda place: (place / "src" / "model.py").write_text("x = 2\n"),
    "a file more": lambda place: (place / "src" / "model.pyc").touch(),
    "a file less": lambda place: (place / "src" / "model.py").unlink(),
    "a file elsewhere": lambda place: (place / "src" / "model.py").rename(place / "model.py"),
    "a link to a file": lambda place: (place / "passwd").symlink_to("/etc/passwd"),
    "a link to a folder": lambda place: (place / "etc").symlink_to("/etc"),
    "a pipe": lambda place: os.mkfifo(place / "pipe"),
}


@pytest.mark.parametrize("how", TAMPERING)
@pytest.mark.parametrize("kind", ["imports", "packages"])
def test_what_was_changed_since_its_approval_is_not_mounted(roots: Roots, how: str, kind: str) -> None:
    place = laid_out(getattr(roots, kind))
    TAMPERING[how](place)
    brought = Brought({"tool": place.name}) if kind == "imports" else Brought(packages=place.name)
    plan = plan_of(roots, brought)
    with pytest.raises(Denied) as refused:
        Fastened(roots).ensure(plan)
    assert refused.value.code == "gate.import-damaged"
    assert not any(is_fastened(mount) for mount in plan.mounts if mount.sha256)


def test_an_import_that_another_user_laid_out_is_not_mounted(roots: Roots) -> None:
    place = laid_out(roots.imports)
    os.chown(place, 12345, 12345)
    with pytest.raises(Denied) as refused:
        Fastened(roots).ensure(plan_of(roots, Brought({"tool": place.name})))
    assert refused.value.code == "gate.mount-missing"


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "a b", "-a", "a" * 64, "é"])
def test_a_name_that_is_no_plain_word_is_no_place(roots: Roots, name: str) -> None:
    with pytest.raises(Denied) as refused:
        check_mounts(plan_of(roots, Brought({name: "ab" * 32})), roots)
    assert refused.value.code == "workspace.mount"


def test_a_tree_has_one_name_whatever_the_order_and_another_for_any_change(tmp_path: Path) -> None:
    place = laid_out(tmp_path)
    descriptor = os.open(place, os.O_RDONLY)
    leaves = list(leaves_of(descriptor))
    assert sorted(leaf.path for leaf in leaves) == ["src/model.py", "true"]
    assert tree_sha256(reversed(leaves)) == tree_sha256(leaves) == place.name
    (place / "pipe").symlink_to("src")
    with pytest.raises(NotATree):
        list(leaves_of(descriptor))
    os.close(descriptor)
