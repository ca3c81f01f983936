"""Refusing a source: what is wrong, where, and what to do now. No message carries a value of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from deid.errors import SourceError
from deid.recipe import Limits, TableRule

Both = tuple[str, str]
MEND_ROW = (
    "원본에서 이 줄을 고쳐 다시 내보내세요(구분자가 든 칸은 따옴표로 감쌉니다).",
    "Mend this line at its origin and write the file again (fields with separators need quotes).",
)


def refuse(place: str, code: str, message: Both, fix: Both, *, at: tuple[int, int] = (0, -1)) -> NoReturn:
    """Raise `SourceError` about `place` (a file, sheet or table); `at` is line (from 1) and byte offset (from 0)."""
    raise SourceError((place, *at), code, message, remedy=fix)


def refuse_empty(place: str) -> NoReturn:
    """Raise `SourceError`: there are no rows."""
    fix = ("자료를 내보내는 쪽에서 파일이 다 쓰였는지 확인하세요.", "Check that the file was fully written.")
    refuse(place, "empty", ("비어 있습니다(자료 행이 없음).", "is empty (no data rows)."), fix)


def check_rows(place: str, rows: int, limits: Limits) -> None:
    """Raise `SourceError` for no rows at all, or more than the recipe takes."""
    if rows <= 0:
        refuse_empty(place)
    if rows > limits.rows:
        both = (
            f"행이 {rows:,}개로 제한 {limits.rows:,}을 넘습니다.",
            f"{rows:,} rows exceed the limit {limits.rows:,}.",
        )
        refuse(place, "rows", both, ("limits.rows를 올리거나 파일을 나누세요.", "Raise limits.rows or split the file."))


def positions(places: Sequence[int]) -> str:
    """Tell the first few of some positions, as many as fit on a line."""
    few = ", ".join(map(str, places[:5]))
    return f"{few} …" if len(places) > 5 else few  # noqa: PLR2004 - see the docstring


def check_names(place: str, header: Sequence[str], line: int) -> None:
    """Raise `SourceError` unless every column has a name of its own. Says which by position: a name may be a value."""
    wrong = [at for at, name in enumerate(header, 1) if not name or header.count(name) > 1]
    if wrong:
        words = positions(wrong)
        both = (
            f"머리글의 {words}번째 칸에 이름이 없거나 같은 이름이 또 있습니다.",
            f"column {words} of the header has no name, or one that another has.",
        )
        fix = ("머리글의 칸마다 서로 다른 이름을 적으세요.", "Give each column of the header a name of its own.")
        refuse(place, "header", both, fix, at=(line, -1 if line > 1 else 0))


def check_header(rule: TableRule, place: str, header: tuple[str, ...], *, schema: bool = False) -> None:
    """Every column of the source has a treatment, and every column of the recipe is there.

    Names of a `schema` are told; those of a first line are told by position where the recipe doesn't know them, since
    a lost line break puts a patient among them. Raises `SourceError` or, at its place in the recipe, `RecipeError`.
    """
    check_names(place, header, 1)
    known = {column.source for column in rule.columns}
    if not known.intersection(header):
        # Not one known name: the first line may be a patient, so nothing of it is said.
        both = ("첫 줄에 계획의 열 이름이 하나도 없습니다.", "the first line has not one of the recipe's columns.")
        fix = (
            "머리글이 있는 파일인지(엑셀이면 header_row도), 계획이 이 파일의 것인지 확인하세요.",
            "Check that the file has a header (header_row in a workbook) and that the recipe is for this file.",
        )
        refuse(place, "no-header", both, fix, at=(1, 0))
    strange = [at for at, name in enumerate(header) if name not in known]
    ko, en = _told(header, strange, schema=schema)
    for column in rule.columns:
        if column.source not in header:
            here = ", ".join(name for name in header if name in known)
            column.node.fail(
                "unknown-column",
                f"표 {rule.name}의 파일 {place}에 열 '{column.source}'이(가) 없습니다.",
                f"column '{column.source}' is not in {place} of table {rule.name}.",
                remedy=(
                    f"파일에 있는 열: {here}. 계획이 모르는 열: {ko or '없음'}.",
                    f"The file has: {here}. Not in the recipe: {en or 'none'}.",
                ),
            )
    if strange:
        refuse(
            place,
            "untreated-column",
            (f"처리 방법이 정해지지 않은 열: {ko}.", f"columns without a treatment: {en}."),
            ("가명처리 계획에 이 열들의 treatment를 적으세요.", "Give these columns a treatment in the recipe."),
            at=(1, 0),
        )


def _told(header: Sequence[str], strange: Sequence[int], *, schema: bool) -> Both:
    """Name the columns at `strange` (from 0), by name or by position."""
    if schema:
        return ", ".join(header[at] for at in strange), ", ".join(header[at] for at in strange)
    words = positions([at + 1 for at in strange])
    return (f"머리글의 {words}번째 칸", f"field {words} of the header") if strange else ("", "")
