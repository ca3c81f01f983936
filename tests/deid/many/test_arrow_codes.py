"""Chunks of one text column, each with a dictionary of its own, become one column of numbers."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from deid.many.arrow_codes import joined_chunks, series_of

WORDS = st.sampled_from(["", "a", "가", "모름", "b"])
CHUNK = st.lists(st.none() | WORDS, min_size=1, max_size=8, unique=True).flatmap(
    lambda words: st.tuples(st.just(words), st.lists(st.none() | st.integers(0, len(words) - 1), max_size=9))
)


@given(st.lists(CHUNK, min_size=1, max_size=4))
def test_numbers_of_chunks_are_those_of_their_texts(chunks: list[tuple[list[str | None], list[int | None]]]) -> None:
    arrays = [
        pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(words, pa.string()))
        for words, places in chunks
    ]
    texts = [None if place is None else words[place] for words, places in chunks for place in places]
    found = joined_chunks(arrays)
    assert found.values.gather(found.codes).to_list() == texts
    assert found.values.n_unique() == found.values.len()
    left = joined_chunks(arrays, ["", "모름"]).of_rows()
    expected = [None if text in {"", "모름"} else text for text in texts]
    assert left.values.gather(left.codes).to_list() == expected
    assert set(left.values) == set(expected)


def test_an_array_is_handed_over_whole() -> None:
    assert series_of(pa.array(["a", None, "가"])).equals(pl.Series(["a", None, "가"]))
