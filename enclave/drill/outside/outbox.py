"""Attacks on what collects files: traps that a workspace lays in its outbox, taken by the gate as at a submission."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from enclave.drill.others import as_user
from enclave.drill.place import Place, Verdict, attack, broken, held, judged
from enclave.errors import EnclaveError
from enclave.gate.client import Gate
from enclave.gate.limits import Collected, CollectLimits

CLEAR = "import os, shutil, socket\nos.chdir('/outbox')\nfor n in os.listdir('.'):\n    shutil.rmtree(n) if os.path.isdir(n) and not os.path.islink(n) else os.unlink(n)\n"


def _collected(
    place: Place, names: list[str], workspace_id: str = "", limits: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """Collect as the portal does; what was taken is removed again. Each answer with its hash or its refusal's code."""
    gate, bounds = Gate(place.settings.gate_socket), CollectLimits(**limits) if limits else None

    def take() -> list[dict[str, Any]]:
        try:
            answers = gate.collect(workspace_id or place.plan.workspace_id, names, limits=bounds)
        except EnclaveError as error:
            return [{"code": error.code}]
        for each in answers:
            if isinstance(each, Collected):
                each.path.unlink()
                with contextlib.suppress(OSError):  # the folder is the gate's; it goes with its last copy if we may
                    each.path.parent.rmdir()
        return [{key: str(value) for key, value in asdict(each).items()} for each in answers]

    found: list[dict[str, Any]] = as_user(place.settings.app_user, take)
    return found


def _trapped(
    place: Place, make: str, names: list[str], codes: set[str], limits: Mapping[str, int] | None = None
) -> Verdict:
    place.kernel.run(CLEAR + make)
    answers = _collected(place, names, limits=limits)
    said = {
        f"{number} {name!a}": answer.get("code", "TAKEN")
        for number, (name, answer) in enumerate(zip(names, answers, strict=True))
    }
    return judged(dict(said), lambda answer: answer in codes)


@attack("files.collect-symlink")
def symlink(place: Place) -> Verdict:
    """Links to files of the host, of the workspace, of a folder, and to nothing."""
    make = (
        "for n, t in {'a': '/etc/shadow', 'b': '/etc/passwd', 'c': '/proc/self/environ', 'd': '/nothing'}.items(): os.symlink(t, n)\n"
        "os.symlink('/', 'folder')\nos.symlink('/etc', 'e')\n"
    )
    return _trapped(place, make, ["a", "b", "c", "d", "folder/passwd", "e/passwd"], {"collect.not-a-file"})


@attack("files.collect-hardlink")
def hardlink(place: Place) -> Verdict:
    """A file with a second name, which could be changed through it after it was looked at."""
    return _trapped(place, "open('x', 'w').write('1')\nos.link('x', 'y')\n", ["x", "y"], {"collect.linked"})


@attack("files.collect-special")
def special(place: Place) -> Verdict:
    """A pipe that nobody writes to, a socket, a folder."""
    make = "os.mkfifo('pipe')\nsocket.socket(socket.AF_UNIX).bind('socket')\nos.mkdir('folder')\n"
    return _trapped(place, make, ["pipe", "socket", "folder"], {"collect.not-a-file"})


@attack("files.collect-large")
def large(place: Place) -> Verdict:
    """A file of eight gigabytes that takes no room, and one byte more than may be taken."""
    make = "f = open('sparse', 'wb'); f.truncate(1 << 33); f.close()\nopen('more', 'w').write('x' * 101)\n"
    return _trapped(
        place, make, ["sparse", "more"], {"collect.too-large"}, {"file_bytes": 100, "total_bytes": 1000, "files": 5}
    )


@attack("files.collect-names")
def names(place: Place) -> Verdict:
    """Names that lead elsewhere, that a terminal or a page would read, or that are no text."""
    make = r"for n in (b'-rf', b'a\nb', b'\xff', b'.hidden'): open(n, 'w').close()" + "\n"
    asked = [
        "../../../../etc/passwd",
        "../x",
        "/etc/passwd",
        "a/b/c",
        "",
        "x\0y",
        "-rf",
        "a\nb",
        "\udcff",
        ".hidden",
        "x" * 300,
    ]
    return _trapped(place, make, asked, {"collect.name"})


@attack("files.collect-changing")
def changing(place: Place) -> Verdict:
    """A file that is written to while it is read: refused, or what its hash says."""
    grow = (
        "import threading, time\nf = open('grow', 'wb', 0); f.write(bytes(4 << 20))\ngoing = threading.Event()\n"
        "def grow():\n    end = time.time() + 8\n    while time.time() < end and not os.path.exists('/outbox/stop'):\n"
        "        f.seek(0); f.write(os.urandom(8)); going.set()\n"
        "threading.Thread(target=grow, daemon=True).start(); going.wait()\n"
    )
    place.kernel.run(CLEAR + grow)
    said = [_collected(place, ["grow"])[0] for _ in range(6)]
    place.kernel.run("open('/outbox/stop', 'w').close()")
    codes = [answer.get("code", "taken") for answer in said]
    if set(codes) <= {"collect.changed", "taken"} and "collect.changed" in codes:
        return held(
            f"{codes.count('collect.changed')} of {len(codes)} times refused as changed, else whole by its hash"
        )
    return broken(f"{codes}")


@attack("files.collect-others")
def others(place: Place) -> Verdict:
    """The outbox of somebody else by a name that leads there, and of a workspace that is not there."""
    place.kernel.run(CLEAR)
    path = f"../../{place.neighbour_plan.workspace_id}/outbox/x"
    said: dict[str, object] = {
        "by path": _collected(place, [path])[0].get("code", "TAKEN"),
        "by image": _collected(place, ["../home.img"])[0].get("code", "TAKEN"),
        "nobody's": _collected(place, ["x"], "w-nobody")[0].get("code", "TAKEN"),
    }
    return judged(said, lambda answer: answer in {"collect.name", "gate.no-volumes", "gate.workspace-unknown"})


@attack("files.contents-links")
def contents_links(place: Place) -> Verdict:
    """Links in the home that lead out of it, opened through the interface that opens notebooks."""
    table = "/data/drill/canaries.parquet"
    place.kernel.run(
        "import os\nfor n, t in {'l1.txt': '/etc/passwd', 'l2.txt': '/proc/self/environ', 'l3.parquet': "
        f"{table!r}, 'l4': '/data', 'l5': '/'}}.items():\n    n = '/home/analyst/work/' + n\n"
        "    os.path.lexists(n) and os.unlink(n)\n    os.symlink(t, n)\n"
    )
    answers: dict[str, object] = {}
    for path in (
        "l1.txt",
        "l2.txt?type=file",
        "l3.parquet?type=file",
        "l4/drill",
        "l5/etc/passwd",
        "l4%2fdrill",
        "../../../etc/passwd",
    ):
        answer = place.door.ask(place.login, "GET", f"/api/contents/{path}")
        leaked = any(text in answer.body for text in (b"root:x:0", b"JUPYTERHUB_API_TOKEN", b"PAR1", b"canaries"))
        answers[path] = "LEAKED" if leaked else answer.status
    place.kernel.run("for n in ('l1.txt', 'l2.txt', 'l3.parquet', 'l4', 'l5'): os.unlink('/home/analyst/work/' + n)")
    return judged(answers, lambda answer: answer in {0, 302, 400, 403, 404, 413, 500})
