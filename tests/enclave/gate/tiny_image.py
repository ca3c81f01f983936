"""A small real image for tests: the host's Python, its libraries, and the agent as the notebook server."""

from __future__ import annotations

import functools
import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

AGENT = Path(__file__).parent / "agent.py"
REPOSITORY = "ansim-test-tiny"
PASSWD = "root:x:0:0:root:/root:/bin/sh\nanalyst:x:10001:10001::/home/analyst:/bin/sh\n"
# What a browser may be shown of the image; `static` is the shorter of two prefixes with the same name below.
FILES = {
    "opt/venv/share/jupyter/lab/static/main.js": b"the image's own script",
    "opt/venv/share/jupyter/lab/static/page.html": b"<script>a document</script>",
    "opt/venv/share/jupyter/labextensions/some/static/style.css": b"css",
    "opt/venv/lib/python3.11/site-packages/jupyter_server/static/lab/main.js": b"the shorter prefix",
    "opt/venv/lib/python3.11/site-packages/jupyter_server/static/favicon.ico": b"icon",
}
SKIPPED = {"test", "tests", "idlelib", "tkinter", "ensurepip", "config-3.11-x86_64-linux-gnu", "dist-packages"}


@functools.cache
def tiny_image() -> str:
    """Import it, if this very image is not there yet; returns its id."""
    made_of = [AGENT, Path(__file__), Path("/usr/bin/python3.11")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()[:16]
    tag = f"{REPOSITORY}:{digest}"
    found = _docker(["image", "inspect", "--format", "{{.Id}}", tag])
    if found.returncode == 0:
        return found.stdout.decode().strip()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        _python(tar)
        for name in ("tmp", "run", "data", "etc/jupyter", "outbox", "home/analyst/work", "proc", "sys", "dev"):
            _folder(tar, name, 10001 if name.startswith(("home", "outbox")) else 0)
        _link(tar, "usr/bin/python3", "python3.11")
        for name, content in FILES.items():
            _file(tar, name, content)
        _file(tar, "etc/passwd", PASSWD.encode())
        _file(tar, "usr/local/bin/jupyterhub-singleuser", AGENT.read_bytes(), 0o755)
    done = _docker(["import", "-c", "ENV PATH=/usr/local/bin:/usr/bin", "-", tag], data.getvalue())
    done.check_returncode()
    return done.stdout.decode().strip()


def _docker(arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *arguments], input=data, capture_output=True, check=False)


def _python(tar: tarfile.TarFile) -> None:
    tar.add("/usr/bin/python3.11", "usr/bin/python3.11")
    tar.add("/usr/lib/python3.11", "usr/lib/python3.11", filter=_wanted)
    modules = map(str, Path("/usr/lib/python3.11/lib-dynload").glob("*.so"))
    listed = subprocess.run(["ldd", "/usr/bin/python3.11", *modules], capture_output=True, text=True, check=True).stdout
    words = (word for line in listed.splitlines() for word in line.split() if not word.endswith(":"))
    for library in sorted({word for word in words if word.startswith("/lib")}):
        tar.add(Path(library).resolve(), library[1:])


def _wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if SKIPPED & set(Path(info.name).parts) else info


def _folder(tar: tarfile.TarFile, name: str, owner: int) -> None:
    info = tarfile.TarInfo(name)
    # A tmpfs takes its mode from the folder below it.
    mode = 0o1777 if name == "tmp" else 0o755
    info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, owner
    tar.addfile(info)


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    tar.addfile(info)


def _file(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))
