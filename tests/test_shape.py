"""The shape of the code: small files, small functions, no re-exports, reasons for broad excepts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import audit
import deid
import enclave

ROOT = Path(__file__).parent.parent
ROOMS = ("audit", "deid", "enclave", "hub_config", "demo")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
# `import ansim` in a notebook must reach `ansim.egress` at once: the one package that is a public face.
PUBLIC_FACE = ROOT / "enclave/notebook/ansim/__init__.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_its_functions_fit_on_a_screen(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= 500, "split the file: one concept per file"
    if path.name == "__init__.py" and path != PUBLIC_FACE:
        assert source == "", "__init__.py files stay empty: no re-exports"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
                assert lines <= 50, f"{node.name} has {lines} lines"
        if isinstance(node, ast.ExceptHandler) and _is_broad(node):
            line = source.splitlines()[node.lineno - 1]
            assert "#" in line, f"line {node.lineno}: a broad except says why on its line"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )


@pytest.mark.parametrize("room", [audit, deid, enclave], ids=lambda room: room.__name__)
def test_a_room_is_ours_and_not_a_package_of_the_same_name(room: object) -> None:
    assert Path(str(room.__file__)).is_relative_to(ROOT)  # type: ignore[attr-defined]


def test_no_registry_host_is_named_in_the_project() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "deb.debian" + ".org"]
    tracked = [
        p for p in ROOT.rglob("*") if p.is_file() and not any(part in SKIP for part in p.relative_to(ROOT).parts)
    ]
    named = [str(p) for p in tracked for host in hosts if host in p.read_text(errors="ignore")]
    assert named == []


SKIP = {
    ".git",
    ".venv",
    "build",
    "var",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
}
