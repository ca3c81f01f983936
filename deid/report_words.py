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
# From which sampling fraction on: how near the estimate of people alone in the population was on known populations
# (`risk/population.py`).
TRUST: tuple[tuple[float, Words], ...] = (
    (1.0, ("모집단 전체이므로 추정이 아닙니다.", "The sample is the population: nothing is estimated.")),
    (0.5, ("알려진 모집단에서 실제의 0.8~1.3배였습니다.", "On known populations it was 0.8 to 1.3 times the truth.")),
    (
        0.2,
        (
            "알려진 모집단에서 대개 실제의 0.7~1.4배였고, 집단 크기가 고르면 다섯 배까지 높게 나왔습니다.",
            "On known populations mostly 0.7 to 1.4 times the truth, and up to five times where classes are even.",
        ),
    ),
    (
        0.0,
        (
            "표본이 작아 어림입니다. 알려진 모집단에서 실제의 절반에서 두 배, 집단 크기가 고르면 훨씬 높게 나왔습니다.",
            "A small sample, rough: half to twice the truth on known populations, and far above on even classes.",
        ),
    ),
)
# What the board writes by hand beside the signatures; the adequacy review needs three people or more (R89).
SIGNED_FACTS: tuple[Words, ...] = (
    ("심의위원회(DRB) 심의 번호", "Board (DRB) decision number"),
    ("심의일", "Date of the decision"),
    ("결정: 적정 / 조건부 적정 / 부적정", "Decision: adequate / with conditions / inadequate"),
    ("조건 또는 사유", "Conditions or reasons"),
    ("이용 기간", "Period of use"),
)
# What is copied here of the sample review, from the enclave's record.
SAMPLE_FACTS: tuple[Words, ...] = (
    ("검토한 사람(계정)과 글 수", "Who reviewed (accounts), and how many texts"),
    ("끝낸 날", "Closed on"),
    ("가린 식별정보 / 놓친 식별정보", "Identifiers masked / missed"),
    ("재현율 추정과 신뢰구간", "Recall: estimate and confidence interval"),
    ("판정: 통과 / 되돌림", "Verdict: passed / sent back"),
)
SIGNERS: tuple[Words, ...] = (
    ("심의위원장", "Chair of the board"),
    ("적정성 검토위원 1", "Reviewer of adequacy 1"),
    ("적정성 검토위원 2", "Reviewer of adequacy 2"),
    ("적정성 검토위원 3 (외부)", "Reviewer of adequacy 3 (external)"),
    ("가명처리 담당자", "Person who de-identified"),
    ("개인정보 보호책임자", "Privacy officer"),
)


def trust_in(fraction: float) -> Words:
    """Say how far the estimate from a sample of this fraction can be believed."""
    return next(words for least, words in TRUST if fraction >= least)
