"""`ansim deid folder` over one hospital's folder of every format of signals: all written, one patient, nothing left."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from deid.cli import deid
from deid.imaging.letters.finder import MODEL, WHEEL
from deid.imaging.wheels import has_files
from deid.keys import MASTER_BYTES
from tests.deid.signal.make_aecg import aecg
from tests.deid.signal.make_c3d import c3d
from tests.deid.signal.make_edf import edf
from tests.deid.signal.make_mfer import mfer
from tests.deid.signal.make_scp import scp
from tests.deid.signal.make_streams import SOURCES
from tests.deid.signal.make_wfdb import record
from tests.deid.signal.planted import Planted, leaks, person

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
RECIPES = Path(__file__).parents[3] / "recipes"


def _hospital(who: Planted, folder: Path) -> int:
    """Lay out a folder; gives how many files must come out."""
    files = {
        f"{who.korean}/{who.number}.edf": edf(who),
        f"{who.korean}/{who.number}.bdf": edf(who, bdf=True),
        f"{who.korean}/{who.resident}.xml": aecg(who),
        f"{who.korean}/ecg.scp": scp(who, encoding="cp949"),
        f"{who.korean}/ecg.mwf": mfer(who, encoding="cp949"),
        **{f"{who.korean}/stream/{each.name}": each.data for each in (make(who) for make in SOURCES.values())},
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    c3d(who, folder / who.latin / "walk.c3d")
    record(who, folder / "wfdb")
    (folder / "메모.txt").write_text(f"{who.korean} {who.phone}\n다음 주 재방문\n")
    (folder / "truncated.edf").write_bytes(edf(who)[:2000])
    korean = os.fsdecode(f"{who.korean}_뇌파.edf".encode("cp949"))
    (folder / korean).write_bytes(edf(who, plus=False, encoding="cp949"))
    (folder / os.fsdecode("잘린.edf".encode("cp949"))).write_bytes(edf(who)[:300])
    (folder / "report.pdf").write_bytes(b"%PDF-1.4 " + who.latin.encode())
    return len(files) + 1 + 3 + 1


def _keys(folder: Path) -> Path:
    """Give keys that do not change: of random ones, one in 730 moves the day after a planted day onto that day."""
    folder.mkdir()
    (folder / "master.key").touch(0o600)
    (folder / "master.key").write_bytes(bytes(range(MASTER_BYTES)))
    return folder


@pytest.mark.parametrize("recipe", ["signals.yaml", "imaging-default.yaml"])
@pytest.mark.parametrize("seed", range(2))
def test_a_hospitals_folder_comes_out_whole_and_nameless(tmp_path: Path, recipe: str, seed: int) -> None:
    who = person(seed + 20)
    source, out, report = tmp_path / "in", tmp_path / "out", tmp_path / "report.json"
    wanted = _hospital(who, source)
    arguments = ["folder", source, out, "--recipe", RECIPES / recipe, "--report", report, "--jobs", 1]
    arguments += ["--keys", _keys(tmp_path / "keys")]
    done = CliRunner().invoke(deid, [str(each) for each in arguments])
    told = json.loads(report.read_text())
    refused = {Path(each["file"]).name: each["code"] for each in told["refused"]}
    assert refused == {
        "메모.txt": "signal.unknown-columns",
        "truncated.edf": "signal.truncated",
        "report.pdf": "folder.unknown",
        os.fsdecode("잘린.edf".encode("cp949")): "signal.truncated",
    }
    assert done.exit_code == 0, done.output
    assert told["written"] == wanted
    assert leaks(who, out) == []


def test_stills_and_volumes_are_of_the_folder_too(tmp_path: Path) -> None:
    if not has_files(WHEEL, MODEL):
        pytest.skip("locks/models.txt is not installed")
    source, out, report = tmp_path / "in", tmp_path / "out", tmp_path / "report.json"
    source.mkdir()
    for ending in ("JPEG", "PNG"):
        made = io.BytesIO()
        Image.fromarray(np.full((64, 64), 90, np.uint8)).save(made, ending)
        (source / f"a.{ending}").write_bytes(made.getvalue())
    arguments = ["folder", source, out, "--recipe", RECIPES / "imaging-default.yaml", "--report", report, "--jobs", 1]
    assert CliRunner().invoke(deid, [str(each) for each in arguments]).exit_code == 0
    assert json.loads(report.read_text())["formats"] == {"jpeg": 1, "png": 1}
