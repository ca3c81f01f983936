"""The shipped seccomp profile; that the kernel obeys it is tried in tests/redteam."""

from __future__ import annotations

import json

from enclave.workspace.engine import seccomp_profile
from scripts.seccomp import NEVER, profile

PROFILE = json.loads(seccomp_profile())
BY_NAME = {name: rule for rule in PROFILE["syscalls"] for name in rule["names"]}


def test_what_is_not_named_is_refused() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"


def test_no_call_that_opens_containers_is_named() -> None:
    assert NEVER & set(BY_NAME) == set()


def test_one_machine_only() -> None:
    assert PROFILE["archMap"] == [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}]


def test_sockets_are_of_four_families() -> None:
    rules = [rule["args"] for rule in PROFILE["syscalls"] if rule["names"] == ["socket"]]
    assert [[arg["value"] for arg in args] for args in rules] == [[1], [2], [10], [16, 0]]


def test_clone_makes_no_namespace_and_clone3_sends_the_library_to_clone() -> None:
    (condition,) = BY_NAME["clone"]["args"]
    assert (condition["op"], condition["value"], condition["valueTwo"]) == ("SCMP_CMP_MASKED_EQ", 0x7E020000, 0)
    assert (BY_NAME["clone3"]["action"], BY_NAME["clone3"]["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_no_rule_depends_on_a_capability_or_another_machine() -> None:
    assert {key for rule in PROFILE["syscalls"] for key in rule} <= {"names", "action", "args", "errnoRet"}


def test_a_base_that_allows_everything_is_cut_down() -> None:
    rules = [
        {"names": ["read", "ptrace", "socket", "clone", "clone3"], "action": "SCMP_ACT_ALLOW", "args": []},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["arm_only"], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {"arches": ["arm"]}},
    ]
    made = profile({"syscalls": rules})
    assert [rule["names"] for rule in made["syscalls"]] == [
        ["read"], ["socket"], ["socket"], ["socket"], ["socket"], ["clone"], ["clone3"],
    ]  # fmt: skip
    assert all(rule["args"] for rule in made["syscalls"] if rule["names"] in (["socket"], ["clone"]))
