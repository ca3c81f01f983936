"""The page for Presidio's users is right: its code runs with plain Presidio and prints what it says."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/reference/korean-pack.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_code_block_prints_what_the_page_says() -> None:
    assert len(BLOCKS) == 4
    space: dict[str, object] = {}
    for code, printed in BLOCKS:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, space)
        assert out.getvalue() == printed


def test_the_pack_needs_nothing_else_of_the_project() -> None:
    # A fresh process: the pack and Presidio only, no tables, no keys, no enclave.
    script = (
        "import sys; from deid.detect.analyzer import analyzer; from deid.detect.anonymizer import anonymizer; "
        "analyzer(); anonymizer(); "
        "print([m for m in sys.modules if m.split('.')[0] in {'enclave', 'audit', 'polars', 'torch', 'transformers'} "
        "or m in {'deid.engine', 'deid.recipe'}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
