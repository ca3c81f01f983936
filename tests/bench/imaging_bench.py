"""`ansim deid folder` on images: speed against plain copying, letters in pictures, memory, leaks beside the peers.

Speeds are CPU seconds, the quickest of several turns, imports aside: what a machine of one's own would take. A second
process is judged by wall clock, one against two in the same turn, with its start and all that waits for it, beside
what the same gives to plain copying (read, hashed and written, by one process and by two). So the sets are large.
The small files' speed is without looking for letters, of which the recipe has one slice in 500 looked at; the large
files' is with all that the recipe says. Where there is a memory file system, ours and the copies are written there:
4.6 GB into a disk's cache are more than the kernel takes without work on it, and who comes first has it cheaper.

Memory is that of one process: what a file needs beyond a run of one small file, and many files beside few.
`ANSIM_BENCH_SLICES` changes the number of small files (4,000), and of large ones with it. What the peers leave:
`imaging_leaks.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from deid.imaging.elements import DataSet, Element, Syntax
from deid.imaging.letters.look import Search
from deid.imaging.picture import Picture
from deid.imaging.recipe import LetterRules
from tests.bench import imaging_sets as sets
from tests.bench.imaging_leaks import leaks
from tests.bench.imaging_pictures import KINDS
from tests.deid.imaging.planted import Maker

ROOT = Path(__file__).parents[2]
TURNS, SEEDS = 5, 6
# Files of the sets by which processes are compared: so many that the start of a worker (0.2 s) is little beside them.
SMALL, LARGE, FRAMES = 4000, 400, 22  # slices of 0.53 MB; files of so many frames of 0.52 MB in each: 11.5 MB
# How often the files of the few are the many: also among the few are slices of which one in 500 is looked at.
MANY, CINE = 4, 360  # and frames of the largest file, 94 MB
# Growth: tiles of large pictures overlap, by a tenth of their area.
GATES = {"large": 0.60, "small": 200, "gain": 1.8, "share": 0.95, "letters": 0.5, "growth": 1.2, "vain": 0.01,
         "memory": 3.0, "flat": 1.10}  # fmt: skip
IN_MEMORY = Path("/dev/shm")
COUNTS = frozenset({"bones", "planar"})


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a process and of its workers, and its peak in MB."""

    wall: float
    own: float
    workers: float = 0.0
    peak: float = 0.0


Costs = dict[tuple[str, int], list[Cost]]


def figures() -> dict[str, dict[str, Any]]:
    """Measure; see `run.py` for the form."""
    with tempfile.TemporaryDirectory(prefix="ansim-imaging-bench-") as name:
        folder = Path(name)
        small = int(os.environ.get("ANSIM_BENCH_SLICES", str(SMALL)))
        sets.slices(folder / "small", small)
        sets.volumes(folder / "large", max(1, LARGE * small // SMALL), FRAMES)
        speed = _speeds(folder, small)
        shutil.rmtree(folder / "large")
        return {**speed, **_letters(), **_memory(folder, small), **leaks(folder)}


def _speeds(folder: Path, small: int) -> dict[str, dict[str, Any]]:
    """Measure one process and two, ours and plain copying, in turns: CPU at its least, wall clock turn by turn."""
    kinds = [(what, jobs) for what in ("small", "large") for jobs in (1, 2)]
    ours: dict[tuple[str, int], list[Cost]] = {key: [] for key in kinds}
    copies: dict[tuple[str, int], list[Cost]] = {key: [] for key in kinds}
    for _ in range(TURNS):
        for what, jobs in kinds:
            ours[what, jobs].append(_run(folder, what, jobs, *(["never"] if what == "small" else [])))
            copies[what, jobs].append(_copied(folder, what, jobs))
    work, copy = ({key: min(each.own for each in costs) for key, costs in of.items()} for of in (ours, copies))
    share, rate = copy["large", 1] / work["large", 1], small / work["small", 1]
    told = f"copy {1000 * copy['small', 1] / small:.1f} ms, ours {1000 * work['small', 1] / small:.1f} ms CPU a file"
    (small_gain, _, small_told), (large_gain, of_copy, large_told) = (
        _gained(what, ours, copies) for what in ("small", "large")
    )
    return {
        "deid.imaging_large_speed": _least(share, "of copy", f"{_mb(folder, 'large'):.0f} MB", GATES["large"], share),
        "deid.imaging_small_speed": _least(rate, "files/s/core", told, GATES["small"]),
        "deid.imaging_two_small": _least(small_gain, "x", small_told, GATES["gain"]),
        "deid.imaging_two_large": _least(large_gain, "x", large_told, GATES["share"], of_copy),
    }


def _gained(what: str, ours: Costs, copies: Costs) -> tuple[float, float, str]:
    """Say how much sooner two processes end than one, by wall clock with all that they start, and beside copying.

    Medians of what each turn shows: the four runs of a turn are of the same minute, and a machine shared with others
    is twice as fast in the next.
    """
    gains, plain = (
        [one.wall / two.wall for one, two in zip(of[what, 1], of[what, 2], strict=True)] for of in (ours, copies)
    )
    shares = [gain / copy for gain, copy in zip(gains, plain, strict=True)]
    told = f"copy {median(plain):.2f}x; turns {min(gains):.2f} to {max(gains):.2f}x, of copy's {min(shares):.2f}"
    return median(gains), median(shares), f"{told} to {max(shares):.2f}"


def _run(folder: Path, what: str, jobs: int, *more: str) -> Cost:
    with _outputs(folder, what) as out:
        command = ["-m", "tests.bench.imaging_process", folder / what, Path(out) / "out", jobs, *more]
        return Cost(*map(float, _python(*command).split()))


def _copied(folder: Path, what: str, parts: int) -> Cost:
    with _outputs(folder, what) as out:
        script = ROOT / "tests/bench/imaging_copy.py"
        commands = [[sys.executable, str(script), str(folder / what), out, str(n), str(parts)] for n in range(parts)]
        start = time.monotonic()
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
        spent = sum(float(each.communicate()[0]) for each in running)
        return Cost(time.monotonic() - start, spent)


def _outputs(folder: Path, what: str) -> tempfile.TemporaryDirectory[str]:
    """Give a folder in memory, where twice as much is free as is written; else one on the disk."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > 2e6 * _mb(folder, what)
    return tempfile.TemporaryDirectory(dir=IN_MEMORY if roomy else folder)


def _python(*arguments: object) -> str:
    # Compiled once, as installed code is: an editable checkout may be told not to write what it compiled.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=env).stdout


def _mb(folder: Path, what: str) -> float:
    return sum(path.stat().st_size for path in (folder / what).rglob("*.dcm")) / 1e6


def _letters() -> dict[str, dict[str, Any]]:
    """Look for letters where none are: how long it takes and what it costs the picture."""
    seconds, vain = {}, {}
    for kind in KINDS:
        pictures = [kind(np.random.default_rng(seed)) for seed in range(SEEDS)]
        looks = [_looked(each, kind.__name__) for each in pictures]
        seconds[kind.__name__] = min(spent for spent, _ in looks)
        vain[kind.__name__] = max(share for _, share in looks)
    slowest, worst = max(seconds, key=seconds.__getitem__), max(vain, key=vain.__getitem__)
    one = KINDS[0](np.random.default_rng(0))
    four = np.asarray(Image.fromarray(one).resize((2 * one.shape[1], 2 * one.shape[0]), Image.Resampling.BICUBIC))
    cost = [min(_looked(each, "")[0] for _ in range(TURNS)) / each.size for each in (one, four)]
    pictures_told = f"{SEEDS} each of {len(KINDS)} kinds"
    return {
        "deid.imaging_letters_time": _most(seconds[slowest], "CPU s", f"slowest kind: {slowest}", GATES["letters"]),
        "deid.imaging_letters_growth": _most(cost[1] / cost[0], "x", "a pixel, 4 Mpx to 1 Mpx", GATES["growth"]),
        "deid.imaging_letters_in_vain": _most(
            100 * vain[worst], "% blanked", f"worst of {pictures_told} without text: {worst}", 100 * GATES["vain"]
        ),
    }


def _looked(picture: np.ndarray, kind: str) -> tuple[float, float]:
    """Give CPU seconds and the share of a picture that would be blanked."""
    modality = Element(0x00080060, "CS", b"NM" if kind in COUNTS else b"OT")
    data = DataSet([modality], Syntax(explicit=True, little=True), "")
    search = Search(_described(picture), data, LetterRules())
    start = time.process_time()
    boxes = search.boxes(lambda _: picture)
    spent, covered = time.process_time() - start, np.zeros(picture.shape, bool)
    for box in boxes:
        covered[box.top : box.bottom, box.left : box.right] = True
    return spent, float(covered.mean())


def _described(picture: np.ndarray) -> Picture:
    rows, columns = picture.shape
    return Picture(rows, columns, 1, 1, 8, 8, 7, signed=False, planar=False, photometric="MONOCHROME2", padding=None,
                   order="<")  # fmt: skip


def _memory(folder: Path, small: int) -> dict[str, dict[str, Any]]:
    """Measure the peak with many files against few, and with one large file against a small one of its kind.

    A picture with letters is in each: the detector's own memory is no file's.
    """
    few = small // MANY
    (folder / "small").rename(folder / "many")
    for name, count, frames in (("few", few, 1), ("many", 0, 1), ("base", 1, 1), ("cine", 0, CINE)):
        sets.slices(folder / name, count)
        sets.cine(folder / name, frames, _with_letters())
    sets.volumes(folder / "volume", 1, CINE // 2)
    sets.cine(folder / "volume", 1, _with_letters())
    peak = {name: _run(folder, name, 1).peak for name in ("few", "many", "base", "cine", "volume")}
    times = {name: (peak[name] - peak["base"]) / _mb(folder, name) for name in ("cine", "volume")}
    worst = max(times, key=times.__getitem__)
    told = ", ".join(f"{name} {_mb(folder, name):.0f} MB: {times[name]:.2f}x" for name in times)
    counted = f"{peak['few']:.0f} MB at {few} files, {peak['many']:.0f} MB at {small}"
    return {
        "deid.imaging_memory_files": _most(peak["many"] / peak["few"], "x", counted, GATES["flat"]),
        "deid.imaging_memory_largest": _most(times[worst], "x the file", told, GATES["memory"]),
    }


def _with_letters() -> np.ndarray:
    maker = Maker(Path(), 1)
    picture = maker.tissue((sets.SIDE, sets.SIDE))  # as large as a slice: the detector's memory goes by its input
    maker.burn(picture, "홍길동 00123456", (20, 20), 20, 250)
    return picture


def _least(value: float, unit: str, peer: str, least: float, ratio: float | None = None) -> dict[str, Any]:
    ok = (value if ratio is None else ratio) >= least
    return {"value": value, "unit": unit, "peer": peer, "ratio": ratio, "floor": f">= {least:g}", "ok": ok}


def _most(value: float, unit: str, peer: str, most: float) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peer": peer, "ratio": None, "floor": f"<= {most:g}", "ok": value <= most}
