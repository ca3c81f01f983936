"""Are the documents true? Links lead somewhere, `make` targets and paths they name exist.

Reads every tracked Markdown file; prints each untruth with file and line; exit code 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]+)\b")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
# A file or folder of ours, named from the root of the checkout.
PATH = re.compile(r"^(?:audit|deid|demo|docs|enclave|hub_config|images|locks|recipes|scripts|tests)/[\w./-]*$")
SKIPPED = {".venv", "build", "changelog.d"}


def documents(root: Path) -> list[Path]:
    """Return the Markdown files of the checkout."""
    return sorted(path for path in root.rglob("*.md") if not SKIPPED & set(path.relative_to(root).parts))


def untruths(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield `file:line: what` for each link, make target or path in the document that does not exist."""
    targets = set(TARGET.findall((root / "Makefile").read_text()))
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for what in (*_links(path, line), *_targets(line, targets), *_paths(line, root)):
            yield f"{path.relative_to(root)}:{number}: {what}"


def _links(path: Path, line: str) -> Iterator[str]:
    for target, _ in LINK.findall(line):
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
            yield f"link to {target} leads nowhere"


def _targets(line: str, targets: set[str]) -> Iterator[str]:
    for code in CODE.findall(line):
        yield from (f"there is no `make {name}`" for name in MAKE.findall(code) if name not in targets)


def _paths(line: str, root: Path) -> Iterator[str]:
    for code in CODE.findall(line):
        if PATH.match(code) and not (root / code).exists():
            yield f"there is no {code}"


def main() -> int:
    """Check all documents; returns the exit code."""
    found = [what for path in documents(ROOT) for what in untruths(path)]
    print("\n".join(found) or f"{len(documents(ROOT))} documents, all true")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
