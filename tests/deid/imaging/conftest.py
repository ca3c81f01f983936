"""The default recipe, keys that are no secret, and a run of a folder in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import FolderRecipe, load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, run
from deid.folder.tally import Tally
from deid.keys import WorkerKeys

RECIPE = Path(__file__).parents[3] / "recipes/imaging-default.yaml"


@pytest.fixture(scope="session")
def recipe() -> FolderRecipe:
    return load(RECIPE, SECTIONS)


@pytest.fixture(scope="session")
def people(recipe: FolderRecipe) -> People:
    return People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)


@pytest.fixture(scope="session")
def deidentified(recipe: FolderRecipe, people: People) -> Callable[[Path, Path], Tally]:
    def call(source: Path, out: Path) -> Tally:
        out.mkdir(exist_ok=True)
        return run(Work(people, recipe, source, out / STAGING), out)

    return call
