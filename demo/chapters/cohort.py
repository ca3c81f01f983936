"""Chapter 5, last step: a cohort of pictures chosen by their index, in the notebook that lies in the workspace."""

from __future__ import annotations

import json
from typing import Any

from demo.kernel import Kernel
from demo.show import StepFailedError, step
from demo.world import CHECKOUT, World

SOURCE = CHECKOUT / "demo/notebooks/images.ipynb"
NOTEBOOK = "영상.ipynb"


def cohort(world: World) -> None:
    """Put the notebook of pictures into the workspace and run its cells as they stand."""
    mina = world.session("mina")
    notebook = json.loads(SOURCE.read_text())
    with step("5.3", "영상 코호트 (cohort of images)") as line, Kernel(mina) as kernel:
        line.look = mina.put_notebook(NOTEBOOK, notebook)
        for code in code_of(notebook):
            outcome = kernel.run(code)
            if outcome.error:
                raise StepFailedError(
                    f"{code.splitlines()[0]} → {outcome.error}", f"{NOTEBOOK}에서 같은 셀을 실행해 보세요."
                )
            for text in printed_lines(code, outcome.text):
                line.detail(text.replace("[", "\\["))
        line.said = "색인에서 SELECT로 고르고, 배열로 읽고, 묶음을 만들고, 집계표를 미리 점검"


def code_of(notebook: dict[str, Any]) -> list[str]:
    """Return the source of each code cell, in order."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def printed_lines(code: str, text: str) -> list[str]:
    """Return the lines of a cell that prints or checks: tables and figures are for the notebook itself."""
    return text.strip().splitlines() if "print(" in code or "preflight" in code else []
