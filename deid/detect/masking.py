"""Replacing identifiers in many texts.

Memos repeat (templates, copied lines), so each distinct text is read once and the answer is mapped back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from deid.detect.operators.keyed import SHORTEST_KEY
from deid.detect.operators.placeholder import PLACEHOLDERS
from deid.detect.style import Style
from deid.detect.treat import Setup, Task, Treated, Treater
from deid.detect.worker import treat_in_processes

# A child process takes over a second to start: about two thousand short texts.
_WORTH_A_PROCESS = 2_000
_MOST_PROCESSES = 16


def mask_texts(texts: Sequence[str], *, keys: Mapping[str, bytes] | None, processes: int = 1) -> list[str]:
    """Return `texts` with every identifier replaced by `<이름>`, `<전화번호>`, ...; same order, same length.

    With `keys` (type, e.g. `NAME` -> secret of at least 16 bytes) values of these types become `<이름:3f9a0c12>`, equal
    for equal normalised values under the same key, so that one person can be followed through the texts without being
    named. `processes` > 1 spreads many distinct texts over that many processes. Raises `ValueError` for an unknown type
    or a short key, `subprocess.CalledProcessError` if a process fails.
    """
    for kind, key in (keys or {}).items():
        if kind not in PLACEHOLDERS or len(key) < SHORTEST_KEY:
            raise ValueError(f"key for {kind}: a known type and at least {SHORTEST_KEY} bytes are needed")
    distinct = list(dict.fromkeys(texts))
    treated = treat_all([Task(text) for text in distinct], Setup(Style(keys=keys or {})), processes=processes)
    answer = {text: one.text for text, (one,) in zip(distinct, treated, strict=True)}
    return [answer[text] for text in texts]


def treat_all(tasks: Sequence[Task], setup: Setup, *, processes: int = 1) -> list[list[Treated]]:
    """Treat distinct texts, in order; by child processes (at most `processes`) when there are enough of them."""
    wanted = min(processes, sum(len(task.people) for task in tasks) // _WORTH_A_PROCESS)
    if wanted > 1 or setup.model:
        # A model is loaded only by a child, which is told that it is offline before any library is.
        return treat_in_processes(tasks, setup, max(1, wanted))
    treater = Treater(setup)
    return [treater.treat(task) for task in tasks]


def usable_processes() -> int:
    """Return how many processes this machine lets us run at once."""
    return min(_MOST_PROCESSES, len(os.sched_getaffinity(0)))
