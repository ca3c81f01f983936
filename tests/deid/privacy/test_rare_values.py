"""Diversity and closeness of columns whose rare values are suppressed, or lose values with the rows that go."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pandas as pd
import pytest

from tests.deid.factory import HEAD, Hospital, gates
from tests.deid.privacy.test_section import JOBS, table

TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    quasi_identifiers: [job]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      job: {treatment: generalise, hierarchy: job.csv, level: %s}
      event: {treatment: keep%s}
    privacy: {%s}
"""
RARE = ", rare: {min_patients: %d, other: 기타}"


def run(
    clinic: Hospital, people: Sequence[tuple[str, str]], treated: tuple[object, str, str], k: int = 3
) -> pd.DataFrame:
    """Publish one row of each person: job and event; `treated`: level of jobs, more of the event, privacy section."""
    (clinic.root / "job.csv").write_text("".join(f"{job};{kind};*\n" for job, kind in JOBS.items()))
    (clinic.root / "event.csv").write_text("C50;C;*\nC51;C;*\nI10;I;*\nI11;I;*\nE11;E;*\n")
    lines = [f"N{number},{job},{event}\n" for number, (job, event) in enumerate(people)]
    clinic.write("visits.csv", "no,job,event\n" + "".join(lines))
    return table(clinic.run(HEAD + gates(k=3, share=0.6) + TABLE % treated), "visits").to_pandas()


def test_a_class_in_which_everybody_has_something_rare_is_not_diverse(clinic: Hospital) -> None:
    many = [("nurse", "I10"), ("nurse", "E11"), ("doctor", "I10"), ("doctor", "E11")] * 10
    rare = [("cook", "C50"), ("cook", "C51")] * 2
    frame = run(clinic, many + rare, (0, RARE % 5, "l: {column: event, l: 2}"))
    assert set(frame["job"]) == {"nurse", "doctor"}
    assert set(frame["event"]) == {"I10", "E11"}


def test_what_becomes_rare_by_the_rows_that_go_is_judged_as_rare(clinic: Hospital) -> None:
    # C50 is common by the bakers only, who all have it and go. Then the cooks' two values are both rare, and go; what
    # is left of C50 is one patient's, so that the next rarest is suppressed with it.
    people = (
        [("nurse", "I10"), ("nurse", "E11")] * 10
        + [("baker", "C50")] * 6
        + [("cook", "C50"), ("cook", "I11"), ("cook", "I11")]
        + [("doctor", "C50"), ("doctor", "E11"), ("doctor", "E11")]
    )
    frame = run(clinic, people, (0, RARE % 5, "l: {column: event, l: 2}"))
    assert set(frame["job"]) == {"nurse", "doctor"}
    assert set(frame["event"]) == {"E11", "기타"}
    assert frame.groupby("job")["event"].nunique().min() == 2


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("level", [0, "auto"])
def test_what_is_published_is_diverse_whatever_is_rare(clinic: Hospital, seed: int, level: object) -> None:
    rng = random.Random(seed)
    events = ["C50", "C51", "I10", "I11", "E11"]
    people = [(rng.choice(list(JOBS)), rng.choices(events, [1, 1, 8, 2, 20])[0]) for _ in range(80)]
    people += [("cook", "C50")] * seed
    frame = run(clinic, people, (level, RARE % 6, "l: {column: event, l: 3}, search: {suppression: 0.6}"))
    assert frame.groupby("job")["event"].nunique().min() >= 3
    assert frame.groupby("event")["patient"].nunique().min() >= 6
    assert frame.groupby("job")["patient"].nunique().min() >= 3


@pytest.mark.parametrize("ground", ["hierarchy, hierarchy: event.csv", "ordered"])
def test_closeness_is_the_same_before_and_after_where_values_go_with_their_rows(clinic: Hospital, ground: str) -> None:
    # C50 stands with the bakers only, who are too few: the values that are left are numbered anew.
    people = [("baker", "C50")] * 2
    people += [(job, event) for job in ("nurse", "doctor") for event in ("C51", "I10", "I11", "E11") for _ in range(6)]
    people += [("cook", event) for event in ("C51", "I10", "E11", "E11", "E11")]
    frame = run(clinic, people, (0, "", f"t: {{column: event, t: 0.2, ground: {ground}}}"))
    assert {"nurse", "doctor"} <= set(frame["job"])
    assert "baker" not in set(frame["job"])
