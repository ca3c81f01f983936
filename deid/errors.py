"""What can go wrong in this room, and what the person in front of it can do.

    DeidError
    ├── RecipeError      the recipe (file, line, column)
    ├── SourceError      the hospital's file (file, line or byte offset)
    ├── KeyFileError     a key file
    ├── GateFailed       the recipe's own gates: nothing was published
    ├── SnapshotDamaged  a published snapshot is not what was signed
    ├── SnapshotShredded keys of some of its files were destroyed, because a patient withdrew
    ├── WorkersRefused   the machines that were to do the work cannot, or must not
    ├── BudgetRefused    the data set's privacy budget does not allow it
    └── OutputError      the place to publish to (disk full, no permission)

No message carries a value of a patient: only names of files and columns, line numbers and counts.
"""

from __future__ import annotations


class DeidError(Exception):
    """Base of the room: stable `code`, what happened (`ko`, `en`) and what to do now (`remedy_ko`, `remedy_en`)."""

    def __init__(self, code: str, ko: str, en: str, *, remedy_ko: str, remedy_en: str) -> None:
        super().__init__(code)
        self.code = code
        self.ko = ko
        self.en = en
        self.remedy_ko = remedy_ko
        self.remedy_en = remedy_en

    def __str__(self) -> str:
        return f"{self.ko} {self.remedy_ko}"


class RecipeError(DeidError):
    """The recipe cannot be followed; `line` and `column` count from 1 and point at the cause."""

    def __init__(self, place: tuple[str, int, int], code: str, ko: str, en: str, *, remedy: tuple[str, str]) -> None:
        self.file, self.line, self.column = place
        where = f"{self.file}:{self.line}:{self.column}: "
        super().__init__(f"deid.recipe-{code}", where + ko, where + en, remedy_ko=remedy[0], remedy_en=remedy[1])


class SourceError(DeidError):
    """A source file cannot be read as the recipe says; `line` (from 1) and `offset` (bytes, from 0), -1 if unknown."""

    def __init__(
        self, place: tuple[str, int, int], code: str, message: tuple[str, str], *, remedy: tuple[str, str]
    ) -> None:
        self.file, self.line, self.offset = place
        where = f"{self.file}:{self.line}: " if self.line > 0 else f"{self.file}: "
        ko, en = message
        super().__init__(f"deid.source-{code}", where + ko, where + en, remedy_ko=remedy[0], remedy_en=remedy[1])


class KeyFileError(DeidError):
    """A key file is missing, malformed, or readable by others."""


class OutputError(DeidError):
    """The snapshot could not be written where it was asked to be."""


class GateFailed(DeidError):  # noqa: N818 - the verdict in words, named in the contract between rooms
    """A gate of the recipe said no; nothing was published.

    `gate` is its name in the recipe, `table` and `column` where, `rows` how many rows are concerned.
    """

    def __init__(
        self, gate: str, place: tuple[str, str], rows: int, message: tuple[str, str], *, remedy: tuple[str, str]
    ) -> None:
        self.gate, (self.table, self.column), self.rows = gate, place, rows
        at = f"{self.table}.{self.column}" if self.column else self.table
        ko = f"관문 '{gate}' 실패({at}, {rows:,}행): {message[0]} 아무것도 공개되지 않았습니다."
        en = f"Gate '{gate}' failed ({at}, {rows:,} rows): {message[1]} Nothing was published."
        code = f"deid.gate-{gate.replace('_', '-')}"
        super().__init__(code, ko, en, remedy_ko=remedy[0], remedy_en=remedy[1])


class BudgetRefused(DeidError):  # noqa: N818 - the verdict in words
    """The ledger of a data set's privacy budget says no, or cannot be believed; nothing was published."""


class WorkersRefused(DeidError):  # noqa: N818 - what happened, in words
    """The Dask scheduler or its workers cannot do the work, or must not: other keys, other code, an open network."""


class SnapshotDamaged(DeidError):  # noqa: N818 - the finding in words, named in the contract between rooms
    """A snapshot folder is not byte for byte what was signed; `file` is the first thing found wrong."""

    def __init__(self, snapshot: str, file: str, message: tuple[str, str]) -> None:
        self.snapshot, self.file = snapshot, file
        super().__init__(
            "deid.snapshot-damaged",
            f"스냅샷 {snapshot}의 {file}: {message[0]}",
            f"Snapshot {snapshot}, {file}: {message[1]}",
            remedy_ko="이 스냅샷을 쓰지 말고 데이터 관리자에게 알린 뒤 원본에서 다시 만드세요.",
            remedy_en="Do not use this snapshot; tell the data steward and build it again from the source.",
        )


class SnapshotShredded(DeidError):  # noqa: N818 - what happened, in words
    """Keys of data files were destroyed on purpose: `files` cannot be read any more, in this version."""

    def __init__(self, snapshot: str, files: tuple[str, ...]) -> None:
        self.snapshot, self.files = snapshot, files
        names = ", ".join(files[:3]) + (", …" if len(files) > 3 else "")  # noqa: PLR2004 - a few are enough to know
        super().__init__(
            "deid.snapshot-shredded",
            f"스냅샷 {snapshot}의 파일 {len(files)}개({names})는 철회한 환자 때문에 키를 파기해 읽을 수 없습니다.",
            f"Snapshot {snapshot}: the keys of {len(files)} files ({names}) were destroyed when a patient withdrew.",
            remedy_ko="그 뒤에 만든 버전을 쓰세요. 이 버전은 온전하지 않아 새로 연결하지 않습니다.",
            remedy_en="Use a later version. This one is not whole any more and is not mounted again.",
        )
