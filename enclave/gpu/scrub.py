"""Erasing the memory of a GPU between two tenants, with evidence (korea.md R30). `python -m enclave.gpu.scrub UUID`.

All memory that the device will give is taken at once, read (what did the last tenant leave?), filled with a pattern
and read, filled with zeros and read. The pattern is there because a way of reading that always sees zeros would call
any memory clean. Exit code 0 and one line of JSON, whatever was found; the report says whether the device is clean.
Source of the calls: CUDA Driver API, `cuda.h`; names with `_v2` are those that its macros resolve to. One slice
(MIG) is visible to a process only through CUDA_VISIBLE_DEVICES, so whoever starts this sets it to the same uuid.
Not a script of a container: the host's own driver is what the next tenant's container will be given too.
"""

from __future__ import annotations

import ctypes as c
import json
import sys
import time
import uuid as uuids
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

LIBRARY = "libcuda.so.1"
POINTER, SIZE = c.c_uint64, c.c_size_t
CALLS: dict[str, tuple[Any, ...]] = {
    "cuInit": (c.c_uint,),
    "cuDeviceGet": (c.POINTER(c.c_int), c.c_int),
    "cuDeviceGetUuid_v2": (c.POINTER(c.c_ubyte * 16), c.c_int),
    "cuDevicePrimaryCtxRetain": (c.POINTER(c.c_void_p), c.c_int),
    "cuDevicePrimaryCtxRelease_v2": (c.c_int,),
    "cuCtxSetCurrent": (c.c_void_p,),
    "cuCtxSynchronize": (),
    "cuMemGetInfo_v2": (c.POINTER(SIZE), c.POINTER(SIZE)),
    "cuMemAlloc_v2": (c.POINTER(POINTER), SIZE),
    "cuMemFree_v2": (POINTER,),
    "cuMemcpyDtoH_v2": (c.c_void_p, POINTER, SIZE),
    "cuMemsetD32_v2": (POINTER, c.c_uint, SIZE),
}
OUT_OF_MEMORY = 2
PATTERN = 0xA55A3CC3
WORD = 4
CHUNK = 64 << 20
SMALLEST = 1 << 20
# The driver and our own context keep some memory that nobody can allocate. More than that missing is somebody else's.
UNREACHABLE_SHARE, UNREACHABLE_BYTES = 20, 1 << 30


class CudaError(Exception):
    """A call of the driver failed: its name and code (`CUresult`)."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: {code}")
        self.call, self.code = call, code


@dataclass
class Report:
    """What was tested and found. Bytes, but for `milliseconds`; `reason` is empty when the device is clean."""

    uuid: str
    total: int = 0
    tested: int = 0
    left_over: int = 0
    pattern_missed: int = 0
    not_cleared: int = 0
    milliseconds: int = 0
    reason: str = ""
    clean: bool = field(init=False, default=False)

    def judge(self) -> None:
        """Say whether the device is clean, and if not, why."""
        missing = self.total - self.tested
        if missing > max(self.total // UNREACHABLE_SHARE, min(UNREACHABLE_BYTES, self.total // 4)):
            self.reason = "memory-held-by-others"
        elif self.pattern_missed:
            self.reason = "pattern-not-kept"
        elif self.not_cleared:
            self.reason = "not-cleared"
        self.clean = not self.reason


class Driver:
    """The driver's library and the memory of one device in it."""

    def __init__(self) -> None:
        self._library = c.CDLL(LIBRARY)
        for name, types in CALLS.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = types, c.c_int

    def call(self, name: str, *arguments: Any) -> None:
        """Call it; raises `CudaError` unless it succeeds."""
        code = getattr(self._library, name)(*arguments)
        if code:
            raise CudaError(name, code)

    @contextmanager
    def device(self, uuid: str) -> Iterator[None]:
        """Work on the one device that is visible; raises `CudaError` (`uuid`) if it is not the one that was meant."""
        device, context = c.c_int(), c.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDeviceGet", c.byref(device), 0)
        said = (c.c_ubyte * 16)()
        self.call("cuDeviceGetUuid_v2", c.byref(said), device)
        if str(uuids.UUID(bytes=bytes(said))) != uuid.partition("-")[2]:
            raise CudaError("uuid", 0)
        self.call("cuDevicePrimaryCtxRetain", c.byref(context), device)
        try:
            self.call("cuCtxSetCurrent", context)
            yield
        finally:
            self.call("cuDevicePrimaryCtxRelease_v2", device)

    def total(self) -> int:
        """Return the size of the device's memory."""
        free, total = SIZE(), SIZE()
        self.call("cuMemGetInfo_v2", c.byref(free), c.byref(total))
        return total.value

    @contextmanager
    def everything(self) -> Iterator[list[tuple[int, int]]]:
        """Hold all memory that can be had, as (address, size); given back at the end."""
        blocks: list[tuple[int, int]] = []
        try:
            size = self.total() // CHUNK * CHUNK or self.total()
            while size >= SMALLEST:
                block = self._allocated(size)
                if block is None:
                    size //= 2
                else:
                    blocks.append((block, size))
            yield blocks
        finally:
            for block, _ in blocks:
                self.call("cuMemFree_v2", block)

    def _allocated(self, size: int) -> int | None:
        address = POINTER()
        try:
            self.call("cuMemAlloc_v2", c.byref(address), size)
        except CudaError as error:
            if error.code == OUT_OF_MEMORY:
                return None
            raise
        return address.value

    def fill(self, blocks: list[tuple[int, int]], word: int) -> None:
        """Write one 32-bit word all over the blocks."""
        for address, size in blocks:
            self.call("cuMemsetD32_v2", address, word, size // WORD)
        self.call("cuCtxSynchronize")

    def differing(self, blocks: list[tuple[int, int]], word: int) -> int:
        """Return how many bytes of the blocks are not those of the word."""
        wanted = memoryview(word.to_bytes(WORD, "little") * (CHUNK // WORD))
        return sum(_unlike(piece, wanted[: len(piece)]) for piece in self._pieces(blocks))

    def _pieces(self, blocks: list[tuple[int, int]]) -> Iterator[memoryview]:
        buffer = bytearray(CHUNK)
        place = (c.c_char * CHUNK).from_buffer(buffer)
        for address, size in blocks:
            for offset in range(0, size, CHUNK):
                length = min(CHUNK, size - offset)
                self.call("cuMemcpyDtoH_v2", place, address + offset, length)
                yield memoryview(buffer)[:length]


def _unlike(found: memoryview, wanted: memoryview) -> int:
    # Comparing whole chunks is as fast as memory; bytes are only counted in those that differ.
    if found == wanted:
        return 0
    both = int.from_bytes(found, "little") ^ int.from_bytes(wanted, "little")
    return len(found) - both.to_bytes(len(found), "little").count(0)


def scrub(uuid: str) -> Report:
    """Erase the device and report; whatever goes wrong is the reason why it is not clean."""
    report, began = Report(uuid), time.monotonic()
    try:
        driver = Driver()
        with driver.device(uuid):
            report.total = driver.total()
            with driver.everything() as blocks:
                _erase(driver, blocks, report)
        report.judge()
    except (CudaError, OSError, AttributeError) as error:
        report.reason = f"driver: {error}"[:200]
    report.milliseconds = int((time.monotonic() - began) * 1000)
    return report


def _erase(driver: Driver, blocks: list[tuple[int, int]], report: Report) -> None:
    report.tested = sum(size for _, size in blocks)
    report.left_over = driver.differing(blocks, 0)
    driver.fill(blocks, PATTERN)
    report.pattern_missed = driver.differing(blocks, PATTERN)
    driver.fill(blocks, 0)
    report.not_cleared = driver.differing(blocks, 0)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(scrub(sys.argv[1]))))
