"""What the columns of the index are called and what was done to them: a snapshot's table like any other.

A project applies for its columns. Whoever is given `file` is given the files themselves: their names alone say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from deid.manifest import Column
from deid.treatments.terms import terms

TABLE, SUBJECT, FILE = "index", "patient", "file"
LABEL = ("영상·신호 파일 목록", "Index of images and signals")
BY_RECIPE = "by_recipe"
KEPT = "keep"
# By name: Polars type, treatment, Korean and English label.
COLUMNS: Mapping[str, tuple[str, str, str, str]] = {
    FILE: ("String", BY_RECIPE, "파일 자체와 그 이름", "the files themselves, and their names"),
    "format": ("String", KEPT, "형식", "format"),
    SUBJECT: ("String", "pseudonym", "환자 가명", "patient's pseudonym"),
    "bytes": ("Int64", KEPT, "바이트", "bytes"),
    "study_uid": ("String", "pseudonym(uid)", "검사 UID", "study UID"),
    "series_uid": ("String", "pseudonym(uid)", "계열 UID", "series UID"),
    "instance_uid": ("String", "pseudonym(uid)", "영상 UID", "instance UID"),
    "sop_class": ("String", KEPT, "객체 종류(SOP class)", "SOP class"),
    "modality": ("String", KEPT, "장비 종류(modality)", "modality"),
    "body_part": ("String", BY_RECIPE, "신체 부위", "body part"),
    "laterality": ("String", KEPT, "좌우", "laterality"),
    "view": ("String", BY_RECIPE, "촬영 방향", "view"),
    "study_date": ("String", BY_RECIPE, "검사일", "study date"),
    "sex": ("String", BY_RECIPE, "성별", "sex"),
    "age": ("String", BY_RECIPE, "나이", "age"),
    "manufacturer": ("String", BY_RECIPE, "제조사", "manufacturer"),
    "rows": ("Int64", KEPT, "세로 화소", "rows of pixels"),
    "columns": ("Int64", KEPT, "가로 화소", "columns of pixels"),
    "frames": ("Int64", KEPT, "장면 수", "frames"),
}


def columns() -> dict[str, Column]:
    """Give the columns as the manifest has them. None is a quasi-identifier: no k is claimed for pictures."""
    return {name: Column(dtype, how, ko, en, quasi_identifier=False) for name, (dtype, how, ko, en) in COLUMNS.items()}


def treatments() -> list[dict[str, str]]:
    """Give what was done to each column, for the report."""
    found = []
    for name, (_, how, ko, en) in COLUMNS.items():
        term_ko, term_en = terms(how)
        words = {"label_ko": ko, "label_en": en, "treatment": how, "term_ko": term_ko, "term_en": term_en}
        found.append({"source": "", "published": name, **words, "reason_ko": "", "reason_en": ""})
    return found
