"""Known advisories, from an OSV file that the operator has put beside the mirror; without one nothing is known.

https://ossf.github.io/osv-schema: one JSON object per advisory, in a folder, a zip of them (as `osv.dev` exports a
whole ecosystem) or one JSON list. Names and ranges of PyPI alone are read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from enclave.errors import Unavailable
from enclave.packages.index import Wheel

PLACES = ("advisories.zip", "advisories.json", "advisories")


@dataclass(frozen=True)
class Advisories:
    """Advisories by package name; `given`: there is a database at all."""

    by_name: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    given: bool = False

    def of(self, name: str, version: str) -> tuple[str, ...]:
        """Return the ids of the advisories that this version is affected by."""
        found = (one for one in self.by_name.get(name, ()) if not one.get("withdrawn"))
        return tuple(sorted({str(one["id"]) for one in found if _affects(one, name, version)}))

    def of_all(self, wheels: Iterable[Wheel]) -> Mapping[str, tuple[str, ...]] | None:
        """Return the ids by SHA-256 of those of these wheels that have any; None without a database."""
        if not self.given:
            return None
        return {wheel.sha256: found for wheel in wheels if (found := self.of(wheel.name, wheel.version))}

    @classmethod
    def load(cls, folder: Path) -> Advisories:
        """Read the first database that lies in the mirror's folder; damaged advisories are passed over.

        Raises `Unavailable` (`packages.advisories`) where the database as a whole cannot be read.
        """
        place = next((folder / name for name in PLACES if (folder / name).exists()), None)
        if place is None:
            return cls()
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        try:
            for one in _read(place):
                for name in _names(one):
                    by_name.setdefault(name, []).append(one)
        except (OSError, zipfile.BadZipFile) as error:
            raise _unreadable(place) from error
        return cls({name: tuple(found) for name, found in by_name.items()}, given=True)


def _read(place: Path) -> Iterator[Mapping[str, Any]]:
    if place.is_dir():
        texts: Iterator[bytes] = (path.read_bytes() for path in sorted(place.glob("*.json")))
    elif place.suffix == ".zip":
        texts = _zipped(place)
    else:
        texts = iter([place.read_bytes()])
    for text in texts:
        try:
            found = json.loads(text)
        except ValueError:
            continue
        yield from [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _zipped(place: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield archive.read(name)


def _names(one: Mapping[str, Any]) -> set[str]:
    """Return the packages that an advisory is about; none for one that is not in the form."""
    try:
        str(one["id"])
        return {canonicalize_name(each["package"]["name"]) for each in _affected(one)}
    except (KeyError, TypeError, AttributeError):
        return set()


def _affected(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = one.get("affected", [])
    return [
        each
        for each in found
        if isinstance(each, dict) and each.get("package", {}).get("ecosystem") == "PyPI" and "name" in each["package"]
    ]


def _affects(one: Mapping[str, Any], name: str, version: str) -> bool:
    for each in _affected(one):
        if canonicalize_name(each["package"]["name"]) != name:
            continue
        if version in each.get("versions", ()) or any(
            _in_range(each_range, version) for each_range in each.get("ranges", ())
        ):
            return True
    return False


def _in_range(given: Mapping[str, Any], version: str) -> bool:
    """Go through a range's events in order of their versions, as the schema says."""
    if given.get("type") != "ECOSYSTEM":
        return False
    events = [(kind, str(value)) for event in given.get("events", ()) for kind, value in event.items()]
    try:
        here = Version(version)
        ordered = sorted(events, key=lambda event: Version("0" if event[1] == "0" else event[1]))
        inside = False
        for kind, value in ordered:
            reached = value == "0" or Version(value) <= here
            if kind == "introduced" and reached:
                inside = True
            elif (kind == "fixed" and reached) or (kind == "last_affected" and Version(value) < here):
                inside = False
    except InvalidVersion:
        return False
    return inside


def _unreadable(place: Path) -> Unavailable:
    return Unavailable(
        "packages.advisories",
        ko=f"취약점 자료({place.name})를 읽을 수 없어 대조하지 못했습니다.",
        en=f"The advisories ({place.name}) cannot be read, so nothing was compared.",
        remedy_ko="운영자에게 자료를 다시 두거나 지우도록 요청하세요.",
        remedy_en="Ask the operator to put them there again, or to remove them.",
    )
