"""Makes the one-file verifier of an evidence bundle out of this room's own modules, in reading order."""

from __future__ import annotations

import ast
from pathlib import Path

from audit.errors import LogConflictError, Text

# In order of dependency; each may import only from those above it, the standard library and `cryptography`.
MODULES = (
    "errors", "canonical", "merkle", "note", "proof", "tiles", "folder", "report", "logcheck", "bundlecheck", "verify",
)  # fmt: skip
_HEADER = '''#!/usr/bin/env python3
"""Stand-alone verifier of an Ansim evidence bundle or log folder. 증거 자료와 로그를 혼자서 검증하는 프로그램.

    python3 verify.py                      the bundle it lies in / 이 파일이 든 폴더
    python3 verify.py FOLDER --key LINE    a bundle or log, with the published key / 게시된 키로 검증

Needs Python 3.11 or newer and the package `cryptography`. Licence: Apache-2.0.
Below are the modules of Ansim's `audit` folder, unchanged but for the imports between them.
"""

from __future__ import annotations
'''


def source() -> str:
    """Return the program's text; raise `LogConflictError` (`audit.standalone`) if two modules define one name."""
    imports: set[str] = set()
    defined: dict[str, str] = {}
    parts = []
    for name in MODULES:
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        _claim_names(tree, name, defined)
        parts.append(f"# {'-' * 20} audit/{name}.py {'-' * 20}\n{_without_imports(text, tree, imports)}")
    return "\n".join([_HEADER, *sorted(imports), "", "\n\n".join(parts)])


def _claim_names(tree: ast.Module, module: str, defined: dict[str, str]) -> None:
    for node in tree.body:
        for name in _names(node):
            if name in defined:
                detail = f"{name}: {defined[name]}, {module}"
                raise LogConflictError("audit.standalone", Text(detail, detail, "이름을 바꾸세요.", "Rename one."))
            defined[name] = module


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [name.id for name in names if isinstance(name, ast.Name)]


def _without_imports(text: str, tree: ast.Module, imports: set[str]) -> str:
    """Blank out a module's imports, keeping those from outside the room for the top of the file."""
    lines: list[str | None] = list(text.splitlines())
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for at in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[at] = None
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if not module.startswith(("audit.", "__future__")):
            imports.add(ast.unparse(node))
    # The module's docstring becomes a comment: only the file's own first string may be one.
    about = [f"# {line}".rstrip() for line in (ast.get_docstring(tree) or "").splitlines()]
    kept = [line for line in lines[tree.body[0].end_lineno :] if line is not None]
    return "\n".join([*about, "", "\n".join(kept).strip(), ""])
