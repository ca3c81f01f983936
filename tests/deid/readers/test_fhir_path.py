"""Paths into resources: exactly one value or a reason, and the generic path of every leaf."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.readers.fhir_path import PathError, leaves, parse

RESOURCE: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1970-01-02",
    "_birthDate": {"extension": [{"url": "t", "valueDateTime": "1970-01-02T03:04:05+09:00"}]},
    "name": [
        {"use": "official", "family": "김", "given": ["철", "수"]},
        {"use": "nickname", "given": ["코끼리"]},
    ],
    "identifier": [
        {"type": {"coding": [{"code": "MR"}]}, "value": "00123"},
        {"system": "urn:rrn", "value": "900101-1234568"},
    ],
    "quote": "it's",
    "active": True,
    "maritalStatus": {"coding": [{"code": "M"}]},
    "gap": [None, "x"],
}


@pytest.mark.parametrize(
    ("path", "value", "generic"),
    [
        ("id", "p1", "id"),
        ("active", True, "active"),
        ("birthDate", "1970-01-02", "birthDate"),
        ("birthDate.extension.valueDateTime", "1970-01-02T03:04:05+09:00", "birthDate.extension.valueDateTime"),
        ("name.where(use='official').family", "김", "name.family"),
        ("name.where(use='official').given.join('')", "철수", "name.given"),
        ("name[1].given", "코끼리", "name.given"),
        ("name.given.first()", "철", "name.given"),
        ("name.given.last()", "코끼리", "name.given"),
        ("name.given[1]", "수", "name.given"),
        ("name.family", "김", "name.family"),
        ("identifier.where(type.coding.code='MR').value", "00123", "identifier.value"),
        ("identifier.where(system='urn:nobody').value", None, "identifier.value"),
        ("maritalStatus.coding.code", "M", "maritalStatus.coding.code"),
        ("gap", "x", "gap"),
        ("nothing.at.all", None, "nothing.at.all"),
        ("name.where(use='it\\'s').family", None, "name.family"),
    ],
)
def test_a_path_gives_its_one_value(path: str, value: object, generic: str) -> None:
    parsed = parse(path)
    assert (parsed.value(RESOURCE), parsed.generic) == (value, generic)


@pytest.mark.parametrize(
    ("path", "reason"), [("name.given", "several"), ("identifier.value", "several"), ("maritalStatus", "parts")]
)
def test_nothing_is_chosen_silently(path: str, reason: str) -> None:
    with pytest.raises(PathError) as caught:
        parse(path).value(RESOURCE)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "first()", "[0]", "a[x]", "a.[0]", "a b", "a.where(b)", "a.where(b=c)",
     "a.join('x').b", "a.ofType(B)", "where(a='b')", "a.where(b='c", "가", "a;b", "a[-1]"],
)  # fmt: skip
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError) as caught:
        parse(text)
    assert caught.value.reason == "syntax"


def test_every_leaf_is_seen_also_beside_a_primitive() -> None:
    assert set(leaves(RESOURCE)) == {
        "resourceType", "id", "birthDate", "birthDate.extension.url", "birthDate.extension.valueDateTime",
        "name.use", "name.family", "name.given", "identifier.type.coding.code", "identifier.value",
        "identifier.system", "quote", "active", "maritalStatus.coding.code", "gap",
    }  # fmt: skip


NAMES = st.sampled_from(["a", "b", "c", "_a"])
TREES = st.recursive(
    st.text(max_size=3) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, TREES, max_size=3))
def test_no_primitive_of_a_resource_escapes_the_list_of_leaves(resource: dict[str, Any]) -> None:
    found = set(leaves(resource))
    marked = json.loads(json.dumps(resource))

    def paths(node: Any, path: str) -> None:
        for name, child in (
            node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        ):
            inner = path if isinstance(node, list) else f"{path}.{name.removeprefix('_')}".strip(".")
            if isinstance(child, dict | list):
                paths(child, inner)
            else:
                assert inner in found

    paths(marked, "")
