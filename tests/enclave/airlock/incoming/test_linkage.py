"""Reference data that could be joined to people are shown to the steward; others are not."""

from __future__ import annotations

import hashlib

import pytest

from enclave.airlock.document import Table
from enclave.airlock.incoming.limits import DataColumn, ImportLimits
from enclave.airlock.incoming.linkage import MOST_DIGESTS, check_linkage, digest, sketch

PEOPLE = [hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(60_000)]
DATA = ImportLimits(
    columns=(
        DataColumn(dataset="nafld", table="base", column="subject_key", key=True, digests=sketch(PEOPLE)),
        DataColumn(dataset="nafld", table="base", column="sex", digests=sketch(["M", "F"])),
        DataColumn(dataset="nafld", table="visits", column="visitno", key=True, digests=sketch(map(str, range(900)))),
    )
)


def table(**columns: list[str]) -> Table:
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)))


REGIONS = [f"구{number % 25}" for number in range(100)]
JOINABLE: dict[str, Table] = {
    "pseudonyms under any name": table(x=PEOPLE[:100], area=REGIONS),
    "a few pseudonyms among many": table(x=PEOPLE[:3000] + [f"z{n}" for n in range(90_000)]),
    "pseudonyms in capitals": table(x=[each.upper() for each in PEOPLE[:2000]]),
    "numbers with zeros before": table(x=[f"{number:05}" for number in range(100)]),
    "numbers as decimals": table(x=[f"{number}.0" for number in range(100)]),
    "the name of a key": table(SUBJECT_KEY=["a", "b"]),
    "a key by its name": table(patient_id=[f"p{number}" for number in range(30)]),
    "a key by its Korean name": table(환자번호=[f"p{number}" for number in range(30)]),
}


@pytest.mark.parametrize("case", JOINABLE)
def test_a_column_that_could_be_a_key_is_marked(case: str) -> None:
    found = check_linkage(JOINABLE[case], DATA)
    assert [each.rule for each in found] == ["import.linkage"]
    assert "결합 우려" in found[0].ko


HARMLESS: dict[str, Table] = {
    "codes and words": table(icd10=[f"E{number}" for number in range(100)], name=[f"병명 {n}" for n in range(100)]),
    "sex": table(sex=["M", "F"] * 50),
    "counts by region": table(region=REGIONS, n=[f"{1000 + 7 * number}" for number in range(100)]),
    "an id that is no key": table(region_id=REGIONS),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_other_columns_are_not(case: str) -> None:
    assert check_linkage(HARMLESS[case], DATA) == []


def test_a_sketch_is_as_small_for_many_as_for_some() -> None:
    assert len(sketch(PEOPLE)) == MOST_DIGESTS
    assert list(sketch(PEOPLE)) == sorted(map(digest, PEOPLE))[:MOST_DIGESTS]
