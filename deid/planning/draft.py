"""The plan as a recipe file: YAML that `deid.recipe.load` reads, with every column's reason beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from deid.planning.role import LABELS, Proposal, Role, TablePlan, Words
from deid.planning.safeguards import TEXT_SAMPLE, VALUES, asks_for_sample, privacy_reasons, sample_reason

RECIPE_HEAD = """\
# 이 계획은 ansim deid plan이 자료를 보고 제안한 것입니다. 사람이 읽고 고친 뒤에 씁니다.
# Proposed by `ansim deid plan` from the data; to be read and mended by people before it is used.
"""
LEFT_OUT = ("환자를 가리키는 열이 없어 뺐습니다.", "Left out: no column of it names a person.")


@dataclass(frozen=True)
class Head:
    """What the file cannot tell: data set, title, provider, legal basis; and the gates to plan for."""

    dataset: str
    title: Words
    provider: str
    legal_basis: str
    k: int
    max_suppressed_share: float


@dataclass(frozen=True)
class LinkPlan:
    """Every patient of `origin` should be in `target`; `orphans` says what the data showed."""

    origin: str
    target: str
    orphans: str


def recipe_text(
    head: Head, tables: Sequence[TablePlan], links: Sequence[LinkPlan] = (), left_out: Sequence[str] = ()
) -> str:
    """Write the recipe; what it says is decided, only its spelling is made here. Tables `left_out` are named."""
    lines = [
        RECIPE_HEAD + "recipe: 1",
        f"dataset: {head.dataset}",
        "version: 1",
        f"title: {_flow(_two(head.title))}",
        f"provider: {head.provider}",
        f"legal_basis: {_flow(head.legal_basis)}",
        "suppress: row",
        "",
        "gates:",
        f"  k: {head.k}",
        f"  max_suppressed_share: {head.max_suppressed_share}",
        "  no_direct_identifier_left: {sample: 1000, min_score: 0.6}",
        *_sampled(tables),
        "",
    ]
    if links:
        lines += ["links:", *(f"  - {_flow(_link(each))}" for each in links), ""]
    for name in left_out:
        lines += _comment((f"{name}: {LEFT_OUT[0]}", f"{name}: {LEFT_OUT[1]}"), 0)
    lines.append("tables:")
    for table in tables:
        lines += _table(table, head.k)
    return "\n".join(lines) + "\n"


def _sampled(tables: Sequence[TablePlan]) -> list[str]:
    if not asks_for_sample(tables):
        return []
    return [*_comment(sample_reason(), 2), f"  text_sample: {_flow(TEXT_SAMPLE)}"]


def _privacy(table: TablePlan, k: int) -> list[str]:
    lines = [line for words in privacy_reasons(table, k) for line in _comment(words, 4)]
    asked = [{"column": name, "kind": "distinct", "l": VALUES} for name in table.diverse]
    return [*lines, f"    privacy: {_flow({'k': k, **({'l': asked} if asked else {})})}"]


def _comment(words: Words, indent: int) -> list[str]:
    return [f"{' ' * indent}# {each}" for each in words]


def _table(table: TablePlan, k: int) -> list[str]:
    quasi = [each.name for each in table.columns if each.is_quasi]
    return [
        f"  {table.name}:",
        *(f"    {name}: {_flow(value)}" for name, value in table.origin.fields().items()),
        f"    label: {_flow(_two(table.label))}",
        f"    subject: {_flow(table.subject)}",
        *([f"    unique: [{_flow(table.subject)}]"] if table.unique and not table.sampled else []),
        *([f"    nulls: {_flow(list(table.nulls))}"] if table.nulls else []),
        *([f"    quasi_identifiers: {_flow(quasi)}", *_privacy(table, k)] if quasi else []),
        "    columns:",
        *(f"      {_flow(each.source)}: {_flow(_column(each, table.subject))}" for each in table.columns),
    ]


def _column(each: Proposal, subject: str) -> Mapping[str, Any]:
    dropped = each.fields["treatment"] == "drop"
    named = {} if dropped or each.name == each.source else {"as": each.name}
    direct = {"direct": True} if each.role is Role.DIRECT or each.source == subject else {}
    ko, en = LABELS[each.role]
    reason = {"ko": f"{ko}. {each.reason[0]}", "en": f"{en}. {each.reason[1]}"}
    return {**each.fields, **named, **direct, "label": _two(each.label), "reason": reason}


def _link(each: LinkPlan) -> Mapping[str, str]:
    return {"from": each.origin, "to": each.target, "orphans": each.orphans}


def _two(words: Words) -> Mapping[str, str]:
    return {"ko": words[0], "en": words[1]}


def _flow(value: Any) -> str:
    """Spell one value on one line; text that YAML would read as something else is quoted."""
    width = 1 << 20
    spelled = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=width)
    return spelled.removesuffix("\n").removesuffix("\n...")
