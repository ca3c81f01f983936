"""Tables of a known schema (OMOP CDM, FHIR): nothing that identifies passes unchanged unless the recipe says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from deid.readers.fhir_path import PathError
from deid.readers.fhir_path import parse as parse_path
from deid.recipe_source import Origin
from deid.recipe_yaml import Node
from deid.schemas import fhir, omop
from deid.schemas.kinds import MEANINGS, Kind, passes
from deid.treatments.free_text import FreeText
from deid.treatments.treatment import Treatment


class Column(Protocol):
    """What is asked of a column's rule."""

    @property
    def source(self) -> str:
        """Name in the source."""

    @property
    def treatment(self) -> Treatment:
        """What is done."""

    @property
    def node(self) -> Node:
        """Its place in the recipe."""

    @property
    def keep_identifying(self) -> bool:
        """Whether the recipe takes it upon itself, with a reason."""


def kind_of(origin: Origin, column: str) -> Kind | None:
    """Say what a source column identifies by, as far as the table's schema tells. `PathError` for no FHIR path."""
    if origin.omop:
        return omop.kind_of(column)
    if origin.format == "fhir":
        return fhir.kind_of(origin.resource, parse_path(column).generic)
    return None


def check_schema(origin: Origin, subject: tuple[str, Node], columns: Iterable[Column]) -> None:
    """Raise `RecipeError` at a column that would be published so that it still identifies (R104, R105)."""
    for column in columns:
        try:
            kind = kind_of(origin, column.source)
        except PathError:
            column.node.fail(
                "path",
                f"'{column.source}'은(는) 읽을 수 있는 FHIR 경로가 아닙니다.",
                f"'{column.source}' is not a FHIR path that can be read.",
            )
        if kind is not None and passes(kind, column.treatment) and not column.keep_identifying:
            _refuse(column, kind)
    name, node = subject
    if origin.omop and omop.kind_of(name) is not Kind.PERSON:
        node.fail(
            "subject",
            f"OMOP 표 {origin.omop}의 환자 열은 person_id여야 합니다.",
            f"the patient of the OMOP table {origin.omop} must be person_id.",
            remedy=(
                "person_id가 없는 표는 query에서 person_id가 있는 표와 이어서 읽으세요.",
                "Join a table without person_id, in a query, to one that has it.",
            ),
        )


def check_columns(known: Mapping[str, Kind], columns: Iterable[Column]) -> None:
    """Raise `RecipeError` at a column that the provider's profile says identifies and that would pass (R110)."""
    for column in columns:
        kind = known.get(column.source)
        if kind is not None and passes(kind, column.treatment) and not column.keep_identifying:
            _refuse(column, kind)


def _refuse(column: Column, kind: Kind) -> None:
    meaning = MEANINGS[kind]
    column.node.fail(
        "identifying",
        f"'{column.source}'은(는) {meaning.ko}인데 그대로 공개됩니다.",
        f"'{column.source}' is {meaning.en}, and would be published as it is.",
        remedy=(
            f"{meaning.remedy_ko} 쓰거나, 괜찮은 까닭을 reason에 적고 keep_identifying: true를 쓰세요.",
            f"Use {meaning.remedy_en}; or give the reason and write keep_identifying: true.",
        ),
    )


def must_scan(origin: Origin, columns: Iterable[Column]) -> Column | None:
    """Find a published free text of a known schema: such a recipe must look for identifiers in what it wrote (R105)."""
    if not origin.omop and origin.format != "fhir":
        return None
    return next((column for column in columns if isinstance(column.treatment, FreeText)), None)


def lineage(origin: Origin, columns: Iterable[Column]) -> dict[str, object]:
    """Say in a manifest how a table was read, of which schema it is, and what its reviewers must look at."""
    said: dict[str, object] = dict(origin.lineage())
    if origin.omop:
        said["schema"] = f"OMOP CDM v5.4 {origin.omop}"
    if origin.format == "fhir":
        said["schema"] = f"FHIR R4 {origin.resource}"
    rules = list(columns)
    names = [column.source for column in rules]
    # A table of the model is one whether the recipe says so or not.
    name = origin.table.rpartition(".")[2] or origin.file
    review = omop.to_review(origin.omop or omop.table_of(name, names), names)
    review += [origin.resource] if origin.resource in fhir.REVIEWED else []
    review += sorted(column.source for column in rules if column.keep_identifying)
    return {**said, "review": list(dict.fromkeys(review))} if review else said
