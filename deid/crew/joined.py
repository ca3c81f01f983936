"""Who does the work of a run: this process alone, or a cluster besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deid.keys import Keys
from deid.many.layout import FOLDER, Hands
from deid.many.memory import memory_within
from deid.many.options import Means
from deid.recipe import Recipe


@contextmanager
def joined(means: Means, recipe: Recipe, keys: Keys, folder: Path) -> Iterator[Hands]:
    """Connect to the cluster, if there is one, with the unfinished snapshot's `folder`. Raises `WorkersRefused`."""
    memory = memory_within(means.memory or recipe.limits.memory)
    if means.cluster is None:
        yield Hands(memory)
        return
    from deid.crew.crew import at_work  # noqa: PLC0415 - distributed takes a second to load, and most runs need none

    with at_work(means.cluster, keys, recipe, folder / FOLDER) as crew:
        yield Hands(replace(memory, whole=0), crew)
