"""The repairs that need the data or a person, not only the file: counts of people added, an explanation attached.

Both are made here, in the workspace: a count comes from the approved data by the file's own recipe (the checker makes
it again), or from the scientist; an explanation goes with the file's bytes into the context of the request.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .failure import AnsimError
from .made import DELIMITERS
from .recipes import recall

COUNT = "n"
# What was said of which bytes, in this kernel: the request keeps it for good.
_SAID: dict[str, str] = {}


def add_counts(original: Path, counts: Sequence[int] | None) -> Path:
    """Write ``<name>.repaired<ending>`` with how many people stand behind each row, and return its path.

    By the file's recipe if it was made by `ansim.table`, else from ``counts``, one whole number for each row. Raises
    `AnsimError` where there is neither.
    """
    path = original.with_name(f"{original.stem}.repaired{original.suffix}")
    recipe = recall(_sha256(original))
    if counts is None and recipe is not None and recipe.get("kind") == "table":
        from .tabulating import remade  # noqa: PLC0415 - with it pandas, only when it is asked for

        people = {"op": "persons", "column": None}
        measures = [people, *(each for each in recipe["measures"] if each != people)]
        return remade(recipe | {"measures": measures}).save(path)
    rows = _rows(original)
    if counts is None or len(counts) != len(rows) - 1:
        raise _no_counts(original.name, len(rows) - 1)
    written = io.StringIO(newline="")
    lines = [[*rows[0], COUNT], *([*row, str(int(count))] for row, count in zip(rows[1:], counts, strict=True))]
    csv.writer(written, delimiter=_delimiter(original), lineterminator="\n").writerows(lines)
    path.write_text(written.getvalue(), encoding="utf-8")
    return path


def made_again(original: Path, how: str) -> Path | None:
    """Repair a table of `ansim.table` by making it again, so that the repaired one has a recipe, too; else None.

    ``suppress`` hides cells of too few people with what gives them back. Raises `AnsimError` as `ansim.table` does.
    """
    fits = how == "suppress" and original.suffix in DELIMITERS and original.is_file()
    recipe = recall(_sha256(original)) if fits else None
    if recipe is None or recipe.get("kind") != "table" or recipe["suppressed"]:
        return None
    from .frames import source  # noqa: PLC0415 - with it pandas, only when it is asked for
    from .tabulating import remade  # noqa: PLC0415 - as above

    hidden = {"suppressed": {"below": source(recipe["dataset"]).min_cell}}
    return remade(recipe | hidden).save(original.with_name(f"{original.stem}.repaired{original.suffix}"))


def add_context(original: Path, context: str) -> Path:
    """Attach an explanation to the bytes of a file, for the request that it is submitted with. Raises `AnsimError`."""
    if not context.strip():
        raise AnsimError(
            "client.no-context",
            ko=f"{original.name}: 덧붙일 설명이 없습니다.",
            en=f"{original.name}: there is no explanation to add.",
            remedy_ko='예: egress.repair("figure.png", how="add-context", context="축과 점의 수: …")',
            remedy_en='For example egress.repair("figure.png", how="add-context", context="axes, number of points")',
        )
    _SAID[_sha256(original)] = context.strip()
    return original


def with_additions(context: str, files: Sequence[tuple[str, str]]) -> str:
    """Return the context of a request with what was attached to its files, given as (name, SHA-256)."""
    added = [f"{name}: {_SAID[sha256]}" for name, sha256 in files if sha256 in _SAID]
    return "\n".join([context, *added])


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise AnsimError(
            "client.no-file",
            ko=f"{path.name}: 읽을 수 없습니다({error.strerror}).",
            en=f"{path.name}: cannot be read ({error.strerror}).",
            remedy_ko="이름과 폴더를 확인하세요.",
            remedy_en="Look at its name and folder.",
        ) from None


def _delimiter(path: Path) -> str:
    return DELIMITERS.get(path.suffix.lower(), "")


def _rows(path: Path) -> list[list[Any]]:
    if not _delimiter(path):
        raise AnsimError(
            "client.save-as",
            ko=f"{path.name}: 인원은 .csv나 .tsv에만 더할 수 있습니다.",
            en=f"{path.name}: counts can be added to .csv and .tsv only.",
            remedy_ko="그림이라면 점이나 막대마다의 인원을 표로 함께 제출하세요.",
            remedy_en="For a figure, submit a table of the people behind each point or bar with it.",
        )
    text = path.read_text(encoding="utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(path)) if row]


def _no_counts(name: str, rows: int) -> AnsimError:
    return AnsimError(
        "client.no-counts",
        ko=f"{name}: 행 {rows}개마다의 인원을 알 수 없습니다.",
        en=f"{name}: the people behind each of {rows} row(s) are not known.",
        remedy_ko=f'egress.repair("{name}", how="add-counts", counts=[…])로 주거나 ansim.table(…)로 만드세요.',
        remedy_en=f'Give them: egress.repair("{name}", how="add-counts", counts=[…]), or make it by ansim.table(…).',
    )
