"""How far witnesses have seen the log: what every page and report that shows a checkpoint says beside it.

Green only where the quorum of the policy has cosigned all of it; amber otherwise; red where the log contradicts what
was seen outside. `audit.verify` looks at everything; this looks from the newest kept checkpoint back to the first
that has its quorum, so that a page can ask each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit.anchorcheck import best, look, quorum_claim
from audit.anchors import Anchors
from audit.note import VerifierKey
from audit.reader import LogReader
from audit.report import Claim

# A witness that has been silent for so many checkpoints is amber however far back it goes.
_LOOK_BACK = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """`look`: `ok`, `warn` or `stop`, as pages colour it; `ko`, `en`: one sentence; `witnessed`: so many entries."""

    look: str
    code: str
    ko: str
    en: str
    witnessed: int

    def covers(self, leaf_index: int) -> bool:
        """Say whether a quorum of witnesses has seen the entry at this index."""
        return self.look != "stop" and leaf_index < self.witnessed


def standing(
    log_folder: Path, anchors_folder: Path, vkey: VerifierKey | None = None, *, size: int | None = None
) -> Standing:
    """Return how the published log stands, or how its first `size` entries do (an older checkpoint, a report).

    Without `vkey` there must be a policy. Raises `AuditError` when log or policy cannot be read.
    """
    anchors = Anchors(anchors_folder)
    policy = anchors.policy(vkey)
    sizes = anchors.sizes()
    reader = LogReader(log_folder, policy)
    wanted = reader.size if size is None else size
    for each in reversed(sizes[-_LOOK_BACK:]):
        seen = look(anchors, policy, reader, sizes=[each])
        if seen.broken:
            return _standing("stop", seen.broken[0], 0)
        if seen.witnessed is not None:
            found = best(seen, policy, reader) or seen.witnessed
            claim = quorum_claim(found, policy, wanted)
            return _standing("warn" if claim.amber else "ok", claim, found.checkpoint.size)
    claim = quorum_claim(None, policy, wanted)
    return _standing("warn", claim, 0)


def _standing(look: str, claim: Claim, witnessed: int) -> Standing:
    return Standing(look, claim.code, claim.ko, claim.en, witnessed)
