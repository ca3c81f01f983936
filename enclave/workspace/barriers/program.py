"""One area's attacks as one text that a notebook's kernel can run: nothing in it but the standard library.

The parts are modules of this package, so that they are checked like all code; put together, the lines that import one
part into another are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

PARTS = "enclave.workspace.barriers.inside"
OURS = re.compile(rf"^from {re.escape(PARTS)}\.\w+ import (?:\([^)]*\)|[^\n(]*)\n", re.MULTILINE)
FUTURE = "from __future__ import annotations\n"


def part(name: str) -> str:
    """Return one part's text without what only the checkout needs."""
    text = files(PARTS).joinpath(f"{name}.py").read_text("utf-8")
    return OURS.sub("", text).replace(FUTURE, "")


def program(area: str, facts: Mapping[str, Any], only: Sequence[str] | None = None) -> str:
    """Return the attacks of an area (`network`, `kernel`, `files`, `resources`, `counters`, `doors`), ready to run.

    Where the facts name a `bridge`, its attacks take the place of those that only a sealed workspace can refuse.
    """
    bridge = [part("bridge")] if area == "network" and facts.get("bridge") else []
    call = f"run(json.loads({json.dumps(json.dumps(dict(facts)))}), {list(only) if only else None!r})\n"
    return "\n".join([FUTURE, part("kit"), part(area), *bridge, call])


def neighbour(facts: Mapping[str, Any]) -> str:
    """Return the neighbour's honest work, ready to run; it leaves `NEIGHBOUR` behind."""
    return "\n".join(
        [
            FUTURE,
            part("neighbour"),
            "import json",
            f"NEIGHBOUR = Neighbour(json.loads({json.dumps(json.dumps(dict(facts)))}))\n",
        ]
    )
