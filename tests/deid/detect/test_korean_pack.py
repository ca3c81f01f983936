"""The page for Presidio's users is right: its code runs with plain Presidio and prints what it says."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

PAGE = Path(__file__).parents[3] / "docs/reference/korean-pack.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_code_block_prints_what_the_page_says() -> None:
    assert len(BLOCKS) == 4
    space: dict[str, object] = {}
    for code, printed in BLOCKS:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, space)
        assert out.getvalue() == printed


# Refuses what presidio does not bring, as if it were not installed; prints what is loaded of the project.
REFUSING = """
import importlib.abc, json, sys
refused = set(json.loads(sys.argv[1]))
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
space = {}
exec(sys.argv[2], space)
print(*sorted(name for name in sys.modules if name.split(".")[0] == "deid"))
"""


def test_the_page_runs_where_only_presidio_is_installed() -> None:
    brought = needs_of("presidio-analyzer") | needs_of("presidio-anonymizer")
    owners = packages_distributions()
    refused = [name for name, own in owners.items() if name != "deid" and not {canonical(one) for one in own} & brought]
    assert {"polars", "sqlalchemy", "fastapi"} <= set(refused)
    blocks = "\n".join(code for code, _ in BLOCKS)
    command = [sys.executable, "-c", REFUSING, json.dumps([*refused, "enclave", "audit"]), blocks]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PAGE.parents[2])
    *printed, loaded = done.stdout.splitlines(keepends=True)
    assert "".join(printed) == "".join(text for _, text in BLOCKS)
    others = {name for name in loaded.split() if not name.startswith(("deid.detect", "deid.texts"))}
    assert others <= {"deid"}


def test_the_page_says_how_to_install_it_without_the_enclave() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "pip install presidio-analyzer presidio-anonymizer" in page
    assert "pip install --no-deps ansim-enclave" in page


def needs_of(name: str) -> set[str]:
    """Distributions that `name` brings, itself among them; extras are not asked for."""
    found: set[str] = set()
    waiting = [canonical(name)]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        with contextlib.suppress(PackageNotFoundError):
            wanted = [Requirement(text) for text in requires(one) or ()]
            waiting += [
                canonical(want.name) for want in wanted if not want.marker or want.marker.evaluate({"extra": ""})
            ]
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
