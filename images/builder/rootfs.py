"""The root file system of the image: mmdebstrap and a customize hook, the same bytes each time.

Source of the method: reproducible-builds.org (SOURCE_DATE_EPOCH); mmdebstrap(1), section REPRODUCIBLE BUILDS.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from images.builder import debs, wheels
from images.builder.places import REPO, Places
from images.builder.run import run

# No file of the image is younger; also the image's date. 2026-11-20T00:00:00Z, the day of the lock.
SOURCE_DATE_EPOCH = 1795132800
NOW = "look at the lines above; needs root, about 4 GB of free disk, mmdebstrap (`make setup` installs it)"


def build(places: Places, tar: Path) -> str:
    """Write the root file system to `tar` and return its SHA-256 (hex). Needs `places.debs` and the wheels.

    Raises: BuildError; `tar` may then be half written and must not be used.
    """
    pip, *_ = (path for path in wheels.ensure(REPO / "locks/tools.txt", places.cache / "tools") if "pip" in path.name)
    with tempfile.TemporaryDirectory(dir=_scratch(places)) as folder:
        chosen = Path(folder) / "wheels"
        chosen.mkdir()
        for wheel in wheels.ensure(places.lock, places.wheels):
            os.link(wheel, chosen / wheel.name)
        inputs = {"WHEELS": chosen, "LOCK": places.lock, "CLIENT": places.client, "PIP": pip}
        run(_command(places, tar), NOW, env=_environment(folder, inputs))
    with tar.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _scratch(places: Places) -> Path:
    shutil.rmtree(places.scratch, ignore_errors=True)  # what a killed build left behind
    places.scratch.mkdir(parents=True)
    places.scratch.chmod(0o755)
    return places.scratch


def _environment(scratch: str, inputs: dict[str, Path]) -> dict[str, str]:
    """Return a small environment of our own: nothing of the machine's may reach the bytes."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": scratch,
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        **{f"ANSIM_{name}": str(path) for name, path in inputs.items()},
    }


def _command(places: Places, tar: Path) -> list[str | Path]:
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=essential",
        "--format=tar",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={','.join(debs.package_names(places.recipe))}",
        f"--dpkgopt={places.recipe / 'dpkg.cfg'}",
        "--dpkgopt=force-unsafe-io",  # a lost build is built again
        f'--customize-hook={places.recipe / "customize"} "$1"',
        debs.SUITE,
        tar,
        f"deb [trusted=yes] copy:{places.debs} ./",  # apt checked the signatures when they were fetched
    ]
