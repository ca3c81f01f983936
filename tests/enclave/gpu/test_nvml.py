"""The inventory, read through the real nvidia-ml-py from a shared library that answers NVML's calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from enclave.gpu.devices import Device, GpuKind, Reading, profile_in

WHOLE = Device("GPU-11111111-2222-3333-4444-555555555555", GpuKind.WHOLE, 42949672960, "", "NVIDIA A100-SXM4-40GB")
PARENT = "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SLICES = (
    Device(
        "MIG-01234567-89ab-cdef-0123-456789abcdef",
        GpuKind.SLICE,
        5100273664,
        PARENT,
        "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        "1g.5gb",
    ),
    Device(
        "MIG-fedcba98-7654-3210-fedc-ba9876543210",
        GpuKind.SLICE,
        10468982784,
        PARENT,
        "NVIDIA A100-SXM4-40GB MIG 2g.10gb",
        "2g.10gb",
    ),
)


def read(libraries: Path | None, machine: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "FAKE_NVML": machine, "LD_LIBRARY_PATH": str(libraries or "")}
    command = [sys.executable, "-I", "-m", "enclave.gpu.nvml"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_whole_device_and_the_slices_of_a_cut_one_are_listed_but_not_the_cut_one_itself(libraries: Path) -> None:
    done = read(libraries)
    assert Reading.from_json(json.loads(done.stdout)) == Reading("580.65.06", "", (WHOLE, *SLICES))


@pytest.mark.parametrize(
    ("machine", "problem"),
    [("not-loaded", "no-driver"), ("lost", "GPU is lost"), ("odd-uuid", "not the uuid of a device")],
)
def test_a_driver_that_cannot_say_is_a_problem_and_no_device(libraries: Path, machine: str, problem: str) -> None:
    found = Reading.from_json(json.loads(read(libraries, machine).stdout))
    assert problem in found.problem
    assert found.devices == ()


def test_a_machine_without_the_library_says_no_driver() -> None:
    assert Reading.from_json(json.loads(read(None).stdout)) == Reading(problem="no-driver")


def test_a_machine_without_a_device_is_no_problem(libraries: Path) -> None:
    assert Reading.from_json(json.loads(read(libraries, "empty").stdout)) == Reading("580.65.06")


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "1g.10gb"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me", "1g.10gb+me"),
        ("NVIDIA H100 80GB HBM3", ""),
        ("MIG", ""),
    ],
)
def test_the_profile_is_the_last_word_of_a_slices_name(name: str, profile: str) -> None:
    assert profile_in(name) == profile
