"""What a barrier is: one thing that must not be possible, where the attack on it runs, and which duties it serves.

Data apart from probes: the lists in this package name an attack by the barrier's id; the attacks from inside are in
`inside/`, those from outside in `enclave/drill/outside/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """The parts of the list, in its order."""

    NETWORK = "network"
    KERNEL = "kernel"
    FILES = "files"
    RESOURCES = "resources"
    IDENTITY = "identity"
    WAY_IN = "way-in"


AREA_NAMES: dict[Area, tuple[str, str]] = {
    Area.NETWORK: ("네트워크", "Network"),
    Area.KERNEL: ("커널", "Kernel"),
    Area.FILES: ("파일", "Files"),
    Area.RESOURCES: ("자원", "Resources"),
    Area.IDENTITY: ("신원", "Identity"),
    Area.WAY_IN: ("들어오는 길", "The way in"),
}


class Outcome(StrEnum):
    """What came of one attack. `UNTESTABLE`: this place lacks what the attack needs, and the evidence says what."""

    HELD = "held"
    BROKEN = "broken"
    UNTESTABLE = "not testable here"


@dataclass(frozen=True)
class Barrier:
    """One barrier: a stable id, what it keeps from happening in Korean and English, and whom it serves.

    `program`: the program in `inside/` that holds its attack; empty if the attack comes from outside a workspace.
    `satre`: statements of SATRE 2.0.1; `requirements`: numbers of docs/reference/korea.md, which are korea.md's.
    """

    id: str
    ko: str
    en: str
    area: Area
    program: str
    satre: tuple[str, ...]
    requirements: tuple[str, ...] = ()


def listed(area: Area, program: str, satre: str, requirements: str, *rows: tuple[str, str, str]) -> tuple[Barrier, ...]:
    """Return barriers that share area, program and duties (ids separated by spaces), from (id, Korean, English)."""
    duties = tuple(satre.split()), tuple(requirements.split())
    return tuple(Barrier(name, ko, en, area, program, *duties) for name, ko, en in rows)
