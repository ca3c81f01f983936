"""A format run on a file as the folder command runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from deid.folder.format import HEAD_BYTES, Context, Format, Outcome, Refused
from deid.folder.people import People


@dataclass
class Done:
    """What came out: the folder and what the format says of it."""

    folder: Path
    outcome: Outcome

    @property
    def file(self) -> Path:
        return self.folder / self.outcome.files[0]

    @property
    def data(self) -> bytes:
        return self.file.read_bytes()


@dataclass
class Runner:
    """Lays files in a source folder and has a format rewrite them."""

    base: Path
    people: People
    count: int = 0

    def __call__(self, form: Format, name: str, data: bytes | None = None, *, rules: object = None) -> Done:
        source = self.source / name
        if data is not None:
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(data)
        assert form.recognise(source.read_bytes()[:HEAD_BYTES], name), "not recognised"
        self.count += 1
        target = self.base / f"out{self.count}"
        target.mkdir()
        outcome = form.deidentify(source, target, Context(self.people, rules, name))
        assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} == set(outcome.files)
        return Done(target, outcome)

    @property
    def source(self) -> Path:
        return self.base / "in"

    def refused(self, form: Format, name: str, data: bytes, *, rules: object = None) -> str:
        """Give the code of the refusal; nothing may have been written."""
        source = self.source / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(data)
        self.count += 1
        target = self.base / f"out{self.count}"
        target.mkdir()
        with pytest.raises(Refused) as told:
            form.deidentify(source, target, Context(self.people, rules, name))
        assert list(target.iterdir()) == []
        assert told.value.ko
        assert told.value.en
        return told.value.code
