"""The masks of one run's heads: which pixels of a source file are its face. They show where, and nothing of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Masks:
    """Masks by the name of the source file, bits of (rows, columns), in a folder that goes with the run."""

    folder: Path

    def put(self, name: str, mask: Mask) -> None:
        """Keep the mask of a file."""
        np.save(self._path(name), np.packbits(mask, axis=None))

    def of(self, name: str, shape: tuple[int, int]) -> Mask | None:
        """Give the mask of a file; None where there is none."""
        path = self._path(name)
        if not path.exists():
            return None
        return np.unpackbits(np.load(path), count=shape[0] * shape[1]).reshape(shape).astype(bool)

    def _path(self, name: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()}.npy"
