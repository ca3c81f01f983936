"""What a person asks for: a requirements list or a lock, line by line. Names and versions only; no address, no path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from enclave.packages.index import ENVIRONMENT

MOST_LINES, MOST_CHARS = 500, 64 << 10
COMMENT = re.compile(r"(^|\s)#.*$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
ADDRESS = re.compile(r"^\s*(?:[a-z+]+://|git\+|file:|\.{0,2}/|~/|[\w./-]+\.(?:whl|tar\.gz|zip)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """One line: the text, what it means, the hashes a lock gives; or why it cannot be (code, Korean, English)."""

    line: str
    requirement: Requirement | None = None
    hashes: frozenset[str] = frozenset()
    problem: tuple[str, str, str] | None = None

    @property
    def name(self) -> str:
        """The package's canonical name; empty if the line has none."""
        return canonicalize_name(self.requirement.name) if self.requirement else ""


def read(text: str) -> tuple[Asked, ...]:
    """Read a list as pip would, as far as it is only names; other lines come back with their problem."""
    joined = text[:MOST_CHARS].replace("\\\n", " ")
    lines = [COMMENT.sub("", line).strip() for line in joined.splitlines()]
    found = [_read(line) for line in [line for line in lines if line][:MOST_LINES]]
    return tuple(each for each in found if each.problem or _applies(each))


def _read(line: str) -> Asked:
    hashes = frozenset(HASH.findall(line))
    bare = HASH.sub("", line).strip()
    if bare.startswith("-"):
        return _bad(line, "option", "옵션(-r, -e, --index-url …)은 쓸 수 없습니다", "options are not taken")
    if ADDRESS.match(bare) or "@" in bare.split(";")[0]:
        return _bad(
            line, "address", "주소·경로·git은 쓸 수 없습니다. 이름과 버전만 적으세요", "no addresses, paths or git"
        )
    try:
        requirement = Requirement(bare)
    except InvalidRequirement:
        return _bad(
            line, "form", "요구사항의 형식이 아닙니다(예: lifelines>=0.30)", "not a requirement (lifelines>=0.30)"
        )
    return Asked(line, requirement, hashes)


def _applies(asked: Asked) -> bool:
    marker = asked.requirement.marker if asked.requirement else None
    return marker is None or marker.evaluate(ENVIRONMENT)


def _bad(line: str, code: str, ko: str, en: str) -> Asked:
    return Asked(line[:200], problem=(code, ko, en))
