"""Notebooks that come in: their cells are code; outputs and attachments are files nobody asked for."""

from __future__ import annotations

import json
from typing import Any

from enclave.airlock.checks.findings import block, warn
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Finding

MAGIC = ("%", "!", "?")
MOST_METADATA = 16 << 10


def read_notebook(text: str) -> tuple[list[str], list[Finding]]:
    """Return the code cells as Python, and what else is in the notebook. Raises `ParseRefused` (`import.notebook`)."""
    try:
        found = json.loads(text)
        cells = found["cells"]
        sources = [(cell["cell_type"], _text(cell["source"]), cell) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ParseRefused(
            "import.notebook",
            "노트북(nbformat 4)이 아니거나 손상되었습니다.",
            "Not a notebook (nbformat 4), or damaged.",
        ) from None
    code = [_python(source) for kind, source, _ in sources if kind == "code"]
    return code, [*_outputs([cell for _, _, cell in sources]), *_besides(found, cells)]


def _outputs(cells: list[dict[str, Any]]) -> list[Finding]:
    with_outputs = sum(bool(cell.get("outputs")) for cell in cells)
    attached = sum(bool(cell.get("attachments")) for cell in cells)
    findings = []
    if with_outputs:
        findings.append(
            block(
                "import.outputs",
                f"출력이 남은 칸이 {with_outputs}개 있습니다. 출력을 모두 지우고(Clear All Outputs) 다시 올리세요.",
                f"{with_outputs} cells still have outputs. Clear all outputs and upload again.",
            )
        )
    if attached:
        findings.append(
            block(
                "import.attachment",
                f"파일이 붙은 칸이 {attached}개 있습니다. 첨부를 지우고 다시 올리세요.",
                f"{attached} cells have attachments. Remove them and upload again.",
            )
        )
    return findings


def _besides(found: dict[str, Any], cells: list[dict[str, Any]]) -> list[Finding]:
    rest = {name: value for name, value in found.items() if name != "cells"}
    size = len(json.dumps([rest, [cell.get("metadata") for cell in cells]]))
    if size <= MOST_METADATA:
        return []
    return [warn("import.metadata", f"메타데이터가 {size:,}자입니다.", f"The metadata have {size:,} characters.")]


def _python(source: str) -> str:
    """Return a cell without the lines that only IPython understands, so that the rest can be parsed."""
    if source.lstrip().startswith("%%"):
        return ""
    lines = []
    for line in source.splitlines():
        inner = line.lstrip()
        lines.append(f"{line[: len(line) - len(inner)]}pass" if inner.startswith(MAGIC) else line)
    return "\n".join(lines)


def _text(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source)
