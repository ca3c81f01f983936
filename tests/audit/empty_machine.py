"""A machine without this repository: a container with Python and `cryptography`, no network, nothing else of ours.

The image is made of the host's interpreter and the installed package; it holds no shell, no `openssl` and no file of
this checkout.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import io
import subprocess
import tarfile
from pathlib import Path

PYTHON = Path("/usr/bin/python3.11")
PACKAGES = ("cryptography", "cffi")
REPOSITORY = "ansim-test-verifier"
SITE = "usr/local/lib/python3.11/dist-packages"
SKIPPED = {"test", "tests", "idlelib", "tkinter", "ensurepip", "config-3.11-x86_64-linux-gnu", "dist-packages"}
LIBRARIES = Path("/lib/x86_64-linux-gnu")


@functools.cache
def image() -> str:
    """Import it, if this very image is not there yet; return its name."""
    versions = [importlib.metadata.version(name) for name in PACKAGES]
    digest = hashlib.sha256(Path(__file__).read_bytes() + PYTHON.read_bytes() + " ".join(versions).encode())
    tag = f"{REPOSITORY}:{digest.hexdigest()[:16]}"
    if _docker("image", "inspect", tag).returncode == 0:
        return tag
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        _add_python(tar)
        for name in PACKAGES:
            _add_package(tar, name)
        for name in ("tmp", "evidence"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(info)
    _docker("import", "-", tag, data=data.getvalue()).check_returncode()
    return tag


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in such a container, the folder read-only at /evidence."""
    limits = ["--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--user=65534", "--pids-limit=32"]
    done = _docker("run", *limits, f"--volume={folder}:/evidence:ro", image(), str(PYTHON), "-I", "-B", *command)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def _docker(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *arguments], input=data, capture_output=True, check=False)


def _add_python(tar: tarfile.TarFile) -> None:
    tar.add(PYTHON, str(PYTHON)[1:])
    tar.add("/usr/lib/python3.11", "usr/lib/python3.11", filter=_wanted)
    modules = [PYTHON, *Path("/usr/lib/python3.11/lib-dynload").glob("*.so"), *_package_files("cryptography", ".so")]
    modules += list(Path(next(_package_files("cffi", ".py")).parents[1]).glob("_cffi_backend*.so"))
    listed = subprocess.run(["ldd", *map(str, modules)], capture_output=True, text=True, check=True).stdout
    words = (word for line in listed.splitlines() for word in line.split() if not word.endswith(":"))
    for library in sorted({word for word in words if word.startswith("/lib")}):
        tar.add(Path(library).resolve(), library[1:])


def _wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if SKIPPED & set(Path(info.name).parts) else info


def _package_files(name: str, suffix: str = ""):
    for file in importlib.metadata.files(name) or ():
        path = Path(str(file.locate()))
        if path.suffix == suffix or not suffix:
            yield path


def _add_package(tar: tarfile.TarFile, name: str) -> None:
    for file in importlib.metadata.files(name) or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            tar.add(str(file.locate()), f"{SITE}/{file}")
