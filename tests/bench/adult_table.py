"""Adult (30,162 rows, 8 quasi-identifiers, 6,480 combinations of levels) and what ARX found on it.

The hierarchies are those of ARX's examples as they were until 2015: they put England under "Europa" and the rest of
Europe under "Europe". ARX's figures were measured with that, so it stays; with England put right every limit above 0
has a better optimum, and no figure can be compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from deid.risk.counting import people_of
from deid.risk.ladder import Ladder, ladder_of
from deid.risk.models import Records

FILE = Path(__file__).parent / "adult/rows.parquet"
SENSITIVE = "salary_class"
AGES = range(1, 101)
# Share of rows that may go: what ARX 3.0.0 found for k = 5: share of rows removed, loss (normalised certainty penalty).
ARX = {0.0: (0.0, 0.6608), 0.02: (0.0176, 0.3425), 0.10: (0.0897, 0.2296), 1.0: (0.1026, 0.2284)}

GROUPS: dict[str, dict[str, str]] = {
    "marital_status": {
        "spouse present": "Married-AF-spouse Married-civ-spouse",
        "spouse not present": "Divorced Married-spouse-absent Never-married Separated Widowed",
    },
    "education": {
        "Graduate": "Doctorate Masters",
        "Undergraduate": "Bachelors Some-college",
        "Professional Education": "Assoc-acdm Assoc-voc Prof-school",
        "High School": "10th 11th 12th 7th-8th 9th HS-grad",
        "Primary School": "1st-4th 5th-6th Preschool",
    },
    "native_country": {
        "Africa": "South",
        "Asia": "Cambodia China Hong India Iran Japan Laos Philippines Taiwan Thailand Vietnam",
        "Europa": "England",
        "Europe": "France Germany Greece Holand-Netherlands Hungary Ireland Italy Poland Portugal Scotland Yugoslavia",
        "North America": "Canada Cuba Dominican-Republic El-Salvador Guatemala Haiti Honduras Jamaica Mexico "
        "Outlying-US(Guam-USVI-etc) Puerto-Rico United-States",
        "South America": "Columbia Ecuador Nicaragua Peru Trinadad&Tobago",
    },
    "workclass": {
        "Non-Government": "Private Self-emp-inc Self-emp-not-inc",
        "Government": "Federal-gov Local-gov State-gov",
        "Unemployed": "Never-worked Without-pay",
    },
    "occupation": {
        "Technical": "Craft-repair Machine-op-inspct Prof-specialty Tech-support",
        "Nontechnical": "Exec-managerial Handlers-cleaners Sales",
        "Other": "Adm-clerical Armed-Forces Farming-fishing Other-service Priv-house-serv Protective-serv "
        "Transport-moving",
    },
}
EDUCATION = {
    "Graduate": "Higher education",
    "Undergraduate": "Higher education",
    "Professional Education": "Higher education",
    "High School": "Secondary education",
    "Primary School": "Primary education",
}
FLAT = {"sex": "Female Male", "race": "Amer-Indian-Eskimo Asian-Pac-Islander Black Other White"}
QUASI = ("sex", "age", "race", "marital_status", "education", "native_country", "workclass", "occupation")


def rows() -> pl.DataFrame:
    """Return the table: `QUASI` as text, ages as numbers, and `SENSITIVE`."""
    return pl.read_parquet(FILE)


def ladder_rows(column: str) -> list[list[str]]:
    """Return each value of a column's domain with its labels, level by level."""
    if column == "age":
        return [[str(age), *(_band(age, width) for width in (5, 10, 20)), "*"] for age in AGES]
    if column in FLAT:
        return [[value, "*"] for value in FLAT[column].split()]
    found = [(value, group) for group, values in GROUPS[column].items() for value in values.split()]
    wider = {group: [EDUCATION[group]] if column == "education" else [] for _, group in found}
    return [[value, group, *wider[group], "*"] for value, group in found]


def ladders() -> list[Ladder]:
    """Return the ladders of `QUASI`."""
    return [ladder_of(column, list(zip(*ladder_rows(column), strict=True))) for column in QUASI]


def records(frame: pl.DataFrame) -> Records:
    """Reduce rows to distinct tuples, numbered as the ladders number them; every row is a person."""
    codes = []
    for column in QUASI:
        numbers = {row[0]: number for number, row in enumerate(ladder_rows(column))}
        codes.append([numbers[value] for value in frame[column].cast(pl.String)])
    tuples, place, counts = np.unique(np.array(codes).T, axis=0, return_inverse=True, return_counts=True)
    people = people_of(np.arange(frame.height), place.reshape(-1), len(tuples))
    return Records(tuples, counts, people, {})


def _band(age: int, width: int) -> str:
    """Name the band of an age; a band begins above a multiple of its width and is named from it: 21 to 25 is 20-24."""
    low = (age - 1) // width * width
    return f"{low}-{low + width - 1}"
