"""The smallest cut of a small weighted graph (Stoer and Wagner, "A simple min-cut algorithm", JACM 44(4), 1997)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Weights = npt.NDArray[np.int64]
Parts = npt.NDArray[np.int32]


def parts(weights: Weights, least: int) -> tuple[int, Parts]:
    """Return how many parts hang together by edges of at least `least`, and the part of each node, shape (n,)."""
    count, part = connected_components(csr_array(weights >= least), directed=False)
    return int(count), part


def merged(weights: Weights, count: int, part: Parts) -> Weights:
    """Return the graph in which each part is one node, shape (count, count), without loops."""
    one = np.zeros((len(part), count), np.int64)
    one[np.arange(len(part)), part] = 1
    joined: Weights = one.T @ weights @ one
    np.fill_diagonal(joined, 0)
    return joined


def small_cut(weights: Weights, k: int) -> tuple[int, npt.NDArray[np.bool_]] | None:
    """Return weight and one side (n,) of a cut of weight 1 … k−1, or None when there is none.

    `weights`: symmetric, shape (n, n), no loops. Complete: nodes joined by k or more are on one side of any such cut,
    and a cut of weight 0 between parts without edges adds nothing, so each part's smallest cut decides.
    """
    side = np.arange(len(weights), dtype=np.int32)
    while True:
        count, part = parts(weights, k)
        if count == len(weights):
            break
        weights, side = merged(weights, count, part), part[side]
    count, part = parts(weights, 1)
    for each in range(count):
        nodes = np.flatnonzero(part == each)
        if len(nodes) > 1:
            weight, inner = smallest_cut(weights[np.ix_(nodes, nodes)])
            if weight < k:
                return weight, np.isin(side, nodes[inner])
    return None


def smallest_cut(weights: Weights) -> tuple[int, npt.NDArray[np.bool_]]:
    """Return weight and one side (n,) of the smallest cut of a connected graph of two nodes or more."""
    graph = weights.copy()
    groups = np.eye(len(graph), dtype=bool)
    best, best_side = int(graph.sum()) + 1, groups[0]
    while len(graph) > 1:
        last, before, weight = _phase(graph)
        if weight < best:
            best, best_side = weight, groups[last].copy()
        groups[before] |= groups[last]
        graph[before] += graph[last]
        graph[:, before] += graph[:, last]
        graph[before, before] = 0
        keep = np.arange(len(graph)) != last
        graph, groups = graph[np.ix_(keep, keep)], groups[keep]
    return best, best_side


def _phase(graph: Weights) -> tuple[int, int, int]:
    """One maximum-adjacency order: its last node, the one before, and the cut that parts off the last."""
    seen = np.zeros(len(graph), bool)
    pull = np.zeros(len(graph), np.int64)
    last = before = weight = 0
    for _ in range(len(graph)):
        node = int(np.argmax(np.where(seen, -1, pull)))
        before, last, weight = last, node, int(pull[node])
        seen[node] = True
        pull += graph[node]
    return last, before, weight
