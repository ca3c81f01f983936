"""The wheel mirror as the portal sees it: one JSON file that the operator's command writes beside the wheels.

The portal opens no wheel. What is in the index is a candidate; what may be installed is what was approved, by hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from enclave.errors import Unavailable

FORMAT = "ansim-wheels-v1"
FILE = "index.json"
# The workspace image: Debian 12's Python and C library (images/builder/wheels.py).
PYTHON, PYTHON_FULL, GLIBC = (3, 11), "3.11.2", 36
PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, 4, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
)
ENVIRONMENT: Mapping[str, str] = {
    "implementation_name": "cpython",
    "implementation_version": PYTHON_FULL,
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": PYTHON_FULL,
    "python_version": ".".join(map(str, PYTHON)),
    "sys_platform": "linux",
    "extra": "",
}


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """One wheel of the mirror. `licence` as its metadata say; `uploaded_on` (ISO date) and `size` if they are known.

    `present`: its bytes lie in the mirror; else the operator's command fetches them by hash once it is approved.
    """

    name: str
    version: str
    file: str
    sha256: str
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    licence: str = ""
    summary: str = ""
    uploaded_on: str = ""
    size: int = 0
    present: bool = False

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """What it says it runs on."""
        return parse_wheel_filename(self.file)[3]

    @property
    def pin(self) -> str:
        """The line of a lock that means exactly these bytes."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"

    @property
    def fits(self) -> bool:
        """Whether the workspace image can install it: platform, C library and Python."""
        return not self.tags.isdisjoint(SUPPORTED) and Version(PYTHON_FULL) in SpecifierSet(self.requires_python)


@dataclass(frozen=True)
class Index:
    """All wheels of the mirror, and what the workspace image brings along (names in their canonical form)."""

    wheels: tuple[Wheel, ...] = ()
    image: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[Wheel]]:
        """Wheels by canonical name, newest version first."""
        found: dict[str, list[Wheel]] = {}
        for wheel in sorted(self.wheels, key=lambda each: (Version(each.version), each.file), reverse=True):
            found.setdefault(wheel.name, []).append(wheel)
        return found

    def save(self, folder: Path) -> None:
        """Write the index whole or not at all."""
        body = {"format": FORMAT, "image": dict(self.image), "wheels": [asdict(each) for each in self.wheels]}
        fresh = folder / f"{FILE}.new"
        fresh.write_text(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        fresh.chmod(0o644)
        fresh.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Read what `save` wrote. Raises `Unavailable` (`packages.no-index`) where there is none, or it is damaged."""
        try:
            found: dict[str, Any] = json.loads((folder / FILE).read_bytes())
            return cls._read(found)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Unavailable(
                "packages.no-index",
                ko="휠 미러의 목록을 읽을 수 없습니다.",
                en="The index of the wheel mirror cannot be read.",
                remedy_ko="운영자에게 ‘ansim packages index’를 요청하세요.",
                remedy_en="Ask the operator to run ‘ansim packages index’.",
            ) from error

    @classmethod
    def _read(cls, found: dict[str, Any]) -> Index:
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
        wheels = tuple(Wheel(**{**one, "requires": tuple(one["requires"])}) for one in found["wheels"])
        return cls(wheels, {canonicalize_name(name): str(version) for name, version in found["image"].items()})


SUPPORTED = frozenset(
    [
        *cpython_tags(PYTHON, abis=["cp311"], platforms=PLATFORMS),
        *compatible_tags(PYTHON, interpreter="cp311", platforms=PLATFORMS),
    ]
)
