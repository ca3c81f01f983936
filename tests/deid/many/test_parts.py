"""A table worked on part by part gives what it gives from memory: the same rows in the same order, all figures."""

from __future__ import annotations

import json

import pytest

from deid.engine import RunResult
from deid.errors import DeidError, GateFailed, SourceError
from deid.many.memory import LEAST, memory_within, parse_size
from deid.many.spool import how_many_parts
from tests.deid.factory import HEAD, Hospital, files_of, gates, table
from tests.deid.twin.test_twin import RECIPE as LINKED
from tests.deid.twin.test_twin import sources

CODED = (
    HEAD
    + gates(k=3)
    + """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    unique: [no, day, amount]
    quasi_identifiers: [sex, age, zip, {column: day, by: month}]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      name: {treatment: drop, direct: true}
      sex: {treatment: keep}
      zip: {treatment: generalise, prefix: 1}
      age: {treatment: generalise, band: {width: 20, top: 80}}
      day: {treatment: date_shift, max_days: 30}
      amount: {treatment: keep, type: integer}
      ward: {treatment: pseudonym, domain: ward}
"""
)


def write_visits(clinic: Hospital, *, bad: str = "") -> None:
    lines = ["no,name,sex,zip,age,day,amount,ward"]
    for n in range(3000):
        person = n * 7919 % 211
        lines.append(
            f"n{person},이름{person},{'FM'[person % 2]},{person % 3}0{n % 10},{person % 90},"
            f"2020-0{n % 3 + 1}-{n % 28 + 1:02d},{n},{'' if n % 50 == 0 else f'w{n % 9}'}"
        )
    if bad:
        lines[1500] = bad
    clinic.write("visits.csv", "\n".join(lines) + "\n")


def in_parts(monkeypatch: pytest.MonkeyPatch, clinic: Hospital, *, part_bytes: int) -> None:
    """From here on nothing is kept in memory, and a part is so large; what was published is set aside."""
    monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    monkeypatch.setattr("deid.many.memory.MOST_PART", part_bytes)
    monkeypatch.setattr("deid.many.memory.MOST_FLUSH", 20_000)
    monkeypatch.setattr("deid.many.spool.BATCH_ROWS", 100)
    if clinic.out.exists():
        clinic.out.rename(clinic.root / f"before-{part_bytes}")


def told(result: RunResult) -> dict[str, object]:
    """Everything that was signed, but what is drawn anew for each run (keys of files) and what follows from it."""
    body = json.loads((result.snapshot / "manifest.json").read_bytes())
    for name, entry in body["files"].items():
        for field in ("dek", "sha256", "bytes") if name.startswith("data/") else ():
            entry.pop(field)
    return dict(body)


@pytest.mark.parametrize("part_bytes", [1, 20_000, 1 << 30], ids=["256 parts", "some parts", "one part"])
@pytest.mark.parametrize("recipe", [CODED, LINKED], ids=["one table", "linked tables with texts"])
def test_part_by_part_gives_what_memory_gives(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, recipe: str, part_bytes: int
) -> None:
    write_visits(clinic)
    sources(clinic)
    monkeypatch.setattr("deid.versions.buckets.LEAST_ROWS", 100)
    whole = clinic.run(recipe)
    expected, signed = {name: table(whole, name) for name in whole.manifest.tables}, told(whole)
    figures = json.loads((whole.snapshot / "risk.json").read_bytes())
    in_parts(monkeypatch, clinic, part_bytes=part_bytes)
    found = clinic.run(recipe)
    assert json.loads((found.snapshot / "risk.json").read_bytes()) == figures
    assert told(found) == signed
    for name, rows in expected.items():
        assert rows.height > 0
        assert table(found, name).equals(rows)
    assert not [path for path in found.snapshot.rglob("*") if "parts" in path.name]


def test_no_patient_is_in_two_files(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    write_visits(clinic)
    monkeypatch.setattr("deid.versions.buckets.LEAST_ROWS", 100)
    in_parts(monkeypatch, clinic, part_bytes=20_000)
    found = clinic.run(CODED)
    seen = [set(file.scan().collect()["patient"]) for file in files_of(found, "visits")]
    assert len(seen) > 4
    assert sum(map(len, seen)) == len(set().union(*seen))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("n1,x,F,101,forty,2020-01-01,1,w1", "deid.source-value"),
        (",x,F,101,40,2020-01-01,1,w1", "deid.source-no-patient"),
        ("n17,x,F,101,40,2020-01-02,0,w1\nn17,x,F,101,40,2020-01-02,0,w1", "deid.source-duplicate-key"),
    ],
)
def test_a_fault_is_told_with_the_line_it_has_in_the_original(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, line: str, code: str
) -> None:
    write_visits(clinic, bad=line)
    with pytest.raises(SourceError) as expected:
        clinic.run(CODED)
    in_parts(monkeypatch, clinic, part_bytes=20_000)
    with pytest.raises(SourceError) as found:
        clinic.run(CODED)
    assert (
        (found.value.code, found.value.line) == (expected.value.code, expected.value.line) == (code, found.value.line)
    )
    assert found.value.line >= 1501
    assert clinic.left_behind() == []


def test_the_gate_names_the_same_column(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    write_visits(clinic)
    strict = CODED.replace("max_suppressed_share: 1.0", "max_suppressed_share: 0.0").replace("k: 3", "k: 40")
    with pytest.raises(GateFailed) as expected:
        clinic.run(strict)
    in_parts(monkeypatch, clinic, part_bytes=20_000)
    with pytest.raises(GateFailed) as found:
        clinic.run(strict)
    assert str(found.value) == str(expected.value)


def test_nothing_of_the_hospital_lies_in_the_clear_while_it_is_worked_on(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_visits(clinic)
    in_parts(monkeypatch, clinic, part_bytes=1)
    seen: list[bytes] = []

    def look(*_: object, **__: object) -> None:
        seen.extend(path.read_bytes() for path in clinic.out.rglob("*.parquet"))
        raise KeyboardInterrupt

    monkeypatch.setattr("deid.engine.decide", look)
    with pytest.raises(KeyboardInterrupt):
        clinic.run(CODED)
    assert len(seen) > 100
    assert {data[:4] for data in seen} == {b"PARE"}, "the mark of an encrypted footer"
    assert not [data for data in seen if b"2020-01-1" in data]
    assert clinic.left_behind() == []


@pytest.mark.parametrize(
    ("text", "size"), [("700MB", 700 * 10**6), ("4 GB", 4 * 10**9), ("2GiB", 2 << 30), ("499MB", None), ("x", None)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size


def test_a_smaller_limit_gives_smaller_parts() -> None:
    small, large = memory_within(LEAST), memory_within(None)
    assert small.part < large.part
    assert small.whole < large.whole
    assert [how_many_parts(size, 10) for size in (0, 10, 11, 45, 10**6)] == [1, 1, 2, 8, 256]


def test_a_recipe_may_set_the_limit(clinic: Hospital) -> None:
    write_visits(clinic)
    assert clinic.recipe(CODED + "limits: {memory: 700MB}\n").limits.memory == 700 * 10**6
    with pytest.raises(DeidError) as caught:
        clinic.recipe(CODED + "limits: {memory: 3KB}\n")
    assert caught.value.code == "deid.recipe-memory"
