"""Numbers stand for values and give them back."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deid.many.codes import numbered, numbered_stretches

TEXTS = st.lists(st.none() | st.text("가a \0", max_size=3), max_size=30)


@given(TEXTS)
def test_numbers_give_back_every_value_and_count_it(texts: list[str | None]) -> None:
    found = numbered(pl.Series("text", texts, dtype=pl.String))
    assert found.values.gather(found.codes).to_list() == texts
    assert found.values.n_unique() == found.values.len() == len(set(texts))
    assert dict(zip(found.values, found.counts(), strict=True)) == {text: texts.count(text) for text in set(texts)}


@given(st.lists(st.lists(st.none() | st.text("가a", max_size=2), max_size=5), min_size=1, max_size=4))
def test_stretches_are_numbered_as_the_whole_is_and_no_more_values_than_may_be(parts: list[list[str | None]]) -> None:
    stretches = [pl.Series("text", part, dtype=pl.String) for part in parts]
    whole = pl.concat(stretches)
    found = numbered_stretches(stretches, whole.len())
    assert found is not None
    assert found.values.gather(found.codes).to_list() == whole.to_list()
    count = whole.drop_nulls().n_unique()
    assert found.values.n_unique() == found.values.len() == count + bool(whole.null_count())
    assert numbered_stretches(stretches, count) is not None
    assert count == 0 or numbered_stretches(stretches, count - 1) is None
