"""Tiles: paths, sizes and contents as C2SP tlog-tiles has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import leaf_hash, root_of
from audit.tiles import ENTRIES, WIDTH, Edge, Tile, node_reader, pack, split, tile_of, tiles_of, unpack


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 1234, 5), "tile/0/x001/234.p/5"),
        (Tile(ENTRIES, 1234067, 256), "tile/entries/x001/x234/067"),
        (Tile(ENTRIES, 0, 1), "tile/entries/000.p/1"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
    ],
)
def test_a_tile_lies_at_its_path_and_the_path_reads_back(tile, path) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/data/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/x000/001",
        "tile/0/001/234",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/٠٠٠",
        "checkpoint",
    ],
)
def test_any_other_path_is_no_tile(path) -> None:
    assert Tile.parse(path) is None


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = [tile for tile in tiles_of(70_000) if tile.level != ENTRIES]
    partial = [tile for tile in tiles if tile.width != WIDTH]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert len(tiles) - len(partial) == 274
    assert [tile_of(tile.level, tile.number, 70_000) for tile in tiles] == tiles
    assert tile_of(2, 1, 70_000).width == 0
    assert list(tiles_of(256))[1:] == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_a_bundle_reads_back(entries) -> None:
    assert unpack(pack(entries)) == entries


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9), st.data())
def test_a_bundle_that_is_cut_off_never_packs_to_its_own_bytes(entries, data) -> None:
    bundle = pack(entries)
    ends = [len(pack(entries[:count])) for count in range(len(entries) + 1)]
    cut = bundle[: data.draw(st.integers(0, len(bundle)).filter(lambda at: at not in ends))]
    assert pack(unpack(cut)) != cut


@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_however_the_log_grows_its_tiles_and_root_are_the_same(steps) -> None:
    data = [b"%d" % number for number in range(sum(steps))]
    grown, files = Edge(), {}
    for step in steps:
        files |= grown.extend(data[grown.size : grown.size + step])
    whole = Edge()
    expected = whole.extend(data)
    assert grown == whole
    assert grown.root() == root_of([leaf_hash(item) for item in data])
    assert {tile: files[tile] for tile in expected} == expected
    assert set(expected) == {tile for tile in tiles_of(len(data)) if tile.level != ENTRIES}


def test_complete_subtrees_are_read_from_tiles_at_any_level() -> None:
    data = [b"%d" % number for number in range(70_000)]
    files, leaves = Edge().extend(data), [leaf_hash(item) for item in data]
    node = node_reader(lambda level, number: split(files[tile_of(level, number, 70_000)]))
    for level, index in [(0, 69_999), (3, 11), (7, 200), (8, 0), (8, 272), (9, 100), (16, 0)]:
        assert node(level, index) == root_of(leaves[index << level : (index + 1) << level])
