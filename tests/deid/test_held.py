"""A table that is held as numbers gives the rows that a frame of its texts gives."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deid.held import Held
from deid.many.codes import numbered

ROWS = st.lists(st.tuples(st.none() | st.text("가a", max_size=2), st.none() | st.integers(-3, 3)), max_size=20)


@given(ROWS, st.data())
def test_rows_are_chosen_and_spelled_out_as_a_frame_chooses_them(
    rows: list[tuple[object, ...]], data: st.DataObject
) -> None:
    frame = pl.DataFrame(rows, schema={"text": pl.String, "number": pl.Int64}, orient="row")
    held = Held({"text": numbered(frame["text"]), "number": frame["number"]}, frame.height)
    places = data.draw(st.lists(st.integers(0, frame.height - 1), max_size=30) if rows else st.just([]))
    at = pl.Series(places, dtype=pl.UInt32)
    assert held.frame().equals(frame)
    assert held.frame(["number", "text"], at).equals(frame[at].select("number", "text"))
    begun = data.draw(st.integers(0, frame.height))
    count = data.draw(st.integers(0, frame.height - begun))
    stretch = held.stretch(begun, count)
    assert (stretch.height, stretch.frame().rows()) == (count, frame.slice(begun, count).rows())
    assert Held.of(frame).numbered("text").values.gather(Held.of(frame).numbered("text").codes).equals(frame["text"])


def test_values_that_no_row_has_are_left_out() -> None:
    found = numbered(pl.Series(["a", "b", None, "c", "a"]))
    some = Held({"text": found}, 5).at(pl.Series([0, 3, 2], dtype=pl.UInt32)).numbered("text")
    assert set(some.values) == {"a", "b", "c", None}
    left = some.of_rows()
    assert set(left.values) == {"a", "c", None}
    assert left.values.gather(left.codes).to_list() == ["a", "c", None]
