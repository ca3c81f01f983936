"""Floods: memory, output, messages, the container's log. Last of all, because they spend what others need.

The neighbour's work goes on; what it could do meanwhile is judged by the runner.
"""

from __future__ import annotations

import json
from pathlib import Path

from enclave.drill.kernel import Kernel, KernelError
from enclave.drill.opening import open_workspace
from enclave.drill.others import as_user
from enclave.drill.place import Place, Verdict, attack, broken, held, untestable
from enclave.drill.wire import head, send

MIB = 1 << 20
LOG_MOST = 4 * MIB
SLACK = 8 * MIB
FLOOD_S = 25


def _lives(place: Place) -> bool:
    return place.door.ask(place.login, "GET", "/api/status").status == 200  # noqa: PLR2004 - it answers


@attack("res.kernel-memory")
def kernel_memory(place: Place) -> Verdict:
    """A notebook that eats all memory: its kernel dies; the server, its other kernels and the neighbour go on."""
    said = "it went on"
    with Kernel(place.door, place.login) as victim:
        size = place.plan.memory_bytes * 2
        try:
            victim.run(f"x = bytearray({size})\nfor i in range(0, {size}, 4096): x[i] = 1", seconds=12)
        except (KernelError, OSError) as error:
            said = str(error)[:80]
        state = json.loads(place.door.ask(place.login, "GET", f"/api/kernels/{victim.id}").body or b"{}")
    other = place.kernel.value("import json; print(json.dumps(7))")
    good = said != "it went on" and _lives(place) and other == 7  # noqa: PLR2004
    return (held if good else broken)(
        f"the kernel died ({said}; now {state.get('execution_state')}); server answers {_lives(place)}, another kernel {other}"
    )


@attack("res.log-flood")
def log_flood(place: Place) -> Verdict:
    """Writing into the container's log, which lies on the host's disk."""
    code = (
        "import json, os\ntry:\n    f = os.open('/proc/1/fd/1', os.O_WRONLY); n = 0\n    while n < 24 << 20:\n"
        "        n += os.write(f, b'drill ' * 10922 + b'\\n')\n    os.close(f); print(json.dumps(n))\n"
        "except OSError as error:\n    print(json.dumps(error.strerror))"
    )
    said = place.kernel.value(code, seconds=60)

    def path() -> str:
        line = head(f"GET /containers/{place.plan.container_name}/json", {"Host": "x", "Connection": "close"})
        answer = send(str(place.settings.engine_socket), line)
        return str(json.loads(answer.body[answer.body.index(b"{") : answer.body.rindex(b"}") + 1])["LogPath"])

    log = Path(as_user(place.settings.hub_user, path))
    size = sum(each.stat().st_size for each in log.parent.glob(f"{log.name}*"))
    good = log.exists() and size <= LOG_MOST
    return (held if good else broken)(f"written: {said}; the log takes {size / MIB:.1f} MiB of the host's disk")


def _fate(place: Place) -> str:
    """Say what became of the flooding workspace's own server: dying of its own memory limit hurts nobody else."""
    return "answers" if _lives(place) else "was ended by its own memory limit"


def _received(place: Place, code: str) -> tuple[int, str]:
    """Run code in a kernel of its own; returns the bytes that came to the browser, and how it ended."""
    if not _lives(place):  # an earlier flood may have ended it
        place.door.stop(place.login)
        open_workspace(place.settings, place.door, place.login)
    with Kernel(place.door, place.login) as flooding:
        before, end = flooding.received, "ended"
        try:
            for _ in flooding.messages(code, seconds=FLOOD_S):
                pass
        except (KernelError, OSError, ValueError) as error:
            end = str(error)[:60]
        return flooding.received - before, end


@attack("res.output-flood")
def output_flood(place: Place) -> Verdict:
    """A gigabyte to the screen, as pictures of a megabyte each, which no limit of the notebook server counts."""
    code = (
        "from IPython.display import publish_display_data\nfor _ in range(1024):\n"
        "    publish_display_data({'text/plain': 'x' * (1 << 20)})"
    )
    size, end = _received(place, code)
    most = place.plan.display.hour_bytes + SLACK
    good = size <= most
    return (held if good else broken)(
        f"{size / MIB:.1f} MiB of 1024 came through, {most / MIB:.0f} may; the cell {end}; its own server {_fate(place)}"
    )


@attack("res.message-flood")
def message_flood(place: Place) -> Verdict:
    """A million small messages, as quickly as the kernel can send them."""
    code = (
        "s = get_ipython().kernel.session; k = get_ipython().kernel; t = k.get_parent()\n"
        "m = s.msg('stream', {'name': 'stdout', 'text': 'x'}, parent=t)\n"
        "parts = [b'stream', *s.serialize(m)]\n"
        "for _ in range(1_000_000): k.iopub_socket.send_multipart(parts)\n"
    )
    size, end = _received(place, code)
    most = place.plan.display.hour_bytes + SLACK
    good = size <= most
    return (held if good else broken)(
        f"{size / MIB:.1f} MiB came through, {most / MIB:.0f} may; the cell {end}; its own server {_fate(place)}"
    )


@attack("res.gpu-memory")
def gpu_memory(place: Place) -> Verdict:
    """What the tenant before left in a GPU's memory."""
    if not place.plan.gpu_uuids:
        return untestable("no GPU: the drill's workspaces are given none")
    return broken("a GPU is there but this drill has no attack for it yet")
