"""A request for differentially private aggregates, as a YAML file that people review: what is counted, at what price.

Everything a mechanism depends on is declared, never taken from the data: bounds of sums, categories and edges of
histograms, how many rows of one patient may count. `docs/reference/aggregates.md` describes every field.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from deid.recipe_yaml import Node, content, read

Kind = Literal["count", "sum", "mean", "histogram"]
KINDS: tuple[Kind, ...] = ("count", "sum", "mean", "histogram")
Of = Literal["patients", "rows"]
LARGEST = 1e12
# Whole multiples of `step` are summed; beyond this they would not be exact in the mechanism's integers.
MOST_STEPS = 1 << 40


@dataclass(frozen=True)
class Query:
    """One published figure or histogram.

    `of` is what a count or histogram counts; `bounds` and `step` are of sums and means; `values` or `edges` (each bin
    from one edge to below the next) of histograms; `where` keeps rows whose columns have one of the values.
    """

    name: str
    kind: Kind
    column: str
    epsilon: float
    of: Of
    bounds: tuple[float, float]
    step: float
    values: tuple[str, ...]
    edges: tuple[float, ...]
    where: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Spec:
    """The whole request; at most `rows_per_patient` rows of a patient count; `sha256` is of the file's bytes."""

    dataset: str
    table: str
    patient: str
    rows_per_patient: int
    queries: tuple[Query, ...]
    sha256: str
    file: str

    @property
    def epsilon(self) -> float:
        """What the request costs: the sum over its queries (sequential composition)."""
        return sum(query.epsilon for query in self.queries)


def load(path: Path) -> Spec:
    """Read a request. Raises `RecipeError` naming file, line and column."""
    data = content(path)
    top = read(path, data).fields(("aggregates", "dataset", "table", "patient", "queries"), ("rows_per_patient",))
    top["aggregates"].integer(1, 1)
    queries = tuple(_query(node) for node in top["queries"].items())
    if not queries:
        top["queries"].fail("empty", "질의가 하나도 없습니다.", "there is no query.")
    names = [query.name for query in queries]
    if len(set(names)) < len(names):
        top["queries"].fail("twice", "이름이 겹칩니다.", "two queries have one name.")
    return Spec(
        dataset=top["dataset"].text(),
        table=top["table"].text(),
        patient=top["patient"].text(),
        rows_per_patient=top["rows_per_patient"].integer(1, 10**6) if "rows_per_patient" in top else 1,
        queries=queries,
        sha256=hashlib.sha256(data).hexdigest(),
        file=path.name,
    )


def _query(node: Node) -> Query:
    fields = node.fields(("name", "epsilon"), (*KINDS, "of", "bounds", "step", "values", "edges", "where"))
    chosen = [kind for kind in KINDS if kind in fields]
    if len(chosen) != 1:
        node.fail("kind", "count, sum, mean, histogram 중 하나가 필요합니다.", "one of count, sum, mean, histogram.")
    kind = chosen[0]
    measured = kind in {"sum", "mean"}
    _only(node, fields, "bounds", wanted=measured)
    for name, fits in (("step", measured), *((name, kind == "histogram") for name in ("of", "values", "edges"))):
        if name in fields and not fits:
            fields[name].fail("unknown", f"{kind}에는 {name}이 없습니다.", f"{kind} has no {name}.")
    if kind == "histogram" and ("values" in fields) == ("edges" in fields):
        node.fail("values", "values와 edges 중 하나가 필요합니다.", "either values or edges is needed.")
    of = cast("Of", fields["count"].one_of(("patients", "rows"))) if kind == "count" else _of(fields)
    bounds = _bounds(fields["bounds"]) if measured else (0.0, 0.0)
    step = fields["step"].number(1e-9, LARGEST) if "step" in fields else 1.0
    if measured and not (step <= bounds[1] - bounds[0] and max(map(abs, bounds)) <= step * MOST_STEPS):
        node.fail("step", "step이 범위에 맞지 않습니다.", "step does not fit these bounds.")
    return Query(
        name=fields["name"].text(),
        kind=kind,
        column="" if kind == "count" else fields[kind].text(),
        epsilon=fields["epsilon"].number(1e-6, 100),
        of=of,
        bounds=bounds,
        step=step,
        values=tuple(value.text() for value in fields["values"].items()) if "values" in fields else (),
        edges=_edges(fields["edges"]) if "edges" in fields else (),
        where=_where(fields.get("where")),
    )


def _only(node: Node, fields: dict[str, Node], name: str, *, wanted: bool) -> None:
    if (name in fields) != wanted:
        node.fail(
            name, f"{name}은 sum과 mean에, 그리고 반드시 씁니다.", f"{name} goes with sum and mean, and always does."
        )


def _of(fields: dict[str, Node]) -> Of:
    if "of" not in fields:
        return "patients"
    return cast("Of", fields["of"].one_of(("patients", "rows")))


def _bounds(node: Node) -> tuple[float, float]:
    pair = [item.number(-LARGEST, LARGEST) for item in node.items()]
    if len(pair) != 2 or pair[0] >= pair[1]:  # noqa: PLR2004 - a lower and an upper bound
        node.fail("bounds", "[아래, 위] 두 수가 필요합니다.", "two numbers [lower, upper] are needed.")
    return pair[0], pair[1]


def _edges(node: Node) -> tuple[float, ...]:
    edges = [item.number(-LARGEST, LARGEST) for item in node.items()]
    if len(edges) < 2 or any(low >= high for low, high in itertools.pairwise(edges)):  # noqa: PLR2004 - a bin
        node.fail("edges", "커지는 수 둘 이상이 필요합니다.", "two or more rising numbers are needed.")
    return tuple(edges)


def _where(node: Node | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = node.pairs() if node else {}
    return tuple((column, tuple(item.text() for item in value.items())) for column, (_, value) in pairs.items())
