"""What is searched for in a table is the same whoever does the parts: levels, and Mondrian's ranges and sets."""

from __future__ import annotations

import json

import pytest

from tests.deid.crew.conftest import Crowd
from tests.deid.crew.test_cluster import nothing_is_done_here
from tests.deid.factory import HEAD, Hospital, gates, table
from tests.deid.many.test_parts import told
from tests.deid.privacy import test_mondrian as cut
from tests.deid.privacy import test_section as searched

CUT = cut.RECIPE % "k: 4, search: {method: mondrian}"
SEARCHED = searched.TABLE % ("auto", "auto", "k: 4, l: {column: event, l: 2}, task: {column: event}")


@pytest.mark.parametrize("recipe", [CUT, SEARCHED], ids=["mondrian", "levels"])
def test_two_workers_find_what_one_process_finds(
    clinic: Hospital, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    cut.prepare(clinic, cut.rows()) if recipe == CUT else searched.prepare(clinic, searched.rows())
    text = HEAD + gates(k=4, share=0.5) + recipe
    whole = clinic.run(text)
    expected, signed = table(whole, "visits"), told(whole)
    figures = json.loads((whole.snapshot / "risk.json").read_bytes())
    clinic.out.rename(clinic.root / "before")
    nothing_is_done_here(monkeypatch)
    found = crowd.run(clinic, text)
    assert expected.height > 0
    assert figures["visits"]["privacy"]["search"]["method"] == ("mondrian" if recipe == CUT else "full_domain")
    assert json.loads((found.snapshot / "risk.json").read_bytes()) == figures
    assert told(found) == signed
    assert table(found, "visits").equals(expected)
