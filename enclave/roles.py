"""Roles, what each is entitled to, and which two nobody may hold at once (korea.md R12, R91; SATRE roles).

A forbidden pair follows from rights that must not meet in one person, so a new role only has to name its right.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations


class Role(StrEnum):
    """What a person may be to the enclave; project membership is not a role but a fact of the project."""

    SCIENTIST = "scientist"
    PROJECT_LEAD = "project_lead"
    OUTPUT_CHECKER = "output_checker"
    DATA_STEWARD = "data_steward"
    ASSET_OWNER = "asset_owner"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


class Right(StrEnum):
    """The one right that makes a role what it is."""

    USE_DATA = "data.use"
    CHECK_OUTPUT = "output.check"
    GOVERN_DATA = "data.govern"
    HOLD_MAPPING = "mapping.hold"
    RUN_PLATFORM = "platform.run"
    REVIEW_LOG = "log.review"
    READ_ONLY = "log.read"


RIGHT_OF = {
    Role.SCIENTIST: Right.USE_DATA,
    Role.PROJECT_LEAD: Right.USE_DATA,
    Role.OUTPUT_CHECKER: Right.CHECK_OUTPUT,
    Role.DATA_STEWARD: Right.GOVERN_DATA,
    Role.ASSET_OWNER: Right.HOLD_MAPPING,
    Role.OPERATOR: Right.RUN_PLATFORM,
    Role.REVIEWER: Right.REVIEW_LOG,
    Role.AUDITOR: Right.READ_ONLY,
}

LABELS = {
    Role.SCIENTIST: ("연구자", "Scientist"),
    Role.PROJECT_LEAD: ("과제 책임자", "Project lead"),
    Role.OUTPUT_CHECKER: ("반출 심사자", "Output checker"),
    Role.DATA_STEWARD: ("데이터 관리자", "Data steward"),
    Role.ASSET_OWNER: ("제공기관 담당", "Asset owner"),
    Role.OPERATOR: ("운영자", "Operator"),
    Role.REVIEWER: ("접속기록 점검자", "Access log reviewer"),
    Role.AUDITOR: ("감사자", "Auditor"),
}

# Rights that may meet in one person: the same right twice, and a hospital's steward checking others' outputs.
COMPATIBLE = frozenset({frozenset({Right.GOVERN_DATA, Right.CHECK_OUTPUT})})

FORBIDDEN_PAIRS: frozenset[frozenset[Role]] = frozenset(
    frozenset({one, other})
    for one, other in combinations(Role, 2)
    if RIGHT_OF[one] != RIGHT_OF[other] and frozenset({RIGHT_OF[one], RIGHT_OF[other]}) not in COMPATIBLE
)
