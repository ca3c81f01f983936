"""In which forms entries leave, and why they may: both closed lists."""

from __future__ import annotations

from enum import StrEnum


class ExportForm(StrEnum):
    """A form of file. UTF-8 text with a line an entry, oldest last, as lists show them; or a bundle with proofs."""

    CSV = "csv"
    JSONL = "jsonl"
    OCSF = "ocsf"
    BUNDLE = "bundle"


class ExportReason(StrEnum):
    """Why entries were taken out: the safety-measure notice (§8) wants the reason of every download checked."""

    REVIEW = "log.periodic-review"
    INSPECTION = "log.inspection"
    INCIDENT = "log.incident"
    SUBJECT = "log.subject-request"
    MONITORING = "log.monitoring"


REASONS: dict[ExportReason, tuple[str, str]] = {
    ExportReason.REVIEW: ("정기 점검", "periodic review"),
    ExportReason.INSPECTION: ("감사·검사 대응", "inspection or audit"),
    ExportReason.INCIDENT: ("침해·유출 조사", "investigation of an incident"),
    ExportReason.SUBJECT: ("정보주체 요구", "request of a data subject"),
    ExportReason.MONITORING: ("관제 연계", "feed for monitoring"),
}
FORMS: dict[ExportForm, tuple[str, str]] = {
    ExportForm.CSV: ("CSV (엑셀)", "CSV (spreadsheet)"),
    ExportForm.JSONL: ("JSONL (기록 그대로)", "JSONL (entries as recorded)"),
    ExportForm.OCSF: ("OCSF 1.5.0 (관제 시스템)", "OCSF 1.5.0 (monitoring systems)"),
    ExportForm.BUNDLE: ("증거 묶음 (증명과 검증기, ZIP)", "evidence bundle (proofs and verifier, ZIP)"),
}
MEDIA = {
    ExportForm.CSV: "text/csv; charset=utf-8",
    ExportForm.JSONL: "application/jsonl; charset=utf-8",
    ExportForm.OCSF: "application/jsonl; charset=utf-8",
    ExportForm.BUNDLE: "application/zip",
}
SUFFIX = {
    ExportForm.CSV: "csv",
    ExportForm.JSONL: "jsonl",
    ExportForm.OCSF: "ocsf.jsonl",
    ExportForm.BUNDLE: "bundle.zip",
}
