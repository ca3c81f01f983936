"""Attacks on what a workspace shares with others: processes, memory, processor, disk, descriptors.

Facts: `limits`, what the plan says (pids, memory, cpus, sizes of the volumes). Everything that is taken is given back
at the end of its probe; whether the neighbour worked meanwhile is judged by whoever sees both.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, broken, held, in_child, name_of, probe, told

MIB = 1 << 20
OVER = 3


@probe("res.fork-bomb")
def fork_bomb(facts: dict[str, Any]) -> Verdict:
    """Processes without end."""
    children: list[int] = []
    said, limit = "no refusal", facts["limits"]["pids"]
    try:
        while len(children) < limit * OVER:
            child = os.fork()
            if not child:
                time.sleep(30)
                os._exit(0)
            children.append(child)
    except OSError as error:
        said = name_of(error.errno)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
    good = said == "EAGAIN" and len(children) < limit
    return (held if good else broken)(f"{said} after {len(children)} of {limit}")


@probe("res.threads")
def threads(facts: dict[str, Any]) -> Verdict:
    """Threads without end."""
    stop, limit = threading.Event(), facts["limits"]["pids"]
    made: list[threading.Thread] = []
    try:
        while len(made) < limit * OVER:
            one = threading.Thread(target=stop.wait, daemon=True)
            one.start()
            made.append(one)
        said = ""
    except RuntimeError as error:
        said = str(error)
    finally:
        stop.set()
        for one in made:
            one.join()
    good = said and len(made) < limit
    return (held if good else broken)(f"{said or 'no refusal'} after {len(made)} of {limit}")


@probe("res.memory")
def memory(facts: dict[str, Any]) -> Verdict:
    """More memory than there is for this workspace."""
    wanted = int(facts["limits"]["memory_bytes"] * 1.5)

    def eat() -> int:
        Path("/proc/self/oom_score_adj").write_text("1000")  # the bomb, not the kernel of the notebook
        block = os.urandom(4096) * (16 * MIB // 4096)
        return len([bytearray(block) for _ in range(wanted // (16 * MIB))])

    code = in_child(eat, seconds=30)
    if code == -signal.SIGKILL:
        return held(f"killed (signal 9) before {wanted // MIB} MiB; the kernel of the notebook goes on")
    return broken(f"exit {code} with {wanted // MIB} MiB")


def _cgroup(names: tuple[str, ...]) -> str:
    for name in names:
        for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"):
            if (path := Path(root, name)).exists():
                return path.read_text().strip()
    return ""


@probe("res.swap")
def swap(facts: dict[str, Any]) -> Verdict:
    """Whether memory may go to a swap device, where data would stay."""
    both, alone = _cgroup(("memory.memsw.limit_in_bytes",)), _cgroup(("memory.limit_in_bytes",))
    second = _cgroup(("memory.swap.max",))
    if second:
        return held("memory.swap.max is 0") if second == "0" else broken(f"memory.swap.max is {second}")
    if not both:
        lines = Path("/proc/meminfo").read_text().splitlines()
        total = next(line for line in lines if line.startswith("SwapTotal"))
        return held("the host has no swap") if total.split()[1] == "0" else broken("no limit of swap is to be seen")
    good = both == alone == str(facts["limits"]["memory_bytes"])
    return (held if good else broken)(f"memory and swap together {both}, memory alone {alone}")


@probe("res.processor")
def processor(facts: dict[str, Any]) -> Verdict:
    """More processor time than the plan's share, with four programs that only compute."""
    cpus, wall = facts["limits"]["cpus"], 2.0
    before, throttled = os.times(), _throttled()
    children = []
    for _ in range(cpus * 4):
        child = os.fork()
        if not child:
            end = time.monotonic() + wall
            while time.monotonic() < end:
                pass
            os._exit(0)
        children.append(child)
    began = time.monotonic()
    for child in children:
        os.waitpid(child, 0)
    wall, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    slowed = _throttled() - throttled
    quota = _cgroup(("cpu.cfs_quota_us", "cpu.max"))
    limited = bool(quota) and not quota.startswith(("-1", "max")) and int(quota.split()[0]) == cpus * 100_000
    good = limited and used <= wall * cpus * 1.3
    return (held if good else broken)(
        f"quota ‘{quota}’: {used:.1f} s of processor in {wall:.1f} s, slowed {slowed} times"
    )


def _throttled() -> int:
    lines = (line.split() for line in _cgroup(("cpu.stat",)).splitlines())
    return next((int(words[1]) for words in lines if words[0] == "nr_throttled"), 0)


def _fill(folder: str, size: int) -> Verdict:
    """Write into a folder until it is refused; far more than its size is no limit."""
    place, chunk, written, said = Path(folder, "drill-fill"), bytes(MIB), 0, "no refusal"
    # Whatever is written into memory counts against the workspace's own; a disk has to stop by itself.
    try:
        with place.open("wb", buffering=0) as file:
            while written < size * 2 + 64 * MIB:
                written += file.write(chunk)
                if written % (32 * MIB) == 0:
                    os.fsync(file.fileno())
    except OSError as error:
        said = name_of(error.errno)
    finally:
        place.unlink(missing_ok=True)
    good = said == "ENOSPC" and written <= size
    return (held if good else broken)(f"{said} after {written / MIB:.0f} of {size // MIB} MiB")


@probe("res.disk-home")
def disk_home(facts: dict[str, Any]) -> Verdict:
    """Filling the home."""
    return _fill("/home/analyst/work", facts["limits"]["home_bytes"])


@probe("res.disk-outbox")
def disk_outbox(facts: dict[str, Any]) -> Verdict:
    """Filling the outbox."""
    return _fill("/outbox", facts["limits"]["outbox_bytes"])


@probe("res.disk-tmp")
def disk_tmp(facts: dict[str, Any]) -> Verdict:
    """Filling /tmp."""
    return _fill("/tmp", facts["limits"]["tmpfs"]["/tmp"])


@probe("res.disk-run")
def disk_run(facts: dict[str, Any]) -> Verdict:
    """Filling /run and the profile folder, where the server keeps what it needs."""
    sizes = facts["limits"]["tmpfs"]
    first, second = _fill("/run", sizes["/run"]), _fill("/home/analyst", sizes["/home/analyst"])
    return (first[0] if first[0] == second[0] else "broken"), f"/run {first[1]}; /home/analyst {second[1]}"


@probe("res.shared-memory")
def shared_memory(facts: dict[str, Any]) -> Verdict:
    """Filling /dev/shm; and whether it was clean when this tenant came (korea.md R30)."""
    mine = set(facts.get("own_shm", ()))
    foreign = [name for name in os.listdir("/dev/shm") if name not in mine]
    if foreign:
        return broken(f"/dev/shm is not clean: {len(foreign)} names")
    outcome, evidence = _fill("/dev/shm", facts["limits"]["shm_bytes"])
    return outcome, f"clean at start; {evidence}"


@probe("res.inodes")
def inodes(facts: dict[str, Any]) -> Verdict:
    """Empty files without end, which take no bytes but use a file system up."""
    folder, made, said = Path("/outbox/drill-inodes"), 0, "no refusal"
    most = facts["limits"]["outbox_bytes"] // 1024
    folder.mkdir()
    try:
        while made < most:
            (folder / str(made)).touch()
            made += 1
    except OSError as error:
        said = name_of(error.errno)
    finally:
        shutil.rmtree(folder)
    return (held if said in {"ENOSPC", "EDQUOT"} else broken)(f"{said} after {made} files")


@probe("res.descriptors")
def descriptors(_: dict[str, Any]) -> Verdict:
    """Open files without end, and a higher limit for them."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    said = "no refusal"
    try:
        while len(taken) < limit[1] * 2 and len(taken) < 1 << 17:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        said = name_of(error.errno)
    finally:
        for one in taken:
            os.close(one)

    def more() -> None:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1] + 1, limit[1] + 1))
        except ValueError as error:
            raise OSError(1, "refused") from error

    raised = told(more)
    good = said == "EMFILE" and raised == "EPERM" and limit[1] <= 4096  # noqa: PLR2004 - what the plan says
    return (held if good else broken)(f"{said} after {len(taken)}; a higher limit: {raised}")
