"""`ansim deid withdraw`, `shred`, `diff`: people leave, keys are destroyed, a version is compared with its parent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from deid import keys as key_files
from deid import recipe as recipes
from deid.engine import RunResult, run
from deid.errors import OutputError, RecipeError, SourceError
from deid.folder.recipe import FolderRecipe, is_of_folder
from deid.folder.run_command import load_signed, publish_folder
from deid.folder.snapshot import FolderResult
from deid.keys import Keys
from deid.readers.connection import Databases
from deid.readers.open import open_source
from deid.readers.source import Reading
from deid.recipe import Recipe
from deid.refusal import errors_to_exit_codes
from deid.snapshot import read_manifest
from deid.versions.consent import SEOUL, Feed
from deid.versions.feed import add_entries, read_feed, read_ids
from deid.versions.options import FOLDER, Versions, version_options
from deid.versions.shredding import Shredded, shred
from deid.versions.spellings import cores
from deid.versions.withdrawn import spelled_in

ANY_PATH, EXISTING_FILE = click.Path(path_type=Path), click.Path(exists=True, dir_okay=False, path_type=Path)
SOURCE = click.option("--source", type=FOLDER, required=True, help="병원 파일이 있는 폴더 (folder of the files)")
OUT = click.option("--out", type=FOLDER, required=True, help="스냅샷이 있는 폴더 (folder of snapshots)")
KEYS = click.option("--keys", "key_folder", type=ANY_PATH, required=True, help="master.key가 있는 폴더 (key folder)")
SIGNING = click.option("--signing-key", type=ANY_PATH, required=True, help="Ed25519 서명 키, PEM (signing key)")
LEFT_OVER = 9


@dataclass(frozen=True)
class _Place:
    """What both commands are given."""

    recipe: Recipe | FolderRecipe
    source: Path
    out: Path
    keys: Keys
    key_folder: Path

    def feed(self) -> Feed:
        if self.recipe.terms.feed is None:
            raise OutputError(
                "deid.withdrawals-not-named",
                f"계획 {self.recipe.file}에 withdrawals(철회 목록)가 없습니다.",
                f"Recipe {self.recipe.file} names no withdrawals.",
                remedy_ko="계획에 withdrawals: 파일이름.csv 를 더하고 다시 실행하세요.",
                remedy_en="Add `withdrawals: file.csv` to the recipe and run again.",
            )
        return self.recipe.terms.feed

    def spelled(self, now: datetime) -> frozenset[str]:
        """How the people's ids stand in the tables; nothing where those cannot be read, which is said."""
        if isinstance(self.recipe, FolderRecipe):
            click.echo("spellings: 흔한 표기만 찾음 (the usual ones only)", err=True)
            return frozenset()
        try:
            with ExitStack() as stack:
                how = Reading(self.out, False, lambda _: None, stack.enter_context(Databases()))  # noqa: FBT003 - its second field
                sources = [
                    stack.enter_context(open_source(table, self.source, self.recipe.limits, how))
                    for table in self.recipe.tables
                ]
                return spelled_in(sources, read_feed(self.feed(), self.source, now))
        except (RecipeError, SourceError) as error:
            click.echo(f"spellings: 원본을 읽을 수 없어 흔한 표기만 찾음 (the usual ones only: {error.code})", err=True)
            return frozenset()

    def shred(self, now: datetime, spelled: frozenset[str]) -> tuple[Shredded, ...]:
        public_key, day = self.keys.signing.public_key(), now.astimezone(SEOUL).date()
        listed = read_feed(self.feed(), self.source, now)
        withdrawn = replace(listed, ids=listed.ids | spelled)
        return shred(
            self.out, self.recipe.dataset, withdrawn, self.keys,
            key_folder=self.key_folder, public_key=public_key, day=day,
            mounts_end=self.feed().mounts_end,
        )  # fmt: skip


@click.command("withdraw")
@click.argument("recipe", type=ANY_PATH)
@SOURCE
@OUT
@KEYS
@SIGNING
@click.option(
    "--subjects", type=EXISTING_FILE, required=True, help="철회한 환자 번호, 한 줄에 하나 (ids, one on a line)"
)
@click.option("--project", default="", help="이 과제만의 새 버전 (the next version of this project alone)")
@click.option("--private", type=ANY_PATH, help="표본 검토용 비공개 폴더 (private folder for the sample review)")
@version_options
def withdraw(  # noqa: PLR0913 - click hands over each option by its name
    recipe: Path,
    source: Path,
    out: Path,
    key_folder: Path,
    signing_key: Path,
    *,
    subjects: Path,
    project: str,
    private: Path | None,
    versions: Versions,
) -> None:
    """철회한 환자를 뺀 새 버전을 만들고, 이전 버전에서 그 환자가 든 파일의 키를 파기합니다 (withdraw people).

    먼저 계획의 철회 목록에 더하므로 중간에 멈춰도 다음 버전에는 없습니다. 다시 실행하면 마저 합니다.
    """
    with errors_to_exit_codes():
        place = _place(recipe, source, out, key_folder, signing_key, versions=versions)
        now = _now()
        ids = read_ids(subjects)
        added = add_entries(source / place.feed().file, ids, now.astimezone(SEOUL).date())
        keys = place.keys.for_project(project) if project else place.keys
        result = _next(place, keys, versions, now, private)
        click.echo(f"withdrawn {added} new, {result.manifest.withdrawn} left out of this version")
        _tell_spelled(ids, result.spelled, place.feed())
        found = place.shred(now, result.spelled)
        _tell(found)
        click.echo(f"{result.snapshot}")
    _end(found)


@click.command("shred")
@click.argument("recipe", type=ANY_PATH)
@SOURCE
@OUT
@KEYS
@SIGNING
@version_options
def shred_command(  # noqa: PLR0913 - click hands over each option by its name
    recipe: Path, source: Path, out: Path, key_folder: Path, signing_key: Path, *, versions: Versions
) -> None:
    """새 버전 없이, 철회 목록의 환자가 든 파일의 키만 모든 버전에서 파기합니다 (destroy keys without a new version)."""
    with errors_to_exit_codes():
        place, now = _place(recipe, source, out, key_folder, signing_key, versions=versions), _now()
        found = place.shred(now, place.spelled(now))
        _tell(found)
    _end(found)


@click.command("diff")
@click.argument("snapshot", type=FOLDER)
@click.option("--key", type=EXISTING_FILE, required=True, help="공개키, PEM (public key)")
@click.option("--json", "as_json", is_flag=True, help="JSON으로 출력 (as JSON)")
def diff(snapshot: Path, key: Path, *, as_json: bool) -> None:
    """SNAPSHOT이 이전 버전과 어떻게 다른지 보여 줍니다: 행, 환자, 열, 처리, 위험 (difference to its parent)."""
    with errors_to_exit_codes():
        manifest = read_manifest(snapshot.resolve(), key_files.load_public(key))
        if as_json:
            found = {"parent": manifest.parent, "difference": manifest.difference}
            click.echo(json.dumps(found, ensure_ascii=False, indent=1))
            return
        if manifest.parent is None:
            click.echo("첫 버전입니다 (the first version)")
            return
        click.echo(f"{manifest.parent[:12]} → {manifest.id[:12]}")
        for line in _lines(manifest.difference):
            click.echo(line)


def _lines(difference: Any) -> Iterable[str]:
    for name, table in difference["tables"].items():
        yield (
            f"{name}: 행 (rows) +{_count(table['rows_in'])} −{_count(table['rows_out'])}, "
            f"환자 (patients) +{_count(table.get('patients_in'))} −{_count(table.get('patients_out'))}, "
            f"파일 유지 (files kept) {table['files_kept']}/{table['files_kept'] + table['files_written']}"
        )
        for word, sign in (("columns_added", "+"), ("columns_removed", "−")):
            yield from (f"  {sign} {column}" for column in table.get(word, ()))
        for column, (old, new) in table.get("treatment_changed", {}).items():
            yield f"  {column}: {old} → {new}"
        for figure, (old, new) in table.get("risk", {}).items():
            if old != new:
                yield f"  {figure}: {old} → {new}"
    yield from (f"− {name}" for name in difference["tables_removed"])
    if held := difference.get("held"):
        yield f"파일 (files) +{held['came']:,} −{held['went']:,}, 유지 (kept) {held['kept']:,}"


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _next(
    place: _Place, keys: Keys, versions: Versions, now: datetime, private: Path | None
) -> RunResult | FolderResult:
    """Publish the version without the people."""
    if isinstance(place.recipe, FolderRecipe):
        return publish_folder(place.recipe, place.source, place.out, keys, versions=versions, private=private)
    before = versions.before(place.out, place.recipe.dataset, keys)
    return run(place.recipe, place.source, place.out, keys, now=now, private=private, before=before)


def _place(  # noqa: PLR0913 - click's
    recipe: Path, source: Path, out: Path, key_folder: Path, signing_key: Path, *, versions: Versions
) -> _Place:
    keys = versions.with_store(key_files.load(key_folder, signing_key), key_folder)
    plan = load_signed(recipe) if is_of_folder(recipe) else recipes.load(recipe)
    return _Place(plan, source, out, keys, key_folder)


def _tell_spelled(ids: Sequence[str], spelled: frozenset[str], feed: Feed) -> None:
    """Say how many stood in the tables in another spelling, and on which lines is somebody whom no table has."""
    otherwise = spelled - set(ids)
    if otherwise:
        click.echo(
            f"spelled otherwise {len(otherwise)}: 다른 표기로 있던 번호도 뺌 (ids in other spellings left out too)"
        )
    there = set(cores(spelled, feed.spellings))
    lines = [str(n) for n, one in enumerate(ids, 1) if one and there.isdisjoint(cores([one], feed.spellings))]
    if lines:
        click.echo(
            f"not found: {', '.join(lines)}번째 줄의 번호는 어느 표에도 없음, 번호를 확인하세요 "
            "(the ids on these lines are in no table: check them)",
            err=True,
        )


def _tell(found: Iterable[Shredded]) -> None:
    for each in found:
        if each.unknown:
            click.echo(f"unknown {each.snapshot}: 만들 때의 키가 없어 환자를 찾을 수 없음 (its master key is gone)")
        if each.plain:
            click.echo(f"plain {each.snapshot}: 암호화되지 않아 폴더를 지워야 함 (not encrypted: remove the folder)")
        if each.missing:
            click.echo(f"shredded {each.snapshot} {len(each.files)} now, {len(each.missing)} in all")


def _end(found: Iterable[Shredded]) -> None:
    """End with an exit code of its own where a version still holds a person."""
    if any(each.plain or each.unknown for each in found):
        sys.exit(LEFT_OVER)


def _now() -> datetime:
    # The command line is a door: here the clock is read.
    return datetime.now(UTC)  # noqa: TID251 - see the line above
