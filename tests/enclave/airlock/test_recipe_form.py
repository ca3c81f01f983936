"""A recipe is data in one strict form; everything else is refused with the place, and never with a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.recipes.form import MAX_BYTES, RecipeRefused, parse_recipe

TABLE: dict[str, Any] = {
    "format": "ansim-recipe-v1",
    "kind": "table",
    "snapshot": "0" * 64,
    "dataset": "nafld",
    "table": "labs",
    "join": "patients",
    "filter": [["test", "==", "alt"], {"or": [["value", ">", 40], {"and": [["value", "between", [1, 2.5]]]}]}],
    "bands": {"grade": {"column": "value", "cuts": [0, 40, 80]}},
    "keys": ["patients.sex"],
    "columns": ["grade"],
    "measures": [{"op": "count"}, {"op": "mean", "column": "value"}],
    "margins": True,
    "rounding": {"counts": 5, "decimals": 1},
    "suppressed": {"below": 10},
}
MODEL: dict[str, Any] = {
    **{name: TABLE[name] for name in ("format", "snapshot", "dataset", "table", "join", "filter", "bands")},
    "kind": "model",
    "model": "ols",
    "response": "value",
    "terms": [["patients.sex"], ["days"], ["patients.sex", "days"]],
    "categories": {"patients.sex": None},
    "rounding": {"decimals": 4},
}


@pytest.mark.parametrize("form", [TABLE, MODEL], ids=["table", "model"])
def test_a_recipe_has_one_spelling_and_reads_back_as_itself(form: dict[str, Any]) -> None:
    recipe = parse_recipe(form)
    assert parse_recipe(json.loads(recipe.canonical())) == recipe
    assert recipe.canonical() == parse_recipe(dict(reversed(form.items()))).canonical()


def test_it_names_every_column_that_it_reads() -> None:
    assert parse_recipe(TABLE).used == {"test", "value", "patients.sex"}, "a band reads the column it was cut from"
    assert parse_recipe(MODEL).used == {"test", "value", "patients.sex", "days"}


SECRET = "홍길동900101"
WRONG: dict[str, dict[str, Any]] = {
    "an unknown field": {"query": SECRET},
    "another format": {"format": "ansim-recipe-v2"},
    "no hash": {"snapshot": "../../etc"},
    "code for an operation": {"measures": [{"op": f"__import__('os').system('{SECRET}')"}]},
    "code for a comparison": {"filter": [["test", "'); DROP", SECRET]]},
    "a condition of four": {"filter": [["test", "==", "alt", SECRET]]},
    "nothing compared": {"filter": [["test", "==", None]]},
    "a list compared": {"filter": [["test", "==", [SECRET]]]},
    "no number": {"filter": [["value", ">", float("nan")]]},
    "infinity": {"filter": [["value", "<", float("inf")]]},
    "a number beyond all floats": {"filter": [["value", "<", 10**400]]},
    "an empty or": {"filter": [{"or": []}]},
    "both or and and": {"filter": [{"or": [["a", "null", None]], "and": [["a", "null", None]]}]},
    "true for one": {"margins": 1},
    "one for a list": {"keys": "patients.sex"},
    "no key": {"keys": []},
    "a key twice": {"keys": ["grade"], "columns": ["grade"]},
    "a mean of nothing": {"measures": [{"op": "mean"}]},
    "people of a column": {"measures": [{"op": "persons", "column": "value"}]},
    "a measure twice": {"measures": [{"op": "count"}, {"op": "count", "column": None}]},
    "a name with a line break": {"keys": ["a\nb"]},
    "an empty name": {"dataset": ""},
    "counts rounded to nothing": {"rounding": {"counts": 0}},
    "too many decimals": {"rounding": {"decimals": 17}},
    "hidden below nobody": {"suppressed": {"below": 0}},
    "one cut": {"bands": {"grade": {"column": "value", "cuts": [1]}}},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_what_is_not_in_the_form_is_refused_without_repeating_it(change: dict[str, Any]) -> None:
    with pytest.raises(RecipeRefused) as refused:
        parse_recipe({**TABLE, **change})
    assert SECRET not in refused.value.en + refused.value.ko


@pytest.mark.parametrize(
    "change",
    [{"terms": [["days"], ["days"]]}, {"terms": [["days", "days"]]}, {"terms": [["value"]]}, {"terms": []},
     {"terms": ["days"]}, {"model": "gam"}, {"categories": {"value": None}}, {"keys": ["days"]}],
    ids=str,
)  # fmt: skip
def test_a_model_that_is_not_in_the_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RecipeRefused):
        parse_recipe({**MODEL, **change})


def test_too_much_of_anything_is_refused() -> None:
    nested: Any = ["value", ">", 1]
    for _ in range(40):
        nested = {"and": [nested]}
    many = [["value", ">", number] for number in range(61)]
    spread = [{"or": many[:40]}, {"or": many[:40]}]
    long = [["test", "in", ["x" * 200] * 100]]
    assert len(json.dumps(long)) > MAX_BYTES
    for filters in ([nested], many, spread, long):
        with pytest.raises(RecipeRefused):
            parse_recipe({**TABLE, "filter": filters})
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(RecipeRefused):
        parse_recipe({**TABLE, "filter": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TABLE, "or", "op"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(found=JSON, field=st.sampled_from([*TABLE]))
def test_whatever_stands_in_a_field_it_is_read_or_refused_and_nothing_else(found: object, field: str) -> None:
    for form in (found, {**TABLE, field: found}):
        try:
            recipe = parse_recipe(form)
        except RecipeRefused:
            continue
        assert parse_recipe(json.loads(recipe.canonical())) == recipe
