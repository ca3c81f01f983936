"""What a verification says: one line per claim, in Korean or English, and whether all of them hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Claim(NamedTuple):
    """One statement that holds or fails. `code` is stable; `place` names the first damaged file or entry.

    `amber` marks one that does not fail but is short of what it should be: no quorum of witnesses, no time stamp.
    """

    ok: bool
    code: str
    ko: str
    en: str
    place: str = ""
    amber: bool = False


def holds(code: str, ko: str, en: str) -> Claim:
    """Return a claim that holds."""
    return Claim(ok=True, code=code, ko=ko, en=en)


def fails(code: str, ko: str, en: str, place: str = "") -> Claim:
    """Return a claim that fails, naming the damaged place."""
    return Claim(ok=False, code=code, ko=ko, en=en, place=place)


def lacks(code: str, ko: str, en: str, place: str = "") -> Claim:
    """Return a claim that does not fail but is short of what it should be."""
    return Claim(ok=True, code=code, ko=ko, en=en, place=place, amber=True)


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

    @property
    def amber(self) -> bool:
        """Whether a claim is short of what it should be."""
        return any(claim.amber for claim in self.claims)

    def text(self, lang: str = "ko") -> str:
        """Return one line per claim (✓ holds, △ short of what it should be, ✗ fails) and a verdict."""
        lines = [f"{_mark(claim)} {_shown(claim.en if lang == 'en' else claim.ko)}" for claim in self.claims]
        verdict = "fails" if not self.ok else "amber" if self.amber else "holds"
        lines.append(_VERDICT[verdict][lang == "en"])
        return "\n".join(lines) + "\n"


def _shown(text: str) -> str:
    """Return a text whose characters all print: names in a folder are somebody else's, and could draw a ✓ line."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _mark(claim: Claim) -> str:
    if not claim.ok:
        return "✗"
    return "△" if claim.amber else "✓"


_VERDICT = {
    "holds": ("결과: 이상 없음", "Result: everything holds"),
    "amber": (
        "결과: 이상 없음, △ 표시는 아직 갖추어지지 않음",
        "Result: everything holds; what △ marks is not there yet",
    ),
    "fails": ("결과: 손상 또는 변조가 발견됨", "Result: damage or tampering found"),
}
