"""The check of the documents finds what is not true."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import docs_check


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text("demo: setup  ## play\n\techo\n")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit/note.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "untruth"),
    [
        ("see [the notes](audit/note.py#L3)", ""),
        ("see [the notes](audit/notes.py)", "link to audit/notes.py leads nowhere"),
        ("see [them](https://nowhere.example/x)", ""),
        ("`make demo` plays it", ""),
        ("`make demos` plays it", "there is no `make demos`"),
        ("we make sure of it", ""),
        ("`audit/note.py` signs", ""),
        ("`audit/gone.py` signs", "there is no audit/gone.py"),
        ("`audit/<name>/x` is a pattern", ""),
    ],
)
def test_each_untruth_is_named_with_its_line(root: Path, line: str, untruth: str) -> None:
    (root / "README.md").write_text(f"# Title\n{line}\n")
    assert list(docs_check.untruths(root / "README.md", root)) == ([f"README.md:2: {untruth}"] if untruth else [])
