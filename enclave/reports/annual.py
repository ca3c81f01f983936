"""The yearly operations report (연간 운영 보고, R122): what happened, month by month, and how it was watched. Pure.

What a managing body reports about a zone: users, data, exports, rejections, incidents, reviews (korea.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from enclave.reports.basis import Basis
from enclave.reports.document import Column, Document, Section, Table
from enclave.reports.monthly import source

MONTHS = (
    Column(("항목", "what"), 36),
    *(Column((f"{month}월", ""), 13, number=True) for month in range(1, 13)),
    Column(("합계", "sum"), 15, number=True),
)
REVIEWS = (
    Column(("차수", "no."), 1, number=True),
    Column(("기간", "period"), 5),
    Column(("이상징후", "findings"), 2, number=True),
    Column(("수용", "accepted"), 2, number=True),
    Column(("조치", "escalated"), 2, number=True),
    Column(("승인", "signed"), 4),
    Column(("지연(일)", "days late"), 2, number=True),
)
DATASETS = (Column(("데이터셋", "data set"), 3), Column(("이용한 과제", "projects"), 1, number=True))
BASIS = (
    "업무와 사람은 쪽 아래의 확인점까지의 서명된 접속기록에서 셌고, 데이터셋과 점검은 과제와 점검의 기록에서 셌습니다.",
    (
        "Acts and people were counted in the signed log up to the checkpoint below; data sets and reviews from the "
        "records of projects and reviews."
    ),
)
BOXES = (("작성", "made by"), ("검토", "checked by"), ("승인", "approved by"))


def document(facts: Mapping[str, Any], basis: Basis) -> Document:
    """Return the report of `enclave.queries.annual_report.annual`, printed under a checkpoint."""
    rows = tuple(
        (f"{ko} ({en})", *(f"{count:,}" for count in counts), f"{sum(counts):,}")
        for ko, en, *counts in facts["measures"]
    )
    return Document(
        title=(f"{facts['year']}년 데이터안심구역 운영 보고", f"Operations of {facts['year']}"),
        about=(
            (("기간", "period"), f"{facts['year']}-01-01 ~ {facts['until']} (KST)"),
            (("이용한 사람", "people"), f"{facts['people']:,}명"),
            *basis.about,
        ),
        sections=(
            Section(("1. 월별 운영", "Month by month"), table=Table(MONTHS, rows)),
            _listed(("2. 데이터셋별 이용", "Use of data sets"), DATASETS, facts["datasets"]),
            _listed(("3. 접속기록 점검", "Reviews of the log"), REVIEWS, [_review(each) for each in facts["reviews"]]),
            basis.section(4, BASIS),
        ),
        source=sha256(source(facts)).hexdigest(),
        sheet=basis.sheet,
        boxes=BOXES,
    )


def _listed(title: tuple[str, str], columns: tuple[Column, ...], lines: list[list[Any]]) -> Section:
    if not lines:
        return Section(title, text=(("없습니다.", "None."),))
    return Section(title, table=Table(columns, tuple(tuple(map(_said, line)) for line in lines)))


def _review(line: list[Any]) -> list[Any]:
    number, start, end, found, accepted, escalated, signed, late = line
    return [number, f"{start}\n~ {end}", found, accepted, escalated, signed or "아직", late]


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
