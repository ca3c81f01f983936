"""Makes the one-file programs, verifier and witness, out of this room's own modules, in reading order."""

from __future__ import annotations

import ast
from pathlib import Path

from audit.errors import LogConflictError, Text

# In order of dependency; each may import only from those above it, the standard library and `cryptography`.
VERIFIER = (
    "errors", "canonical", "merkle", "note", "cosignature", "policy", "keyline", "stamps", "proof", "tiles", "folder",
    "report", "reader", "purgecheck", "logcheck", "anchors", "anchorcheck", "selectcheck",
    "bundlecheck", "verify",
)  # fmt: skip
WITNESS = ("errors", "merkle", "note", "cosignature", "policy", "keyline", "asking", "witness", "witnessing")
_VERIFIER_SAYS = """Stand-alone verifier of an Ansim evidence bundle or log folder.

증거 자료와 로그를 혼자서 검증하는 프로그램.

    python3 verify.py                      the bundle it lies in / 이 파일이 든 폴더
    python3 verify.py FOLDER --key LINE    a bundle or log, with the published key / 게시된 키로 검증
    python3 verify.py FOLDER --policy FILE with the published policy: log keys, witnesses, quorum / 게시된 정책으로
"""
_WITNESS_SAYS = """Stand-alone witness of an Ansim audit log, for another office's machine. 감사 로그의 증인 프로그램.

    python3 witness.py init HOME --name NAME --log LINE    make the keys; trust the log's published key / 만들기
    python3 witness.py sign HOME FOLDER                    look at what came, put the answer beside it / 확인하고 서명
    python3 witness.py show HOME                           what was seen last; lines for the policy file / 보기
    python3 witness.py trust HOME --log LINE               the log's key was handed over / 키 교체
"""
_HEADER = '''#!/usr/bin/env python3
"""{says}
Needs Python 3.11 or newer and the package `cryptography`. Licence: Apache-2.0.
Below are the modules of Ansim's `audit` folder, unchanged but for the imports between them.
"""

from __future__ import annotations

import sys

# What lies beside this file is what it looks at: no module may be loaded from there (`json.py`, `cryptography/`).
if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]
'''


def verifier() -> str:
    """Return the verifier's text; raise `LogConflictError` (`audit.standalone`) if two modules define one name."""
    return _source(VERIFIER, _VERIFIER_SAYS)


def witness() -> str:
    """Return the witness's text; raise `LogConflictError` (`audit.standalone`) if two modules define one name."""
    return _source(WITNESS, _WITNESS_SAYS)


def _source(modules: tuple[str, ...], says: str) -> str:
    imports: set[str] = set()
    defined: dict[str, str] = {}
    parts = []
    for name in modules:
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        _claim_names(tree, name, defined)
        parts.append(f"# {'-' * 20} audit/{name}.py {'-' * 20}\n{_without_imports(text, tree, imports)}")
    return "\n".join([_HEADER.replace("{says}", says), *sorted(imports - {"import sys"}), "", "\n\n".join(parts)])


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
