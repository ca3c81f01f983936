"""OMOP Common Data Model v5.4 (OHDSI): which columns of which tables identify (requirement R105).

Column names follow the model's own rules (`…_id`, `…_concept_id`, `…_source_value`, `…_date`), so most is told by them;
the rest is listed. Names are compared without regard to case: exports differ in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from deid.schemas.kinds import Kind

TABLES = frozenset([
    "person", "observation_period", "visit_occurrence", "visit_detail", "condition_occurrence", "drug_exposure",
    "procedure_occurrence", "device_exposure", "measurement", "observation", "death", "note", "note_nlp",
    "specimen", "fact_relationship", "location", "care_site", "provider", "payer_plan_period", "cost", "drug_era",
    "dose_era", "condition_era", "episode", "episode_event", "cohort", "cdm_source", "metadata",
])  # fmt: skip
# Tables that a reviewer must see whatever the recipe does with them: free text, staff, places, deaths.
REVIEWED = frozenset({"note", "note_nlp", "provider", "location", "care_site", "death"})
# The hospital's own number of a person, wherever it stands (R105).
REVIEWED_COLUMNS = frozenset({"person_source_value"})
COLUMNS = {
    "person_id": Kind.PERSON,
    "subject_id": Kind.PERSON,  # of cohorts
    "person_source_value": Kind.DIRECT,
    "provider_source_value": Kind.DIRECT,
    "care_site_source_value": Kind.DIRECT,
    "location_source_value": Kind.DIRECT,
    "provider_name": Kind.DIRECT,
    "npi": Kind.DIRECT,
    "dea": Kind.DIRECT,
    "care_site_name": Kind.DIRECT,
    "address_1": Kind.DIRECT,
    "address_2": Kind.DIRECT,
    "latitude": Kind.DIRECT,
    "longitude": Kind.DIRECT,
    "unique_device_id": Kind.DIRECT,
    "production_id": Kind.DIRECT,
    "lot_number": Kind.SOURCE,
    "city": Kind.PLACE,
    "county": Kind.PLACE,
    "state": Kind.PLACE,
    "zip": Kind.PLACE,
    "year_of_birth": Kind.BIRTH,
    "month_of_birth": Kind.BIRTH,
    "day_of_birth": Kind.BIRTH,
    "birth_datetime": Kind.BIRTH,
    "note_text": Kind.TEXT,
    "note_title": Kind.TEXT,
    "snippet": Kind.TEXT,
    "lexical_variant": Kind.TEXT,
    "term_modifiers": Kind.TEXT,
    "value_as_string": Kind.TEXT,
    "sig": Kind.TEXT,
    "stop_reason": Kind.TEXT,
    "cohort_definition_id": None,
}
RULES: tuple[tuple[re.Pattern[str], Kind | None], ...] = (
    (re.compile(r"_concept_id(_[12])?$|_type_id$"), None),
    (re.compile(r"_source_value$"), Kind.SOURCE),
    (re.compile(r"_(date|datetime|time)$"), Kind.DATE),
    (re.compile(r"_id(_[12])?$"), Kind.KEY),
)


def kind_of(column: str) -> Kind | None:
    """Say what a column of the model identifies by, None if by nothing."""
    name = column.lower()
    if name in COLUMNS:
        return COLUMNS[name]
    return next((kind for pattern, kind in RULES if pattern.search(name)), None)


def table_of(name: str, columns: Iterable[str]) -> str:
    """Name the table of the model that a file or table is, by its name and a person or its own key; "" for none."""
    model = name.rpartition("/")[2].partition(".")[0].lower()
    keys = {"person_id", "subject_id", f"{model}_id"}
    return model if model in TABLES and keys & {column.lower() for column in columns} else ""


def to_review(model: str, columns: Iterable[str]) -> list[str]:
    """List what a reviewer must see whatever is done with it: the table itself, columns in `REVIEWED_COLUMNS`."""
    seen = sorted({column for column in columns if column.lower() in REVIEWED_COLUMNS})
    return [model, *seen] if model in REVIEWED else seen


def domain_of(column: str) -> str:
    """Name the domain of a key's pseudonyms: the table it points to, so that joins still hold."""
    return re.sub(r"^(preceding|parent)_|_id$", "", column.lower())
