"""A project's packages as one folder: approved wheels and, unpacked, what Python imports; named by its content.

Run by the operator's command as root. `site/` stands at the end of the workspace's path, so nothing in it can take the
place of what the image brings along; `wheels/` is where pip inside looks, and nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from enclave.errors import Conflict, Unavailable
from enclave.packages.index import Index, Wheel
from enclave.packages.locks import read_lock
from enclave.packages.mirror import platform
from enclave.workspace.tree import leaves_of, tree_sha256

# What pip writes about where a wheel came from, and programs that call this machine's Python.
ORIGIN = {"direct_url.json", "REQUESTED"}
FORGOTTEN = re.compile(r"\.dist-info/(?:direct_url\.json|REQUESTED),|^(?:\.\./)*bin/")


def chosen(locks: Sequence[str], index: Index) -> tuple[Wheel, ...]:
    """Return the wheels that a project's approved locks name, by hash; of two versions the one approved last.

    Raises `Conflict` (`packages.unknown`) for a hash that the index does not know.
    """
    by_hash = {wheel.sha256: wheel for wheel in index.wheels}
    found: dict[str, Wheel] = {}
    for lock in locks:
        for name, version, sha256 in read_lock(lock):
            if sha256 not in by_hash:
                raise Conflict(
                    "packages.unknown",
                    ko=f"승인된 {name}=={version}이(가) 미러의 목록에 없습니다.",
                    en=f"{name}=={version} was approved and is not in the mirror's index.",
                    remedy_ko="‘ansim packages index’를 먼저 실행하세요.",
                    remedy_en="Run ‘ansim packages index’ first.",
                )
            found[name] = by_hash[sha256]
    return tuple(found[name] for name in sorted(found))


def assemble(wheels: Sequence[Wheel], mirror: Path, root: Path) -> str:
    """Make the folder of these wheels below `root` and return its name, the hash of its content.

    Every wheel's bytes are hashed again. Raises `Unavailable` (`packages.wheel-damaged`, `packages.not-installed`).
    """
    fresh = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=root))
    try:
        (fresh / "wheels").mkdir()
        (fresh / "site").mkdir()
        for wheel in wheels:
            _copy(mirror / wheel.file, fresh / "wheels" / wheel.file, wheel)
        _install(sorted((fresh / "wheels").iterdir()), fresh / "site")
        shutil.rmtree(fresh / "site" / "bin", ignore_errors=True)
        _plain(fresh)
        name = name_of(fresh)
        if not (root / name).exists():
            fresh.rename(root / name)
        return name
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def name_of(folder: Path) -> str:
    """Return the hash of a folder's content. Raises `NotATree`."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return tree_sha256(leaves_of(descriptor))
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path, wheel: Wheel) -> None:
    try:
        shutil.copyfile(source, target, follow_symlinks=False)
        with target.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == wheel.sha256
    except OSError:
        right = False
    if not right:
        raise Unavailable(
            "packages.wheel-damaged",
            ko=f"미러의 {wheel.file}이(가) 없거나 승인된 해시와 다릅니다.",
            en=f"{wheel.file} is not in the mirror, or has another hash than was approved.",
            remedy_ko="‘ansim packages fetch’로 다시 가져오세요.",
            remedy_en="Fetch it again with ‘ansim packages fetch’.",
        )


def _install(wheels: Sequence[Path], site: Path) -> None:
    """Unpack with pip, for the image's Python and not for this one; no code of a wheel runs."""
    command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--target", str(site), *platform()]
    try:
        subprocess.run([*command, *map(str, wheels)], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()[-300:]
        raise Unavailable(
            "packages.not-installed",
            ko=f"승인된 패키지를 펼치지 못했습니다: {said}",
            en=f"The approved packages could not be laid out: {said}",
            remedy_ko="디스크 공간과 미러의 파일을 확인하세요.",
            remedy_en="See the disk's free space and the mirror's files.",
        ) from error


def _plain(folder: Path) -> None:
    """Leave what a workspace may read and nothing that changes from one run to the next."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name == "__pycache__":
            shutil.rmtree(path)
        elif path.is_dir():
            path.chmod(0o755)
        elif path.name in ORIGIN:
            path.unlink()
        else:
            if path.name == "RECORD" and path.parent.suffix == ".dist-info":
                lines = path.read_text().splitlines(keepends=True)
                path.write_text("".join(line for line in lines if not FORGOTTEN.search(line)))
            path.chmod(0o644)
    folder.chmod(0o755)
