"""The tree: published vectors, two foreign implementations, and proofs for every leaf of every size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from audit.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    consistent,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/audit/rfc6962.json").read_text())
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
MANY = [leaf_hash(b"%d" % number) for number in range(600)]


def node_of(leaves):
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_certificate_transparency_reference(size) -> None:
    assert root_of(LEAVES[:size]).hex() == VECTORS["roots"][size - 1]


@pytest.mark.parametrize("case", VECTORS["paths"], ids=lambda case: f"{case['index']} of {case['size']}")
def test_paths_are_those_of_the_certificate_transparency_reference(case) -> None:
    path = inclusion_proof(case["index"], case["size"], node_of(LEAVES))
    assert [item.hex() for item in path] == case["path"]


@pytest.mark.parametrize("case", VECTORS["proofs"], ids=lambda case: f"{case['old']} to {case['new']}")
def test_consistency_proofs_are_those_of_the_certificate_transparency_reference(case) -> None:
    sizes = case["old"], case["new"]
    path = consistency_proof(*sizes, node_of(LEAVES))
    assert [item.hex() for item in path] == case["proof"]
    assert consistent(sizes, tuple(bytes.fromhex(VECTORS["roots"][size - 1]) for size in sizes), path)


def test_roots_agree_with_pymerkle_up_to_300_entries() -> None:
    tree, leaves = InmemoryTree(algorithm="sha256"), []
    for number in range(300):
        tree.append_entry(b"%d" % number)
        leaves.append(leaf_hash(b"%d" % number))
        assert root_of(leaves) == tree.get_root()


@given(st.data())
def test_an_inclusion_proof_leads_to_the_root_and_a_foreign_verifier_agrees(data) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    root = root_of(MANY[:size])
    path = inclusion_proof(index, size, node_of(MANY[:size]))
    assert root_from_inclusion(index, size, MANY[index], path) == root
    InclusionProof(index, size, path).check(MANY[index], root)


def test_every_leaf_of_every_tree_of_up_to_64_entries_has_its_proof() -> None:
    for size in range(1, 65):
        root = root_of(MANY[:size])
        for index in range(size):
            path = inclusion_proof(index, size, node_of(MANY[:size]))
            assert root_from_inclusion(index, size, MANY[index], path) == root


@given(st.data())
def test_a_changed_inclusion_proof_never_leads_to_the_root(data) -> None:
    size = data.draw(st.integers(2, 600))
    index = data.draw(st.integers(0, size - 1))
    root = root_of(MANY[:size])
    path = inclusion_proof(index, size, node_of(MANY[:size]))
    at = data.draw(st.integers(0, len(path) - 1))
    flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    wrong = [
        (index, size, MANY[index], [*path[:at], flipped, *path[at + 1 :]]),
        (index, size, MANY[index], path[:-1]),
        (index, size, MANY[index], [*path, path[0]]),
        (index, size, MANY[other], path),
        (size, size, MANY[index], path),
        (-1, size, MANY[index], path),
    ]
    for case in wrong:
        assert root_from_inclusion(*case) != root
    if len(path) == len(inclusion_proof(other, size, node_of(MANY[:size]))):
        assert root_from_inclusion(other, size, MANY[index], path) != root


@given(st.data())
def test_a_consistency_proof_holds_and_a_foreign_verifier_agrees(data) -> None:
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    roots = root_of(MANY[:old]), root_of(MANY[:new])
    path = consistency_proof(old, new, node_of(MANY[:new]))
    assert consistent((old, new), roots, path)
    ConsistencyProof(old, new, path).check(*roots)


def test_every_pair_of_sizes_up_to_64_is_shown_consistent() -> None:
    for new in range(65):
        for old in range(new + 1):
            path = consistency_proof(old, new, node_of(MANY[:new]))
            assert consistent((old, new), (root_of(MANY[:old]), root_of(MANY[:new])), path)


@given(st.data())
def test_a_rewritten_or_cut_history_is_never_shown_consistent(data) -> None:
    new = data.draw(st.integers(2, 600))
    old = data.draw(st.integers(1, new - 1))
    roots = root_of(MANY[:old]), root_of(MANY[:new])
    path = consistency_proof(old, new, node_of(MANY[:new]))
    changed = data.draw(st.integers(0, old - 1))
    forged = root_of([*MANY[:changed], leaf_hash(b"forged"), *MANY[changed + 1 : old]])
    assert not consistent((old, new), (forged, roots[1]), path)
    assert not consistent((old, new), (roots[0], forged), path)
    assert not consistent((new, old), roots[::-1], path)
    assert not consistent((old, new), roots, path[:-1])
    assert not consistent((old, new), roots, [*path, path[0]])
    assert not consistent((old, new), roots, [node_hash(path[0], path[0]), *path[1:]])


@pytest.mark.parametrize(
    ("sizes", "roots", "proof"),
    [
        ((3, 3), (root_of(MANY[:3]), EMPTY_ROOT), []),
        ((3, 3), (root_of(MANY[:3]),) * 2, [MANY[0]]),
        ((0, 3), (MANY[0], root_of(MANY[:3])), []),
        ((0, 3), (EMPTY_ROOT, root_of(MANY[:3])), [MANY[0]]),
        ((-1, 3), (EMPTY_ROOT, root_of(MANY[:3])), []),
        ((1, 2), (MANY[0], root_of(MANY[:2])), []),
        ((1, 2), (MANY[0], root_of(MANY[:2])), [MANY[1], MANY[1]]),
    ],
)
def test_a_trivial_claim_with_the_wrong_proof_is_refused(sizes, roots, proof) -> None:
    assert not consistent(sizes, roots, proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_inclusion_proof_outside_the_tree(index, size) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, node_of(MANY))


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_there_is_no_consistency_proof_backwards(old, new) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        consistency_proof(old, new, node_of(MANY))
