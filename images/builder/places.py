"""Where the image builder reads from and keeps things."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Places:
    """Folders of one build machine; `cache` survives clean checkouts, `record` belongs to the checkout."""

    cache: Path
    recipe: Path = REPO / "images/workspace"
    lock: Path = REPO / "locks/image.txt"
    client: Path = REPO / "enclave/notebook/ansim"
    record: Path = REPO / "build/images.json"
    name: str = "workspace"

    @classmethod
    def of_this_machine(cls, *, cuda: bool = False) -> Places:
        """Cache below `$ANSIM_CACHE`, by default /var/cache/ansim; `cuda`: the image for GPU hosts."""
        cache = Path(os.environ.get("ANSIM_CACHE", "/var/cache/ansim"))
        return cls(cache, lock=REPO / "locks/image-cuda.txt", name="workspace-cuda") if cuda else cls(cache)

    @property
    def tag(self) -> str:
        """The image's name in the engine."""
        return f"ansim-{self.name}:latest"

    @property
    def debs(self) -> Path:
        """Debian packages of the image with an index: a small repository, so builds need no network."""
        return self.cache / "debs"

    @property
    def wheels(self) -> Path:
        """Wheels of the lock."""
        return self.cache / "wheels"

    @property
    def scratch(self) -> Path:
        """Where root file systems are unpacked (about 3 GB for a few minutes)."""
        return self.cache / "scratch"
