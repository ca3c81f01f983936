"""The scrub against a driver whose memory really keeps a tenant's bytes: erases them or says it did not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from enclave.gpu.scrub import CALLS
from tests.enclave.gpu.libraries import CUDA_H, compiled

UUID = "GPU-11111111-2222-3333-4444-555555555555"
SLICE = "MIG-01234567-89ab-cdef-0123-456789abcdef"
SIZE = 32 << 20
SECRET = b"patient 0173 " * 4
# A tenant that puts its secret into device memory through the driver's own calls, and ends without clearing.
TENANT = """
import ctypes as c, sys
cuda = c.CDLL("libcuda.so.1")
cuda.cuMemsetD32_v2.argtypes = (c.c_uint64, c.c_uint, c.c_size_t)
cuda.cuInit(0)
address = c.c_uint64()
assert cuda.cuMemAlloc_v2(c.byref(address), c.c_size_t(16 << 20)) == 0
cuda.cuMemsetD32_v2(address.value, 0x64636261, (16 << 20) // 4)
"""


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """The folder with the memories of a whole device and a slice."""
    for uuid in (UUID, SLICE):
        (tmp_path / uuid).write_bytes(bytes(SIZE))
    return tmp_path


def run(libraries: Path, memory: Path, *command: str, fault: str = "", visible: str = UUID) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "LD_LIBRARY_PATH": str(libraries),
        "FAKE_CUDA_MEMORY": str(memory),
        "FAKE_CUDA_FAULT": fault,
        "CUDA_VISIBLE_DEVICES": visible,
    }
    command = (sys.executable, "-I", *command)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def scrubbed(libraries: Path, memory: Path, uuid: str = UUID, **more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(libraries, memory, "-m", "enclave.gpu.scrub", uuid, **more))
    return found


@pytest.mark.parametrize("uuid", [UUID, SLICE])
def test_what_a_tenant_left_is_found_and_is_gone_afterwards(libraries: Path, memory: Path, uuid: str) -> None:
    run(libraries, memory, "-c", TENANT, visible=uuid)
    assert b"abcdabcd" in (memory / uuid).read_bytes()
    first = scrubbed(libraries, memory, uuid, visible=uuid)
    assert (first["clean"], first["left_over"], first["not_cleared"]) == (True, 16 << 20, 0)
    # All but the two mebibytes that the driver keeps.
    assert (first["total"], first["tested"]) == (SIZE, SIZE - (2 << 20))
    assert (memory / uuid).read_bytes()[2 << 20 :].count(0) == SIZE - (2 << 20)
    again = scrubbed(libraries, memory, uuid, visible=uuid)
    assert (again["clean"], again["left_over"]) == (True, 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("keeps", "pattern-not-kept"),
        ("stuck-page", "pattern-not-kept"),
        # A way of reading that sees zeros everywhere must not pass for a clean device.
        ("reads-zero", "pattern-not-kept"),
        ("held", "memory-held-by-others"),
        ("other-device", "driver: uuid: 0"),
    ],
)
def test_a_device_that_was_not_erased_is_never_called_clean(
    libraries: Path, memory: Path, fault: str, reason: str
) -> None:
    run(libraries, memory, "-c", TENANT)
    found = scrubbed(libraries, memory, fault=fault)
    assert (found["clean"], found["reason"]) == (False, reason)


def test_one_forgotten_page_is_counted(libraries: Path, memory: Path) -> None:
    run(libraries, memory, "-c", TENANT)
    assert scrubbed(libraries, memory, fault="stuck-page")["pattern_missed"] >= 4096


def test_a_machine_without_the_driver_is_a_reason_and_no_crash(tmp_path: Path, memory: Path) -> None:
    found = scrubbed(tmp_path, memory)
    assert found["clean"] is False
    assert found["reason"].startswith("driver: libcuda.so.1")


@pytest.mark.skipif(not CUDA_H.exists(), reason="NVIDIA's cuda.h is not on this machine")
def test_the_doubles_calls_have_the_signatures_of_nvidias_own_header(tmp_path: Path) -> None:
    compiled(tmp_path, "-DWITH_CUDA_H", f"-I{CUDA_H.parent}", "-Wno-unused-parameter")
    text = CUDA_H.read_text()
    assert [name for name in CALLS if name not in text] == []
