"""The page of rules and the code name the same rules."""

from __future__ import annotations

import re
from pathlib import Path

from enclave.airlock.checks.file_type import REFUSALS
from enclave.airlock.checks.identifiers import LABELS
from enclave.airlock.sealing import seal, seccomp
from enclave.airlock.worker import NOTES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/airlock.md").read_text()
# One a line, so that two who add one do not meet.
FAMILIES = (
    "check",
    "ledger",
    "rerun",
    "recompute",
    "size",
    "parse",
    "row",
    "cell",
    "id",
    "encoded",
    "text",
    "image",
    "figure",
    "pdf",
    "model",
    "value",
    "curve",
    "points",
    "office",
    "notebook",
    "code",
    "parquet",
    "import",
    "packages",
    "table",
)
RULE = re.compile(rf'"((?:type|{"|".join(FAMILIES)})\.[a-z0-9-]+)"')


def test_every_rule_in_the_code_is_on_the_page() -> None:
    source = "".join(path.read_text() for path in (ROOT / "enclave/airlock").rglob("*.py"))
    source += (ROOT / "enclave/packages/asking.py").read_text()
    rules = set(RULE.findall(source)) | {f"table.{note}" for note in NOTES}
    assert len(rules) > 30
    assert sorted(rule for rule in rules if f"`{rule}`" not in PAGE) == []


def test_every_rule_on_the_page_is_in_the_code() -> None:
    # What could not be prepared, the portal says.
    rooms = (ROOT / "enclave/airlock", ROOT / "enclave/packages", ROOT / "enclave/portal")
    source = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    made = {f"table.{note}" for note in NOTES} | {f"id.{kind.lower().replace('_', '-')}" for kind in LABELS}
    named = set(re.findall(rf"`((?:{'|'.join(FAMILIES)})\.[a-z0-9-]+)`", PAGE))
    assert sorted(rule for rule in named if f'"{rule}"' not in source and rule not in made) == []


def test_every_refused_kind_and_every_barrier_is_on_the_page() -> None:
    assert [kind for kind in REFUSALS if kind not in PAGE] == []
    assert [barrier for barrier in seal.REQUIRED if f"`{barrier}`" not in PAGE] == []
    few, many = len(seccomp.CALLS), len(seccomp.CALLS) + len(seccomp.FILE_CALLS)
    assert f"a list of {few} system calls ({many} with Landlock)" in PAGE
