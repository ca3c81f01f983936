"""Attacks on files from inside: the data, others' data, the system's own, and ways to smuggle bytes out.

Facts: `dataset` (folder under /data), `columns` (those approved), `secrets` (texts that must be nowhere: values and
name of the column that was not approved, what the neighbour keeps), `host_paths` (of the enclave on the host).
"""

from __future__ import annotations

import importlib
import mmap
import os
import resource
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, all_refused, broken, held, in_child, probe, told

READ_ONLY = ("EROFS", "EACCES", "EPERM")
HOME, OUTBOX = "/home/analyst/work", "/outbox"
LARGEST = 64 << 20


def _opened(path: str | Path, flags: int) -> Callable[[], object]:
    return lambda: os.close(os.open(path, flags, 0o600))


def _tables(facts: dict[str, Any]) -> list[Path]:
    return sorted(path for path in Path("/data", facts["dataset"]).rglob("*") if path.is_file())


@probe("files.data-write")
def data_write(facts: dict[str, Any]) -> Verdict:
    """Changing the data: written over, added to, removed, renamed, made executable, mapped for writing."""
    table = _tables(facts)[0]

    def mapped() -> None:
        with table.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_WRITE):
            pass

    attempts: dict[str, Callable[[], object]] = {
        "open for writing": _opened(table, os.O_RDWR),
        "truncate": lambda: os.truncate(table, 0),
        "create": _opened(table.with_name("new"), os.O_CREAT | os.O_WRONLY),
        "unlink": lambda: os.unlink(table),
        "rename": lambda: os.rename(table, table.with_name("other")),
        "chmod": lambda: os.chmod(table, 0o777),
        "utime": lambda: os.utime(table),
        "xattr": lambda: os.setxattr(table, "user.x", b"y"),
        "mkdir": lambda: os.mkdir(table.with_name("folder")),
        "symlink": lambda: os.symlink("/", table.with_name("link")),
        "mmap": mapped,
    }
    return all_refused(attempts, *READ_ONLY, "ENOTSUP", "EOPNOTSUPP")


@probe("files.data-nested")
def data_nested(_: dict[str, Any]) -> Verdict:
    """Each mount at or below the data: one that lies deeper may be writable although the upper is not."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = {fields[4]: fields[5].split(",") for fields in mounts if fields[4].startswith(("/data", "/etc/jupyter"))}
    wrong = [place for place, options in below.items() if "ro" not in options]
    written = [place for place in below if told(_opened(f"{place}/x", os.O_CREAT | os.O_WRONLY)) == "SUCCEEDED"]
    if wrong or written or not below:
        return broken(f"writable: {wrong or written or 'no mount seen'}")
    return held(f"{len(below)} mounts, all `ro`, writing refused in each")


@probe("files.unapproved-column")
def unapproved_column(facts: dict[str, Any]) -> Verdict:
    """The column that was not approved: its name or a value, in any byte of any file of the data."""
    tables = _tables(facts)
    texts = {path: path.read_bytes() + _uncompressed(path) for path in tables}
    for path, data in texts.items():
        if found := [text for text in facts["secrets"] if text.encode() in data]:
            return broken(f"{path} holds {len(found)} of the texts that it must not hold")
    if not any(facts["canary"].encode() in data for data in texts.values()):
        return broken("the approved column is not there: nothing was shown")
    size = sum(map(len, texts.values()))
    return held(f"{len(tables)} files, {size} bytes: the approved column's mark is there, none of the other's")


def _uncompressed(path: Path) -> bytes:
    """Return what a reader of the image makes of a table; nothing without one (then the bytes have to speak)."""
    try:
        table = importlib.import_module("pyarrow.parquet").read_table(path)
    except ImportError:
        return b""
    return repr((table.schema, table.schema.metadata, table.to_pydict())).encode()


@probe("files.other-data")
def other_data(facts: dict[str, Any]) -> Verdict:
    """Data of other projects: anything under /data but one's own, and the enclave's folders on the host by name."""
    listed = sorted(os.listdir("/data"))
    if listed != [facts["dataset"]]:
        return broken(f"/data holds {listed}")
    attempts = {path: _opened(path, os.O_RDONLY) for path in facts["host_paths"]}
    return all_refused(attempts, "ENOENT", "EACCES", "ENOTDIR")


def _walk() -> Iterator[Path]:
    for root, folders, files in os.walk("/"):
        if root == "/":
            folders[:] = [name for name in folders if name not in {"proc", "sys", "usr", "opt", "lib", "lib64", "bin"}]
        yield from (Path(root, name) for name in files)


@probe("files.other-homes")
def other_homes(facts: dict[str, Any]) -> Verdict:
    """The neighbour's files: by their name or their content, in everything that can be read here."""
    looked, name, text = 0, facts["neighbour"]["file"], facts["neighbour"]["text"].encode()
    for path in _walk():
        looked += 1
        if path.name == name:
            return broken(f"{path} is the neighbour's")
        try:
            if path.is_file() and path.stat().st_size < LARGEST and text in path.read_bytes():
                return broken(f"{path} holds what the neighbour wrote")
        except OSError:
            continue
    return held(f"{looked} files looked at, nothing of the neighbour's")


@probe("files.root-file-system")
def root_file_system(_: dict[str, Any]) -> Verdict:
    """The system's own files: programs, libraries, configuration."""
    places = ("/", "/usr", "/usr/bin", "/etc", "/opt", "/lib", "/var", "/data", "/home", "/outbox/..", "/dev")
    return all_refused({p: _opened(f"{p}/drill-new", os.O_CREAT | os.O_WRONLY) for p in places}, *READ_ONLY, "ENOENT")


@probe("files.server-configuration")
def server_configuration(_: dict[str, Any]) -> Verdict:
    """The notebook server's configuration."""
    attempts = {
        "change": _opened("/etc/jupyter/jupyter_server_config.py", os.O_WRONLY | os.O_APPEND),
        "add": _opened("/etc/jupyter/evil.py", os.O_CREAT | os.O_WRONLY),
        "add json": _opened("/etc/jupyter/jupyter_server_config.json", os.O_CREAT | os.O_WRONLY),
    }
    return all_refused(attempts, *READ_ONLY)


@probe("files.hard-links")
def hard_links(facts: dict[str, Any]) -> Verdict:
    """A second name, in the outbox or at home, for a file of the data or of the system."""
    names = {"data → outbox": (_tables(facts)[0], OUTBOX), "data → home": (_tables(facts)[0], HOME)}
    names |= {"system → outbox": (Path("/etc/passwd"), OUTBOX), "system → /tmp": (Path("/etc/passwd"), "/tmp")}
    attempts = {what: lambda pair=pair: os.link(pair[0], f"{pair[1]}/drill-link") for what, pair in names.items()}
    return all_refused(attempts, "EXDEV", "EPERM", "EROFS", "EACCES")  # type: ignore[arg-type]


@probe("files.device-nodes")
def device_nodes(_: dict[str, Any]) -> Verdict:
    """Making devices, and opening those of the host."""
    kinds = {"disk": (stat.S_IFBLK, os.makedev(254, 0)), "mem": (stat.S_IFCHR, os.makedev(1, 1))}
    attempts: dict[str, Callable[[], object]] = {
        f"mknod {name} in {place}": lambda kind=kind, place=place: os.mknod(
            f"{place}/drill-node", kind[0] | 0o666, kind[1]
        )  # type: ignore[misc]
        for name, kind in kinds.items()
        for place in ("/tmp", HOME, OUTBOX)
    }
    devices = ("vda", "sda", "nvme0n1", "mem", "kmsg", "port", "fuse", "kvm", "net/tun", "loop0", "loop-control")
    attempts |= {f"/dev/{name}": _opened(f"/dev/{name}", os.O_RDONLY) for name in devices}
    return all_refused(attempts, "EPERM", "ENOENT", "EACCES", "ENXIO")


@probe("files.setuid")
def setuid(_: dict[str, Any]) -> Verdict:
    """Programs that run as somebody else: those of the image, and one made here."""
    found = [
        os.path.join(root, name)
        for root, _, names in os.walk("/usr")
        for name in names
        if os.lstat(os.path.join(root, name)).st_mode & (stat.S_ISUID | stat.S_ISGID)
        and not stat.S_ISLNK(os.lstat(os.path.join(root, name)).st_mode)
    ]
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    lax = [m[1] for m in mounts if m[1] in {HOME, OUTBOX, "/tmp", "/run", "/home/analyst"} and "nosuid" not in m[3]]
    if found or lax:
        return broken(f"{found[:5]} in the image; without nosuid: {lax}")
    return held("0 setuid or setgid programs in the image; own folders are nosuid")


@probe("files.exec-own-folders")
def exec_own_folders(_: dict[str, Any]) -> Verdict:
    """Running a program that was brought in, from each folder that can be written. A hurdle, not a wall."""

    def run(place: str) -> Callable[[], object]:
        def attempt() -> None:
            target = f"{place}/drill-program"
            shutil.copy("/usr/bin/env", target)
            os.chmod(target, 0o755)
            try:
                if code := in_child(lambda: _exec(target)):
                    raise OSError(code, "refused")
            finally:
                os.unlink(target)

        return attempt

    return all_refused({place: run(place) for place in ("/tmp", HOME, OUTBOX, "/dev/shm", "/home/analyst")}, "EACCES")


def _exec(path: str) -> int:
    try:
        os.execv(path, [path, "true"])
    except OSError as error:
        os._exit(error.errno or 99)


@probe("files.kernel-settings")
def kernel_settings(_: dict[str, Any]) -> Verdict:
    """Writing the kernel's settings: where cores go, who is root, control groups, the emergency key."""
    paths = (
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/overcommit_memory",
        "/proc/sys/fs/suid_dumpable", "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
        "/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/release_agent",
        "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/pids/pids.max", "/sys/power/state", "/sys/block/vda/queue/scheduler",
    )  # fmt: skip
    return all_refused({p: _opened(p, os.O_WRONLY) for p in paths}, *READ_ONLY, "ENOENT")


@probe("files.kernel-leaks")
def kernel_leaks(_: dict[str, Any]) -> Verdict:
    """Reading what the kernel knows of the host: memory, keys, timers, firmware, other workspaces' limits."""
    paths = (
        "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats",
        "/proc/slabinfo", "/proc/vmallocinfo", "/proc/pagetypeinfo", "/proc/1/mem", "/proc/1/root/etc/shadow",
        "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing/trace", "/sys/firmware/dmi/tables/DMI",
        "/dev/mem", "/etc/shadow",
    )  # fmt: skip
    read = [path for path in paths if _reads(path)]
    return broken(f"readable: {read}") if read else held(f"{len(paths)} places: absent, refused or empty")


def _reads(path: str) -> bool:
    try:
        if os.path.isdir(path):
            return bool(os.listdir(path))
        with open(path, "rb") as file:
            return bool(file.read(64))
    except OSError:
        return False


@probe("files.names-of-others")
def names_of_others(facts: dict[str, Any]) -> Verdict:
    """What the tables of mounts and control groups tell of other projects and people."""
    text = "".join(Path("/proc/self", name).read_text() for name in ("mountinfo", "cgroup", "environ", "mounts"))
    found = [name for name in facts["names_of_others"] if name in text]
    return (
        broken(f"told: {found}")
        if found
        else held(f"{len(text)} characters, none of {len(facts['names_of_others'])} names")
    )


@probe("files.engine-socket")
def engine_socket(facts: dict[str, Any]) -> Verdict:
    """The engine's socket, the gate's, the portal's, by every name they may have."""

    def connect(path: str) -> Callable[[], object]:
        def attempt() -> None:
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(path)

        return attempt

    usual = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock")
    found = [str(path) for path in _sockets()]
    if foreign := [path for path in found if not path.startswith(("/run/jupyter", "/tmp", HOME, OUTBOX))]:
        return broken(f"sockets of others: {foreign}")
    return all_refused({path: connect(path) for path in (*usual, *facts["sockets"])}, "ENOENT", "EACCES", "ENOTDIR")


def _sockets() -> Iterator[Path]:
    for root in ("/run", "/var", "/tmp", "/outbox", HOME, "/data", "/mnt", "/srv"):
        for folder, _, names in os.walk(root):
            yield from (Path(folder, n) for n in names if stat.S_ISSOCK(os.lstat(os.path.join(folder, n)).st_mode))


@probe("files.core-dumps")
def core_dumps(_: dict[str, Any]) -> Verdict:
    """A program that crashes must not leave its memory anywhere, nor hand it to a program of the host."""
    os.chdir("/tmp")

    def crash() -> int:
        os.kill(os.getpid(), 11)
        return 0

    child = os.fork()
    if not child:
        try:
            crash()
        finally:
            os._exit(98)
    status = os.waitpid(child, 0)[1]
    left = [name for name in os.listdir("/tmp") if name.startswith("core")]
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    raised = told(lambda: _raise(resource.RLIMIT_CORE))
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if os.WCOREDUMP(status) or left or limits != (0, 0) or raised == "SUCCEEDED" or not os.WIFSIGNALED(status):
        return broken(
            f"dumped {os.WCOREDUMP(status)}, left {left}, limits {limits}, raised {raised}, pattern {pattern}"
        )
    return held(
        f"killed by signal {os.WTERMSIG(status)}, nothing dumped; limit 0, raising it: {raised}; pattern ‘{pattern}’"
    )


def _raise(kind: int) -> None:
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ValueError as error:
        raise OSError(1, "not allowed to raise") from error
