"""The inventory of GPUs as the driver gives it (NVML, through `nvidia-ml-py`). `python -m enclave.gpu.nvml`: JSON.

A program of its own and not a function of the gate: the vendor's library is loaded into a short-lived process, so
that its crash or hang is one failed reading and not the end of the one privileged daemon.
Source: NVML API Reference; a device in MIG mode cannot be used whole, so it is listed by its slices alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pynvml

from enclave.gpu.devices import Device, GpuKind, Reading, profile_in

NO_DRIVER = {pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED}
# A device that cannot be cut, and an index at which no slice was made, are answers and not failures.
NO_MIG = {pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND}
NO_SLICE = {pynvml.NVML_ERROR_NOT_FOUND, pynvml.NVML_ERROR_INVALID_ARGUMENT, *NO_MIG}


def read() -> Reading:
    """Return driver and devices. Where there is no driver the reading says `no-driver`; nothing is raised."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Reading(problem="no-driver" if error.value in NO_DRIVER else str(error))
    try:
        handles = (pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount()))
        devices = tuple(device for handle in handles for device in _leasable(handle))
        return Reading(driver=str(pynvml.nvmlSystemGetDriverVersion()), devices=devices)
    except (pynvml.NVMLError, ValueError) as error:
        return Reading(problem=str(error))
    finally:
        pynvml.nvmlShutdown()


def _leasable(handle: Any) -> Iterator[Device]:
    if _is_cut(handle):
        parent = str(pynvml.nvmlDeviceGetUUID(handle))
        for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            made = _slice(handle, index)
            if made is not None:
                yield _device(made, GpuKind.SLICE, parent)
    else:
        yield _device(handle, GpuKind.WHOLE, "")


def _is_cut(handle: Any) -> bool:
    try:
        current, _pending = pynvml.nvmlDeviceGetMigMode(handle)
    except pynvml.NVMLError as error:
        if error.value in NO_MIG:
            return False
        raise
    return bool(current == pynvml.NVML_DEVICE_MIG_ENABLE)


def _slice(handle: Any, index: int) -> Any:
    try:
        return pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
    except pynvml.NVMLError as error:
        if error.value in NO_SLICE:
            return None
        raise


def _device(handle: Any, kind: GpuKind, parent: str) -> Device:
    name = str(pynvml.nvmlDeviceGetName(handle))
    memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    return Device(str(pynvml.nvmlDeviceGetUUID(handle)), kind, memory, parent, name, profile_in(name))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read().as_json()))
