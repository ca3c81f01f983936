"""What the entries of a finding were, for whom it concerns: they cannot read the log and have to explain these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from audit.tables import audit_index
from enclave.queries.logreview import FindingView
from enclave.store import Store


@dataclass(frozen=True)
class Acts:
    """When the first and the last of a finding's entries were made, and how many of each action (`noun.verb`)."""

    first: datetime
    last: datetime
    actions: tuple[tuple[str, int], ...]


def acts_of(store: Store, findings: Iterable[FindingView]) -> Mapping[str, Acts]:
    """Return the acts by a finding's id; nothing for one whose entries are purged."""
    listed = tuple(findings)
    column = audit_index.c
    wanted = {leaf for each in listed for leaf in each.leaves}
    with store.read() as session:
        query = select(column.leaf_index, column.at, column.action).where(column.leaf_index.in_(wanted))
        rows = {leaf: (datetime.fromisoformat(at), action) for leaf, at, action in session.execute(query) if at}
    found = {}
    for each in listed:
        if mine := [rows[leaf] for leaf in each.leaves if leaf in rows]:
            times = [at for at, _ in mine]
            found[each.id] = Acts(min(times), max(times), tuple(Counter(action for _, action in mine).most_common()))
    return found
