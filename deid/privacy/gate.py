"""The gates of a `privacy` section: before anything is written, and on what was written.

A model that the output does not meet, or that could be met only by removing more rows than the gates allow, ends the
run: nothing is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from deid.errors import GateFailed
from deid.gates import Verdict
from deid.privacy.asked import RiskLimits
from deid.privacy.coded import Places, places_of
from deid.privacy.watch import Watch, holds
from deid.recipe import Gates, TableRule
from deid.risk.measures import Risk
from deid.risk.models import Grouping, Model
from deid.suppress import ROWS
from deid.transform.columns import INDEX, class_key

if TYPE_CHECKING:
    from deid.risk.population import Uniqueness

REMEDIES: Mapping[str, tuple[str, str]] = {
    "k": (
        "준식별자를 더 넓게 묶거나 privacy.search로 단계를 찾게 하세요.",
        "Coarsen the quasi-identifiers, or let privacy.search choose the levels.",
    ),
    "l": (
        "준식별자를 더 넓게 묶거나, 민감 열의 드문 값을 합치거나, l을 낮출 근거를 검토하세요.",
        "Coarsen the quasi-identifiers, join rare values of the sensitive column, or review whether l may be lower.",
    ),
    "t": (
        "준식별자를 더 넓게 묶거나, 민감 열의 값을 합치거나, t를 높일 근거를 검토하세요.",
        "Coarsen the quasi-identifiers, join values of the sensitive column, or review whether t may be higher.",
    ),
    "k_map": (
        "준식별자를 더 넓게 묶고 인구 표가 이 환자들을 포함하는지 확인하세요.",
        "Coarsen the quasi-identifiers, and check that the population table covers these patients.",
    ),
    "delta_presence": (
        "준식별자를 더 넓게 묶고 인구 표와 비율을 확인하세요.",
        "Coarsen the quasi-identifiers, and check the population table and the share.",
    ),
    "risk": (
        "준식별자를 더 넓게 묶거나 k를 높이세요.",
        "Coarsen the quasi-identifiers or raise k.",
    ),
}


def judge_models(rule: TableRule, watch: Watch, gates: Gates, *, rows: int) -> None:
    """Fail if a model could hold only without more rows than may go. Raises `GateFailed`."""
    models, whole = watch.whole()
    for model in models:
        failing = watch.failing(model, whole)
        if failing > gates.max_suppressed_share * rows:
            gate, column, _ = model.gate
            share, most = failing / rows, gates.max_suppressed_share
            worst = model.found(whole)
            raise GateFailed(
                gate,
                (rule.name, column),
                failing,
                (
                    f"{model.words()}을(를) 지키지 못하는 행이 {share:.1%}로 한도 {most:.1%}를 넘습니다({worst:g}).",
                    f"{share:.1%} of the rows are without {model.words()}; {most:.1%} may go (worst class {worst:g}).",
                ),
                remedy=REMEDIES[gate],
            )


def written_classes(
    rule: TableRule, files: pl.LazyFrame, sensitive: Sequence[str], people: pl.DataFrame | None
) -> Places:
    """Count the classes again in the files themselves (`files` scans them): every place is one."""
    keys = [class_key(entry).alias(entry.key) for entry in rule.quasi_identifiers]
    names = [entry.key for entry in rule.quasi_identifiers]
    patient = pl.col(rule.column(rule.subject).name).alias(INDEX)
    others = [pl.col(name).alias(f" {name}") for name in sensitive]
    grouped = files.select(patient, *keys, *others).group_by(pl.all()).agg(pl.len().alias(ROWS))
    frame = grouped.collect(engine="streaming").with_columns(pl.col(INDEX).rank("dense") - 1)
    return places_of(frame, names, {name: f" {name}" for name in sensitive}, people)


def judge_written(rule: TableRule, models: Sequence[Model], written: Grouping) -> list[Verdict]:
    """Judge every model on what was written; k alone is judged by `judge_written_k`. Raises `GateFailed`."""
    verdicts = []
    for model in models:
        gate, column, limit = model.gate
        value = model.found(written) if (written.sizes > 0).any() else 0.0
        if not holds(model, written):
            message = (
                f"쓰인 파일이 {model.words()}을(를) 지키지 않습니다(찾은 값 {value:g}, 기준 {limit:g}).",
                f"the files written do not have {model.words()} (found {value:g}, asked {limit:g}).",
            )
            rows = int(written.sizes[~model.holds(written)].sum())
            raise GateFailed(gate, (rule.name, column), rows, message, remedy=REMEDIES[gate])
        value = round(value, 6) if np.isfinite(value) else limit
        if gate != "k":
            verdicts.append(Verdict(gate, rule.name, value, limit, model.words(), model.words()))
    return verdicts


def judge_risk(rule: TableRule, asked: RiskLimits, risk: Risk, unique: Uniqueness | None) -> list[Verdict]:
    """Judge the risk of the whole table. Raises `GateFailed`."""
    found = {
        "prosecutor": risk.prosecutor_max,
        "journalist": risk.journalist_max,
        "marketer": risk.marketer,
        "unique": risk.unique_share,
        "population_unique": 0.0 if unique is None else round(unique.population, 6),
    }
    verdicts = []
    for name, value in found.items():
        limit = getattr(asked, name)
        if limit is None:
            continue
        if value > limit:
            message = (
                f"재식별 위험({name})이 {value:.2%}로 기준 {limit:.2%}를 넘습니다.",
                f"the {name} risk is {value:.2%}, above the limit {limit:.2%}.",
            )
            raise GateFailed(f"risk_{name}", (rule.name, ""), risk.records, message, remedy=REMEDIES["risk"])
        verdicts.append(Verdict(f"risk_{name}", rule.name, value, limit, f"{value:.2%}", f"{value:.2%}"))
    return verdicts
