"""What is promised as complete is compared with trying everything; an image loses nothing that it is asked to keep."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from pyroaring import BitMap

from enclave.airlock.ledger import chains, cut, unions
from enclave.airlock.ledger import image as images
from enclave.airlock.ledger.cells import MAX_GROUPS, Cell, Group, Origin, groups
from enclave.airlock.ledger.conflicts import conflicts
from enclave.airlock.ledger.image import draw, full_labels
from enclave.airlock.ledger.unions import Side

K = 5
HERE = Origin("r", "e", "p", "f")


def random_group(rng: np.random.Generator, people: int, cells: int, cover: float) -> Group:
    """Disjoint cells of K people or more; few of them moved at random, so that near misses and hits abound."""
    code = np.arange(people) * cells // people
    moved = rng.random(people) < 0.01
    code[moved] = rng.integers(0, cells, moved.sum())
    code[rng.random(people) > cover] = -1
    made = [BitMap(np.flatnonzero(code == value).tolist()) for value in range(cells)]
    return Group(HERE, tuple(Cell(f"{at}", each) for at, each in enumerate(made) if len(each) >= K))


def union(group: Group, chosen: tuple[int, ...]) -> BitMap:
    return BitMap(each for cell, on in zip(group.cells, chosen, strict=True) if on for each in cell.people)


def least_difference(one: Group, two: Group) -> int | None:
    """The smallest difference of 1 … K−1 people over all unions of one and all unions of the other."""
    best = None
    for mine, theirs in product(product((0, 1), repeat=len(one.cells)), product((0, 1), repeat=len(two.cells))):
        people = union(one, mine).symmetric_difference_cardinality(union(two, theirs))
        if 0 < people < K and (best is None or people < best):
            best = people
    return best


@pytest.mark.parametrize("seed", range(60))
def test_unions_of_two_groups_are_decided_as_by_trying_all(seed: int):
    rng = np.random.default_rng(seed)
    people = int(rng.integers(60, 400))
    one = random_group(rng, people, int(rng.integers(1, 6)), rng.choice([1.0, 0.99, 0.9]))
    two = random_group(rng, people, int(rng.integers(1, 6)), rng.choice([1.0, 0.99, 0.9]))
    side = Side(draw(one, people), full_labels(one, people))
    other = draw(two, people)
    hit = unions.difference(side, other, unions.overlap(side, other), K)
    assert (hit and hit[0]) == least_difference(one, two)


@pytest.mark.parametrize("seed", range(60))
def test_a_sample_and_sketches_decide_as_everyone_does(seed: int, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(1000 + seed)
    people = 4000
    one = random_group(rng, people, int(rng.integers(1, 9)), rng.choice([1.0, 0.9995, 0.5]))
    two = random_group(rng, people, int(rng.integers(1, 9)), rng.choice([1.0, 0.9995, 0.5]))
    answers = []
    for sample, small in ((1 << 16, 512), (600, 40), (600, 800)):
        monkeypatch.setattr(images, "SAMPLE", sample)
        monkeypatch.setattr(images, "SMALL", small)
        side = Side(draw(one, people), full_labels(one, people))
        other = draw(two, people)
        hit = unions.difference(side, other, unions.overlap(side, other), K)
        answers.append(hit and hit[0])
    assert len(set(answers)) == 1


@pytest.mark.parametrize("seed", range(30))
def test_chains_of_three_are_found_as_by_trying_all(seed: int):
    rng = np.random.default_rng(seed)
    people = 300
    cells = [BitMap(rng.choice(people, rng.integers(20, 60), replace=False).tolist()) for _ in range(9)]
    for _ in range(3):
        a, b = rng.integers(0, 9, 2)
        whole = cells[a] | cells[b]
        cells.append(whole ^ BitMap(rng.choice(people, rng.integers(0, 4), replace=False).tolist()))
    made = [Group(HERE, (Cell(str(at), each),)) for at, each in enumerate(cells)]
    pool = chains.pool([draw(each, people) for each in made[6:]], [draw(each, people) for each in made[:6]])
    every = np.arange(len(pool.sizes))
    fresh = [int(at) for at in every if pool.new[at]]
    found = {hit[:3] for hit in chains.chains(pool, dict.fromkeys(fresh, every), dict.fromkeys(fresh, every), K)}
    wanted = set()
    for c in every:
        for a, b in combinations([each for each in every if each != c], 2):
            people_left = chains._people(*(pool.people(at) for at in (c, a, b)))
            if 0 < people_left < K and any(pool.new[at] for at in (a, b, c)):
                wanted.add((int(c), int(a), int(b)))
    assert found == wanted


@pytest.mark.parametrize("seed", range(40))
def test_the_smallest_cut_is_that_of_trying_all_sides(seed: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    upper = np.triu(rng.integers(0, 12, (n, n)) * (rng.random((n, n)) < 0.6), 1)
    weights = (upper + upper.T).astype(np.int64)
    cuts = [
        weights[np.ix_(side, ~side)].sum() for side in map(np.array, product((False, True), repeat=n)) if side.any()
    ]
    wanted = min((value for value in cuts if 0 < value < 8), default=None)
    found = cut.small_cut(weights, 8)
    assert (found and found[0]) == wanted
    if found:
        assert weights[np.ix_(found[1], ~found[1])].sum() == wanted


def test_an_image_survives_being_stored():
    rng = np.random.default_rng(1)
    group = random_group(rng, 3000, 5, 0.9)
    drawn = draw(group, 3000)
    again = images.parse(images.dump(drawn), HERE, drawn.labels, drawn.load, loose=False)
    for name in ("sizes", "counts", "hashes", "sample", "small", "owner"):
        assert np.array_equal(getattr(drawn, name), getattr(again, name))
    with pytest.raises(ValueError, match="not an image"):
        images.parse(images.dump(drawn), HERE, ("one",), drawn.load, loose=False)


def test_people_who_joined_the_list_later_are_compared_too():
    first, later = BitMap(range(100)), BitMap(range(103))
    old = draw(Group(HERE, (Cell("before", first),)), 100)
    found = conflicts([Group(Origin("", "e-2", "p", "g"), (Cell("after", later),))], [old], K, people=103)
    assert [each.people for each in found] == [3]


def test_cells_that_share_people_are_compared_singly_once_there_are_many():
    cells = [Cell(str(at), BitMap(range(at, at + 50))) for at in range(MAX_GROUPS + 3)]
    made = groups(HERE, cells, smallest=K)
    assert [each.loose for each in made] == [False] * MAX_GROUPS + [True] * 3
    old = [draw(Group(HERE, (Cell("old", BitMap(range(MAX_GROUPS + 2, MAX_GROUPS + 53))),)), 200)]
    found = conflicts([made[-1]], old, K, people=200)
    assert [(each.kind, each.people) for each in found] == [("pair", 1)]


def test_a_cell_below_the_minimum_is_no_subject_of_the_ledger():
    assert groups(HERE, [Cell("small", BitMap(range(4)))], smallest=K) == []
