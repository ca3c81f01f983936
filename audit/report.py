"""What a verification says: one line per claim, in Korean or English, and whether all of them hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Claim(NamedTuple):
    """One statement that holds or fails. `code` is stable; `place` names the first damaged file or entry."""

    ok: bool
    code: str
    ko: str
    en: str
    place: str = ""


def holds(code: str, ko: str, en: str) -> Claim:
    """Return a claim that holds."""
    return Claim(ok=True, code=code, ko=ko, en=en)


def fails(code: str, ko: str, en: str, place: str = "") -> Claim:
    """Return a claim that fails, naming the damaged place."""
    return Claim(ok=False, code=code, ko=ko, en=en, place=place)


@dataclass(frozen=True, slots=True)
class Report:
    """All claims in the order in which they were checked."""

    claims: tuple[Claim, ...]

    @property
    def ok(self) -> bool:
        """Whether every claim holds."""
        return bool(self.claims) and all(claim.ok for claim in self.claims)

    @property
    def failures(self) -> tuple[Claim, ...]:
        """The claims that fail; the first names the first damage."""
        return tuple(claim for claim in self.claims if not claim.ok)

    def text(self, lang: str = "ko") -> str:
        """Return one line per claim and a verdict, each ending with a newline."""
        lines = [f"{'✓' if claim.ok else '✗'} {claim.en if lang == 'en' else claim.ko}" for claim in self.claims]
        lines.append(_VERDICT[self.ok][lang == "en"])
        return "\n".join(lines) + "\n"


_VERDICT = {
    True: ("결과: 이상 없음", "Result: everything holds"),
    False: ("결과: 손상 또는 변조가 발견됨", "Result: damage or tampering found"),
}
