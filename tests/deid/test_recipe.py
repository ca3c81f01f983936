"""A recipe that cannot be followed says where, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from deid.errors import RecipeError
from deid.recipe import load
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates

GOOD = HEAD + gates() + PEOPLE


def place_of(text: str, needle: str) -> tuple[int, int]:
    line = text[: text.index(needle)].count("\n")
    return line + 1, text.splitlines()[line].index(needle.splitlines()[0]) + 1


@pytest.mark.parametrize(
    ("good", "bad", "at", "code"),
    [
        ("treatment: keep}", "treatment: kepp}", "kepp", "word"),
        ("sex: {treatment: keep}", "sex: {treatmnt: keep}", "{treatmnt", "missing"),
        ("sex: {treatment: keep}", "sex: {treatment: keep, widht: 3}", "widht", "unknown"),
        ("version: 1", "version: one", "one", "kind"),
        ("version: 1", "version: 0", "0\ntitle", "range"),
        ("provider: testhospital\n", "", "recipe: 1", "missing"),
        ("provider: testhospital", "provider: testhospital\nprovider: other", "provider: other", "twice"),
        ("max_days: 30", "max_days: 0", "0}\n      amount", "range"),
        ("max_days: 30", "max_day: 30", "max_day", "unknown"),
        ("quasi_identifiers: [sex, age]", "quasi_identifiers: [sex, height]", "height", "reference"),
        ("quasi_identifiers: [sex, age]", "quasi_identifiers: [sex, name]", "name]", "reference"),
        ("quasi_identifiers: [sex, age]", "quasi_identifiers: [patient]", "patient]", "quasi"),
        ("quasi_identifiers: [sex, age]", "quasi_identifiers: [{column: sex, by: year}]", "{column", "quasi"),
        ("subject: no", "subject: number", "number", "reference"),
        ("subject: no", "subject: sex", "sex\n", "subject"),
        ("file: visits.csv", "file: ../visits.csv", "../visits.csv", "file"),
        ("file: visits.csv", "file: visits.csv\n    encoding: latin1", "latin1", "word"),
        ("band: {width: 10, top: 80}", "band: {width: 10, top: 85}", "85", "edge"),
        ("band: {width: 10, top: 80}", "prefix: 2, band: {width: 10}", "{treatment: generalise", "missing"),
        ("as: patient", "as: 환자", "환자", "name"),
        ("amount: {treatment: keep,", "amount: {treatment: keep, as: patient,", "{treatment: keep, as", "twice"),
        ("recipe: 1", "recipe: 2", "2", "range"),
        ("amount: {treatment: keep, type: integer}", "amount: {treatment: date_shift, max_days: 9}",
         "{treatment: date_shift, max_days: 9}", "shift"),
        ("day: {treatment: date_shift", "day: {treatment: generalise, age_at: birth, band: {width: 1}} #",
         "{treatment: generalise, age_at", "reference"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line_and_column(clinic: Hospital, good: str, bad: str, at: str, code: str) -> None:
    assert good in GOOD
    text = GOOD.replace(good, bad, 1)
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text)
    assert caught.value.code == f"deid.recipe-{code}"
    assert (caught.value.line, caught.value.column) == place_of(text, at)
    assert str(caught.value).startswith(f"recipe.yaml:{caught.value.line}:{caught.value.column}: ")


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty", 1),
        (b"recipe: 1\n  bad: [", "yaml", 2),
        (b"a: &x 1\nb: *x\n", "yaml", 2),
        ("recipe: 1\ntitle: 가".encode("cp949"), "encoding", 2),
        (b"- 1\n", "kind", 1),
        (b"!!python/object/apply:os.system ['true']\n", "kind", 1),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, data: bytes, code: str, line: int) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(data)
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert (caught.value.code, caught.value.line) == (f"deid.recipe-{code}", line)


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="읽을 수 없습니다"):
        load(tmp_path / "none.yaml")


def test_linked_tables_must_share_the_domain_of_their_patients(clinic: Hospital) -> None:
    second = PEOPLE.split("tables:\n")[1].replace("visits", "other").replace("domain: patient", "domain: chart")
    text = GOOD + second + "links: [{from: other, to: visits}]\n"
    with pytest.raises(RecipeError) as caught:
        clinic.recipe(text)
    assert caught.value.code == "deid.recipe-link"


# Beside them lie the providers' profiles, which the recipes name and read, and recipes for folders.
HOUSE = sorted(path for path in Path("recipes").glob("*.yaml") if "\nrecipe: 1\ndataset:" in path.read_text("utf-8"))


@pytest.mark.parametrize("path", HOUSE, ids=lambda path: path.name)
def test_the_recipes_of_the_house_are_well_formed(path: Path) -> None:
    recipe = load(path)
    assert recipe.gates.k >= 5
    assert all(rule.label.ko != rule.source for table in recipe.tables for rule in table.columns)


def test_every_treatment_is_described_for_people() -> None:
    from deid.treatments.parse import PARSERS

    text = Path("recipes/README.md").read_text(encoding="utf-8")
    assert [word for word in PARSERS if f"`{word}`" not in text] == []
