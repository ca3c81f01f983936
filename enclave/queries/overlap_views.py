"""How files that ask to leave lie to files that left before: frozen values, as far as this person may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class How(StrEnum):
    """How one file lies to an earlier one, gravest first."""

    FEW = "few"
    BYTES = "bytes"
    CELLS = "cells"
    EQUAL = "equal"
    WITHIN = "within"
    AROUND = "around"
    PARTLY = "partly"
    LIKE = "like"
    APART = "apart"


@dataclass(frozen=True, kw_only=True)
class OverlapView:
    """One file of a request and one file that is out.

    `number`: of people that their difference gives away (few), of cells with the same people (cells), else 0.
    `title`, `file_id` and `file_name` are of the viewer's business only where the earlier release is of the same
    project (`own`); elsewhere they are empty. `opens`: whether this person may open the earlier request.
    """

    file: str
    how: How
    number: int
    own: bool
    release_id: str
    request_id: str
    title: str
    file_id: str
    file_name: str
    released_at: datetime
    recalled: bool
    opens: bool
