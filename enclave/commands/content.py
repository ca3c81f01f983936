"""What a vote is bound to: one hash over everything a checker was shown of a round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from enclave.airlock.ledger.asked import Populations
from enclave.airlock.ledger.cells import Cell
from enclave.airlock.report import FileReport
from enclave.commands.details import Details
from enclave.states import Direction, FileRole


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
    """A file and what our own checker said of these very bytes; `cells`: who stands behind each number of a recipe.

    `populations`: the same as the ledger keeps it, compared with what is out.
    `rules_sha256` names the rules it was checked with; `carried_from` the earlier file that had this report;
    `policy` is the hash of the policy they follow from, empty where no check depends on one.
    """

    file: CollectedFile
    report: FileReport
    cells: tuple[Cell, ...] = ()
    populations: Populations | None = None
    rules_sha256: str = ""
    carried_from: str | None = None
    policy: str = ""


@dataclass(frozen=True)
class Group:
    """Files that share their context and the controls that were applied (rounding, suppression …)."""

    name: str
    context: str
    controls: str = ""


@dataclass(frozen=True, kw_only=True)
class FileNote:
    """What is said about one file: its role, its group, and what is in it (korea.md R45).

    `subjects` counts people, `smallest_cell` the smallest count in it. `role` None: code if another file names it as
    its code, else an output.
    """

    role: FileRole | None = None
    group: str = ""
    description: str = ""
    statistic: str = ""
    subjects: int | None = None
    smallest_cell: int | None = None


@dataclass(frozen=True, kw_only=True)
class Content:
    """All of one round that reviewers judge."""

    files: Sequence[CollectedFile]
    receiver_id: str
    purpose: str
    context: str
    direction: Direction = Direction.EGRESS
    groups: Sequence[Group] = ()
    notes: Mapping[str, FileNote] = field(default_factory=dict)
    details: Details = field(default_factory=Details)

    def sha256(self) -> str:
        """Return the hash of the round, over canonical JSON (sorted keys, no spaces, UTF-8); files by name."""
        body = {
            "context": self.context,
            "details": self.details.as_json(),
            "direction": self.direction.value,
            "files": [
                {**asdict(one), "note": asdict(self.notes.get(one.name, FileNote()))}
                for one in sorted(self.files, key=lambda one: one.name)
            ],
            "format": "ansim-request-v2",
            "groups": [asdict(each) for each in self.groups],
            "purpose": self.purpose,
            "receiver": self.receiver_id,
        }
        return sha256(json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
