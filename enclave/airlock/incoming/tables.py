"""Reference data are what they are under any ending: tables in texts, JSON and code (korea.md R95).

Otherwise whoever calls a list of people `.txt` would be asked less of than whoever calls it `.csv`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from enclave.airlock.checks.identifiers import check_identifiers
from enclave.airlock.document import Document, Table
from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.linkage import LEAST_ROWS, check_linkage
from enclave.airlock.parse import parse
from enclave.airlock.parsers.grid import too_big
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

CELLS, ROWS = 20_000_000, 5_000_000
# Read by their own parsers; any other text is looked through as one.
OWN = frozenset({".json", ".md", ".py", ".csv", ".tsv"})
# Documents, whose tables are of words: some Korean words could be names.
PROSE = frozenset({".md", ".rst", ".tex"})


def data_rules(limits: ImportLimits) -> CheckRules:
    """Return what reference data are read with: larger than any result."""
    return CheckRules(max_rows=ROWS, max_cells=CELLS, max_scan_chars=limits.max_text * 50, max_columns=5_000)


def check_tables(content: bytes, name: str, limits: ImportLimits) -> list[Finding]:
    """Return what a code or text file's tables of 20 rows and more hold: identifiers as in data, keys to join by.

    Raises `ParseRefused` for one that is too large to be looked through.
    """
    rules = data_rules(limits)
    ending = PurePosixPath(name).suffix.lower()
    try:
        document = parse(content, f"x{ending if ending in OWN else '.txt'}", rules)
    except ParseRefused:
        return []  # no JSON, for instance: it was read as a text
    found: list[Finding] = []
    for _, part in document.walk():
        if part.long_tables:
            raise too_big(rules)
        for table in part.tables:
            found += _of_table(table, rules, limits)
    return [each for each in found if each.rule != "id.name" or ending not in PROSE]


def _of_table(table: Table, rules: CheckRules, limits: ImportLimits) -> list[Finding]:
    if len(table.rows) < LEAST_ROWS:
        return []
    return [*check_identifiers(Document("table", tables=(table,)), rules), *check_linkage(table, limits)]
