"""One table of a run under its `privacy` section: what the engine asks for, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from deid.gates import Verdict
from deid.prepare import Prepared, gathered
from deid.privacy.asked import Privacy
from deid.privacy.coded import Places, codes, observed, with_population
from deid.privacy.gate import judge_models, judge_risk, judge_written, written_classes
from deid.privacy.measured import cost_of
from deid.privacy.population_file import read_population, sha256_of
from deid.privacy.suppressed import rare_of
from deid.privacy.watch import Watch, found, grouping_of, models_of
from deid.recipe import Gates, TableRule
from deid.risk.measures import risk_of
from deid.risk.models import Grouping
from deid.suppress import Classes, Decision
from deid.transform.columns import INDEX, class_key

if TYPE_CHECKING:
    from deid.risk.population import Uniqueness


@dataclass
class TablePrivacy:
    """A table's section, its classes as the models see them, and what the search of levels found."""

    asked: Privacy
    watch: Watch
    population: pl.DataFrame | None
    searched: Mapping[str, Any] | None
    written: Grouping | None = None
    measured: Mapping[str, tuple[float, bool]] = field(default_factory=dict)

    def judge_before(self, rule: TableRule, gates: Gates, rows: int) -> None:
        """Fail where a model would cost more rows than may go. Raises `GateFailed`."""
        judge_models(rule, self.watch, gates, rows=rows)

    def judge_written(self, table: Prepared, files: pl.LazyFrame) -> list[Verdict]:
        """Measure the files that were written (`files` scans them). Raises `GateFailed`."""
        rule, people = table.rule, self.population
        if people is not None and table.recoding is not None:
            people = table.recoding.ended(people.lazy()).collect()
        places = written_classes(rule, files, tuple(self.watch.places.observed), people)
        models, written = models_of(self.asked, self.watch.k, places), grouping_of(places)
        self.written, self.measured = written, found(models, written)
        verdicts = judge_written(rule, models, written)
        # Without a population table the journalist knows who is in the table, as the prosecutor does.
        risk = risk_of(written.sizes, written.population().astype(np.int64))
        return verdicts + judge_risk(rule, self.asked.risk, risk, self._unique(written))

    def figures(self, table: Prepared, decision: Decision, k: int) -> Mapping[str, Any]:
        """Give what `risk.json` says of the section, as plain values; after `judge_written`."""
        if self.written is None:
            raise RuntimeError("figures come after the files")
        models, whole = self.watch.whole()
        before, after = found(models, whole), self.measured
        told = [
            {"model": model.words(), "asked": model.gate[2], "before": before[model.words()][0]}
            | {"found": after[model.words()][0], "ok": after[model.words()][1]}
            for model in models
        ]
        unique = self._unique(self.written)
        stays = self.watch.places.keys.head(self.watch.places.held).filter(pl.Series(decision.allowed))
        return {
            "models": told,
            "search": self.searched,
            "population": self._population_words(),
            "uniqueness": None if unique is None else asdict(unique),
            **cost_of(table, stays, k, self.asked.task),
        }

    def _unique(self, written: Grouping) -> Uniqueness | None:
        fraction = self.asked.sampling_fraction
        if fraction is None:
            return None
        from deid.risk.population import uniqueness  # noqa: PLC0415 - SciPy takes a second to load, and few runs ask

        return uniqueness(written.sizes, fraction)

    def _population_words(self) -> Mapping[str, Any] | None:
        asked = self.asked.population
        if asked is None or self.watch.places.people is None:
            return None
        people = float(self.watch.places.people.sum())
        return {"file": asked.path.name, "sha256": sha256_of(asked.path), "people": people}


def begin(table: Prepared, classes: Classes, gates: Gates, searched: Mapping[str, Any] | None) -> TablePrivacy | None:
    """Take a table under its section, None without one. Raises `SourceError` for a bad population table."""
    asked = table.rule.privacy
    if asked is None:
        return None
    entries = table.rule.quasi_identifiers
    names = [entry.key for entry in entries]
    seen = {}
    for column in dict.fromkeys([*(one.column for one in asked.diverse), *(one.column for one in asked.close)]):

        def values(part: Prepared, column: str = column) -> pl.LazyFrame:
            frame = part.classified([column]).with_columns(class_key(entry) for entry in entries)
            return frame.select(INDEX, *names, column).unique()

        seen[column] = observed(gathered(table, values), classes.keys, column)
    held = classes.keys.height
    patient, place, rows = (codes(pl.Series(each)) for each in (classes.patient, classes.group, classes.rows))
    places = Places(classes.keys, held, patient, place, rows, seen)
    population = None
    if asked.population is not None:
        population = read_population(asked.population, table.rule)
        if table.recoding is not None:
            population = table.recoding.applied(population.lazy()).collect()
        places = with_population(places, population)
    return TablePrivacy(asked, Watch(places, asked, gates.k, rare_of(table.rule)), population, searched)
