"""`make bench`: runs every tests/bench/*_bench.py, prints one table, writes build/bench.json.

Each bench module has `figures() -> dict[str, dict]`: name (`room.figure`) → `value`, `unit`, `peer` (what it was
measured against, in the same run), `ratio`, `floor`, `ok`. Names given as arguments choose modules: `run spawn audit`.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULT = HERE.parent.parent / "build/bench.json"
FIELDS = {"value", "unit", "peer", "ratio", "floor", "ok"}
ROOMS = ("audit", "airlock", "deid", "gate", "hub", "portal")
console = Console(highlight=False)


def modules(chosen: list[str]) -> list[str]:
    """Names of the bench modules, all of them or those chosen."""
    names = sorted(path.stem for path in HERE.glob("*_bench.py"))
    return [name for name in names if not chosen or name.removesuffix("_bench") in chosen]


def check(figures: dict[str, dict[str, Any]]) -> None:
    """Refuse figures that are not in the agreed form."""
    for name, figure in figures.items():
        if name.partition(".")[0] not in ROOMS or set(figure) != FIELDS:
            raise ValueError(
                f"{name}: a figure is called <room>.<figure> and has {sorted(FIELDS)}, not {sorted(figure)}"
            )


def table(figures: dict[str, dict[str, Any]]) -> Table:
    """All figures, one a row."""
    shown = Table("figure", "value", "against", "ratio", "floor", "")
    for name, figure in sorted(figures.items()):
        ratio = "" if figure["ratio"] is None else f"{figure['ratio']:.3g}"
        mark = "[green]ok[/]" if figure["ok"] else "[bold red]not reached[/]"
        shown.add_row(
            name, f"{figure['value']:.4g} {figure['unit']}", str(figure["peer"]), ratio, str(figure["floor"]), mark
        )
    return shown


def main(chosen: list[str]) -> int:
    """Run them; exit code 1 if a floor is not reached or a bench broke."""
    known = json.loads(RESULT.read_text()) if chosen and RESULT.exists() else {}
    found: dict[str, dict[str, Any]] = {}
    broken = []
    for name in modules(chosen):
        with console.status(f"[dim]{name} …"):
            try:
                figures = importlib.import_module(f"tests.bench.{name}").figures()
                check(figures)
            except Exception:  # noqa: BLE001 - one broken bench must not hide the figures of the others
                console.print(traceback.format_exc(), markup=False)
                broken.append(name)
                continue
        found |= figures
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(known | found, indent=2, sort_keys=True) + "\n")
    console.print(table(found))
    console.print(f"{RESULT.relative_to(Path.cwd()) if RESULT.is_relative_to(Path.cwd()) else RESULT}")
    if broken:
        console.print(f"[bold red]broken: {', '.join(broken)}[/]")
    return 1 if broken or not all(figure["ok"] for figure in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
