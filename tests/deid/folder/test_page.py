"""The page on images and signals, in both languages, names every reason for which a file of a folder is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"""["'`]((?:folder|imaging)\.[a-z]+(?:-[a-z]+)*)["'`]""")
ZIP = re.compile(r'_refused\(name, [A-Z]+, "([a-z]+)"')


@pytest.mark.parametrize("page", ["imaging.md", "imaging.en.md"])
def test_the_page_names_every_reason_and_no_other(page: str) -> None:
    files = [*(ROOT / "deid/folder").rglob("*.py"), *(ROOT / "deid/imaging").rglob("*.py")]
    source = "\n".join(path.read_text() for path in files)
    raised = set(CODE.findall(source)) | {f"folder.zip-{each}" for each in ZIP.findall(source)}
    table = "\n".join(line for line in (ROOT / "docs/handbook" / page).read_text().splitlines() if line[:1] == "|")
    assert set(CODE.findall(table)) == raised
