"""`make lock`: writes the hash locks anew, without the address of any index (docs/adr/0007-hash-locks.md).

locks/image.txt is stricter than the others: one hash per package, that of the very wheel which goes into the image.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

from images.builder import tools, wheels
from images.builder.places import REPO, Places
from scripts.setting_up import lock_cuda, venvs
from scripts.setting_up.call import call

# Builds 35 grammars when it is imported and is only asked for by an optional format check: seconds of every start.
LEFT_OUT = ("rfc3987-syntax", "lark")
HEAD = "# One line per wheel of the workspace image (CPython 3.11.2, glibc 2.36, x86-64). Made by scripts/lock.\n"


def main() -> int:
    """Write the locks; returns the exit code."""
    tools.ensure()
    _compile(REPO / "pyproject.toml", REPO / "locks/runtime.txt")
    _compile(REPO / "pyproject.toml", REPO / "locks/dev.txt", "--group=dev")
    places = Places.of_this_machine()
    left_out = [f"--no-emit-package={name}" for name in LEFT_OUT]
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / "resolved.txt"
        _compile(places.recipe / "requirements.in", resolved, "--python-platform=x86_64-manylinux_2_36", *left_out)
        found = wheels.download(resolved, Path(folder) / "wheels")
        places.lock.write_text(HEAD + "".join(f"{line}\n" for line in sorted(map(_line, found))))
    print(f"locks/: {len(found)} wheels in the image, {lock_cuda.write()} in that for GPU hosts")
    return 0


def _compile(source: Path, lock: Path, *more: str) -> None:
    options = ["--quiet", f"--python-version={wheels.PYTHON}", "--generate-hashes", "--upgrade"]
    options += ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links", *more]
    command: list[str | Path] = [tools.TOOLS / "bin/uv", "pip", "compile", *options, source, "-o", lock]
    call(command, venvs.NOW, env={**os.environ, **venvs.from_pip()})


def _line(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version} --hash=sha256:{sha256}"


if __name__ == "__main__":
    sys.exit(main())
