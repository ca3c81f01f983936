"""The files of a view: images and signals, decrypted beside the table that names them, read-only.

They are laid out only for a project whose approval has the column that stands for them, all of the approved data set
and no other. What is laid out lies in memory (`views_bytes`), so that there is room is asked before the first byte.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from deid.versions.held import HeldFile
from enclave.errors import Unavailable

GIB = 1 << 30


def check_room(held: Sequence[HeldFile], root: Path) -> None:
    """Raise `Unavailable` (`workspace.view-too-large`) when these files do not fit where views are laid out."""
    needed, disk = sum(each.size for each in held), shutil.disk_usage(root)
    if not held or needed <= disk.free:
        return
    files, size, free, total = f"{len(held):,}", _size(needed), _size(disk.free), _size(disk.total)
    raise Unavailable(
        "workspace.view-too-large",
        ko=f"승인된 파일 {files}개({size})를 펼칠 자리가 없습니다. 남은 자리 {free}, 전체 {total}.",
        en=f"No room to lay out the {files} approved files ({size}): {free} of {total} are free.",
        remedy_ko="다른 작업공간이 닫힌 뒤 다시 열거나, 운영자에게 views_bytes를 늘려 달라고 하세요.",
        remedy_en="Open it again when other workspaces are closed, or ask the operator for more views_bytes.",
    )


def _size(size: int) -> str:
    return f"{size / GIB:,.2f} GiB"


def lay(held: Sequence[HeldFile], folder: Path) -> None:
    """Decrypt files below `folder` under their own names. Raises `SnapshotDamaged`, `OSError`."""
    for each in held:
        target = folder / each.name
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # A name of the index is checked (`held.is_plain_name`); what is there already would be another file's.
        with target.open("xb") as file:
            for chunk in each.chunks():
                file.write(chunk)
            os.fsync(file.fileno())
        target.chmod(0o444)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def lay_half(whole: Path, half: Path) -> None:
    """Give half a view the files that its tables still name, as links to those of the whole one."""
    files = {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file() and path.parent != whole}
    files |= {path.name for path in whole.iterdir() if path.is_file() and path.suffix != ".parquet"}
    for name in sorted(files & _named(half) if files else ()):
        target = half / name
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        os.link(whole / name, target)
    for path in half.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def _named(half: Path) -> set[str]:
    """Every text that stands in a column of a table: which column names files, a view does not say."""
    found: set[str] = set()
    for path in half.glob("*.parquet"):
        with pq.ParquetFile(path) as file:
            names = [field.name for field in file.schema_arrow if str(field.type).endswith("string")]
            for batch in file.iter_batches(columns=names):
                found.update(each for column in batch.columns for each in column.to_pylist() if each)
    return found
