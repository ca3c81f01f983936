"""What report and portal call the figures a run learned and its doubts about texts, and who signs. Korean, English."""

from __future__ import annotations

from collections.abc import Mapping

from deid.texts import DOUBTS as DOUBT_NAMES

Words = tuple[str, str]

# What `Finish.figures` tells of a learned column.
LEARNED: Mapping[str, Words] = {
    "values_kept": ("남은 값(가지)", "values kept"),
    "values_suppressed": ("지운 드문 값(가지)", "rare values suppressed"),
    "patients": ("해당 환자(명)", "patients"),
    "limit": ("배운 한계값", "limit learned"),
    "patients_beyond": ("한계를 넘는 환자(명)", "patients beyond it"),
    "groups": ("묶은 집단(개)", "groups"),
}
DOUBTS: Mapping[str, Words] = dict(
    zip(
        DOUBT_NAMES,
        (
            ("간신히 가린 것", "replaced, but barely"),
            ("한 가지 읽기에서만 보인 것", "seen in one reading only"),
            ("약한 규칙 하나만 본 것", "seen by one weak rule only"),
            ("의심스러우나 두어 둔 것", "doubtful and left as it is"),
        ),
        strict=True,
    )
)
# What the board writes by hand beside the signatures; the adequacy review needs three people or more (R89).
SIGNED_FACTS: tuple[Words, ...] = (
    ("심의위원회(DRB) 심의 번호", "Board (DRB) decision number"),
    ("심의일", "Date of the decision"),
    ("결정: 적정 / 조건부 적정 / 부적정", "Decision: adequate / with conditions / inadequate"),
    ("조건 또는 사유", "Conditions or reasons"),
    ("이용 기간", "Period of use"),
)
SIGNERS: tuple[Words, ...] = (
    ("심의위원장", "Chair of the board"),
    ("적정성 검토위원 1", "Reviewer of adequacy 1"),
    ("적정성 검토위원 2", "Reviewer of adequacy 2"),
    ("적정성 검토위원 3 (외부)", "Reviewer of adequacy 3 (external)"),
    ("가명처리 담당자", "Person who de-identified"),
    ("개인정보 보호책임자", "Privacy officer"),
)
