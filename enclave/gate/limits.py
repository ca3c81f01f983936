"""What the collector takes at most, and what it answers for each file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CollectLimits:
    """Bounds of one collection: bytes of one file, bytes of all, number of files."""

    file_bytes: int = 512 << 20
    total_bytes: int = 2 << 30
    files: int = 200


@dataclass(frozen=True)
class Collected:
    """One file copied out of an outbox: the name as asked for, the hash and size of the copy, where it lies now.

    The copy belongs to the service that asked; it moves it on or removes it.
    """

    name: str
    sha256: str
    size: int
    path: Path


@dataclass(frozen=True)
class ListedFile:
    """One file in a volume: `name` or `folder/name`, bytes, and its owner's word on when it changed (Unix seconds)."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True)
class RefusedFile:
    """One file that was not copied, and why. `shown` is the name with everything unprintable escaped."""

    name: str
    shown: str
    code: str
    ko: str
    en: str
    remedy_ko: str
    remedy_en: str
