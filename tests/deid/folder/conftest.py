"""The default recipe, and keys that are no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from deid.folder.people import People
from deid.folder.recipe import FolderRecipe, load
from deid.folder.registry import SECTIONS
from deid.keys import WorkerKeys


@pytest.fixture(scope="session")
def recipe() -> FolderRecipe:
    return load(Path(__file__).parents[3] / "recipes/imaging-default.yaml", SECTIONS)


@pytest.fixture(scope="session")
def people(recipe: FolderRecipe) -> People:
    return People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)
