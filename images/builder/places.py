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

    @classmethod
    def of_this_machine(cls) -> Places:
        """Cache below `$ANSIM_CACHE`, by default /var/cache/ansim."""
        return cls(Path(os.environ.get("ANSIM_CACHE", "/var/cache/ansim")))

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
