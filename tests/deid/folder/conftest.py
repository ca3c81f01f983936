"""The default recipe, keys that are no secret, a hospital with pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from deid.folder.people import People
from deid.folder.recipe import FolderRecipe, load
from deid.folder.registry import SECTIONS
from deid.keys import WorkerKeys
from tests.deid.folder.clinic import Clinic


@pytest.fixture(scope="session")
def recipe() -> FolderRecipe:
    return load(Path(__file__).parents[3] / "recipes/imaging-default.yaml", SECTIONS)


@pytest.fixture(scope="session")
def people(recipe: FolderRecipe) -> People:
    return People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)


@pytest.fixture
def pictures(tmp_path: Path) -> Clinic:
    """A hospital with two pictures of each of two patients."""
    clinic = Clinic(tmp_path / "clinic")
    for number in ("A-0001", "B-0002"):
        for name in ("one.dcm", "two.dcm"):
            clinic.slice_of(number, f"{number}/{name}")
    return clinic
