"""Roles of columns, and what is proposed for one: pure values that the wizard shows and the draft writes.

The roles are those of the guideline's item-by-item plan (개인정보보호위원회 가명정보 처리 가이드라인, step 2:
identifying, possibly identifying, sensitive or outlying), with the patient key, dates and free text apart, as
they need treatments of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deid.recipe_source import Origin

Words = tuple[str, str]


class Role(StrEnum):
    """What a column is, from the view of somebody who wants to find a person again."""

    DIRECT = "direct"
    KEY = "key"
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    DATE = "date"
    TEXT = "text"
    OTHER = "other"


LABELS: Mapping[Role, Words] = {
    Role.DIRECT: ("직접식별자", "direct identifier"),
    Role.KEY: ("환자 번호·연결 키", "patient or record key"),
    Role.QUASI: ("준식별자", "quasi-identifier"),
    Role.SENSITIVE: ("민감정보", "sensitive"),
    Role.DATE: ("날짜", "date"),
    Role.TEXT: ("자유 글", "free text"),
    Role.OTHER: ("그 밖", "other"),
}


@dataclass(frozen=True)
class Option:
    """One possible treatment: the recipe's fields of it (without label, `as`, `direct`), and what it does in words."""

    fields: Mapping[str, Any]
    words: Words


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one source column.

    `options` holds the treatments from fine to coarse; `chosen` says which is in force. `doubtful` asks for a person's
    word. `name` is the published name, `label` what people read.
    """

    source: str
    name: str
    label: Words
    role: Role
    options: tuple[Option, ...]
    reason: Words
    doubtful: bool = False
    chosen: int = 0

    @property
    def option(self) -> Option:
        """The treatment in force."""
        return self.options[self.chosen]

    @property
    def fields(self) -> Mapping[str, Any]:
        """The recipe's fields of the treatment in force."""
        return self.option.fields

    @property
    def is_quasi(self) -> bool:
        """Whether the column counts for k as things stand: a quasi-identifier that is published."""
        return self.role is Role.QUASI and self.fields["treatment"] != "drop"


@dataclass(frozen=True)
class TablePlan:
    """What is proposed for one table: where it comes from, who the subject is, and every column in order.

    `diverse` names published columns of which each class must hold two values; for those `given_up` that would cost
    more rows than may go.
    """

    name: str
    origin: Origin
    label: Words
    subject: str
    unique: bool
    nulls: tuple[str, ...]
    columns: tuple[Proposal, ...]
    rows: int
    sampled: bool
    diverse: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of the original."""
        return self.origin.file

    def column(self, source: str) -> Proposal:
        """Find a source column's proposal (`KeyError` if there is none)."""
        return {each.source: each for each in self.columns}[source]
