"""Replacing identifiers in many texts by typed Korean placeholders.

Memos repeat (templates, copied lines), so each distinct text is read once and the answer is mapped back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deid.detect.replace import PLACEHOLDERS, mask
from deid.detect.worker import Masked, mask_in_processes

_SHORTEST_KEY = 16
# A child process takes over a second to start: about three thousand short texts.
_WORTH_PROCESSES = 4_000


def mask_texts(texts: Sequence[str], *, keys: Mapping[str, bytes] | None, processes: int = 1) -> list[str]:
    """Return `texts` with every identifier replaced by `<이름>`, `<전화번호>`, ...; same order, same length.

    With `keys` (type, e.g. `NAME` -> secret of at least 16 bytes) values of these types become `<이름:3f9a0c12>`, equal
    for equal normalised values under the same key, so that one person can be followed through the texts without being
    named. `processes` > 1 spreads many distinct texts over that many processes. Raises `ValueError` for an unknown type
    or a short key, `subprocess.CalledProcessError` if a process fails.
    """
    return [masked for masked, _ in examine_texts(texts, keys=keys, processes=processes)]


def examine_texts(texts: Sequence[str], *, keys: Mapping[str, bytes] | None, processes: int = 1) -> list[Masked]:
    """As `mask_texts`, each masked text with what was seen in the text as given (`examine.Seen`)."""
    for kind, key in (keys or {}).items():
        if kind not in PLACEHOLDERS or len(key) < _SHORTEST_KEY:
            raise ValueError(f"key for {kind}: a known type and at least {_SHORTEST_KEY} bytes are needed")
    distinct = list(dict.fromkeys(texts))
    if processes > 1 and len(distinct) >= _WORTH_PROCESSES:
        masked = mask_in_processes(distinct, keys or {}, processes)
    else:
        masked = [mask(text, keys or {}) for text in distinct]
    answer = dict(zip(distinct, masked, strict=True))
    return [answer[text] for text in texts]
