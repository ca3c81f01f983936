"""What `ansim deid run` and `withdraw` do with a recipe of a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from deid.folder.command import check_apart, progress_bar, tell
from deid.folder.recipe import FolderRecipe, load
from deid.folder.registry import SECTIONS
from deid.folder.snapshot import FolderResult, run_folder
from deid.folder.zips import opened
from deid.keys import Keys
from deid.versions.options import Versions


def load_signed(recipe: Path) -> FolderRecipe:
    """Read a folder's recipe that says what a snapshot must say. Raises `RecipeError`."""
    return load(recipe, SECTIONS, signed=True)


def publish_folder(  # noqa: PLR0913 - what the command was given
    plan: FolderRecipe,
    source: Path,
    out: Path,
    keys: Keys,
    *,
    versions: Versions,
    private: Path | None,
    report_file: Path | None = None,
) -> FolderResult:
    """Run a folder's recipe over a folder or a ZIP and publish.

    The report is written before the gates judge. Raises `DeidError`.
    """
    check_apart(source.resolve(), out.resolve())
    before = versions.before(out, plan.dataset, keys)
    with opened(source.resolve()) as (read, refused), progress_bar() as bar:
        task = bar.add_task("", total=None)
        return run_folder(
            plan,
            read,
            out,
            keys,
            # The command line is a door: here the clock is read.
            now=datetime.now(UTC),  # noqa: TID251 - see the line above
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            told=lambda found: tell(found, report_file),
            before=before,
            private=private,
            refused=refused,
        )
