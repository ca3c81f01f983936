"""What a plan is made for: a file, a folder of files, or tables of a database.

A database's address stands in an environment variable or a key file, and only the name of that in the recipe. On a
command line everybody on the machine could read it, so it is refused there, unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from deid import marks
from deid.errors import SourceError
from deid.planning.peek import ROWS, Peek, peek, peek_tables
from deid.recipe_source import FORMATS, Address
from deid.versions import feed

SUFFIXES = frozenset(ending for _, endings in FORMATS.values() for ending in endings)
# Endings that say nothing: taken for CSV, and refused as that if they are none.
PLAIN = frozenset({"", ".dat", ".lst"})
HEAD_WITHDRAWN, HEAD_MISSED = ",".join(feed.HEAD), ",".join(marks.HEAD)
FIRST_LINE = 200


@dataclass(frozen=True)
class Where:
    """Either a `path` or a database's `address`, with the `tables` to plan for (none named: all)."""

    path: Path | None
    address: Address | None
    tables: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the data set is called if nobody says it."""
        if self.address is not None:
            return self.address.env or Path(self.address.key).stem
        return self._path.resolve().stem

    @property
    def folder(self) -> Path:
        """Where a run finds the files; any folder will do for a database."""
        if self.address is not None:
            return Path()
        return self._path if self._path.is_dir() else self._path.parent

    @property
    def _path(self) -> Path:
        if self.path is None:
            raise RuntimeError("neither file nor database")
        return self.path

    def peeks(self, *, rows: int = ROWS) -> list[Peek]:
        """Read the first rows of every table. Raises `SourceError`, `KeyFileError`."""
        if self.address is not None:
            return peek_tables(self.address, self.tables, rows=rows)
        return [table for path in sources(self._path) for table in peek(path, rows=rows)]


def where(source: str | None, env: str | None, key: str | None, tables: tuple[str, ...] = ()) -> Where:
    """Tell from the command line what to plan for. Raises `SourceError`; nothing that was typed is in it but a name."""
    if any("://" in (each or "") for each in (source, env, key)):
        _refuse(
            "database-address",
            ("데이터베이스 주소를 명령줄에 쓸 수 없습니다(다른 사용자에게 보입니다).",
             "no database address may stand on the command line (others can read it there)."),
            ("URL을 환경 변수나 0600 파일에 두고 --database-env 이름, --database-key 파일을 쓰세요.",
             "Keep the URL in an environment variable or a file (0600): --database-env NAME, --database-key FILE."),
        )  # fmt: skip
    if sum(each is not None for each in (source, env, key)) != 1 or (tables and source is not None):
        _refuse(
            "which",
            ("자료 하나가 필요합니다.", "one source is needed."),
            ("파일이나 폴더, --database-env, --database-key 가운데 하나를 주세요. --table은 데이터베이스에만 씁니다.",
             "Give one of: file or folder, --database-env, --database-key; --table is for databases only."),
        )  # fmt: skip
    if source is None:
        return Where(None, Address(env or "", "" if key is None else _key_place(Path(key))), tables)
    path = Path(source)
    if not path.exists():
        _refuse(
            "missing",
            (f"{path.name}이(가) 없습니다.", f"{path.name} is not there."),
            ("파일이나 폴더의 자리를 확인하세요.", "Check the place of the file or folder."),
        )
    return Where(path, None)


def _key_place(key: Path) -> str:
    """Name the file so that a run finds it from anywhere: a service's credential by its name, others absolutely."""
    return str(key) if key.name == str(key) and not key.exists() else str(key.resolve())


def sources(path: Path) -> list[Path]:
    """List the files to plan for: the file itself, or a folder's of known formats. Raises `SourceError` for none."""
    beside = {each for each, _ in lists(path)}
    found = [path] if path.is_file() else [each for each in _tables(path) if each not in beside]
    words = ", ".join(sorted(SUFFIXES))
    if path.is_file() and path.suffix.lower() not in SUFFIXES | PLAIN:
        both = (f"{path.suffix} 파일은 표로 읽지 않습니다.", f"{path.suffix} files are not read as tables.")
        fix = (f"{words} 가운데 하나로 내보내 주세요.", f"Export it as one of {words}.")
        raise SourceError((path.name, 0, -1), "format", both, remedy=fix)
    if not found:
        fix = (f"{words} 파일이나 그런 파일이 든 폴더를 주세요.", f"Give a file or folder of {words}.")
        raise SourceError((path.name, 0, -1), "none", ("표가 없습니다.", "there is no table."), remedy=fix)
    return found


def lists(path: Path) -> list[tuple[Path, str]]:
    """Return the files of a folder that a recipe names besides its tables, by their first line, with its word for each.

    Who withdrew, and what reviewers marked, are lists of people and values and no tables to publish.
    """
    if not path.is_dir():
        return []
    heads = {HEAD_WITHDRAWN: "withdrawals", HEAD_MISSED: "missed"}
    found = []
    for each in _tables(path):
        if each.suffix.lower() == ".csv":
            with each.open("rb") as file:
                first = file.readline(FIRST_LINE).decode("utf-8-sig", errors="replace").strip().replace(" ", "")
            if first in heads:
                found.append((each, heads[first]))
    return found


def _tables(folder: Path) -> list[Path]:
    """Files of known formats, but those that are hidden: what an office program holds open, what begins with a dot."""
    hidden = (".", "~$")
    return sorted(
        each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and not each.name.startswith(hidden)
    )


def _refuse(code: str, message: tuple[str, str], fix: tuple[str, str]) -> NoReturn:
    raise SourceError(("ansim deid plan", 0, -1), code, message, remedy=fix)
