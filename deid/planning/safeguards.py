"""What a plan asks beyond treatments: diversity of sensitive columns, and people who look at a sample of free texts.

Each with its reason, which stands in the recipe as a comment and on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deid.planning.role import Proposal, Role, TablePlan, Words

VALUES = 2
TEXT_SAMPLE = {"size": 200, "min_recall": 0.98, "confidence": 0.95}


def asks_for_sample(tables: Sequence[TablePlan]) -> bool:
    """Whether free text is published: then people look at a sample before the snapshot is offered."""
    return any(each.fields["treatment"] == "free_text" for table in tables for each in table.columns)


def with_diversity(table: TablePlan) -> TablePlan:
    """Ask for two values of each sensitive column in every class; rare values that are joined count as one."""
    if not any(each.is_quasi for each in table.columns):
        return table
    return replace(table, diverse=tuple(each.name for each in table.columns if _sensitive(each)))


def without_diversity(table: TablePlan) -> TablePlan:
    """Give it up: it would cost more rows than may go."""
    return replace(table, diverse=(), given_up=table.diverse)


def _sensitive(each: Proposal) -> bool:
    return each.role is Role.SENSITIVE and each.fields["treatment"] not in {"drop", "free_text"}


def sample_reason() -> Words:
    """Why the gate `text_sample` is proposed."""
    return (
        "자유 글을 공개합니다. 사람이 표본을 보고 놓친 식별자가 없을 때만 제공합니다(수행에 --private 폴더가 필요).",
        "Free text is published: offered only when people found nothing missed in a sample (a run needs --private).",
    )


def privacy_reasons(table: TablePlan, k: int) -> list[Words]:
    """Why the `privacy` section of a table is proposed, line by line."""
    said = [
        (
            f"준식별자 조합마다 환자 {k}명 이상(k). 정보 손실과 질의 오차도 잽니다.",
            f"At least {k} patients in each combination (k); information loss and query error are measured.",
        )
    ]
    if table.diverse:
        names = ", ".join(table.diverse)
        said.append((
            f"{names}: 한 조합의 모두가 같은 값이면 누구인지 몰라도 드러납니다. 값이 {VALUES}가지 이상 있게 합니다(l).",
            f"{names}: where all of a class share a value it is known without knowing who; at least {VALUES} (l).",
        ))  # fmt: skip
        joined = ", ".join(each.name for each in table.columns if each.name in table.diverse and "rare" in each.fields)
        if joined:
            said.append((
                f"{joined}: 하나로 합친 드문 값은 한 가지로 칩니다. 모두가 드문 병인 조합도 드러난 것입니다.",
                f"{joined}: rare values that are joined count as one: a class in which all are rare is disclosed too.",
            ))  # fmt: skip
    if table.given_up:
        names = ", ".join(table.given_up)
        said.append((
            f"{names}의 l-다양성은 한도보다 많은 행을 잃게 하여 넣지 않았습니다. 더 넓게 묶고 다시 검토하세요.",
            f"{names}: l-diversity would cost more rows than may go and is left out; coarsen, and look at it again.",
        ))  # fmt: skip
    return said
