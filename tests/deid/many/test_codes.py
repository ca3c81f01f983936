"""Numbers stand for values and give them back."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deid.many.codes import numbered

TEXTS = st.lists(st.none() | st.text("가a \0", max_size=3), max_size=30)


@given(TEXTS)
def test_numbers_give_back_every_value_and_count_it(texts: list[str | None]) -> None:
    found = numbered(pl.Series("text", texts, dtype=pl.String))
    assert found.values.gather(found.codes).to_list() == texts
    assert found.values.n_unique() == found.values.len() == len(set(texts))
    assert dict(zip(found.values, found.counts(), strict=True)) == {text: texts.count(text) for text in set(texts)}
