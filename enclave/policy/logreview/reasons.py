"""Why something was downloaded or asked for, where the log itself has no reason: a closed list (R83). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MISUSE = "misuse"
# Code, (Korean, English): what the person concerned may choose.
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "research": ("과제 목적의 연구 결과", "result within the project's purpose"),
        "publication": ("논문·보고서", "publication or report"),
        "handover": ("기관 사이의 인계", "handing over between organisations"),
        "duty": ("법령·감독기관의 요구", "duty by law or supervision"),
        "mistake": ("잘못 신청함(철회·회수함)", "asked for by mistake (withdrawn or recalled)"),
    }
)
# A reviewer's word when no reason was given, or none that holds; never an explanation.
_MISUSED = ("오용(회수 대상)", "misuse (to be recalled)")


def said_reason(code: str) -> tuple[str, str]:
    """Return the words of a reason; a code of a later release comes as itself."""
    return _MISUSED if code == MISUSE else REASONS.get(code, (code, code))
