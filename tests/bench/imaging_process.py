"""One measured run: `python -m tests.bench.imaging_process IN OUT JOBS [never]`; `never`: no looking for letters.

Prints seconds of wall clock, of CPU, and of its workers' CPU, and its peak in MB.
It is what `ansim deid folder` does, without the command line around it; imports of this process are not counted.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from deid.folder import index
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, is_done, run
from deid.keys import WorkerKeys
from tests.bench.spent import peak_mb

RECIPE = Path(__file__).parents[2] / "recipes/imaging-default.yaml"


def main(source: Path, out: Path, jobs: int, *, never: bool = False) -> None:
    recipe = load(RECIPE, SECTIONS)
    rules = recipe.sections["imaging"]
    rules = replace(rules, letters=replace(rules.letters, never=never))
    recipe = replace(recipe, sections={**recipe.sections, "imaging": rules})
    people = People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)
    out.mkdir(parents=True)
    wall, cpu = time.monotonic(), time.process_time()
    tally = run(Work(people, recipe, source, out / STAGING), out, jobs=jobs)
    index.write(out, tally)
    cpu = time.process_time() - cpu
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not is_done(tally):
        raise RuntimeError(f"{[(each.name, each.code) for each in tally.refused]}")
    print(time.monotonic() - wall, cpu, children.ru_utime + children.ru_stime, peak_mb())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), never="never" in sys.argv[4:])
