"""Who is left out of a folder's run: the recipe's list of who withdrew, which lies in the source folder itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deid.folder.files import files_below
from deid.folder.people import Leaving
from deid.folder.recipe import FolderRecipe
from deid.versions.alike import ALIKE
from deid.versions.feed import read_feed
from deid.versions.spellings import cores


@dataclass(frozen=True)
class Left:
    """Who withdrew; `besides` are names in the source folder that are none of its files; what is left, in bytes."""

    leaving: Leaving
    besides: frozenset[str]
    source_bytes: int

    def people(self, who: Iterable[str]) -> frozenset[str]:
        """Tell people apart by their numbers as these stand in files; "" is nobody."""
        return frozenset(cores((each for each in who if each), self.leaving.spellings))


def left_of(recipe: FolderRecipe, source: Path, now: datetime) -> Left:
    """Read who withdrew up to `now`. Raises `SourceError` when the list is missing or malformed."""
    feed = recipe.terms.feed
    withdrawn = read_feed(feed, source, now)
    leaving = Leaving.of(withdrawn.ids, feed.spellings if feed else ALIKE)
    besides = frozenset({feed.file} if feed else ())
    size = sum((source / name).stat().st_size for name in files_below(source) if name not in besides)
    return Left(leaving, besides, size)
