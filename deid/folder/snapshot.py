"""A folder of images and signals becomes a signed snapshot, or nothing (docs/adr/0053).

As `ansim deid folder` writes it, into a hidden folder that only its owner enters (`work_folder.py`); then the gates;
then every file under a key of its own, the index as a table like any other, report, signature, one rename. A run that
was killed while files were written goes on where it was; killed later, the next one begins anew.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeGuard

import polars as pl

from deid.folder import columns as index_columns
from deid.folder import index, run
from deid.folder.columns import FILE, LABEL, SUBJECT, TABLE
from deid.folder.format import NOBODY
from deid.folder.frame_gate import check_private, opened_frames, write_frames
from deid.folder.gate import judge, judge_index
from deid.folder.leaving import Left, left_of
from deid.folder.one import Result, Work
from deid.folder.people import People
from deid.folder.recipe import FolderRecipe
from deid.folder.sealing import SealedFiles, seal_files
from deid.folder.tally import Tally
from deid.folder.work_folder import work_folder
from deid.gates import Verdict
from deid.imaging.recipe import ImagingRules
from deid.imaging.standard import EDITION
from deid.keys import Keys, WorkerKeys
from deid.manifest import FORMAT_3, Manifest, Table
from deid.report import render
from deid.report_figures import summary_of
from deid.snapshot import Sealed, output_problem, publish, unfinished
from deid.twin.pack import MEASURED_ROWS, twin_zip
from deid.twin.pack import NAME as TWIN
from deid.versions.before import Before
from deid.versions.buckets import how_many
from deid.versions.consent import check_consent
from deid.versions.difference import difference
from deid.write import Place, Written, sealed, write_rows

TOOLS = ("ansim-enclave", "polars", "pydicom", "onnxruntime", "cryptography")
Progress = Callable[[int, int], None]
Told = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class FolderResult:
    """A published snapshot, and how the numbers of those who withdrew stood in the files (told to nobody)."""

    snapshot: Path
    manifest: Manifest
    spelled: frozenset[str] = field(default=frozenset(), repr=False)


def run_folder(  # noqa: PLR0913 - as `engine.run`; all but the first four by name only
    recipe: FolderRecipe,
    source: Path,
    out: Path,
    keys: Keys,
    *,
    now: datetime,
    progress: Progress = lambda *_: None,
    told: Told = lambda _: None,
    before: Before | None = None,
    jobs: int | None = None,
    private: Path | None = None,
    refused: Iterable[Result] = (),
) -> FolderResult:
    """De-identify the files below `source` by `recipe` and publish a snapshot into `out`.

    `now` (aware) is recorded; `before` is the version that this one follows. `told` is given the run's report (it names
    source files: it stays with the hospital) before the gates judge. `private` gets the frames that a sample is drawn
    from, where the recipe asks for one; `refused` is what of a ZIP could not be unpacked into `source`.

    Raises `RecipeError`, `SourceError`, `GateFailed`, `KeyFileError`, `OutputError`; then nothing was
    published and nothing is left behind.
    """
    check_consent(recipe.terms.consent, recipe.dataset, now)
    check_private(recipe.frame_sample, given=private is not None)
    left = left_of(recipe, source, now)
    out, source = out.resolve(), source.resolve()
    made_with = (recipe.sha256, keys.id, keys.project, left.leaving.digest, str(source))
    with (
        unfinished(out) as folder,
        work_folder(out, recipe.dataset, *made_with) as plain,
        opened_frames(recipe.frame_sample, private) as frames,
    ):
        try:
            owner = WorkerKeys(keys.master, keys.project)
            people = People(owner, recipe.dataset, recipe.domain, recipe.max_days, left.leaving)
            work = Work(people, recipe, source, plain / run.STAGING, left.besides, links=False)
            tally = run.run(work, plain, jobs=jobs, progress=progress)
            tally.refused += refused
            told(run.report(work, tally, keys=keys.id))
            making = _Making(recipe, keys, folder, before, left)
            making.asked = write_frames(work, tally, frames)
            target, signed = making.publish(tally, plain, out, now)
            if frames:
                frames.keep()
        except OSError as error:
            raise output_problem(out, error) from error
    return FolderResult(target, signed, frozenset(each.who for each in tally.refused if each.who))


class _Making:
    """What the stages after the files are written share."""

    def __init__(self, recipe: FolderRecipe, keys: Keys, folder: Path, before: Before | None, left: Left) -> None:
        self.recipe, self.keys, self.folder, self.before, self.left = recipe, keys, folder, before, left
        self.asked: Mapping[str, Any] = {}

    def publish(self, tally: Tally, plain: Path, out: Path, now: datetime) -> tuple[Path, Manifest]:
        """Judge, seal, say what there is, and sign. Raises `GateFailed`."""
        verdicts = judge(tally)
        rows = {row[FILE]: row for row in index.rows_of(plain, tally)}
        judge_index(rows.values(), tally)
        whose = {name: each.outcome.people for each in (*tally.written, *tally.twice) for name in each.files}
        files = seal_files(plain, self.folder, whose, self.keys, self.recipe.dataset, self.before)
        written = self._index(list(rows.values()))
        table = self._table(written)
        risk = self._risk(tally, table)
        manifest = self._manifest(table, risk, verdicts, now)
        manifest = replace(manifest, lineage={**manifest.lineage, "folder": _facts(tally, rows)})
        manifest = self._followed(manifest, written, files, tally)
        self._pages(manifest, risk, written)
        index_part = sealed(self.keys.storage, {TABLE: written})
        whole = Sealed(self.keys.storage, {**index_part.about, **files.about}, (*index_part.keys, *files.keys))
        return publish(self.folder, out, manifest, self.keys.signing, whole)

    def _index(self, rows: list[dict[str, Any]]) -> Written:
        names = list(index.SCHEMA)
        frame = pl.DataFrame([[row.get(name) for name in names] for row in rows], index.SCHEMA, orient="row")
        old = self.before.table(TABLE) if self.before else None
        buckets = how_many(frame.height, old.buckets if old else 0)
        same = old is not None and old.buckets == buckets and list(old.columns) == names
        place = Place(self.folder, TABLE, buckets, self.keys.storage, self.before if same else None)
        return write_rows(place, frame.sort(SUBJECT, FILE), SUBJECT)

    def _table(self, written: Written) -> Table:
        somebody = pl.col(SUBJECT).filter(pl.col(SUBJECT) != NOBODY)  # a DICOMDIR is of nobody alone
        frame = written.scan().select(pl.len().alias("rows"), somebody.n_unique().alias("people")).collect()
        names = tuple(each.file.name for each in written.files)
        rows, people = int(frame["rows"].item()), int(frame["people"].item())
        of = index_columns.columns()
        return Table(*LABEL, of, rows, people, names, subject=SUBJECT, buckets=written.buckets, holds=FILE)

    def _risk(self, tally: Tally, table: Table) -> dict[str, Any]:
        withdrawn = len(self.left.people(each.who for each in tally.refused))
        return {
            "rows_before": table.rows + len(tally.refused) + tally.duplicates,
            "rows_after": table.rows,
            "subjects_before": table.subjects + withdrawn,
            "subjects_after": table.subjects,
            "quasi_identifiers": [],
            **dict.fromkeys(("source", "generalised", "published", "privacy")),
            **{name: [] for name in ("costs", "utility", "texts")},
            "learned": {},
            "treatments": index_columns.treatments(),
        }

    def _manifest(self, table: Table, risk: dict[str, Any], verdicts: list[Verdict], now: datetime) -> Manifest:
        recipe = self.recipe
        source = {"table": TABLE, "file": "", "format": "folder", "rows": risk["rows_before"], "sha256": ""}
        rules = recipe.sections.get("imaging")
        profile = {"standard": EDITION, "options": sorted(rules.profile.options)} if _is_imaging(rules) else {}
        return Manifest(
            id="",
            dataset=recipe.dataset,
            title_ko=recipe.title[0],
            title_en=recipe.title[1],
            provider=recipe.provider,
            legal_basis=recipe.legal_basis,
            recipe_version=recipe.version,
            recipe_sha256=recipe.sha256,
            created_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            tables={TABLE: table},
            risk={TABLE: summary_of(risk)},
            gates=tuple(verdict.plain() for verdict in verdicts),
            tool_versions={"python": platform.python_version(), **{tool: version(tool) for tool in TOOLS}},
            lineage={
                "recipe": recipe.file,
                "keys": self.keys.plain(),
                "sources": [source | {"bytes": self.left.source_bytes, "columns": {}}],
                **({"imaging": profile} if profile else {}),
                **self.asked,
            },
            files={},
            format=FORMAT_3,
        )

    def _followed(self, manifest: Manifest, written: Written, files: SealedFiles, tally: Tally) -> Manifest:
        """Say what the version follows, on whose consent, and who was left out."""
        terms, lineage = self.recipe.terms, manifest.lineage
        changed = difference(self.before, manifest.tables, {TABLE: written}, manifest.risk, self.keys.plain())
        left_out = [each for each in tally.refused if each.who]
        if terms.feed is not None:
            lineage = {**lineage, "withdrawn_rows": {TABLE: len(left_out)}}
        return replace(
            manifest,
            parent=self.before.manifest.id if self.before else None,
            difference={**changed, "held": files.difference} if changed else {},
            consent=terms.consent.plain() if terms.consent else {},
            withdrawn=len(self.left.people(each.who for each in left_out)),
            lineage=lineage,
        )

    def _pages(self, manifest: Manifest, risk: dict[str, Any], written: Written) -> None:
        """Write what goes beside the data: the report, its figures, the twin of the index."""
        text = json.dumps({TABLE: risk}, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        (self.folder / "risk.json").write_text(text, encoding="utf-8")
        page = render(manifest, {TABLE: risk}, recipe_file=self.recipe.file)
        (self.folder / "report.html").write_text(page, encoding="utf-8")
        seed = self.keys.derive("twin", self.recipe.dataset, "")
        (self.folder / TWIN).write_bytes(twin_zip(manifest, {TABLE: written.beginning(MEASURED_ROWS)}, seed=seed))


def _is_imaging(rules: object) -> TypeGuard[ImagingRules]:
    return isinstance(rules, ImagingRules)


def _facts(tally: Tally, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Count what is held, and what was not let in: no value of anybody."""
    refused = Counter(each.code for each in tally.refused)
    return {
        "files": len(rows),
        "patients": len({row[SUBJECT] for row in rows.values()} - {NOBODY}),
        "bytes": sum(int(row["bytes"]) for row in rows.values()),
        "formats": _count(row["format"] for row in rows.values()),
        "modalities": _count(row["modality"] for row in rows.values() if row.get("modality")),
        "duplicates": tally.duplicates,
        "refused": dict(sorted(refused.items())),
        "notes": dict(sorted(tally.notes.items())),
        "warnings": dict(sorted(tally.warnings.items())),
    }


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
