"""What is kept of every file until a run's end is what its last scan needs, and nothing that each file adds anew."""

from __future__ import annotations

from deid.folder.format import Outcome
from deid.folder.journal import Done, Placed
from deid.folder.one import Result
from deid.folder.tally import Tally

NAMES = ("홍길동", "00123456")


def written(tally: Tally, number: int) -> Outcome:
    outcome = Outcome((f"{number}.dcm",), "p", frozenset(NAMES), frozenset({f"1.2.3.{number}"}))
    done = Done(1, 1, Result(str(number), "dicom", outcome=outcome), (Placed(f"{number}.dcm", 1, new=True),))
    return tally.note(done, outcome).outcome


def test_the_files_of_a_series_share_what_was_taken_out_of_all() -> None:
    tally = Tally()
    assert written(tally, 1).removed is written(tally, 2).removed


def test_values_of_one_file_alone_are_counted_and_not_kept() -> None:
    tally = Tally()
    kept = [written(tally, number) for number in range(3)]
    assert {each.removed_once for each in kept} == {frozenset()}
    assert kept[0].removed == set(NAMES)


def test_samples_of_one_file_hide_nothing_in_the_file_beside_it() -> None:
    record = Outcome(("a.hea", "a.dat"), "p", bulk=(("a.dat", 0, 4000), ("a.dat", 4000, 4096)))
    assert record.bulk_of("a.dat") == ((0, 4000), (4000, 4096))
    assert record.bulk_of("a.hea") == ()
