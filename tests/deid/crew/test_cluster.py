"""By two workers of a Dask cluster a recipe gives what it gives here, bit for bit."""

from __future__ import annotations

import json

import pytest

from tests.deid.crew.conftest import Crowd
from tests.deid.factory import Hospital, table
from tests.deid.many.test_parts import CODED, told, write_visits
from tests.deid.twin.test_twin import RECIPE as LINKED
from tests.deid.twin.test_twin import sources


@pytest.mark.parametrize("recipe", [CODED, LINKED], ids=["one table", "linked tables with texts"])
def test_two_workers_give_what_one_process_gives(
    clinic: Hospital, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    write_visits(clinic)
    sources(clinic)
    monkeypatch.setattr("deid.versions.buckets.LEAST_ROWS", 100)
    whole = clinic.run(recipe)
    expected, signed = {name: table(whole, name) for name in whole.manifest.tables}, told(whole)
    figures = json.loads((whole.snapshot / "risk.json").read_bytes())
    clinic.out.rename(clinic.root / "before")
    found = crowd.run(clinic, recipe)
    assert json.loads((found.snapshot / "risk.json").read_bytes()) == figures
    assert told(found) == signed
    for name, rows in expected.items():
        assert rows.height > 0
        assert table(found, name).equals(rows)
    assert not [path for path in found.snapshot.rglob("*") if "crew" in path.name or "parts" in path.name]
