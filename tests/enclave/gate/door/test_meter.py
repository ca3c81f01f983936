"""The meter: sums of hours and Korean days, against limits that may change, kept through restarts and crashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from enclave.clock import KST
from enclave.gate.door.book import AHEAD, Book
from enclave.gate.door.measure import of_content, of_document, of_text
from enclave.gate.door.meter import SPARE_BYTES, Amount, Meter, Spent
from enclave.workspace.plan import Display

AT = datetime(2026, 11, 28, 14, 59, 30, tzinfo=UTC)  # half a minute before midnight in Korea
LIMITS = Display(message_bytes=400, hour_bytes=1000, day_bytes=1500, hour_rows=10, day_rows=15, hour_pictures=2)


def test_an_hour_and_a_day_end_with_the_korean_clock() -> None:
    meter = Meter(LIMITS)
    meter.add(Amount(900), AT)
    assert meter.spent(Amount(200), AT) == Spent("bytes", "hour", 1000)
    assert meter.spent(Amount(200), AT + timedelta(seconds=29)) == Spent("bytes", "hour", 1000)
    assert meter.spent(Amount(200), AT + timedelta(seconds=30)) is None


def test_an_hour_alone_does_not_end_the_day() -> None:
    meter, morning = Meter(LIMITS), AT - timedelta(hours=5)
    meter.add(Amount(900), morning)
    meter.add(Amount(500), morning + timedelta(hours=1))
    assert meter.spent(Amount(200), morning + timedelta(hours=2)) == Spent("bytes", "day", 1500)


def test_a_clock_that_goes_back_gives_nothing_back() -> None:
    meter = Meter(LIMITS)
    meter.add(Amount(1000), AT)
    assert meter.spent(Amount(1), AT - timedelta(hours=3)) == Spent("bytes", "hour", 1000)
    assert meter.spent(Amount(1), AT - timedelta(days=3)) == Spent("bytes", "hour", 1000)


@pytest.mark.parametrize(
    ("amount", "spent"),
    [
        (Amount(401), Spent("message", "message", 400)),
        (Amount(1, rows=11), Spent("rows", "hour", 10)),
        (Amount(1, pictures=3), Spent("pictures", "hour", 2)),
        (Amount(400, 10, 2), None),
    ],
)
def test_each_kind_has_its_limit(amount: Amount, spent: Spent | None) -> None:
    assert Meter(LIMITS).spent(amount, AT) == spent


def test_what_shows_no_picture_passes_when_pictures_are_spent() -> None:
    meter = Meter(LIMITS)
    meter.add(Amount(0, pictures=2), AT)
    assert meter.spent(Amount(10), AT) is None


def test_what_a_page_needs_to_live_has_a_limit_of_its_own() -> None:
    meter = Meter(LIMITS)
    assert meter.admit_spare(SPARE_BYTES, AT)
    assert not meter.admit_spare(1, AT)
    assert meter.admit_spare(1, AT + timedelta(hours=1))


def book(path: Path, limits: Display = LIMITS) -> Book:
    return Book(path / "meter.json", limits, lambda: AT)


def test_a_restart_keeps_the_sums_to_the_byte(tmp_path: Path) -> None:
    first = book(tmp_path)
    first.admit(Amount(300, 3, 1))
    first.close()
    assert book(tmp_path).figures()["hour"]["shown"] == {"bytes": 300, "rows": 3, "pictures": 1}


def test_a_crash_never_gives_a_second_allowance(tmp_path: Path) -> None:
    limits = Display()
    first = book(tmp_path, limits)
    for _ in range(20):
        first.admit(Amount(50_000, 7, 1))
    counted = first.figures()["hour"]["shown"]
    kept = book(tmp_path, limits).figures()["hour"]["shown"]
    for kind, ahead in AHEAD.__dict__.items():
        assert counted[kind] <= kept[kind] <= counted[kind] + ahead


class Days(RuleBasedStateMachine):
    """Amounts, hours, restarts, crashes and other limits in any order, against plain sums."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder, self.now, self.limits = Path(tempfile.mkdtemp()), AT, Display(hour_bytes=10_000, day_bytes=30_000)
        self.shown: list[tuple[datetime, int]] = []
        self.open()

    def open(self) -> None:
        self.book = Book(self.folder / "m", self.limits, lambda: self.now)

    @rule(size=st.integers(0, 6000))
    def show(self, size: int) -> None:
        if self.book.admit(Amount(size)) is None:
            self.shown.append((self.now, size))

    @rule(minutes=st.integers(1, 400))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(hour=st.integers(0, 20_000), day=st.integers(0, 60_000))
    def other_limits(self, hour: int, day: int) -> None:
        self.limits = Display(hour_bytes=hour, day_bytes=day)
        self.book.renew(self.limits)

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        if not crash:
            self.book.close()
        self.open()

    @precondition(lambda self: hasattr(self, "book"))
    @invariant()
    def never_more_than_the_largest_limits(self) -> None:
        for form, most in (("%Y%m%d%H", 20_000), ("%Y%m%d", 60_000)):
            here = self.now.astimezone(KST).strftime(form)
            assert sum(size for at, size in self.shown if at.astimezone(KST).strftime(form) == here) <= most

    def teardown(self) -> None:
        import shutil

        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("kind", "content", "rows", "pictures"),
    [
        ("stream", {"text": "a b\n"}, 0, 0),
        ("stream", {"text": "a,b,c\n" * 9}, 9, 0),
        ("stream", {"text": "a\tb\tc\r\n" * 9}, 9, 0),
        ("stream", {"text": "0.1 0.2 0.3\n" * 9}, 9, 0),
        ("display_data", {"data": {"text/html": "<TR><td><tr/>" * 5, "text/plain": "a  b  c\n" * 3}}, 10, 0),
        ("display_data", {"data": {"image/png": "AA", "image/jpeg": "AA"}}, 0, 2),
        ("display_data", {"data": {"image/svg+xml": ["<svg>", "</svg>"]}}, 0, 1),
        ("display_data", {"data": {"application/json": {"rows": [{"a": 1}] * 8}}}, 8, 0),
        ("display_data", {"data": {"text/markdown": "![x](data:image/png;base64,AA) <img src=x>"}}, 0, 2),
        ("execute_result", {"data": {"application/vnd.bokehjs_exec.v0+json": ""}}, 0, 1),
        ("comm_msg", {"data": {"state": {"value": "<table>" + "<tr>" * 7}}}, 7, 0),
        ("execute_reply", {"payload": [{"data": {"text/plain": "a|b|c\n" * 6}}]}, 6, 0),
        ("never_heard_of", ["\\u003ctr>" * 4, {"x": "data:image/png"}], 4, 1),
        ("execute_input", {"code": "a,b,c\n" * 9}, 0, 0),
    ],
)
def test_rows_and_pictures_are_found_wherever_they_hide(kind: str, content: object, rows: int, pictures: int) -> None:
    seen = of_content(kind, content)
    assert (seen.rows, seen.pictures) == (rows, pictures)


def test_a_notebook_read_back_counts_what_is_in_it() -> None:
    stored = of_document(b'{"cells": [{"outputs": ["<tr><td>", "\\u003cTR>", "data:image/png;base64,"]}]}')
    assert (stored.rows, stored.pictures) == (2, 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["<" * 10**6, "<script" * 10**5, " a" * 10**6, "a  " * 10**6, "data:" * 10**5, "\t" * 10**6]
)
def test_no_text_takes_long_to_measure(text: str) -> None:
    of_text(text)
    of_content("display_data", {"data": {"text/html": text}})


def test_depth_is_no_trap() -> None:
    value: object = "a,b,c\n"
    for _ in range(100_000):
        value = [value]
    assert of_content("x", {"a": value}).rows == 1
