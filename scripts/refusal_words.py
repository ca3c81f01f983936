"""Writes what each refusal says, by its code, where the portal's pages find it: `python -m scripts.refusal_words`.

An entry of the log has a refusal's code and not its text. Taken from the source, so that there is one place to write
a refusal; a test says when the file is no longer what the source says.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "enclave/portal/words/refusals.toml"
# What runs inside a workspace or beside the gate records nothing itself.
APART = ("enclave/notebook",)


def text() -> str:
    """Return the file: a line for each code, in order, with its Korean and its English sentence."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "enclave").rglob("*.py")):
        if path.relative_to(ROOT).as_posix().startswith(APART):
            continue
        for code, said in _refusals(ast.parse(path.read_text(encoding="utf-8"))):
            # Of several texts of one code the shortest: it speaks least of one case.
            found[code] = min((found.get(code, said), said), key=lambda pair: (len(pair[0]), pair))
    return "".join(f'"{code}" = {json.dumps(list(said), ensure_ascii=False)}\n' for code, said in sorted(found.items()))


def _refusals(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            said = {each.arg: _said(each.value) for each in node.keywords}
            if said.get("ko") and said.get("en"):
                yield str(node.args[0].value), (said["ko"], said["en"])


def _said(node: ast.expr) -> str:
    """Return a text as it is in the source, with an ellipsis where it says what it is about."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_said(each) if isinstance(each, ast.Constant) else "…" for each in node.values)
    return ""


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
