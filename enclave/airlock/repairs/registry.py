"""All one-step repairs by their ids: from a file's bytes to a new file's, inside the sealed child."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from enclave.airlock.document import Table
from enclave.airlock.parse import parse
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.repairs.pictures import as_pixels, clean_metadata
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.regroup import regroup
from enclave.airlock.repairs.round import round_counts
from enclave.airlock.repairs.strip_outputs import strip_outputs
from enclave.airlock.repairs.suppress import suppress
from enclave.airlock.repairs.table import objections, to_csv
from enclave.airlock.rules import CheckRules

Made = tuple[str, bytes]
TRIES = 3


def make(content: bytes, name: str, repair: str, rules: CheckRules) -> Made:
    """Return the ending and the bytes of the repaired file. Pure. Raises `RepairRefused`."""
    maker = REPAIRS.get(repair)
    if maker is None:
        raise RepairRefused(
            "repair.unknown",
            f"자동으로 할 수 없는 고침입니다. 할 수 있는 것: {', '.join(REPAIRS)}.",
            f"This cannot be done automatically. What can: {', '.join(REPAIRS)}.",
        )
    try:
        return maker(content, name, rules)
    except ParseRefused as refused:
        raise RepairRefused(refused.rule, refused.ko, refused.en) from None


def of_table(change: Callable[[Table, int], Table]) -> Callable[[bytes, str, CheckRules], Made]:
    """Return a repair of files that hold one table: the result is CSV or TSV and passes the checks on counts."""

    def made(content: bytes, name: str, rules: CheckRules) -> Made:
        ending = ".tsv" if PurePosixPath(name).suffix.lower() == ".tsv" else ".csv"
        table = _only_table(content, name, rules)
        for _ in range(TRIES):
            table = change(table, rules.min_cell)
            if not objections(table, rules.min_cell):
                return ending, to_csv(table, "\t" if ending == ".tsv" else ",")
        raise RepairRefused(
            "repair.not-enough",
            "자동으로 고쳐도 점검을 통과하지 못합니다. 합계를 빼거나 표를 다시 설계하세요.",
            "Even repaired, the table would not pass. Drop totals or design the table anew.",
        )

    return made


def _only_table(content: bytes, name: str, rules: CheckRules) -> Table:
    tables = [table for _, part in parse(content, name, rules).walk() for table in part.tables]
    if len(tables) != 1 or len(tables[0].rows) > rules.max_rows:
        raise RepairRefused(
            "repair.one-table",
            f"표 하나로 된 파일만 고칠 수 있습니다(지금 {len(tables)}개). 표를 CSV로 따로 저장하세요.",
            f"Only a file of one table of results can be repaired (this has {len(tables)}). Save tables as CSV files.",
        )
    return tables[0]


REPAIRS: dict[str, Callable[[bytes, str, CheckRules], Made]] = {
    "suppress": of_table(suppress),
    "round": of_table(round_counts),
    "regroup": of_table(regroup),
    "clean-metadata": clean_metadata,
    "rasterise": as_pixels,
    "strip-outputs": strip_outputs,
}
