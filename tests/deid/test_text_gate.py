"""The gate of the sample review: asked for in the recipe, carried by the manifest, bound to this run's own texts."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from deid import engine
from deid.errors import OutputError, RecipeError
from deid.text_gate import AskedSample, asked_by
from deid.texts import FILE, read_cases
from tests.deid.factory import HEAD, NOW, Hospital

TABLE = """\
tables:
  notes:
    file: notes.csv
    label: {ko: 글, en: Notes}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      memo: {treatment: free_text}
"""
ASKED = "gates: {k: 1, max_suppressed_share: 1, text_sample: {size: 20, min_recall: 0.9}}\n"
DATA = "no,memo\n" + "".join(f"{n},환자명: 홍길{n % 7}동 씨 010-2345-{n:04}\n" for n in range(30))


def test_the_manifest_says_what_is_asked_and_which_texts_are_to_be_sampled(clinic: Hospital) -> None:
    clinic.write("notes.csv", DATA)
    private = clinic.root / "private"
    recipe = clinic.recipe(HEAD + ASKED + TABLE)
    result = engine.run(recipe, clinic.source, clinic.out, clinic.keys, now=NOW, private=private)
    digest = hashlib.sha256((private / FILE).read_bytes()).hexdigest()
    assert asked_by(result.manifest.lineage) == AskedSample(20, 0.9, 0.95, len(list(read_cases(private))), digest)
    page = (result.snapshot / "report.html").read_text(encoding="utf-8")
    for words in (
        "글 20건(전체 30건)",
        "20 of 30 texts",
        "at least 90% (confidence 95%)",
        digest,
        "Who reviewed (accounts)",
    ):
        assert words in page
    assert "Not asked for" not in page


def test_a_run_without_a_place_for_the_originals_is_refused_before_anything_is_read(clinic: Hospital) -> None:
    with pytest.raises(OutputError) as refused:
        clinic.run(HEAD + ASKED + TABLE)
    assert refused.value.code == "deid.no-private-folder"
    assert clinic.left_behind() == []


def test_a_recipe_that_does_not_ask_is_told_so_by_the_report_alone(clinic: Hospital) -> None:
    clinic.write("notes.csv", DATA)
    result = clinic.run(HEAD + "gates: {k: 1, max_suppressed_share: 1}\n" + TABLE)
    assert asked_by(result.manifest.lineage) is None
    page = (result.snapshot / "report.html").read_text(encoding="utf-8")
    assert ("Not asked for" in page, "Who reviewed" in page) == (True, False)
    broken = replace(result.manifest, lineage={"text_sample": {"size": 3}})
    with pytest.raises(ValueError, match="malformed"):
        asked_by(broken.lineage)


@pytest.mark.parametrize("gate", ["{size: 0}", "{min_recall: 1}", "{confidence: 0.2}", "{seed: 3}"])
def test_a_gate_that_nobody_could_pass_or_that_chooses_its_own_seed_is_no_recipe(clinic: Hospital, gate: str) -> None:
    with pytest.raises(RecipeError):
        clinic.recipe(HEAD + f"gates: {{k: 1, max_suppressed_share: 1, text_sample: {gate}}}\n" + TABLE)


def test_where_no_text_is_published_the_report_does_not_speak_of_a_sample(clinic: Hospital) -> None:
    clinic.write("notes.csv", DATA)
    plain = TABLE.replace("{treatment: free_text}", "{treatment: drop}")
    result = clinic.run(HEAD + "gates: {k: 1, max_suppressed_share: 1}\n" + plain)
    assert "표본 검토" not in (result.snapshot / "report.html").read_text(encoding="utf-8")
