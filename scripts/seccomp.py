"""Make `enclave/workspace/seccomp.json` from the profile of containers-common.

    python scripts/seccomp.py /usr/share/containers/seccomp.json > enclave/workspace/seccomp.json

Source: `/usr/share/containers/seccomp.json` of Debian 12's package golang-github-containers-common 0.50.1+ds1-4
(Apache-2.0), sha256 in `BASE_SHA256`. Run by hand when the base changes; the result is the fixed file that ships.
A workspace has no capability and runs on x86_64 only, so rules for other machines or for holders of a
capability are left out instead of being carried along. Rules for one call with different arguments are
alternatives: any match allows.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

BASE_SHA256 = "cc374cf23846ce1f62f4dc807a8e2b8673c783c6f56cb475467621035d281e6c"
ALLOW, EQ, MASKED = "SCMP_ACT_ALLOW", "SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"
ENOSYS = 38
NAMESPACE_FLAGS = 0x7E020000
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, NETLINK_ROUTE = 1, 2, 10, 16, 0
# What no notebook needs and what has opened containers before: namespaces, mounts, other processes' memory,
# keyrings, io_uring, and the i386 door to sockets.
NEVER = {
    "socketcall",
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "move_mount",
    "mount_setattr",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "pivot_root",
    "chroot",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "bpf",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "name_to_handle_at",
    "open_by_handle_at",
    # The one thing in a home that file-system encryption leaves in the clear (docs/adr/0015-volume-keys.md).
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "modify_ldt",
}
CONDITIONAL = {"socket", "clone", "clone3"}


def when(index: int, value: int, operator: str = EQ) -> dict[str, Any]:
    """Return a condition on one argument; with `MASKED`, `value` is the mask and the masked argument must be 0."""
    return {"index": index, "value": value, "valueTwo": 0, "op": operator}


def allowed(base: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the base's rules that hold on x86_64 for a process without capabilities, less what is never allowed."""
    rules = []
    for rule in base["syscalls"]:
        needs = rule.get("includes") or {}
        names = sorted(set(rule["names"]) - NEVER - CONDITIONAL)
        here = not needs.get("caps") and "amd64" in needs.get("arches", ["amd64"])
        if rule["action"] == ALLOW and here and names:
            rules.append({"names": names, "action": ALLOW, "args": rule.get("args") or []})
    return rules


def profile(base: dict[str, Any]) -> dict[str, Any]:
    """Return our profile in the engine's JSON dialect."""
    families = [{"names": ["socket"], "action": ALLOW, "args": [when(0, f)]} for f in (AF_UNIX, AF_INET, AF_INET6)]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        # x86_64 alone: with its usual sub-architectures `int 0x80` opens what the socket rules close.
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [
            *allowed(base),
            *families,
            {"names": ["socket"], "action": ALLOW, "args": [when(0, AF_NETLINK), when(2, NETLINK_ROUTE)]},
            {"names": ["clone"], "action": ALLOW, "args": [when(0, NAMESPACE_FLAGS, MASKED)]},
            # Said explicitly: glibc falls back to clone only on ENOSYS, and engine 20.10 answers EPERM else.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS, "args": []},
        ],
    }


def main() -> None:
    """Read the base named on the command line, print our profile."""
    data = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(data).hexdigest() != BASE_SHA256:
        print("note: another base than the one the shipped profile was made from", file=sys.stderr)
    print(json.dumps(profile(json.loads(data)), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
