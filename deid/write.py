"""Writing the published columns of one table to Parquet: streamed, zstd, in buckets by patient, encrypted.

Ordering by patient removes the hospital's order and nearly halves the size. A table of more than `PART_ROWS` rows is
first spread, streaming and under a key that is then forgotten, over its buckets, and each is then ordered by itself:
memory stays bounded. Strings are written as strings: Parquet dictionaries are built by the writer from the rows that
are left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.held import Column, Held
from deid.learning import learning_rules
from deid.manifest import FileEntry
from deid.many.codes import Numbered
from deid.prepare import RAW, Prepared, collect, explain, with_rest_learned
from deid.recipe import TableRule
from deid.snapshot import Sealed
from deid.suppress import Decision, Flags
from deid.transform.columns import INDEX, class_key
from deid.versions.before import Before, Kept
from deid.versions.buckets import Bounds, bounds_of, how_many, leading
from deid.versions.keystore import FileKey, KeyStore
from deid.versions.same_rows import compare
from deid.versions.tables import DataFile, decryption, encryption, scan_all

PART_ROWS = 1_250_000
STRETCH_ROWS = 400_000
ROW_GROUP = 131_072
BUCKET, ROW, PLACE = " bucket", " row", " place"
AT_A_TIME = 2
CACHED_ROWS = 1 << 15
# Ranks of patients in this many bits (or 32 of them), a hash of the row in the rest: the same in every version.
RANK_BITS = 26
# Rows may be added to a bucket by a file beside it while those files are few and hold less than this share.
MOST_ADDED, ADDED_SHARE = 7, 0.25


@dataclass(frozen=True)
class Place:
    """Where a table goes: the unfinished snapshot's folder, table, number of buckets, keys, and the version before.

    `before` is given only when its table has the same columns and as many buckets.
    """

    root: Path
    table: str
    buckets: int
    store: KeyStore
    before: Before | None = None

    def name(self, bucket: int, added: int = 0) -> str:
        """Name of a bucket's file in the snapshot; `added` counts the files of later rows."""
        return f"data/{self.table}/bucket-{bucket:02d}{f'.{added}' if added else ''}.parquet"


@dataclass(frozen=True)
class WrittenFile:
    """One file as it will be signed: rows, bucket, key, and whether it is the parent's."""

    file: DataFile
    rows: int
    bucket: int
    key: FileKey
    kept: bool

    def entry(self) -> FileEntry:
        """Say of it what the manifest says, hash and size aside."""
        return FileEntry("", 0, self.rows, self.bucket, self.key.id)


@dataclass(frozen=True)
class Written:
    """A table's files, and how many rows came and went since the version before (None: not compared)."""

    files: tuple[WrittenFile, ...]
    came: int | None
    went: int | None
    buckets: int = 1

    def scan(self) -> pl.LazyFrame:
        """Scan what was written."""
        return scan_all(tuple(each.file for each in self.files))

    def beginning(self, rows: int) -> pl.LazyFrame:
        """Scan the first files that have so many rows together: no other need be opened."""
        before = np.cumsum([0, *(each.rows for each in self.files[:-1])])
        return scan_all(tuple(each.file for each, begun in zip(self.files, before, strict=True) if begun < rows))

    def stretches(self) -> list[list[DataFile]]:
        """Divide the files into whole buckets of about `STRETCH_ROWS` rows together: no patient is in two."""
        found: list[list[DataFile]] = [[]]
        rows, last = 0, -1
        for each in self.files:
            if rows >= STRETCH_ROWS and each.bucket != last:
                found.append([])
                rows = 0
            found[-1].append(each.file)
            rows, last = rows + each.rows, each.bucket
        return found

    def schema(self) -> pl.Schema:
        """Columns and their types, the same in all files."""
        return self.files[0].file.scan().collect_schema()

    @property
    def rows(self) -> int:
        """Rows of all files, as the files themselves say."""
        return int(self.scan().select(pl.len()).collect(engine="streaming").item())


def place_of(root: Path, table: Prepared, store: KeyStore, before: Before | None, *, rows: int) -> Place:
    """Where a table of so many rows goes, and of the version before only what can be compared."""
    name = table.rule.name
    old = before.table(name) if before else None
    buckets = how_many(rows, old.buckets if old else 0)
    columns = [rule.name for rule in table.rule.published]
    comparable = old is not None and old.buckets == buckets and list(old.columns) == columns
    return Place(root, name, buckets, store, before if comparable else None)


def sealed(store: KeyStore, written: Mapping[str, Written]) -> Sealed:
    """Gather what the manifest and the key store must know of all files that were written."""
    files = [file for each in written.values() for file in each.files]
    return Sealed(store, {each.file.name: each.entry() for each in files}, tuple(each.key for each in files))


def publishable(table: Prepared, decision: Decision) -> pl.LazyFrame:
    """All published columns of the rows that stay, and `INDEX`."""
    frame = table.published().select(INDEX, *(rule.name for rule in table.rule.published))
    if not decision.excluded.any():
        return frame
    of = table.people[INDEX]
    left = of.filter(~pl.Series(decision.excluded).gather(of)).to_frame()
    return frame.join(left.lazy(), on=INDEX, how="semi")


def without_small_classes(frame: pl.LazyFrame, rule: TableRule, allowed: pl.DataFrame | None) -> pl.LazyFrame:
    """Leave out rows whose class is not in `allowed` (a frame of class keys; None when every class stays)."""
    if allowed is None:
        return frame
    keys = [class_key(entry).alias(f" {entry.key}") for entry in rule.quasi_identifiers]
    names = [f" {entry.key}" for entry in rule.quasi_identifiers]
    right = allowed.rename({entry.key: f" {entry.key}" for entry in rule.quasi_identifiers})
    return frame.with_columns(keys).join(right.lazy(), on=names, how="semi", nulls_equal=True).drop(names)


def left_of(table: Prepared, decision: Decision, allowed: pl.DataFrame | None) -> pl.LazyFrame:
    """All published columns of the rows that are written, and `INDEX`."""
    frame = without_small_classes(publishable(table, decision), table.rule, allowed)
    return frame if table.recoding is None else table.recoding.ended(frame)


def write_table(
    table: Prepared, frame: pl.LazyFrame, place: Place, *, rows: int, part_rows: int = PART_ROWS
) -> Written:
    """Write `frame` (with `INDEX`) into `data/<table>/` of the place; `rows` is how many are expected."""
    (place.root / f"data/{place.table}").mkdir(parents=True)
    bounds = bounds_of(table.people, RAW, place.buckets)
    if rows <= part_rows:
        whole = ordered(collect(table.source, frame), table.people.height)
        cuts = np.searchsorted(whole[INDEX].to_numpy(), bounds)
        parts = ((at, whole[int(cuts[at]) : int(cuts[at + 1])].drop(INDEX)) for at in range(place.buckets))
        return _put_all(place, parts)
    spread = place.root / f"data/{place.table}/.parts"
    try:
        return _put_all(place, _spread(table, frame, bounds, spread, place.store))
    finally:
        shutil.rmtree(spread, ignore_errors=True)


def rows_staying(index: pl.Series | None, of_rows: NDArray[np.uint32] | None, decision: Decision) -> Flags | None:
    """Whether each row of a table in memory stays, by its patient and its class; None when all do."""
    if index is None:
        raise RuntimeError("only of a table in memory")
    left: Flags = ~decision.excluded[index.to_numpy()]
    if of_rows is not None and not decision.allowed.all():
        left &= decision.allowed[of_rows]
    return None if left.all() else left


def order_beforehand(table: Prepared) -> pl.Series | None:
    """Put the rows of a table in memory in order, also those that may go; None while its values are not final."""
    if table.computed is None or table.recoding is not None or learning_rules(table.rule, quasi=False):
        return None
    return _order(table.computed, [rule.name for rule in table.rule.published], table.people.height)


def write_loaded(
    table: Prepared, stay: Flags | None, place: Place, k: int, rows: pl.Series | None = None
) -> tuple[Prepared, Written]:
    """Write a table whose columns are in memory; `stay` says which rows do (None: all), `rows` their order if known."""
    (place.root / f"data/{place.table}").mkdir(parents=True)
    held = Held.of(table.published().collect()) if table.computed is None else table.computed
    if table.recoding is not None:
        held = Held.of(table.recoding.ended(held.frame().lazy()).collect())
    if learning_rules(table.rule, quasi=False):
        frame = held.frame()
        table, final = with_rest_learned(table, (frame if stay is None else frame.filter(stay)).lazy(), k)
        held, stay = Held.of(collect(table.source, final)), None
    names = [rule.name for rule in table.rule.published]
    rows = _order(held, names, table.people.height) if rows is None else rows
    rows = rows if stay is None else rows.filter(pl.Series(stay).gather(rows))
    cuts = np.searchsorted(_ranks(held).take(rows.to_numpy()), bounds_of(table.people, RAW, place.buckets))
    published = Held({name: held.columns[name] for name in names}, held.height)
    made = [each for stretch in stretches(cuts) for each in _written(published, rows, stretch, place)]
    return table, _together(place, made, published.frame(rows=rows.clear()))


def stretches(cuts: Bounds) -> Iterator[tuple[int, Bounds]]:
    """Divide buckets, given where each begins, into stretches of about `PART_ROWS` rows: the first, and their cuts."""
    begun, last = 0, len(cuts) - 1
    while begun < last:
        end = max(begun + 1, int(np.searchsorted(cuts, cuts[begun] + PART_ROWS, side="right")) - 1)
        yield begun, cuts[begun : end + 1]
        begun = end


def _written(published: Held, rows: pl.Series, stretch: tuple[int, Bounds], place: Place) -> Iterable[Written]:
    """Write the buckets of a stretch; of a large table no more than its rows are copied in order at a time."""
    first, cuts = stretch
    held = published.at(rows[int(cuts[0]) : int(cuts[-1])])
    cuts = cuts - cuts[0]

    def bucket(at: int) -> Written:
        return _put(place, first + at, held.stretch(int(cuts[at]), int(cuts[at + 1] - cuts[at])).frame())

    # Polars works on the columns of one file at a time; between files it waits for the disk and the cipher.
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(bucket, range(len(cuts) - 1)))


def _ranks(held: Held) -> NDArray[np.uint32]:
    ranks: NDArray[np.uint32] = held.frame([INDEX])[INDEX].to_numpy()
    return ranks


def write_rows(place: Place, frame: pl.DataFrame, subject: str) -> Written:
    """Write whole rows in the order in which they are given; `subject` is the column of pseudonyms."""
    (place.root / f"data/{place.table}").mkdir(parents=True)
    of = frame.select(leading(subject) * place.buckets // 256).to_series()
    return _put_all(place, ((at, frame.filter(of == at)) for at in range(place.buckets)))


def write_parts(table: Prepared, decision: Decision, allowed: pl.DataFrame | None, place: Place) -> Written:
    """Write a table that was laid out in parts, one after the other; parts go up with the ranks of patients."""
    (place.root / f"data/{place.table}").mkdir(parents=True)
    frames = table.each(partial(_part_of, decision, allowed, table.people.height))
    return _put_all(place, _regrouped(frames, bounds_of(table.people, RAW, place.buckets)))


def _part_of(decision: Decision, allowed: pl.DataFrame | None, people: int, part: Prepared) -> pl.DataFrame:
    frame = left_of(part, decision, allowed)
    return ordered(collect(part.source, frame), people)


def _regrouped(frames: Iterable[pl.DataFrame], bounds: Bounds) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut and join frames so that each is a bucket; buckets come in order, also those without a row."""
    at = 0
    held: list[pl.DataFrame] = []
    for frame in frames:
        cuts = np.searchsorted(frame[INDEX].to_numpy(), bounds)
        for bucket in range(len(bounds) - 1):
            rows = frame[int(cuts[bucket]) : int(cuts[bucket + 1])].drop(INDEX)
            while rows.height and at < bucket:
                yield at, pl.concat(held) if held else rows.clear()
                at, held = at + 1, []
            held += [rows] if rows.height or not held else []
    for bucket in range(at, len(bounds) - 1):
        yield bucket, pl.concat(held) if bucket == at else held[-1].clear()


def _spread(
    table: Prepared, frame: pl.LazyFrame, bounds: Bounds, folder: Path, store: KeyStore
) -> Iterator[tuple[int, pl.DataFrame]]:
    key = store.new_key().key
    part = pl.col(INDEX).map_batches(partial(_bucket, bounds), return_dtype=pl.Int64, is_elementwise=True)
    target = pl.PartitionBy(
        folder, key=part.alias(BUCKET), include_key=False, approximate_bytes_per_file=(1 << 62),
        file_path_provider=lambda args: f"{args.partition_keys.item()}.parquet",
    )  # fmt: skip
    try:
        frame.sink_parquet(target, compression="lz4", mkdir=True, engine="streaming", encryption=encryption(key))
    except pl.exceptions.PolarsError as error:
        raise explain(table.source, error) from None
    for number in range(len(bounds) - 1):
        path = folder / f"{number}.parquet"
        if path.exists():
            found = pl.read_parquet(path, memory_map=False, decryption=decryption(key))
            path.unlink()
            yield number, ordered(found, table.people.height).drop(INDEX)
        else:
            yield number, pl.DataFrame()


def _bucket(bounds: Bounds, index: pl.Series) -> pl.Series:
    return pl.Series(np.searchsorted(bounds, index.to_numpy(), side="right") - 1, dtype=pl.Int64)


def ordered(frame: pl.DataFrame, people: int) -> pl.DataFrame:
    """Order rows by patient, then by a hash of the row.

    The same rows come in the same order in every version, whatever order the threads or the hospital delivered them
    in. Patient and hash share one 64-bit number, which sorts three times as fast as the columns themselves.
    """
    names = [name for name in frame.columns if name != INDEX]
    return frame[_order(Held.of(frame), names, people)]


def _order(held: Held, names: Sequence[str], people: int) -> pl.Series:
    """Places of the rows in the order of `ordered`; `names` are the columns but `INDEX`."""
    rank_bits = RANK_BITS if people <= 1 << RANK_BITS else 32
    number = np.zeros(held.height, np.uint64)
    for seed, name in enumerate(names):
        _mix_in(number, held.columns[name], seed)
    number &= np.uint64((1 << (64 - rank_bits)) - 1)
    ranks = _ranks(held).astype(np.uint64)
    ranks <<= np.uint64(64 - rank_bits)
    number |= ranks
    del ranks
    # The row's place takes the last bits, after the first ones of the hash: numbers alone sort ten times as fast.
    bits = np.uint64(held.height.bit_length())
    keys = number << np.uint64(rank_bits - min(rank_bits, people.bit_length()))
    keys >>= bits
    keys <<= bits
    keys |= np.arange(held.height, dtype=np.uint64)
    keys.sort()
    rows = keys & ((np.uint64(1) << bits) - np.uint64(1))
    keys >>= bits
    same = np.flatnonzero(keys[1:] == keys[:-1])
    if same.size:
        # The whole hash decides, and where two rows are equal, or their hashes are, the columns.
        at = np.union1d(same, same + 1)
        of = pl.DataFrame([pl.Series(ROW, number[rows[at]]), pl.Series(PLACE, rows[at])])
        tied = pl.concat([of, held.frame(names, pl.Series(rows[at]))], how="horizontal")
        rows[at] = tied.sort(ROW, *names)[PLACE].to_numpy()
    return pl.Series(PLACE, rows.astype(np.uint32))


def _mix_in(number: NDArray[np.uint64], column: Column, seed: int) -> None:
    """Mix the hash of each row's value into its `number`; each distinct value is hashed once."""
    if not isinstance(column, Numbered):
        number ^= column.hash(seed).to_numpy()
        return
    hashes, codes = column.values.hash(seed).to_numpy(), column.codes.to_numpy()
    # A stretch of rows stays in the processor's cache: all at once costs twice as much.
    for begun in range(0, number.size, CACHED_ROWS):
        rows = slice(begun, begun + CACHED_ROWS)
        number[rows] ^= hashes.take(codes[rows])


def _put_all(place: Place, parts: Iterator[tuple[int, pl.DataFrame]]) -> Written:
    made, empty = [], pl.DataFrame()
    for bucket, frame in parts:
        made.append(_put(place, bucket, frame))
        empty = frame
    return _together(place, made, empty)


def _together(place: Place, made: list[Written], empty: pl.DataFrame) -> Written:
    # A table of which nothing is left still has its columns.
    files = tuple(file for each in made for file in each.files) or (_write(place, place.name(0), 0, empty),)
    return Written(files, _sum(each.came for each in made), _sum(each.went for each in made), place.buckets)


def _sum(counts: Iterable[int | None]) -> int | None:
    """Add; what is not known of one bucket is not known of the table."""
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def _put(place: Place, bucket: int, frame: pl.DataFrame) -> Written:
    """Keep what the parent has of a bucket, or write it."""
    old = place.before.bucket(place.table, bucket) if place.before else None
    new = (_write(place, place.name(bucket), bucket, frame),) if frame.height and not old else ()
    if old is None:
        return Written(new, None, None)
    if not old or not frame.height:
        return Written(new, frame.height, sum(each.rows for each in old))
    before = scan_all(tuple(each.file for each in old)).collect(engine="streaming")
    if before.schema != frame.schema:
        return Written((_write(place, place.name(bucket), bucket, frame),), None, None)
    found = compare(before, frame)
    added = before.height - old[0].rows + found.fresh.height
    if found.gone or (found.fresh.height and (len(old) > MOST_ADDED or added > ADDED_SHARE * old[0].rows)):
        new = (_write(place, place.name(bucket), bucket, frame),)
        return Written(new, found.fresh.height, found.gone)
    files = [_keep(place, each, bucket, number) for number, each in enumerate(old)]
    if found.fresh.height:
        files.append(_write(place, place.name(bucket, len(old)), bucket, found.fresh))
    return Written(tuple(files), found.fresh.height, 0)


def _keep(place: Place, old: Kept, bucket: int, number: int) -> WrittenFile:
    name = place.name(bucket, number)
    old.link(place.root / name)
    return WrittenFile(DataFile(name, place.root / name, old.key.key), old.rows, bucket, old.key, kept=True)


def _write(place: Place, name: str, bucket: int, frame: pl.DataFrame) -> WrittenFile:
    key = place.store.new_key()
    # No statistics: whoever opens a bucket takes all its rows.
    frame.write_parquet(
        place.root / name, compression="zstd", compression_level=3, row_group_size=ROW_GROUP, statistics=False,
        encryption=encryption(key.key),
    )  # fmt: skip
    return WrittenFile(DataFile(name, place.root / name, key.key), frame.height, bucket, key, kept=False)
