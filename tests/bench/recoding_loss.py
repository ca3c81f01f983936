"""One measure for every recoding: mean normalised certainty penalty of groups of rows, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# How many rows, and by column the least and greatest number, or the set of words, that they are published under.
Group = tuple[int, Mapping[str, Sequence[float] | frozenset[str]]]


def penalty(groups: Sequence[Group]) -> float:
    """Mean over rows and columns of (greatest - least) / range, or (words - 1) / (all words - 1)."""
    columns = list(groups[0][1])
    lost = 0.0
    for column in columns:
        told = [group[column] for _, group in groups]
        if isinstance(told[0], frozenset):
            room = len(frozenset().union(*told)) - 1  # type: ignore[arg-type]
            widths: list[float] = [len(words) - 1 for words in told]
        else:
            room = max(max(ends) for ends in told) - min(min(ends) for ends in told)  # type: ignore[type-var, assignment]
            widths = [max(ends) - min(ends) for ends in told]  # type: ignore[type-var, operator]
        lost += sum(rows * width for (rows, _), width in zip(groups, widths, strict=True)) / (room or 1)
    return lost / (sum(rows for rows, _ in groups) * len(columns))
