"""The ledger with 10,000 released cells over a million people: from the database to the answer.

The populations are those of tables by one or two of eleven columns, most with a filter, as a year of work would release
them; what is asked for are three tables with a filter of their own. Read, parsed and compared in the run. The peer is
the same question with a hundredth of the ledger.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pyroaring import BitMap
from sqlalchemy import insert

from enclave.airlock.ledger import image as images
from enclave.airlock.ledger.cells import Cell, Group, Origin, groups
from enclave.model.ledger import LedgerCell, LedgerGroup
from enclave.queries import ledger as queries
from tests.enclave import scene as scenes
from tests.enclave.test_ledger import Book

PEOPLE, CELLS, K, LIMIT_S = 1_000_000, 10_000, 10, 5.0
LEVELS = (2, 2, 3, 4, 5, 6, 8, 10, 17, 25)


class People:
    """A million people with eleven columns, the last one skewed as diagnoses are."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(24)
        self.columns = [self.rng.integers(0, each, PEOPLE).astype(np.uint16) for each in LEVELS]
        self.columns.append((self.rng.zipf(1.7, PEOPLE).clip(1, 40) - 1).astype(np.uint16))

    def table(self, keys: list[int], among: np.ndarray) -> list[Cell]:
        """A table by these columns, without cells below the minimum."""
        chosen = np.flatnonzero(among)
        code = np.zeros(len(chosen), np.uint16)
        for key in keys:
            code = code * 64 + self.columns[key][chosen]
        order = np.argsort(code, kind="stable")
        ends = np.cumsum(np.bincount(code))
        pieces = np.split(chosen[order].astype(np.uint32), ends[:-1])
        return [Cell(f"{keys}={at}", BitMap(each)) for at, each in enumerate(pieces) if len(each) >= K][:60]

    def some_table(self) -> list[Cell]:
        """A table by one or two columns, three of five among people of one value of another column."""
        keys = [int(each) for each in self.rng.permutation(len(self.columns))[: self.rng.integers(1, 3)]]
        column = self.columns[int(self.rng.integers(len(self.columns)))]
        everyone = np.ones(PEOPLE, bool)
        return self.table(keys, column == self.rng.choice(column) if self.rng.random() < 0.6 else everyone)


def figures() -> dict[str, dict[str, Any]]:
    """Return the figures of this room."""
    with tempfile.TemporaryDirectory() as folder:
        made = scenes.build(f"sqlite:///{Path(folder) / 'ledger.sqlite'}", Path(folder) / "home")
        try:
            return _figures(Book(made, people=PEOPLE))
        finally:
            made.store.close()


def _figures(book: Book) -> dict[str, dict[str, Any]]:
    people = People()
    asked = _asked(people)
    few = _fill(book, people, CELLS // 100)
    small = _seconds(book, asked)
    many = few + _fill(book, people, CELLS - few)
    large = _seconds(book, asked)
    return {
        "airlock.ledger_10k": {
            "value": round(large, 2),
            "unit": "s",
            "peer": f"the same {sum(len(each.cells) for each in asked)} cells against {few}, {small:.2f} s",
            "ratio": round(large / small, 1),
            "floor": f"<= {LIMIT_S:g} s ({many:,} cells, {PEOPLE:,} people)",
            "ok": large <= LIMIT_S,
        }
    }


def _asked(people: People) -> list[Group]:
    among = people.columns[3] >= 1
    tables = [people.table(keys, among) for keys in ([5, 7], [9], [10])]
    return [group for cells in tables for group in groups(Origin("", "e-new", "p", "new"), cells, smallest=K)]


def _seconds(book: Book, asked: list[Group]) -> float:
    start = time.perf_counter()
    with book.store.read() as session:
        _, found = queries.compare(session, "set-a", asked, K)
    assert found == ()
    return time.perf_counter() - start


def _fill(book: Book, people: People, wanted: int) -> int:
    """Release tables until there are so many cells; returns how many there are."""
    request_id, count = book.ask(BitMap(range(1000))), 0
    with book.write() as tx:
        while count < wanted:
            for group in groups(Origin(), people.some_table(), smallest=K):
                _insert(tx.session.connection(), book, request_id, group)
                count += len(group.cells)
    return count


def _insert(connection: Any, book: Book, request_id: str, group: Group) -> None:
    row = {
        "id": f"lg-{time.monotonic_ns()}",
        "dataset_id": "set-a",
        "snapshot_id": book.snapshot,
        "project_id": book.project,
        "request_id": request_id,
        "round": 1,
        "file_name": "t.csv",
        "model": False,
        "loose": group.loose,
        "image": images.dump(images.draw(group, PEOPLE)),
        "compared_at": 0,
        "submitted_at": scenes.NOW,
        "released_at": scenes.NOW,
    }
    connection.execute(insert(LedgerGroup), [row])
    cells = [
        {"position": at, "label": each.label, "size": len(each.people), "people": each.people.serialize()}
        for at, each in enumerate(group.cells)
    ]
    connection.execute(insert(LedgerCell), [{"group_id": row["id"], **each} for each in cells])
