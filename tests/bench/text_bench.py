"""Identifiers in Korean notes: ours beside every peer that installs from wheels, on the benchmark's dev notes.

Ours was built with these notes, the peers were not: the rows say what each leaves here, not how ours does elsewhere.
Speed is that of one core, in characters per second, as a share of plain Presidio's five Korean patterns, measured in
turns in one process (ours in this one, the peers in their own environment, `locks/text-peers.txt`).

Not among the peers: koredact and schift-ko-pii, and privyscope's second stage, whose models lie on a hub, not in a
wheel (privyscope's rules are measured); kiwipiepy, whose model is published as a source archive only; the spaCy model
of Presidio for English, which its makers put on no package index (its English rules are measured without it);
korean-pii-gateway, prompt-anonymizer and pyaigis-kr, which guard prompts and give no spans of a text.

Two workers are judged by CPU time, the parent's serial part included and the start of each, which does not grow with
the texts, told apart: what they would take on two free cores. The wall clock of a machine that others use is told
beside it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from deid.detect.scan import scan
from deid.detect.treat import Setup, Task
from deid.detect.worker import treat_in_processes
from scripts.setting_up import venvs
from tests.bench.ko_notes import Spans, folder, load_notes, presidio, score

ROOT = Path(__file__).parents[2]
ROUNDS = 5
# How often the notes are read by the workers, each time with another last line.
TIMES = 8
UNION = ("presidio-all", "ko-pii", "maskingtape", "privyscope-rules", "leakgate", "rust-pii-transformer")
GATES = {"leak": 0.04, "precision": 0.96, "over_mask": 15.0, "alarmed": 2, "speed": 0.05, "workers": 1.6, "length": 1.5}


def figures() -> dict[str, dict[str, Any]]:
    """Measure leak, precision and speed; see `run.py` for the form."""
    if folder() is None:
        return {}
    notes = load_notes()
    texts = [note["text"] for note in notes]
    speed = _speed(texts)
    mine = {
        note["id"]: [{"start": one.start, "end": one.end, "type": one.type} for one in scan(note["text"])]
        for note in notes
    }
    result = score(notes, mine)
    theirs, speeds = _theirs(notes)
    rows = {f"deid.text.peer.{name}": _row(score(notes, spans), speeds[name]) for name, spans in theirs.items()}
    return {**_ours(result), **_pace(texts, speed), **rows}


def _ours(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    leak, precision, over = result["leak_rate"], result["mask_precision"], result["over_mask_per_1000"]
    alarmed, clean = result["clean_notes_with_false_alarm"]
    by_group = " / ".join(f"{100 * one['rate']:.1f}" for one in result["leak_by_group"].values())
    groups = f"id+finance / contact+place / name / record: {by_group} %"
    return {
        "deid.text.leak": _at_most(leak, "of notes", groups, GATES["leak"]),
        "deid.text.precision": _at_least(precision, "of masked", "the gold spans", GATES["precision"]),
        "deid.text.over_mask": _at_most(over, "per 1000", "harmless characters", GATES["over_mask"]),
        "deid.text.clean_alarmed": _at_most(alarmed, "notes", f"{clean} without identifiers", GATES["alarmed"]),
    }


def _pace(texts: list[str], speed: float) -> dict[str, dict[str, Any]]:
    one, two = (_cost_with(texts, workers) for workers in (1, 2))
    started = _cost_with([], 1).children
    gain = (one.parent + one.children - started) / (two.parent + (two.children - 2 * started) / 2)
    block = "\n".join(texts)
    block = (block * (500_000 // len(block) + 1))[:500_000]
    half = min(_cpu(lambda: scan(block)) for _ in range(2))
    whole = min(_cpu(lambda: scan(block + block)) for _ in range(2))
    per_note = sum(map(len, texts)) / _cpu(lambda: [scan(text) for text in texts])
    slower = whole / len(block) / 2 * per_note
    return {
        "deid.text.speed": _at_least(speed, "x", "presidio-kr, one core, in turns", GATES["speed"], ratio=speed),
        "deid.text.two_workers": _at_least(
            gain, "x", f"wall {one.wall:.1f} s -> {two.wall:.1f} s; start {started:.1f} s", GATES["workers"]
        ),
        "deid.text.megabyte": _at_most(
            slower, "x", f"a character of a note; 0.5 M in {half:.2f} s, 1 M in {whole:.2f} s", GATES["length"]
        ),
    }


def _speed(texts: list[str]) -> float:
    """Characters per second of ours as a share of presidio-kr's."""
    engine = presidio(phone=False)
    sides = (lambda: [engine.analyze(text, "ko") for text in texts], lambda: [scan(text) for text in texts])
    rounds = [[_cpu(side) for side in sides] for _ in range(ROUNDS)]
    plain, ours = map(min, zip(*rounds, strict=True))
    return plain / ours


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


class _Cost(NamedTuple):
    """Seconds: by the clock, of CPU in this process, of CPU in its children."""

    wall: float
    parent: float
    children: float


def _cost_with(texts: list[str], workers: int) -> _Cost:
    tasks = [Task(f"{text}\n{number}") for number in range(TIMES) for text in texts]
    before = (time.monotonic(), time.process_time(), _children())
    treat_in_processes(tasks, Setup(), workers)
    after = (time.monotonic(), time.process_time(), _children())
    return _Cost(*(end - start for start, end in zip(before, after, strict=True)))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _theirs(notes: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Spans]], dict[str, float]]:
    python = venvs.peer(ROOT / "build/text-peers", "text-peers")
    with tempfile.TemporaryDirectory() as name:
        texts = Path(name) / "texts.json"
        texts.write_text(json.dumps([note["text"] for note in notes]), encoding="utf-8")
        command = [python, ROOT / "tests/bench/text_peer.py", texts]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=name).stdout)
    spans = {
        peer: {note["id"]: found for note, found in zip(notes, one["spans"], strict=True)}
        for peer, one in answer.items()
    }
    speeds = {peer: one["speed"] for peer, one in answer.items()}
    spans["union-of-six"] = {note["id"]: [span for peer in UNION for span in spans[peer][note["id"]]] for note in notes}
    speeds["union-of-six"] = 1 / sum(1 / speeds[peer] for peer in UNION)
    return spans, speeds


def _row(result: Mapping[str, Any], speed: float) -> dict[str, Any]:
    alarmed, clean = result["clean_notes_with_false_alarm"]
    said = (
        f"precision {result['mask_precision']:.3f}, recall {result['direct']['masked_R']:.3f}, "
        f"over {result['over_mask_per_1000']:.1f}, clean {alarmed}/{clean}; ratio: speed"
    )
    return {
        "value": 100 * result["leak_rate"], "unit": "% leak", "peer": said, "ratio": speed, "floor": None, "ok": True,
    }  # fmt: skip


def _at_least(value: float, unit: str, peer: str, least: float, *, ratio: float | None = None) -> dict[str, Any]:
    ok = value >= least
    return {"value": value, "unit": unit, "peer": peer, "ratio": ratio, "floor": f">= {least:g}", "ok": ok}


def _at_most(value: float, unit: str, peer: str, most: float) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peer": peer, "ratio": None, "floor": f"<= {most:g}", "ok": value <= most}
