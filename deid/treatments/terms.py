"""What the Korean guideline calls each treatment (개인정보보호위원회 가명정보 처리 가이드라인, 기술의 종류)."""

from __future__ import annotations

TERMS = {
    "drop": ("항목 삭제", "removal of the column"),
    "keep": ("원본 유지", "kept"),
    "pseudonym": ("일방향 암호화", "one-way encryption"),
    "surrogate": ("형태보존 암호화(양방향)", "format-preserving encryption"),
    "date_shift": ("날짜 이동", "date shift"),
    "generalise": ("일반화(범주화)", "generalisation"),
    "top_code": ("상단 코딩", "top coding"),
    "bottom_code": ("하단 코딩", "bottom coding"),
    "round": ("일반 라운딩", "rounding"),
    "noise": ("잡음 추가", "noise"),
    "micro_aggregate": ("부분총계(미세집계)", "micro-aggregation"),
    "by_recipe": ("폴더 계획에 따름", "by the folder's recipe"),
    "free_text": ("문자열 마스킹", "masking in text"),
}
RARE = ("로컬 삭제", "local suppression")


def terms(told: str) -> tuple[str, str]:
    """Return the guideline's Korean and English terms for what a manifest tells of a column (`Treatment.told`)."""
    ko, en = TERMS.get(told.partition("(")[0], ("", ""))
    return (f"{ko} · {RARE[0]}", f"{en} · {RARE[1]}") if "rare under" in told else (ko, en)
