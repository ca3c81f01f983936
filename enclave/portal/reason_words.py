"""What a reason code of an entry says, in words: closed lists of reasons, troubles of the log, codes of refusals."""

from __future__ import annotations

from collections.abc import Iterator

from enclave.commands.ballot import REASON_CODES
from enclave.logbook import export_words
from enclave.logbook.export_words import ExportReason
from enclave.policy.log_health import Trouble
from enclave.policy.logreview.reasons import MISUSE, REASONS, said_reason
from enclave.portal.words import Language, has, say

EXPORTS = {each.value: words for each, words in export_words.REASONS.items()}
TROUBLES = {f"log.{each.value}": each.value for each in Trouble}
# What is looked for most: why something left, was decided or explained.
CHOSEN = (*(each.value for each in ExportReason), *REASONS, MISUSE, *REASON_CODES)
# Where other codes have their words: ours, and the refusals as the source says them.
FILES = ("codes", "refusals")


def said(language: Language, code: str) -> str:
    """Return the words of a code; nothing where nobody gave it any (a later release, somebody's hand)."""
    pair = EXPORTS.get(code) or (said_reason(code) if code in REASONS or code == MISUSE else None)
    if pair is not None:
        return pair[0] if language is Language.KO else pair[1]
    if code in TROUBLES:
        return say(language, f"trouble.{TROUBLES[code]}")
    if code in REASON_CODES:
        return say(language, f"reasons.{code}")
    return next((say(language, key) for name in FILES if has(key := f"{name}.{code}")), "")


def choices(language: Language, *more: str) -> Iterator[tuple[str, str]]:
    """Yield (code, words) to choose from: the closed lists, then `more`, each once."""
    for code in dict.fromkeys((*CHOSEN, *more)):
        if words := said(language, code):
            yield code, words
