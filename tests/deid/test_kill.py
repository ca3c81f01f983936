"""A build that is killed at its worst moment leaves no byte of a patient anywhere but in its own memory.

What may be left is encrypted under keys that only the process had, or figures. The source and the private folder of
texts are the hospital's own and are not looked at.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deid.factory import HEAD, Hospital, gates, table
from tests.deid.test_canary import decompressed_pages

NAME, RRN, DIAGNOSIS, NUMBER, NOTE = "독고영재", "310707-1234568", "Q87CANARY", "n000canary", "수국빌라"
RECIPE = (
    HEAD
    + gates(k=2, more=", no_direct_identifier_left: {sample: 10, min_score: 0.6}")
    + """\
tables:
  visits:
    file: visits.csv
    label: 방문
    subject: no
    quasi_identifiers: [sex]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      name: {treatment: drop, direct: true}
      rrn: {treatment: drop, direct: true}
      sex: {treatment: keep}
      diagnosis: {treatment: keep}
      note: {treatment: free_text}
"""
)
CHILD = """
import os, signal, sys
from pathlib import Path
from deid import engine
from deid.crew import joined
from deid.many.memory import Memory
from tests.deid.factory import NOW, Hospital
root, step, small = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "small"
place = Hospital(root)
def progress(each):
    if each.en == step:
        os.kill(os.getpid(), signal.SIGKILL)
real = engine.publish
def publish(*given):
    if step == "publish":
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
engine.publish = publish
if small:
    joined.memory_within = lambda _: Memory(1, 1 << 14, 1 << 14)
recipe = place.recipe((root / "recipe.yaml").read_text())
private = root / "private"
engine.run(recipe, place.source, place.out, place.keys, now=NOW, progress=progress, private=private)
"""


def rows() -> str:
    lines = [f"n{n},김철수,,{'MF'[n % 2]},I10.{n % 9},환자 {n} 안정" for n in range(400)]
    lines.insert(200, f"{NUMBER},{NAME},{RRN},X,{DIAGNOSIS},{NAME} {RRN} {NOTE} 내원")
    return "\n".join(["no,name,rrn,sex,diagnosis,note", *lines]) + "\n"


def left(root: Path) -> bytes:
    """Every byte that lies anywhere but with the source and the private texts, unpacked where it can be."""
    files = [path for path in root.rglob("*") if path.is_file()]
    mine = [path for path in files if path.relative_to(root).parts[0] not in {"source", "private", "recipe.yaml"}]
    return b"\n".join(
        part for path in mine for part in (str(path).encode(), path.read_bytes(), decompressed_pages(path))
    )


@pytest.mark.parametrize(
    ("step", "memory"),
    [("risk and utility", "small"), ("publish", "large")],
)
def test_a_killed_build_leaves_nothing_of_a_patient_and_the_next_sweeps_it_away(
    clinic: Hospital, step: str, memory: str
) -> None:
    clinic.write("visits.csv", rows())
    (clinic.root / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (clinic.root / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(clinic.root), step, memory],
        check=False, capture_output=True, cwd=Path.cwd(), env={"TMPDIR": str(clinic.root / "tmp"), "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert clinic.left_behind(), "the kill came in the middle"
    parts = [path for path in clinic.out.rglob("*") if ".parts" in path.parts and path.is_file()]
    assert bool(parts) == (memory == "small"), "what was laid out in parts lies there, too"
    seen = left(clinic.root) + done.stdout + done.stderr
    for canary in (NAME, RRN, DIAGNOSIS, NUMBER, NOTE, "김철수"):
        assert canary.encode() not in seen, canary
    result = clinic.run(RECIPE)
    assert clinic.left_behind() == [result.manifest.id]
    assert DIAGNOSIS not in table(result, "visits")["diagnosis"].to_list()
