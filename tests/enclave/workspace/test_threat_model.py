"""The threat model names where each barrier of the drill stands, and none that there is not."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from enclave.workspace.barriers.catalogue import BARRIERS

PAGE = Path(__file__).parents[3] / "docs/handbook/threat-model.md"
NAMED = re.compile(r"`((?:net|kernel|files|res|in|id)\.[a-z*-]+)`")


def test_every_barrier_has_its_place_in_the_threat_model_and_every_name_is_a_barrier() -> None:
    named = NAMED.findall(PAGE.read_text().partition("## Barriers")[2].partition("\n## ")[0])
    ids = [barrier.id for barrier in BARRIERS]
    assert [each for each in ids if not any(fnmatch.fnmatch(each, name) for name in named)] == []
    assert [name for name in named if not fnmatch.filter(ids, name)] == []
