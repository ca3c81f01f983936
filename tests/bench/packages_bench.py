"""How long a scientist waits for the answer to a list of 50 packages (korea.md R40: a minute).

A mirror of 1,800 wheels (300 packages, six versions of each; each needs up to three others in ranges, as real ones do)
and a list of 50 of them. What is timed is what the portal does for a request: read the list, load the index, resolve.
The peer is pip itself on the same list, from the same folder of wheels, in the same run.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from enclave.packages.asked import read
from enclave.packages.index import Index
from enclave.packages.mirror import platform, scan
from enclave.packages.resolve import resolve
from tests.enclave.packages.wheels import wheel

PACKAGES, VERSIONS, ASKED, LIMIT_S = 300, 6, 50, 60.0


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    with tempfile.TemporaryDirectory() as folder:
        mirror, rng = Path(folder), random.Random(27)
        _fill(mirror, rng)
        scan(mirror, {"numpy": "2.1.0"}).save(mirror)
        names = [f"kit-{number}" for number in rng.sample(range(PACKAGES), ASKED)]
        begun = time.perf_counter()
        resolved = resolve(read("\n".join(names)), Index.load(mirror), ())
        took = time.perf_counter() - begun
        answered = sum(bool(each.version) for each in resolved.answers)
        peer = _pip(mirror, names)
    return {
        "airlock.packages_50": {
            "value": round(took, 3),
            "unit": "s",
            "peer": f"pip's own resolver on the same wheels, {peer:.2f} s",
            "ratio": round(took / peer, 3),
            "floor": f"<= {LIMIT_S:g} s, {ASKED} of {ASKED} answered ({len(resolved.wheels)} wheels)",
            "ok": took <= LIMIT_S and answered == ASKED,
        }
    }


def _fill(mirror: Path, rng: random.Random) -> None:
    """Each package needs earlier ones only, so that there is a set; their versions vary."""
    for number in range(PACKAGES):
        needs = rng.sample(range(number), min(number, rng.randint(0, 3)))
        for version in range(1, VERSIONS + 1):
            ranges = [f"kit-{each}>={rng.randint(1, 2)},<{rng.randint(VERSIONS, VERSIONS + 1)}" for each in needs]
            wheel(mirror, f"kit-{number}", f"{version}.0", Requires_Dist=[*ranges, "numpy>=2"])


def _pip(mirror: Path, names: list[str]) -> float:
    """Return the seconds that pip takes for a dry run; the image's numpy lies beside as a wheel."""
    wheel(mirror, "numpy", "2.1.0")
    command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run"]
    command += ["--no-index", "--find-links", str(mirror), "--ignore-installed", "--target", str(mirror / "none")]
    begun = time.perf_counter()
    subprocess.run([*command, *platform(), *names], check=True, capture_output=True)
    return time.perf_counter() - begun
