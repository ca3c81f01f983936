"""Numbers that join tables are replaced alike in all of them, or they join nothing any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from deid.planning.role import Proposal, TablePlan


def agreed(tables: Sequence[TablePlan]) -> list[TablePlan]:
    """Where columns of one domain are not all replaced by the same kind of surrogate, use pseudonyms in all of them."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for each in (each for table in tables for each in table.columns):
        if "domain" in each.fields:
            kinds[each.fields["domain"]].add(str(each.fields.get("kind", "")))
    return [
        replace(table, columns=tuple(_alike(each, kinds[str(each.fields.get("domain", ""))]) for each in table.columns))
        for table in tables
    ]


def _alike(each: Proposal, kinds: set[str]) -> Proposal:
    if each.fields["treatment"] != "surrogate" or len(kinds) == 1:
        return each
    left = tuple(option for option in each.options if option.fields["treatment"] != "surrogate")
    why = (
        "기록을 가리키는 번호입니다. 다른 표의 같은 번호는 형태가 달라, 어디서나 같은 가명으로 바꿉니다.",
        "It numbers records; in another table the same number has another form: the same pseudonym everywhere.",
    )
    return replace(each, options=left, reason=why)
