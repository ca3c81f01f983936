"""One recomputation, from open files to findings and evidence. Pure but for reading; runs in the sealed process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from enclave.airlock.checks.findings import block, cell_place, warn
from enclave.airlock.document import Table
from enclave.airlock.ledger.cells import Cell
from enclave.airlock.recipes.form import ModelRecipe, Recipe, TableRecipe
from enclave.airlock.recompute import regress
from enclave.airlock.recompute.contributors import is_small, judge
from enclave.airlock.recompute.frame import Frame, Stored, read_frame
from enclave.airlock.recompute.layout import Grouped, Layout, Spot, fixed, layout, rounded, spellings
from enclave.airlock.recompute.match import HIDDEN, Wanted, cell, match
from enclave.airlock.recompute.populations import Hidden, cells_of
from enclave.airlock.report import MAX_EVIDENCE_ROWS, Evidence, Finding, Severity, Status
from enclave.airlock.rules import CheckRules

KIND = "recompute"
TITLES = ("스냅샷에서 다시 계산한 결과", "Recomputed on the snapshot")
HEAD = ("place", "row", "column", "printed", "recomputed", "people", "largest share", "status")
MODEL_HEAD = ("term", "coef", "std err", "statistic", "p", "low", "high")
MOST_LEVERAGE = 0.5
LABEL = 100
LOOSE = 1e-7  # an estimate is found by steps, and not always by the very same ones


@dataclass(frozen=True)
class Recomputed:
    """What a recomputation found. ``cells``: who stands behind each number that the recipe shows."""

    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def matches(self) -> bool:
        """Whether every number of the file was found again, and nothing else stands in it."""
        return bool(self.evidence) and all(one.status is Status.MATCH for one in self.evidence)


def recompute(printed: Table, recipe: Recipe, tables: Mapping[str, Stored], rules: CheckRules) -> Recomputed:
    """Make the output again and compare it, cell by cell. Raises `RecipeRefused` where the recipe does not fit."""
    frame = read_frame(tables, recipe.table, recipe.join, recipe.used)
    grouped, hidden = None, frozenset[Hidden]()
    if isinstance(recipe, TableRecipe):
        grouped = Grouped(frame, recipe)
        made = layout(grouped)
        findings, rows = _table(printed, grouped, made, rules)
        hidden = _hidden(printed, made)
    else:
        findings, rows = _model(printed, recipe, frame, rules)
    findings += _nobody(frame)
    wrong = any(one.severity is Severity.BLOCK for one in findings)
    status = Status.MISMATCH if wrong else Status.MATCH
    evidence = Evidence(kind=KIND, title_ko=TITLES[0], title_en=TITLES[1], status=status, rows=tuple(rows))
    return Recomputed(tuple(findings), (evidence,), tuple(cells_of(frame, recipe, grouped, hidden)))


def _hidden(printed: Table, made: Layout) -> frozenset[Hidden]:
    """Return the cells of which the file shows no number of a column, also those hidden for a total's sake."""
    places = {spot: (spot.row, spot.across, spot.measure.column) for spot in made.spots}
    shown = {at for spot, at in places.items() if cell(printed, spot.row, spot.column) != HIDDEN}
    return frozenset(places.values()) - shown


def _table(
    printed: Table, grouped: Grouped, made: Layout, rules: CheckRules
) -> tuple[list[Finding], list[tuple[str, ...]]]:
    recipe = grouped.recipe
    spelled = {(spot.row, spot.column): spot.texts(recipe.rounding) | {HIDDEN} for spot in made.spots}
    below = recipe.suppressed.below if recipe.suppressed else None
    findings = [*match(printed, Wanted(made.head, made.sides, spelled)), *judge(printed, made, below, rules)]
    return findings, [HEAD, *_evidence(printed, made, recipe, rules, findings)]


def _evidence(
    printed: Table, made: Layout, recipe: TableRecipe, rules: CheckRules, findings: Iterable[Finding]
) -> list[tuple[str, ...]]:
    """Return one line for each cell; those with a finding first if not all can be shown."""
    wrong = {one.place: one.rule for one in findings}
    rows = [_row(spot, printed, made, recipe, rules) for spot in made.spots]
    kept = sorted(rows, key=lambda row: row[0] not in wrong and row[-1] == Status.MATCH)[: MAX_EVIDENCE_ROWS - 1]
    return [(*row[:-1], wrong.get(row[0], row[-1])) for row in kept]


def _row(spot: Spot, printed: Table, made: Layout, recipe: TableRecipe, rules: CheckRules) -> tuple[str, ...]:
    # Not even a checker is shown a number of fewer people than the rule allows.
    small = spot.people < rules.min_cell
    hidden = is_small(spot, rules.min_cell) or spot.value != spot.value
    side, said = " / ".join(one for one in made.sides[spot.row] if one), cell(printed, spot.row, spot.column)
    value = "" if hidden else _shown(spot, recipe)
    return (
        _place(spot, made),
        side[:LABEL],
        made.head[spot.column][:LABEL],
        (said or "")[:LABEL],
        value,
        f"<{rules.min_cell}" if small and spot.people else str(spot.people),
        "" if small or not spot.top else f"{spot.top:.1%}",
        _status(said, spot.texts(recipe.rounding) | {HIDDEN}),
    )


def _status(said: str | None, spelled: frozenset[str]) -> str:
    return (Status.MATCH if said in spelled else Status.MISMATCH).value


def _shown(spot: Spot, recipe: TableRecipe) -> str:
    if spot.measure.is_count:
        return str(rounded(int(spot.value), recipe.rounding.counts))
    return fixed(spot.value, recipe.rounding.decimals)


def _place(spot: Spot, made: Layout) -> str:
    return cell_place(spot.row, spot.column, made.head[spot.column])


def _model(
    printed: Table, recipe: ModelRecipe, frame: Frame, rules: CheckRules
) -> tuple[list[Finding], list[tuple[str, ...]]]:
    made = regress.design(frame, recipe)
    found = regress.fit(made, recipe.model)
    wanted = model_table(made, found, recipe)
    findings = [*match(printed, wanted), *_risks(made, found, recipe, rules)]
    return findings, [HEAD, *_model_evidence(printed, wanted, made, findings)]


def model_table(made: regress.Design, found: regress.Fit, recipe: ModelRecipe) -> Wanted:
    """Return what the file of a model must be: one line per term, then the model's own numbers."""
    decimals, width = recipe.rounding.decimals, len(MODEL_HEAD)
    cells: dict[tuple[int, int], frozenset[str]] = {}
    for row, numbers in enumerate(found.terms):
        for column, value in enumerate(numbers):
            cells[row, column + 1] = spellings(value, LOOSE * abs(value), decimals)
    counts = {"n": len(made.response), "persons": regress.people_of(made), "residual df": found.freedom}
    own = {
        name: frozenset({str(rounded(n, recipe.rounding.counts) if name != "residual df" else n)})
        for name, n in counts.items()
    }
    own |= {name: spellings(value, LOOSE * abs(value), decimals) for name, value in found.whole.items()}
    for row, spelled in enumerate(own.values(), start=len(found.terms)):
        cells |= {(row, column): frozenset({""}) for column in range(2, width)} | {(row, 1): spelled}
    return Wanted(MODEL_HEAD, tuple((name,) for name in (*made.names, *own)), cells)


def _model_evidence(
    printed: Table, wanted: Wanted, made: regress.Design, findings: Iterable[Finding]
) -> list[tuple[str, ...]]:
    wrong = {one.place: one.rule for one in findings}
    people = str(regress.people_of(made))
    rows: list[tuple[str, ...]] = []
    for (row, column), spelled in wanted.cells.items():
        place = cell_place(row, column, wanted.head[column])
        said, true = cell(printed, row, column), min(spelled)
        if true or said:
            name, head = wanted.sides[row][0][:LABEL], wanted.head[column]
            status = wrong.get(place, _status(said, spelled))
            rows.append((place, name, head, (said or "")[:LABEL], true, people, "", status))
    return sorted(rows, key=lambda row: row[-1] == Status.MATCH)[: MAX_EVIDENCE_ROWS - 1]


def _risks(made: regress.Design, found: regress.Fit, recipe: ModelRecipe, rules: CheckRules) -> list[Finding]:
    risks = []
    if found.freedom < rules.min_freedom:
        risks.append(
            block(
                "recompute.freedom",
                f"잔차 자유도가 {rules.min_freedom} 미만이어서 모형이 자료 자체에 가깝습니다. 항을 줄이세요.",
                f"Fewer than {rules.min_freedom} residual degrees of freedom: nearly the data itself. Use fewer terms.",
            )
        )
    fewest = regress.fewest_by_response(made) if recipe.model in regress.BINARY else regress.people_of(made)
    thin = [cell_place(at, 0, "term") for at in regress.thin_terms(made, rules.min_cell)]
    places = [*([""] if min(fewest, regress.people_of(made)) < rules.min_cell else []), *thin]
    risks += [
        block(
            "recompute.small",
            f"이 추정값은 {rules.min_cell}명 미만의 사람을 드러냅니다. 범주를 합치거나 항을 빼세요.",
            f"This estimate tells about fewer than {rules.min_cell} people. Merge categories or drop the term.",
            place=place,
        )
        for place in places
    ]
    if found.leverage > MOST_LEVERAGE:
        risks.append(
            warn(
                "recompute.influence",
                "한 사람이 모형의 추정에 지나치게 큰 영향을 줍니다. 극단값을 확인하세요.",
                "One person has a very large influence on the estimate. Look for extreme values.",
            )
        )
    return risks


def _nobody(frame: Frame) -> list[Finding]:
    if frame.people is not None:
        without = int((frame.people < 0).sum())
        return (
            []
            if not without
            else [
                warn(
                    "recompute.no-persons",
                    f"이 표의 행 {without:,}개에는 가명번호가 없어 사람 수에 넣지 못했습니다. 뺄 수 있는지 확인하세요.",
                    f"{without:,} rows of this table have no pseudonym and count for nobody. Can they be left out?",
                )
            ]
        )
    return [
        warn(
            "recompute.no-persons",
            "이 표에는 사람 가명번호가 없어 행 수로 셌습니다. 한 사람의 행이 여럿인지 확인하세요.",
            "This table has no pseudonyms, so rows were counted instead of people. May one person have several rows?",
        )
    ]
