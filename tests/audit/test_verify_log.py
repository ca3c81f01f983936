"""Damage to a log folder: every changed byte, missing, added or exchanged file is found and its place named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import durable
from audit.note import Checkpoint
from audit.tiles import ENTRIES, Edge, Tile, pack, unpack
from audit.verify import verify_log
from tests.audit.logs import SIGNER, VKEY, entries, entry, publish, sign

BUNDLE = Tile(ENTRIES, 1, 256).path
LAST_BUNDLE = Tile(ENTRIES, 2, 88).path
TILE = Tile(0, 1, 256).path
TOP = Tile(1, 0, 2).path


def codes(folder: Path) -> list[str]:
    report = verify_log(folder, VKEY)
    assert report.ok == (report.failures == ())
    return [claim.code for claim in report.failures]


def first(folder: Path):
    return verify_log(folder, VKEY).failures[0]


def rewrite(folder: Path, path: str, change) -> None:
    file = folder / path
    file.write_bytes(change(file.read_bytes()))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 700])
def test_a_sound_log_of_any_size_verifies(tmp_path, size) -> None:
    publish(tmp_path, entries(size))
    report = verify_log(tmp_path, str(VKEY))
    assert report.ok
    held = ["checkpoint", "log.entries", "log.root", "log.files", "anchor.no-witness"]
    assert [claim.code for claim in report.claims] == held
    assert [claim.code for claim in report.claims if claim.amber] == ["anchor.no-witness"]


def test_a_log_of_two_levels_of_tiles_verifies_and_is_judged_at_each(tmp_path) -> None:
    data = [b"%d" % number for number in range(66_000)]
    publish(tmp_path, data)
    assert verify_log(tmp_path, VKEY).ok
    rewrite(tmp_path, Tile(1, 0, 256).path, lambda tile: flipped(tile, 200 * 32))
    assert "hash 200" in first(tmp_path).en.lower()
    assert codes(tmp_path) == ["log.tile-damaged"]
    rewrite(tmp_path, Tile(2, 0, 1).path, lambda tile: flipped(tile, 0))
    assert codes(tmp_path) == ["log.tile-damaged"] * 2


def test_a_log_with_older_partial_tiles_verifies(log) -> None:
    assert (log / Tile(0, 2, 18).path).exists()
    assert codes(log) == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_changed_byte_in_any_file_is_caught_and_the_file_named(log, chance: random.Random) -> None:
    path = chance.choice(sorted(item for item in log.rglob("*") if item.is_file()))
    before = path.read_bytes()
    at, flip = chance.randrange(len(before)), chance.randrange(1, 256)
    path.write_bytes(before[:at] + bytes([before[at] ^ flip]) + before[at + 1 :])
    try:
        report = verify_log(log, VKEY)
        assert not report.ok
        assert report.failures[0].place == path.relative_to(log).as_posix()
    finally:
        path.write_bytes(before)
    assert verify_log(log, VKEY).ok


@pytest.mark.parametrize("number", [0, 255, 256, 511, 512, 599])
def test_a_changed_entry_is_named_by_its_index(log, number) -> None:
    tile = Tile(ENTRIES, number // 256, 256 if number < 512 else 88)

    def change(bundle: bytes) -> bytes:
        items = unpack(bundle)
        items[number % 256] = items[number % 256].replace(b"done", b"dune")
        return pack(items)

    rewrite(log, tile.path, change)
    claim = first(log)
    assert (claim.code, claim.place) == ("log.entry-damaged", tile.path)
    assert claim.en.startswith(f"Entry {number} does not match")
    assert claim.ko.startswith(f"{number}번 기록")


@pytest.mark.parametrize(("at", "entry_index"), [(0, 256), (1, 256)])
def test_a_changed_length_is_found_at_the_entry_it_belongs_to(log, at, entry_index) -> None:
    rewrite(log, BUNDLE, lambda data: flipped(data, at))
    assert first(log).en.startswith(f"Entry {entry_index} does not match")


def test_two_entries_exchanged_are_both_named(log) -> None:
    def swap(bundle: bytes) -> bytes:
        items = unpack(bundle)
        items[3], items[9] = items[9], items[3]
        return pack(items)

    rewrite(log, BUNDLE, swap)
    found = verify_log(log, VKEY).failures
    assert [claim.en.split()[1] for claim in found[:2]] == ["259", "265"]


def test_many_damaged_places_are_counted_not_listed(log) -> None:
    rewrite(log, BUNDLE, lambda data: pack(unpack(data)[::-1]))
    assert codes(log) == ["log.entry-damaged"] * 5 + ["log.more", "log.root"]
    assert "251" in verify_log(log, VKEY).failures[5].en


def test_bundles_exchanged_are_found(log) -> None:
    one, two = log / Tile(ENTRIES, 0, 256).path, log / BUNDLE
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    assert first(log).en.startswith("Entry 0 does not match")


def test_a_damaged_hash_is_told_from_a_damaged_entry(log) -> None:
    rewrite(log, TILE, lambda data: flipped(data, 7 * 32 + 5))
    assert codes(log) == ["log.tile-damaged"]
    assert first(log).en == f"Hash 7 of {TILE} is damaged (the entries are intact)"
    assert first(log).place == TILE


def test_an_entry_changed_together_with_its_hash_is_found_one_level_up(log) -> None:
    data = entries(600)
    data[300] = entry(300, project="P-forged")
    edge = Edge()
    forged = edge.extend(data)
    (log / BUNDLE).write_bytes(pack(data[256:512]))
    (log / TILE).write_bytes(forged[Tile(0, 1, 256)])
    claim = first(log)
    assert (claim.code, claim.place) == ("log.entries-rewritten", TOP)
    assert claim.en.startswith("Entries 256-511 were changed together")
    assert codes(log)[-1] == "log.root"


def rewritten(folder: Path, data, *, checkpoint: bool = False) -> None:
    """Write the whole folder anew from other entries, keeping the old signed checkpoint unless told otherwise."""
    note = (folder / "checkpoint").read_bytes()
    shutil.rmtree(folder)
    publish(folder, data)
    if not checkpoint:
        (folder / "checkpoint").write_bytes(note)


def test_a_log_rewritten_as_a_whole_is_refused_by_its_root(log) -> None:
    data = entries(600)
    data[5] = entry(5, project="P-forged")
    rewritten(log, data)
    assert codes(log) == ["log.rewritten"]


def test_a_log_cut_short_is_refused(log) -> None:
    rewritten(log, entries(580))
    assert codes(log)[0] == "log.file-missing"
    assert first(log).place == Tile(0, 2, 88).path


def test_a_log_cut_short_within_its_last_bundle_is_refused(log) -> None:
    rewrite(log, LAST_BUNDLE, lambda data: pack(unpack(data)[:-1]))
    assert first(log).en.startswith("Entry 599 does not match")


def test_a_log_extended_without_a_signature_is_refused(log) -> None:
    rewritten(log, entries(601))
    shutil.rmtree(log / "tile/0/002.p")
    shutil.rmtree(log / "tile/entries/002.p")
    folder = log.parent / "whole"
    publish(folder, entries(600))
    shutil.copytree(folder / "tile", log / "tile", dirs_exist_ok=True)
    publish_more = Tile(ENTRIES, 2, 89)
    (log / publish_more.path).write_bytes(pack(entries(601)[512:]))
    assert codes(log) == ["log.longer"]
    assert first(log).place == publish_more.path


def test_an_entry_added_to_the_last_bundle_is_refused(log) -> None:
    rewrite(log, LAST_BUNDLE, lambda data: data + pack([entry(600)]))
    assert first(log).en.startswith("Entry 600 does not match")


@pytest.mark.parametrize("path", [BUNDLE, LAST_BUNDLE], ids=["a whole bundle", "the last one"])
@pytest.mark.parametrize("more", [b"\x00", b"\x00\x09half", b"\xff\xff"], ids=["a byte", "half an entry", "a length"])
def test_bytes_behind_the_last_entry_of_a_bundle_are_refused(log, path, more) -> None:
    rewrite(log, path, lambda data: data + more)
    number = 512 if path == BUNDLE else 600
    assert first(log).en.startswith(f"Entry {number} does not match")


def test_a_full_tile_beyond_the_checkpoint_is_refused(log) -> None:
    (log / Tile(0, 3, 256).path).write_bytes(bytes(8192))
    assert codes(log) == ["log.longer"]


@pytest.mark.parametrize("path", [BUNDLE, LAST_BUNDLE, TILE, TOP], ids=str)
def test_a_missing_file_is_named_and_the_rest_is_still_judged(log, path) -> None:
    (log / path).unlink()
    claim = first(log)
    assert (claim.code, claim.place) == ("log.file-missing", path)
    rewrite(log, Tile(ENTRIES, 0, 256).path, lambda data: flipped(data, 50))
    assert "log.entry-damaged" in codes(log)


def test_a_missing_bundle_with_its_tile_is_refused(log) -> None:
    (log / BUNDLE).unlink()
    (log / TILE).unlink()
    claim = first(log)
    assert (claim.code, claim.place) == ("log.file-missing", TILE)
    assert claim.en.endswith("(+1)")
    assert not verify_log(log, VKEY).claims[-2].ok


def test_a_partial_file_may_be_replaced_by_the_full_one(tmp_path) -> None:
    """Copying a log that grows can pick up the full tile where the checkpoint asks for a partial one."""
    edge = publish(tmp_path, entries(250))
    note = (tmp_path / "checkpoint").read_bytes()
    publish(tmp_path, entries(256), edge=edge)
    for tile in (Tile(0, 0, 256), Tile(ENTRIES, 0, 256)):
        durable.remove_partials(tmp_path, tile)
        durable.remove_partials(tmp_path, tile)
    (tmp_path / "checkpoint").write_bytes(note)
    report = verify_log(tmp_path, VKEY)
    assert [claim.code for claim in report.failures] == ["log.longer"]
    assert report.claims[2].ok


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("notes.txt", lambda path: path.write_text("hello")),
        ("tile/0/000.bak", lambda path: path.write_bytes(b"")),
        (".new-1", lambda path: path.write_bytes(b"half")),
        ("tile/7/000", lambda path: (path.parent.mkdir(), path.symlink_to("/etc/passwd"))),
        ("tile/entries/x001", lambda path: path.symlink_to("/etc")),
    ],
)
def test_a_file_that_is_not_of_the_log_is_named(log, name, make) -> None:
    make(log / name)
    assert codes(log) == ["log.file-extra"]
    assert first(log).place == name


def test_a_checkpoint_that_is_a_link_is_refused(log) -> None:
    (log / "checkpoint").rename(log.parent / "elsewhere")
    (log / "checkpoint").symlink_to(log.parent / "elsewhere")
    assert codes(log) == ["log.file-extra"]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (Tile(0, 2, 18).path, lambda data: flipped(data, 40)),
        (Tile(0, 2, 18).path, lambda data: data[:-32]),
        (Tile(ENTRIES, 2, 18).path, lambda data: flipped(data, 40)),
        (Tile(ENTRIES, 2, 18).path, lambda data: pack(unpack(data)[:-1])),
        (Tile(ENTRIES, 2, 78).path, lambda data: data + b"\x01"),
        (Tile(ENTRIES, 2, 78).path, lambda data: b""),
    ],
    ids=range(6),
)
def test_an_older_partial_tile_must_be_the_beginning_of_the_present_one(log, path, change) -> None:
    rewrite(log, path, change)
    assert codes(log) == ["log.partial-damaged"]
    assert first(log).place == path


def test_an_older_partial_tile_that_cannot_be_read_is_refused(log) -> None:
    path = log / Tile(ENTRIES, 2, 78).path
    path.unlink()
    path.parent.joinpath("78").symlink_to(path)
    assert codes(log) == ["log.file-extra"]


def test_an_older_partial_tile_is_not_judged_against_a_missing_one(log) -> None:
    (log / LAST_BUNDLE).unlink()
    assert codes(log) == ["log.file-missing", "log.partial-damaged"]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda folder: (folder / "checkpoint").unlink(), "audit.no-log"),
        (lambda folder: (folder / "checkpoint").write_bytes(b""), "audit.bad-note"),
        (lambda folder: rewrite(folder, "checkpoint", lambda note: note + b"\n"), "audit.bad-note"),
        (
            lambda folder: rewrite(folder, "checkpoint", lambda note: note.replace(b"600", b"599")),
            "audit.bad-signature",
        ),
        (
            lambda folder: (folder / "checkpoint").write_text(SIGNER.sign(str(Checkpoint("other", 0, bytes(32))))),
            "audit.bad-origin",
        ),
    ],
)
def test_a_log_without_a_trusted_checkpoint_proves_nothing(log, damage, code) -> None:
    damage(log)
    assert codes(log) == [code]
    assert first(log).place == "checkpoint"


def test_the_key_of_another_log_does_not_verify_this_one(log) -> None:
    assert [claim.code for claim in verify_log(log, "not a key").failures] == ["audit.bad-key"]


def test_an_older_checkpoint_with_its_signature_still_holds_for_its_own_entries(log) -> None:
    edge = Edge()
    edge.extend(entries(590))
    sign(log, edge)
    assert codes(log) == ["log.longer"]


def test_a_log_that_is_being_written_is_given_time(log, monkeypatch) -> None:
    """Files ahead of the checkpoint are right when the checkpoint follows, and wrong when it does not."""
    edge = Edge()
    edge.extend(entries(600))
    note = (log / "checkpoint").read_bytes()
    publish(log, entries(610), edge=edge)
    newest = (log / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(note)
    assert verify_log(log, VKEY).failures[0].code == "log.longer"
    monkeypatch.setattr("audit.verify.time.sleep", lambda _: (log / "checkpoint").write_bytes(newest))
    assert verify_log(log, VKEY, patience_s=1.0).ok
    (log / "checkpoint").write_bytes(note)
    naps = []
    monkeypatch.setattr("audit.verify.time.sleep", naps.append)
    assert not verify_log(log, VKEY, patience_s=1.0).ok
    assert 4 <= len(naps) <= 6
