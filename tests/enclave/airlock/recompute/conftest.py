from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclave.airlock.recipes.form import Recipe, parse_recipe
from enclave.airlock.recompute.frame import Stored
from enclave.airlock.recompute.snapshot import opened
from tests.enclave.airlock.recompute.hospital import Hospital, build, labs, people

Make = Callable[..., Recipe]


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """Six hundred people with some four laboratory values each, in files of three parts."""
    rng = np.random.default_rng(20261128)
    patients = people(rng, 600)
    return build(tmp_path_factory.mktemp("clinic"), {"patients": patients, "labs": labs(rng, patients, 2500)}, parts=3)


@pytest.fixture
def recipe(hospital: Hospital) -> Make:
    return lambda **fields: recipe_of(hospital, **fields)


def recipe_of(hospital: Hospital, **fields: Any) -> Recipe:
    base = {
        "format": "ansim-recipe-v1",
        "kind": "table",
        "snapshot": hospital.source.snapshot,
        "dataset": "clinic",
        "table": "patients",
    }
    return parse_recipe(base | fields)


@contextmanager
def stored(hospital: Hospital, recipe: Recipe) -> Iterator[dict[str, Stored]]:
    """The snapshot's tables as the sealed process gets them."""
    with opened(hospital.source, recipe, hospital.public_key) as tables:
        yield {name: Stored(one.descriptors, one.person) for name, one in tables.items()}


def saved(folder: Path, head: list[str], rows: list[list[str]]) -> Path:
    lines = [",".join(f'"{cell}"' for cell in row) for row in [head, *rows]]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
