"""The vendor's two libraries as doubles: real shared libraries with the real names and calls, compiled here."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CUDA_H = Path("/usr/local/cuda/include/cuda.h")


def compiled(folder: Path, *more: str) -> Path:
    """Compile both into a folder, which then goes into LD_LIBRARY_PATH."""
    for source, library in (("fake_nvml.c", "libnvidia-ml.so.1"), ("fake_cuda.c", "libcuda.so.1")):
        options = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", *more]
        subprocess.run(["gcc", *options, HERE / source, "-o", folder / library], check=True)
    return folder
