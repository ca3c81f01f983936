"""locks/image-cuda.txt: the wheels of the workspace image for GPU hosts, chosen without fetching gigabytes.

The image's own lock is made by downloading (lock.py); here that would be several GB each time. Instead uv writes all
wheels of each package with their hashes (PEP 751), and the one that pip would take is chosen by its tags.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from images.builder import tools, wheels
from images.builder.places import REPO
from scripts.setting_up import venvs
from scripts.setting_up.call import call

LOCK = REPO / "locks/image-cuda.txt"
RECIPES = (REPO / "images/workspace/requirements.in", REPO / "images/cuda/requirements.in")
HEAD = (
    "# One line per wheel of the workspace image for GPU hosts; begins with all of image.txt. Made by scripts/lock.\n"
)
LEFT_OUT = ("rfc3987-syntax", "lark")
# Later is better, as pip ranks them: pure Python last of all.
PYTHONS = ("py2.py3", "py3", "cp311")
ABIS = ("none", "abi3", "cp311")


def write() -> int:
    """Write the lock anew and return the number of wheels in it.

    Raises: StepFailedError; ValueError for a package without a wheel for the image.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins, resolved = Path(folder) / "pins.txt", Path(folder) / "pylock.toml"
        # What both images have is of one version.
        lines = (REPO / "locks/image.txt").read_text().splitlines()
        pins.write_text("".join(f"{line.split()[0]}\n" for line in lines if "==" in line))
        options: list[str | Path] = [
            "--quiet",
            "--format=pylock.toml",
            f"--python-version={wheels.PYTHON}",
            "--constraints",
            pins,
        ]
        options += ["--python-platform=x86_64-manylinux_2_36", *(f"--no-emit-package={name}" for name in LEFT_OUT)]
        command = [tools.TOOLS / "bin/uv", "pip", "compile", *options, *RECIPES]
        call([*command, "-o", resolved], venvs.NOW, env={**os.environ, **venvs.from_pip()})
        packages = tomllib.loads(resolved.read_text())["packages"]
    found = sorted(line_of(package) for package in packages)
    LOCK.write_text(HEAD + "".join(f"{line}\n" for line in found))
    return len(found)


def line_of(package: Mapping[str, Any]) -> str:
    """Return the lock's line for a package: name, version, and the hash of the best wheel for the image.

    Raises: ValueError if no wheel fits.
    """
    ranked = [(rank_of(name_of(wheel)), wheel["hashes"]["sha256"]) for wheel in package.get("wheels", ())]
    fitting = [(rank, sha256) for rank, sha256 in ranked if rank is not None]
    if not fitting:
        raise ValueError(f"{package['name']} {package['version']} has no wheel for the image")
    return f"{re.sub('[-_.]+', '-', package['name']).lower()}=={package['version']} --hash=sha256:{max(fitting)[1]}"


def name_of(wheel: Mapping[str, Any]) -> str:
    """Return the file name of a wheel in a PEP 751 lock, which may give it by address or path alone."""
    address = str(wheel.get("url") or wheel.get("path"))
    return str(wheel.get("name") or unquote(urlsplit(address).path).rpartition("/")[2])


def rank_of(name: str) -> tuple[int, int, int] | None:
    """Return how well a wheel fits CPython 3.11 on the image's C library, greater is better; None if not at all."""
    python, abi, platforms = name.removesuffix(".whl").split("-")[-3:]
    known = [_platform_rank(each) for each in platforms.split(".")]
    platform = max((rank for rank in known if rank is not None), default=None)
    stable = abi == "abi3" and re.fullmatch(r"cp3(\d+)", python)
    best = "cp311" if stable and int(stable[1]) <= 11 else _best(python.split("."))  # noqa: PLR2004 - Python 3.11
    if platform is None or abi not in ABIS or not best:
        return None
    return ABIS.index(abi), platform, PYTHONS.index(best)


def _best(pythons: Sequence[str]) -> str:
    fitting = [each for each in pythons if each in PYTHONS]
    return max(fitting, key=PYTHONS.index, default="")


def _platform_rank(platform: str) -> int | None:
    if platform not in wheels.PLATFORMS:
        return None
    return 0 if platform == "any" else wheels.PLATFORMS.index(platform) + 1


if __name__ == "__main__":
    sys.stdout.write(f"locks/image-cuda.txt: {write()} wheels\n")
