"""The least-loss full-domain generalisation, exactly: one level per column, and the classes that still fail removed.

All combinations of levels form a lattice. Nodes are taken in the order of a bound on their loss; from each that is not
decided yet, a path upwards is searched by halving for its lowest node that holds (Kohlmayer et al., Flash, PASSAT
2012); whatever lies below a node that fails, fails. Halving and tagging are sound while failing rows only become fewer
upwards; where a model is not so (entropy or t-closeness with suppression, or with patients in several classes) every
node within the bound is looked at, and only the models that are so may tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes, Flags, grouped
from deid.risk.ladder import Ladder
from deid.risk.models import Grouping, Model, Records, allowed, group_records

Node = tuple[int, ...]


@dataclass(frozen=True)
class Limits:
    """What the search may do: rows it may give up (share), nodes it may look at, weight of each column's loss."""

    suppression: float = 0.0
    checks: int = 100_000
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Solution:
    """The best node: level of each column, loss 0 to 1 (a removed row loses all), rows removed, nodes looked at.

    `exact` says that no other node loses less; it is False only when the limit of checks ended the search.
    """

    node: Node
    loss: float
    suppressed: int
    checks: int
    exact: bool


class Lattice:
    """A table's lattice: what each node loses and which classes it makes."""

    def __init__(
        self, records: Records, ladders: Sequence[Ladder], models: Sequence[Model], weights: Sequence[float] = ()
    ) -> None:
        self.records = records
        self.ladders = tuple(ladders)
        self.models = tuple(models)
        self.shape = tuple(len(ladder.levels) for ladder in ladders)
        given = np.array(weights or [1.0] * len(ladders))
        self.weights = given / given.sum()
        self.total = max(1, int(records.rows.sum()))
        columns = range(len(self.ladders))
        self.codes = [[level[records.codes[:, c]] for level in self.ladders[c].levels] for c in columns]
        self.losses = [
            [self.weights[c] * loss[records.codes[:, c]] for loss in self.ladders[c].losses] for c in columns
        ]

    def grouping(self, node: Node) -> Grouping:
        """Return the classes of a node."""
        sizes = [ladder.widths[level] for ladder, level in zip(self.ladders, node, strict=True)]
        group, groups = grouped([self.codes[c][level] for c, level in enumerate(node)], sizes)
        return group_records(self.records, group, groups)

    def loss(self, node: Node, kept: Flags) -> float:
        """Mean loss over rows; the rows of tuples that are not `kept` count 1."""
        lost = sum(self.losses[c][level] for c, level in enumerate(node))
        return float((self.records.rows * np.where(kept, lost, 1.0)).sum()) / self.total

    def bounds(self) -> NDArray[np.float64]:
        """Loss of every node as if nothing were removed: no node loses less. Shape: the lattice's."""
        bound = np.zeros(self.shape)
        for c, losses in enumerate(self.losses):
            means = np.array([float((self.records.rows * loss).sum()) for loss in losses]) / self.total
            bound += means.reshape([-1 if axis == c else 1 for axis in range(len(self.shape))])
        return bound


def search(lattice: Lattice, limits: Limits) -> Solution | None:
    """Find the node of least loss whose failing classes hold at most the share of rows that may go; None if none."""
    return _Search(lattice, limits).run()


class _Search:
    """What is known of each node while the search runs."""

    def __init__(self, lattice: Lattice, limits: Limits) -> None:
        self.lattice = lattice
        self.limits = limits
        self.may_go = int(limits.suppression * lattice.total + 1e-9)
        models = lattice.models
        self.first = [model for model in models if model.monotone(lattice.records)]
        self.others = [model for model in models if not model.monotone(lattice.records)]
        # Where nothing may go and patients add up, a node whose classes all hold has no coarser one that fails.
        nothing_goes = self.may_go == 0 and lattice.records.is_additive
        self.plain = nothing_goes or not self.others
        self.bound = lattice.bounds()
        self.fails = np.zeros(lattice.shape, np.bool_)
        self.holds = np.zeros(lattice.shape, np.bool_)
        self.seen: dict[Node, bool] = {}
        self.best: Solution | None = None

    def run(self) -> Solution | None:
        order = np.argsort(self.bound, axis=None, kind="stable")
        exact = True
        for index in order:
            node: Node = tuple(int(level) for level in np.unravel_index(index, self.lattice.shape))
            if self.best is not None and self.bound[node] >= self.best.loss - 1e-12:
                break
            if self.fails[node] or node in self.seen:
                continue
            if len(self.seen) >= self.limits.checks:
                exact = False
                break
            if self.plain and not self.holds[node]:
                self._halve(self._path(node))
            if not self.fails[node] and node not in self.seen:
                self._check(node)
        if self.best is None:
            return None
        best = self.best
        return Solution(best.node, best.loss, best.suppressed, len(self.seen), exact)

    def _path(self, node: Node) -> list[Node]:
        """From a node upwards, always to the undecided neighbour of least loss."""
        path = [node]
        while True:
            above = [n for n in self._above(path[-1]) if not self.holds[n] and not self.fails[n]]
            if not above:
                return path
            path.append(min(above, key=lambda n: (self.bound[n], n)))

    def _above(self, node: Node) -> list[Node]:
        return [
            (*node[:c], level + 1, *node[c + 1 :]) for c, level in enumerate(node) if level + 1 < self.lattice.shape[c]
        ]

    def _halve(self, path: list[Node]) -> None:
        low, high = 0, len(path) - 1
        while low <= high:
            middle = (low + high) // 2
            if self._check(path[middle]):
                high = middle - 1
            else:
                low = middle + 1

    def _check(self, node: Node) -> bool:
        if node in self.seen:
            return self.seen[node]
        grouping = self.lattice.grouping(node)
        here = grouping.group
        rows = self.lattice.records.rows
        first = allowed(self.first, grouping)[here]
        if int(rows[~first].sum()) > self.may_go:
            # These models fail below as well, whatever the others say.
            self._mark_below(node)
            self.seen[node] = False
            return False
        kept = first & allowed(self.others, grouping)[here]
        suppressed = int(rows[~kept].sum())
        self.seen[node] = suppressed <= self.may_go
        self._mark(node, kept, suppressed)
        return self.seen[node]

    def _mark(self, node: Node, kept: Flags, suppressed: int) -> None:
        if not self.seen[node]:
            if self.plain:
                self._mark_below(node)
            return
        if self.plain:
            self.holds[tuple(slice(level, None) for level in node)] = True
        loss = self.lattice.loss(node, kept)
        if self.best is None or (loss, node) < (self.best.loss, self.best.node):
            self.best = Solution(node, loss, suppressed, 0, exact=True)

    def _mark_below(self, node: Node) -> None:
        self.fails[tuple(slice(0, level + 1) for level in node)] = True


def classes_of(lattice: Lattice, node: Node) -> tuple[Codes, Flags]:
    """Return the class of each tuple at a node and which classes may be published."""
    grouping = lattice.grouping(node)
    return grouping.group, allowed(lattice.models, grouping)
