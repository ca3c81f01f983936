"""What a vote is bound to: one hash over everything a checker was shown of a round."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from enclave.airlock.ledger.cells import Cell
from enclave.airlock.report import FileReport


@dataclass(frozen=True)
class CollectedFile:
    """One file as it lies in quarantine; `name` as the workspace gave it, `size` in bytes.

    `recipe`: how it was made, in the recipe's one spelling; `code`: the name of the file that made it; or empty.
    """

    name: str
    sha256: str
    size: int
    recipe: str = ""
    code: str = ""


@dataclass(frozen=True)
class Checked:
    """A file and what our own checker said of these very bytes; `cells`: who stands behind each number of a recipe."""

    file: CollectedFile
    report: FileReport
    cells: tuple[Cell, ...] = ()


def content_sha256(files: Sequence[CollectedFile], *, receiver_id: str, purpose: str, context: str) -> str:
    """Return the hash of a round: names, hashes, sizes, recipes, code; to whom, what for, with which explanation.

    Over canonical JSON (sorted keys, no spaces, UTF-8); the files in the order of their names.
    """
    body = {
        "context": context,
        "files": sorted([one.name, one.sha256, one.size, one.recipe, one.code] for one in files),
        "format": "ansim-egress-v2",
        "purpose": purpose,
        "receiver": receiver_id,
    }
    return sha256(json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
