"""Canonical bytes: the same as RFC 8785's, read back only when they are."""

from __future__ import annotations

import unicodedata

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import MAX_INTEGER, decode, encode
from audit.errors import EntryError

TEXTS = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
KEYS = st.text(st.characters(codec="ascii"), min_size=1)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
VALUES = st.recursive(
    TEXTS | st.booleans() | INTEGERS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)


@given(st.dictionaries(KEYS, VALUES))
def test_the_bytes_are_those_of_rfc_8785_and_read_back_the_same(value) -> None:
    data = encode(value)
    assert data == rfc8785.dumps(value)
    assert decode(data) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": 1.5}, "audit.value"),
        ({"a": None}, "audit.value"),
        ({"a": 2**53}, "audit.value"),
        ({"a": [{"b": b"x"}]}, "audit.value"),
        ({"a": unicodedata.normalize("NFD", "가")}, "audit.not-nfc"),
        ({"a": "\ud800"}, "audit.not-utf8"),
        ({"가": 1}, "audit.key"),
        ({"": 1}, "audit.key"),
        ({1: 1}, "audit.key"),
    ],
    ids=repr,
)
def test_what_has_no_single_byte_form_is_refused(value, code) -> None:
    with pytest.raises(EntryError) as caught:
        encode(value)
    assert caught.value.code == code


def test_a_refusal_names_the_place_in_both_languages() -> None:
    with pytest.raises(EntryError) as caught:
        encode({"a": [{"b": 1.5}]})
    error = caught.value
    assert "$.a[0].b" in error.ko
    assert "$.a[0].b" in error.en
    assert str(error) == f"{error.ko} {error.remedy_ko}"
    assert error.remedy_en


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audit.not-json"),
        (b"\xff", "audit.not-json"),
        (b"[1]", "audit.not-json"),
        (b'"a"', "audit.not-json"),
        (b'{"a":1.0}', "audit.not-json"),
        (b'{"a":NaN}', "audit.not-json"),
        (b'{"a":' + b"[" * 30_000, "audit.not-json"),
        (b'{"a":' + b"9" * 5_000 + b"}", "audit.not-json"),
        (b'{"a":1} ', "audit.not-canonical"),
        (b'{"a": 1}', "audit.not-canonical"),
        (b'{"b":1,"a":1}', "audit.not-canonical"),
        (b'{"a":1,"a":1}', "audit.not-canonical"),
        (b'{"a":-0}', "audit.not-canonical"),
        (b'{"a":"\\u0041"}', "audit.not-canonical"),
        (b'{"a":null}', "audit.value"),
    ],
    ids=lambda data: repr(data)[:24],
)
def test_bytes_that_we_would_not_have_written_are_refused(data, code) -> None:
    with pytest.raises(EntryError) as caught:
        decode(data)
    assert caught.value.code == code
