"""The image's Python wheels, fetched once by hash with the machine's own pip configuration.

Resolved for the image's Python and C library, not for the machine's: pip must be told every glibc version by itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from images.builder import tools
from images.builder.errors import BuildError
from images.builder.run import run

PYTHON = "3.11.2"  # Debian 12's
GLIBC_MINORS = range(5, 37)  # Debian 12 has 2.36
PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in GLIBC_MINORS),
    "manylinux1_x86_64",
    "manylinux2010_x86_64",
    "manylinux2014_x86_64",
    "any",
)
NO_INDEX = "check the network and pip's configuration (`pip config list`), then try again"


def hashes(lock: Path) -> list[str]:
    """Return the SHA-256 (hex) of every wheel that the lock names."""
    return [line.split("--hash=sha256:")[1].split()[0] for line in lock.read_text().splitlines() if "--hash=" in line]


def missing(lock: Path, folder: Path) -> list[str]:
    """Return the lock's pins (`name==version`) whose wheel is not in the folder."""
    present = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.whl")}
    lines = [line for line in lock.read_text().splitlines() if "--hash=" in line]
    return [line.split()[0] for line in lines if line.split("--hash=sha256:")[1].split()[0] not in present]


def ensure(lock: Path, folder: Path) -> list[Path]:
    """Return the lock's wheels in `folder`, downloading what is not there. Each file's hash is checked here.

    Raises: BuildError when the index does not answer or does not have a wheel with the hash any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = _present(lock, folder)
    if found is None:
        download(lock, folder)
        found = _present(lock, folder)
    if found is None:
        raise BuildError(f"a wheel of {lock.name} was not downloaded", f"empty {folder} and try again")
    return found


def _present(lock: Path, folder: Path) -> list[Path] | None:
    """All wheels of the lock, or None if one is missing; other wheels in the folder do not matter."""
    by_hash = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.glob("*.whl"))}
    wanted = hashes(lock)
    return [by_hash[each] for each in wanted] if all(each in by_hash for each in wanted) else None


def download(lock: Path, folder: Path) -> list[Path]:
    """Download the wheels of a lock (any number of hashes each) into `folder`; returns all wheels there."""
    target = [f"--python-version={PYTHON}", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
    target += [f"--platform={name}" for name in PLATFORMS]
    command: list[str | Path] = [
        tools.ensure(),
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    command += ["--only-binary=:all:", "--require-hashes", "-r", lock, "-d", folder]
    run([*command, *target], NO_INDEX)
    return sorted(folder.glob("*.whl"))
