"""Versions of a snapshot: buckets by patient, a key per file, what is the same kept, what was signed still read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.engine import RunResult
from deid.errors import KeyFileError, SnapshotDamaged, SnapshotShredded
from deid.keys import SEAL, STORE
from deid.manifest import FORMAT_1, dump, parse
from deid.snapshot import publish, unfinished, verify
from deid.versions import buckets
from deid.versions.before import Before, load, newest
from deid.versions.buckets import how_many
from deid.versions.keystore import FileKey, create_seal, keys_of, open_store
from deid.versions.same_rows import compare
from deid.versions.tables import authenticate, open_table
from tests.deid.factory import (
    HEAD,
    NOW,
    PEOPLE,
    Hospital,
    engine,
    files_of,
    gates,
    snapshot_keys,
    table,
    visits,
)

TEXT = HEAD + gates(k=1) + PEOPLE
Row = tuple[object, ...]


def rows_of(people: int, each: int = 2) -> list[Row]:
    return [
        (f"n{n}", "x", "FM"[n % 2], n % 60, f"2020-01-{n % 28 + 1:02d}", n * 10 + m)
        for n in range(people)
        for m in range(each)
    ]


@pytest.fixture
def eight(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """A clinic whose two thousand rows go into many buckets."""
    monkeypatch.setattr(buckets, "LEAST_ROWS", 100)
    return clinic


def build(clinic: Hospital, rows: list[Row], before: RunResult | None = None, text: str = TEXT) -> RunResult:
    clinic.write("visits.csv", visits(rows))
    parent = load(before.snapshot, clinic.public_key, clinic.keys.store) if before else None
    return engine.run(clinic.recipe(text), clinic.source, clinic.out, clinic.keys, now=NOW, before=parent)


def inodes(result: RunResult) -> dict[str, int]:
    return {name: (result.snapshot / name).stat().st_ino for name in result.manifest.tables["visits"].files}


@pytest.mark.parametrize(
    ("rows", "before", "expected"),
    [(0, 0, 1), (8_191, 0, 1), (16_384, 0, 2), (400_000, 0, 32), (1_000_000, 0, 64), (10**9, 0, 64),
     (16_384, 8, 8), (16_384, 64, 2), (1_000_000, 16, 16), (1_000_000, 8, 64)],
)  # fmt: skip
def test_how_many_buckets_a_table_has(rows: int, before: int, expected: int) -> None:
    assert how_many(rows, before) == expected


def test_a_patient_is_in_the_bucket_that_the_pseudonym_says_and_every_file_has_its_own_key(eight: Hospital) -> None:
    result = build(eight, rows_of(1000))
    described = result.manifest.tables["visits"]
    assert (described.subject, described.buckets) == ("patient", 16)
    keys = set()
    for file in files_of(result, "visits"):
        entry, frame = result.manifest.files[file.name], file.scan().collect()
        assert set(frame["patient"].str.slice(0, 1).str.to_integer(base=16)) == {entry.bucket}
        assert frame["patient"].is_sorted()
        assert frame.height == entry.rows
        keys.add(file.key)
        with file.parquet() as parquet:
            assert pl.from_arrow(parquet.read()).equals(frame), "pyarrow reads what Polars wrote"
    assert len(keys) == len(described.files)
    assert table(result, "visits").height == 2000


def test_the_same_rows_keep_their_files_under_keys_wrapped_anew(eight: Hospital) -> None:
    rows = rows_of(1000)
    first = build(eight, rows)
    second = build(eight, rows[::-1], first)
    assert inodes(first) == inodes(second)
    assert first.manifest.id != second.manifest.id
    store = eight.root / "keys" / STORE
    wrapped = [json.loads((store / f"{each.manifest.id}.keys.json").read_text()) for each in (first, second)]
    assert set(wrapped[0]["keys"]) == set(wrapped[1]["keys"])
    assert not set(wrapped[0]["keys"].values()) & set(wrapped[1]["keys"].values())
    shutil.rmtree(first.snapshot)
    assert table(second, "visits").height == 2000, "the first version may go"
    verify(second.snapshot, eight.public_key)


def test_one_patient_less_costs_one_bucket(eight: Hospital) -> None:
    first = build(eight, rows_of(1000))
    second = build(eight, [row for row in rows_of(1000) if row[0] != "n500"], first)
    kept = set(inodes(first).values()) & set(inodes(second).values())
    assert len(kept) == len(inodes(first)) - 1
    assert table(second, "visits").height == 1998


def test_new_rows_go_beside_a_bucket_until_they_are_many(eight: Hospital) -> None:
    rows = rows_of(1000)
    result = first = build(eight, rows)
    for step in range(1, 6):
        more = [(f"n{n}", "x", "M", 30, f"2021-02-{step:02d}", 10**6 + step * 1000 + n) for n in range(0, 1000, 50)]
        rows = [*rows, *more]
        result, previous = build(eight, rows, result), result
        assert set(inodes(previous).values()) & set(inodes(result).values())
        assert result.manifest.files.keys() >= set(result.manifest.tables["visits"].files)
    whole = build(eight, rows)
    ordered = ["patient", "amount", "day"]
    assert table(result, "visits").sort(ordered).equals(table(whole, "visits").sort(ordered))
    assert set(inodes(first).values()) & set(inodes(result).values()), "a bucket with few new rows is still the first"
    assert any(".1." in name for name in inodes(result))
    doubled = build(eight, [*rows, *[(*row[:5], int(str(row[5])) + 10**8) for row in rows]], result)
    assert not any(".1." in name for name in inodes(doubled)), "many new rows are written with the others"


def test_another_treatment_is_written_anew(eight: Hospital) -> None:
    first = build(eight, rows_of(1000))
    second = build(eight, rows_of(1000), first, TEXT.replace("width: 10", "width: 20"))
    assert not set(inodes(first).values()) & set(inodes(second).values())


FRAMES = st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(0, 2)), max_size=12)


@given(FRAMES, FRAMES)
def test_what_came_and_what_went_is_counted_like_by_hand(
    old: list[tuple[str, int]], new: list[tuple[str, int]]
) -> None:
    schema = {"x": pl.String, "y": pl.Int64}
    before, after = (pl.DataFrame(each, schema, orient="row") for each in (old, new))
    left = list(old)
    came = [row for row in new if row not in left or left.remove(row) is not None]
    found = compare(before, after)
    assert sorted(map(repr, found.fresh.rows())) == sorted(map(repr, came))
    assert found.gone == len(left)


def test_a_table_with_a_destroyed_key_is_refused_whole_and_the_rest_authenticates(eight: Hospital) -> None:
    result = build(eight, rows_of(1000))
    name = result.manifest.tables["visits"].files[3]
    dek = result.manifest.files[name].dek
    assert dek
    store = eight.keys.storage
    assert store.shred(result.manifest.id, [dek], day="2026-11-29") == (dek,)
    assert store.shred(result.manifest.id, [dek], day="2026-11-30") == ()
    with pytest.raises(SnapshotShredded) as caught:
        table(result, "visits")
    assert (caught.value.files, caught.value.code) == ((name,), "deid.snapshot-shredded")
    assert authenticate(result.snapshot, result.manifest, snapshot_keys(result)) == (name,)
    verify(result.snapshot, eight.public_key)
    later = build(eight, rows_of(1000), result)
    assert inodes(later)[name] != inodes(result)[name], "its file is not carried on"
    assert table(later, "visits").height == 2000


def test_a_destroyed_version_has_no_key_left(eight: Hospital) -> None:
    result = build(eight, rows_of(1000))
    store = eight.keys.storage
    assert len(store.destroy(result.manifest.id, day="2026-11-29")) == len(result.manifest.tables["visits"].files)
    assert store.destroy(result.manifest.id, day="2026-11-30") == ()
    assert store.open(result.manifest.id).missing(result.manifest) == result.manifest.tables["visits"].files
    assert '"kek": null' in (store.folder / f"{result.manifest.id}.keys.json").read_text()


def lose(store: Path, seal: Path, snapshot: str) -> None:
    (store / f"{snapshot}.keys.json").unlink()


def lose_one(store: Path, seal: Path, snapshot: str) -> None:
    path = store / f"{snapshot}.keys.json"
    body = json.loads(path.read_text())
    body["keys"].popitem()
    path.write_text(json.dumps(body))


def of_another(store: Path, seal: Path, snapshot: str) -> None:
    path = store / f"{snapshot}.keys.json"
    body = json.loads(path.read_text())
    path.write_text(json.dumps(body | {"snapshot": "0" * 64}))


def spoil(store: Path, seal: Path, snapshot: str) -> None:
    path = store / f"{snapshot}.keys.json"
    body = json.loads(path.read_text())
    first = next(iter(body["keys"]))
    body["keys"][first] = body["keys"][first][::-1]
    path.write_text(json.dumps(body))


def other_seal(store: Path, seal: Path, snapshot: str) -> None:
    seal.write_bytes(bytes(32))


def short_seal(store: Path, seal: Path, snapshot: str) -> None:
    seal.write_bytes(bytes(31))


def open_seal(store: Path, seal: Path, snapshot: str) -> None:
    seal.chmod(0o644)


@pytest.mark.parametrize(
    ("damage", "code"),
    [(lose, "missing"), (lose_one, "lost"), (of_another, "damaged"), (spoil, "damaged"), (other_seal, "damaged"),
     (short_seal, "length"), (open_seal, "open")],
)  # fmt: skip
def test_a_key_store_that_is_not_whole_says_what_is_wrong(
    clinic: Hospital, damage: Callable[[Path, Path, str], None], code: str
) -> None:
    result = build(clinic, rows_of(10))
    damage(clinic.root / "keys" / STORE, clinic.root / "keys" / SEAL, result.manifest.id)
    with pytest.raises(KeyFileError) as caught:
        table(result, "visits")
    assert caught.value.code == f"deid.key-{code}"


def test_whoever_has_no_key_store_reads_no_encrypted_snapshot(clinic: Hospital) -> None:
    result = build(clinic, rows_of(10))
    with pytest.raises(KeyFileError, match="암호화"):
        keys_of(result.manifest, None)


def test_a_page_changed_under_a_new_signature_does_not_decrypt(clinic: Hospital) -> None:
    result = build(clinic, rows_of(10))
    name = result.manifest.tables["visits"].files[0]
    data = bytearray((result.snapshot / name).read_bytes())
    data[40] ^= 1
    with unfinished(clinic.out) as folder:
        shutil.copytree(result.snapshot, folder, dirs_exist_ok=True)
        (folder / name).chmod(0o644)
        (folder / name).write_bytes(data)
        forged = replace(result.manifest.files[name])
        keys = snapshot_keys(result)
        from deid.snapshot import Sealed

        sealed = Sealed(clinic.keys.storage, {name: forged}, (FileKey(str(forged.dek), keys.keys[str(forged.dek)]),))
        for extra in ("manifest.json", "manifest.sig"):
            (folder / extra).unlink()
        target, signed = publish(folder, clinic.out, result.manifest, clinic.keys.signing, sealed)
    verify(target, clinic.public_key)
    with pytest.raises(SnapshotDamaged) as caught:
        authenticate(target, signed, clinic.keys.storage.of(signed))
    assert caught.value.file == name


def test_what_is_killed_between_the_keys_and_the_name_leaves_only_keys_of_nothing(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        build(clinic, rows_of(10))
    assert clinic.left_behind() == []
    assert len(clinic.keys.storage.known()) == 1
    monkeypatch.undo()
    assert table(build(clinic, rows_of(10)), "visits").height == 20


def test_the_key_file_is_replaced_whole_and_the_old_bytes_are_overwritten(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", create_seal(tmp_path / "seal"))
    keys = [store.new_key() for _ in range(3)]
    store.save("ab" * 32, keys)
    path = store.folder / f"{'ab' * 32}.keys.json"
    assert path.stat().st_mode & 0o777 == 0o640
    with path.open("rb") as old:
        store.shred("ab" * 32, [keys[1].id], day="2026-11-29")
        assert set(old.read()) == {0}
    assert store.open("ab" * 32).keys == {each.id: each.key for each in (keys[0], keys[2])}
    assert [path.name for path in store.folder.iterdir()] == [path.name]


def test_a_snapshot_of_format_1_is_verified_spelled_and_read_as_it_was(clinic: Hospital, tmp_path: Path) -> None:
    result = build(clinic, rows_of(10))
    with unfinished(tmp_path / "out") as folder:
        (folder / "data/visits").mkdir(parents=True)
        table(result, "visits").write_parquet(folder / "data/visits/part-000.parquet")
        described = replace(
            result.manifest.tables["visits"], files=("data/visits/part-000.parquet",), subject="", buckets=0
        )
        old = replace(result.manifest, tables={"visits": described}, files={}, format=FORMAT_1)
        target, signed = publish(folder, tmp_path / "out", old, clinic.keys.signing)
    found = verify(target, clinic.public_key)
    body = json.loads((target / "manifest.json").read_text())
    assert body["format"] == "ansim-snapshot/1"
    assert not {"parent", "difference", "consent", "withdrawn"} & set(body)
    assert set(body["files"]["data/visits/part-000.parquet"]) == {"sha256", "bytes"}
    assert set(body["tables"]["visits"]) == {"label_ko", "label_en", "columns", "rows", "subjects", "files"}
    assert dump(parse((target / "manifest.json").read_bytes()))[0] == signed.id
    assert open_table(target, found, keys_of(found, None), "visits").collect().equals(table(result, "visits"))
    later = engine.run(
        clinic.recipe(TEXT), clinic.source, clinic.out, clinic.keys, now=NOW,
        before=Before(target, found, keys_of(found, None)),
    )  # fmt: skip
    assert table(later, "visits").height == 20


def test_the_newest_version_of_the_data_set_is_followed_and_a_forged_one_is_not(clinic: Hospital) -> None:
    assert newest(clinic.out, "visits", "", clinic.public_key) is None
    first = build(clinic, rows_of(10))
    assert newest(clinic.out, "other", "", clinic.public_key) is None
    assert newest(clinic.out, "visits", "", clinic.public_key) == first.snapshot
    assert newest(clinic.out, "visits", "P-1", clinic.public_key) is None, "another project's pseudonyms are no parent"
    path = first.snapshot / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"provider": "testhospital"', b'"provider": "elsewhere"'))
    with pytest.raises(SnapshotDamaged):
        newest(clinic.out, "visits", "", clinic.public_key)
