"""One file of a folder: recognised, de-identified into a staging folder, scanned, and only then said to be ready.

Runs in a worker process. Whatever a broken file does to a reader ends as a refusal with a reason: a run over a
hospital's folder never stops at its worst file.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from deid.folder.format import HEAD_BYTES, Context, Format, Outcome, Refused, staged
from deid.folder.people import People, Withdrew
from deid.folder.recipe import FolderRecipe
from deid.folder.registry import format_of
from deid.folder.scan import Scanner

ZIP = b"PK\3\4"
POLICY, UNREADABLE, LEFT, FAILED = "policy", "unreadable", "left", "failed"


@dataclass(frozen=True)
class Work:
    """What a worker process is given once: whose keys, which rules, where from and where to.

    `besides` are names of files in the source folder that are none of its files (the list of who withdrew). With
    `links` a DICOMDIR refers to second names of what is written; else objects are named by File IDs where there is one.
    """

    people: People
    recipe: FolderRecipe
    source: Path
    staging: Path
    besides: frozenset[str] = frozenset()
    links: bool = True


@dataclass(frozen=True)
class Result:
    """What became of one source file (`name`: its path below the source folder).

    `kind` is "" for a file that is ready in `staged`, else why not: one of POLICY, UNREADABLE, LEFT, FAILED. `who` is
    the number, as it stands in the file, of somebody who withdrew: for finding them in earlier versions, never told.
    """

    name: str
    format: str
    staged: Path | None = None
    outcome: Outcome | None = None
    kind: str = ""
    code: str = ""
    ko: str = ""
    en: str = ""
    left: tuple[str, ...] = field(default=())
    who: str = field(default="", repr=False)


def process(work: Work, place: int, name: str) -> Result:
    """De-identify one file into `staging/place`, which no other file has now. Never raises for what a file holds.

    Places are taken again and again: making a folder for each file costs a tenth of a small one, and processes wait
    for each other over it.
    """
    folder = work.staging / str(place)
    try:
        found = _format(work, name)
    except Refused as refusal:
        return _refused(name, "", refusal, POLICY if refusal.policy else FAILED)
    _empty(folder)
    work.people.asked.clear()
    try:
        outcome = found.deidentify(
            work.source / name, folder, Context(work.people, work.recipe.sections[found.section], name)
        )
        outcome = replace(outcome, people=tuple(sorted({outcome.patient, *work.people.asked})))
        left = tuple(_left(folder, outcome))
        outcome = _hashed(work, name, folder, outcome)
    except Refused as refusal:
        result = _refused(name, found.name, refusal, POLICY if refusal.policy else UNREADABLE)
    except Withdrew as withdrew:
        words = ("철회한 사람의 파일입니다.", "is of somebody who withdrew.")
        result = replace(_refused(name, found.name, Refused("folder.withdrawn", *words), POLICY), who=withdrew.who)
    except Exception as error:  # noqa: BLE001 - whatever a broken file does to a reader is a reason, never the end of a run
        words = ("처리하다 실패했습니다.", f"failed with {type(error).__name__} at {_place(error)}.")
        result = _refused(name, found.name, Refused("folder.failed", *words), FAILED)
    else:
        if not left:
            return Result(name, found.name, folder, outcome)
        words = ("지운 값이 결과에 남아 내보내지 않습니다.", "a value that was removed is still in the result.")
        result = replace(_refused(name, found.name, Refused("folder.left", *words), LEFT), left=left)
    _empty(folder)
    return result


def _empty(folder: Path) -> None:
    """Have the folder, without what is left in it of a worker that was killed, a file that came twice, a refusal."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _format(work: Work, name: str) -> Format:
    """Find the format of a file. Raises `Refused` where there is none, or the recipe has no rules for it."""
    try:
        with (work.source / name).open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise Refused("folder.read", "읽을 수 없습니다.", f"cannot be read ({error.errno}).", policy=False) from error
    found = format_of(head, name)
    if found is None and head.startswith(ZIP) and name.lower().endswith(".zip"):
        words = ("ZIP은 하나씩 SOURCE로 주거나 먼저 푸세요.", "is a ZIP: give it as SOURCE, or unpack it first.")
        raise Refused("folder.zip", *words)
    if found is None:
        raise Refused("folder.unknown", "아는 형식이 아닙니다.", "is in no format that is known.")
    if found.section not in work.recipe.sections:
        words = (f"계획에 {found.section}: 항목이 없습니다.", f"the recipe has no section {found.section}.")
        raise Refused("folder.no-rules", *words)
    return found


def _left(folder: Path, outcome: Outcome) -> list[str]:
    scanner = Scanner(outcome.removed | outcome.removed_once)
    found = []
    for file in outcome.files:
        hits = scanner.find_in(staged(folder, file), outcome.bulk_of(file))
        found += [f"{file}@{hit.offset} ({hit.encoding})" for hit in hits]
        found += [f"{file} (name)" for _ in scanner.find(file.encode())]
    return found


def _hashed(work: Work, name: str, folder: Path, outcome: Outcome) -> Outcome:
    """Tie what may be looked at to the bytes it was made from and to those that were written."""
    seen = outcome.pictured
    if seen is None or work.recipe.frame_sample is None:
        return replace(outcome, pictured=None)
    before, after = (_sha256(path) for path in (work.source / name, staged(folder, outcome.files[0])))
    return replace(outcome, pictured=replace(seen, source_sha256=before, file_sha256=after))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(name: str, kind_of_file: str, refusal: Refused, kind: str) -> Result:
    return Result(name, kind_of_file, None, None, kind, refusal.code, refusal.ko, refusal.en)


def _place(error: BaseException) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else "?"
