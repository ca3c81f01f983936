"""Single values: dates moved, descriptors in known words, codes by form and check digit, bits that are not used."""

from __future__ import annotations

import numpy as np
import pytest

from deid.imaging import codes, times
from deid.imaging.picture import Picture, native
from deid.imaging.vocabulary import cleaned, is_term


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("20210228", 1, "20210301"),
        ("2021.02.28", -59, "20201231"),
        ("20210230", 1, ""),
        ("Kim Sora", 1, ""),
        ("20210228 ", 365, "20220228"),
    ],
)
def test_days(text: str, days: int, moved: str) -> None:
    assert times.move_day(text, days) == moved


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20210228235959.123456+0900", "20210301235959.123456+0900"),
        ("202102", "202102"),
        ("2021", "2021"),
        ("2021Kim", ""),
        ("20211301", ""),
    ],
)
def test_moments_of_any_precision(text: str, moved: str) -> None:
    assert times.move_moment(text, 1) == moved


@pytest.mark.parametrize(
    ("text", "kept"), [("101112.5", "101112.5"), ("10:11:12", "10:11:12"), ("Kim", ""), ("1", ""), ("880101.1234", "")]
)
def test_times_of_day(text: str, kept: str) -> None:
    assert times.time_of_day(text) == kept


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CHEST PA", "CHEST PA"),
        ("Chest AP/LAT KIM CHULSU", "Chest AP LAT"),
        ("흉부 정면 홍길동", "흉부 정면"),
        ("brain MRN 12345678", "brain"),
        ("24 01 02 CT", "CT"),
        ("010-1234-5678", ""),
        ("T2W_TSE AX 5mm", "T2W_TSE AX 5mm"),
    ],
)
def test_descriptors(text: str, left: str) -> None:
    assert cleaned(text) == left


def test_a_free_text_passes_whole_or_not_at_all() -> None:
    assert cleaned("CHEST CT without contrast", whole=True) == "CHEST CT without contrast"
    assert cleaned("no pneumonia in Kim Sora", whole=True) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ORIGINAL", True),
        ("HEAD_NECK", True),
        ("T1", True),
        ("SCALE TO FIT", True),
        ("RIGID_SCALE", True),
        ("DCMR", True),
        ("PTV", True),
        ("NOT SEEN", True),
        ("ZWZZNS714", False),
        ("KIM SORA", False),
    ],
)
def test_terms(value: str, expected: bool) -> None:
    assert is_term(value) is expected


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        ("DCM", "121071", ("121071", "DCM", "Finding")),
        ("SCT", "01012345678", None),
        ("SCT", "80891008", None),
        ("UCUM", "mm", ("mm", "UCUM", "mm")),
        ("UCUM", "KIMSORA", None),
        ("LN", "80333-7", None),
        ("LN", "11528-7", ("11528-7", "LN", "Radiology Report")),
        ("DCM", "880101", None),
        ("DCM", "123456", None),
        ("DCM", "CT", ("CT", "DCM", "Computed Tomography")),
        ("UMLS", "C0051482", ("C0051482", "UMLS", "Alphaxalone")),
        ("UMLS", "C2025117", None),
        ("NCIt", "C9440", ("C9440", "NCIt", "Abnormality")),
        ("NCIt", "C20251", None),
        ("FMA", "276650", ("276650", "FMA", "Arcuate Fasciculus")),
        ("FMA", "202511", None),
        ("RADLEX", "RID49480", ("RID49480", "RADLEX", "ACR Category 1 Actionable Finding")),
        ("RADLEX", "RID202511", None),
        ("MDC", "2:1", ("2:1", "MDC", "Lead I")),
        ("MDC", "131:202511", None),
        ("ITIS_TSN", "202511", None),
        ("SRT", "T-62000", ("T-62000", "SRT", "Liver structure (body structure)")),
        ("SNM3", "T-A0100", ("T-A0100", "SNM3", "Brain structure (body structure)")),
        ("SRT", "K-202511", None),
        ("SCT", "20251132", None),
        ("SCT", "20251150", None),
        ("SCT", "404684003", ("404684003", "SCT", "Finding")),
        ("I10", "I63.9", ("I63.9", "I10", "I63.9")),
        ("I10", "K20.2511", None),
        ("BI", "II.AC.b.2", ("II.AC.b.2", "BI", "II.AC.b.2")),
        ("BI", "202511", None),
        ("CD8", "KIM", None),
        ("SCPECG", "5.6.3-9-61", ("5.6.3-9-61", "SCPECG", "5.6.3-9-61")),
        ("SCPECG", "5.10.2.1-3", ("5.10.2.1-3", "SCPECG", "5.10.2.1-3")),
        ("SCPECG", "12.31.99-202-511", None),
        ("99HOUSE", "A1", None),
        ("", "A1", None),
    ],
)
def test_codes(scheme: str, value: str, expected: tuple[str, str, str] | None) -> None:
    assert codes.settled(scheme, value, "Kim Sora") == expected


def picture(*, stored: int, signed: bool = False, padding: int | None = None) -> Picture:
    return Picture(
        2, 2, 1, 1, 16, stored, stored - 1, signed, planar=False, photometric="MONOCHROME2", padding=padding, order="<"
    )


@pytest.mark.parametrize(
    ("values", "how", "left"),
    [
        ([1, 2, 3, 4095], picture(stored=12), None),
        ([1, 0x8002, 3, 4], picture(stored=12), [1, 2, 3, 4]),
        ([1, 63536, 3, 63536], picture(stored=12, padding=63536), None),
        ([1, 0xFFFF, 0xF800, 4], picture(stored=12, signed=True), None),
        ([1, 0x7FFF, 0xF800, 4], picture(stored=12, signed=True), [1, 0xFFFF, 0xF800, 4]),
    ],
    ids=["nothing", "an overlay", "padding", "the sign", "an overlay in the sign"],
)
def test_bits_that_are_not_used_hold_nothing(values: list[int], how: Picture, left: list[int] | None) -> None:
    data = np.array(values, "<u2").tobytes()
    cut, cleared = native(data + b"Kim Sora", how)
    assert cleared is (left is not None)
    assert np.frombuffer(cut, "<u2").tolist() == (left or values)
