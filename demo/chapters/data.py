"""Chapters 2 and 3: hospital files, then signed snapshots by recipe."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo import data, pacs
from demo.chapters import publication
from demo.show import Step, StepFailedError, step
from demo.world import CHECKOUT, SEE_LOGS, World

GATE_FAILED = 5
KNOWN_ALREADY = 5
RECIPES = {"nafld": ("bitgoeul", "suyeon"), "rand": ("mudeung", "taeho"), "images": ("bitgoeul", "suyeon")}
# Where a provider's files do not lie in the folder of its name.
PLACES = {"images": pacs.FOLDER}
# Their recipes ask for a review of a sample: the run keeps what it needs of originals until the snapshot is received.
SAMPLED = {"nafld": "--texts", "images": "--frames"}
TITLES = {
    "nafld": ("지방간 코호트", "Fatty-liver cohort", "방문 검사와 진단이 이어진 17,549명의 자료"),
    "rand": ("의료보험 청구", "Insurance claims", "해마다의 외래·입원·약제 비용"),
    "images": ("복부 영상", "Abdominal images", "CT, MR, 초음파 DICOM 파일과 그 색인"),
}


def ingest(world: World) -> None:
    """Write both hospitals' files into the sealed source store."""
    with step("2", "병원 파일 (ingest)") as line:
        build = CHECKOUT / "build/demo-data"
        data.build_parquet(build)
        rows = data.write_sources(build, world.settings.source)
        pacs.write_pictures(world.settings.source)
        line.said = f"실제 공개 자료 {sum(rows.values()):,}행을 두 병원의 CSV로"
        for name, count in rows.items():
            line.detail(f"{Path(name).parent.name}/{Path(name).name}: {count:,}행")
        line.detail(f"{pacs.FOLDER}: 실제 DICOM 영상 3장을 환자 {pacs.PATIENTS}명에게 나누어 {pacs.PICTURES}개 파일로")
        line.look = f"{world.settings.source} (root만), 안내문 README.txt"


def deidentify(world: World) -> None:
    """Run the four recipes: one that must fail its gate, three that go the whole way into the catalogue."""
    with step("3.1", "너무 자세한 계획은 발행되지 않음") as line:
        failed = _run("nafld-too-fine", "bitgoeul", world)
        if failed.returncode != GATE_FAILED:
            raise StepFailedError(
                f"관문이 열려 있습니다: {failed.stdout}{failed.stderr}", "recipes/nafld-too-fine.yaml"
            )
        line.said = failed.stderr.strip().splitlines()[0]
        line.look = "recipes/nafld-too-fine.yaml"
    for number, (recipe, (provider, steward)) in enumerate(RECIPES.items(), start=2):
        with step(f"3.{number}", f"가명처리와 접수: {recipe}") as line:
            folder = _published(recipe, world) or _new_snapshot(recipe, provider, world)
            _receive(recipe, provider, folder, world, line)
            manifest = json.loads((folder / "manifest.json").read_text())
            for table, risk in manifest["risk"].items():
                line.detail(_risk_line(table, risk))
            for each in (*_texts(folder), *_files(manifest)):
                line.detail(each)
            line.said = f"서명된 스냅샷 {world.snapshots[recipe][:12]}…"
            line.look = f"{folder}/report.html"
        publication.review(world, f"3.{number}", recipe, steward)
    publication.twin(world, f"3.{len(RECIPES) + 2}", "nafld", "mina")


def _receive(recipe: str, provider: str, folder: Path, world: World, line: Step) -> None:
    """Put the snapshot on record from the machine's console; the run's private folder is gone afterwards."""
    title, title_en, description = TITLES[recipe]
    named = ("--provider", provider, "--title", title, "--title-en", title_en, "--description", description)
    made = _ansim(world, "dataset", "register", recipe, *named)
    if made.returncode not in {0, KNOWN_ALREADY}:
        raise StepFailedError(made.stderr.strip(), SEE_LOGS)
    private = _private(recipe, world)
    kept = (SAMPLED[recipe], str(private)) if private.exists() else ()
    source = ("--source", str(_source(recipe, provider, world))) if kept and recipe in PLACES else ()
    done = _ansim(world, "snapshot", "receive", str(folder), *kept, *source)
    if done.returncode:
        raise StepFailedError(done.stderr.strip(), SEE_LOGS)
    if private.exists() and recipe in SAMPLED:
        raise StepFailedError(f"{private}: {done.stdout.strip()}", SEE_LOGS)
    if kept:
        line.detail(done.stdout.strip().splitlines()[0])
    world.snapshots[recipe] = folder.name


def _texts(folder: Path) -> list[str]:
    """Say what was masked in each text column, and how much of it only the values known of the patient told."""
    risks: dict[str, dict[str, Any]] = json.loads((folder / "risk.json").read_text())
    found = [each for risk in risks.values() for each in risk.get("texts", ())]
    return [_text_line(each) for each in found]


def _text_line(said: dict[str, Any]) -> str:
    masked, known, doubtful = (sum(said[name].values()) for name in ("masked", "known", "uncertain"))
    return (
        f"{said['table']}.{said['column']}: 글 {said['texts']:,}건에서 식별정보 {masked:,}개를 가림"
        f"(환자의 등록 값으로만 찾은 것 {known}개, 검토할 것 {doubtful}개)"
    )


def _files(manifest: dict[str, Any]) -> list[str]:
    """Say what became of a folder's files."""
    if (about := manifest["lineage"].get("folder")) is None:
        return []
    of = ", ".join(f"{name} {count}개" for name, count in about["modalities"].items())
    scanned = next(gate["ko"] for gate in manifest["gates"] if gate["gate"] == "self_scan")
    return [f"영상 {of}: 그림 속 글자 {about['notes'].get('imaging.letters', 0)}곳을 지움", scanned]


def _risk_line(table: str, risk: dict[str, float]) -> str:
    text = f"{table}: {risk['rows_before']:,} → {risk['rows_after']:,}행"
    if "k_published" in risk:
        text += f", 환자 {risk['subjects_after']:,}명, k {risk['k_source']} → {risk['k_published']}"
    return text


def _published(recipe: str, world: World) -> Path | None:
    """Return a snapshot that this very recipe made earlier; the sources are the same whenever they are generated."""
    wanted = hashlib.sha256((CHECKOUT / f"recipes/{recipe}.yaml").read_bytes()).hexdigest()
    for manifest in sorted(world.settings.snapshots.glob("*/manifest.json")):
        if json.loads(manifest.read_text())["recipe_sha256"] == wanted:
            return manifest.parent
    return None


def _new_snapshot(recipe: str, provider: str, world: World) -> Path:
    done = _run(recipe, provider, world)
    if done.returncode:
        raise StepFailedError(done.stderr.strip(), f"recipes/{recipe}.yaml 을 고친 뒤 다시 실행하세요.")
    return Path(done.stdout.strip().splitlines()[-1])


def _private(recipe: str, world: World) -> Path:
    return world.settings.home / "demo" / f"private-{recipe}"


def _source(recipe: str, provider: str, world: World) -> Path:
    return world.settings.source / PLACES.get(recipe, provider)


def _run(recipe: str, provider: str, world: World) -> subprocess.CompletedProcess[str]:
    settings = world.settings
    private = ("--private", str(_private(recipe, world))) if recipe in SAMPLED else ()
    return _ansim(
        world,
        *("deid", "run", str(CHECKOUT / f"recipes/{recipe}.yaml"), *private),
        *("--source", str(_source(recipe, provider, world)), "--out", str(settings.snapshots)),
        *("--keys", str(settings.deid_keys), "--signing-key", str(settings.keys / "snapshot.key")),
        *("--snapshot-keys", str(settings.snapshot_keys), "--seal-key", str(settings.snapshot_seal)),
    )


def _ansim(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ansim …` as root at the machine, as whoever holds it would."""
    return subprocess.run(
        [sys.executable, "-m", "enclave.cli", *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIM_HOME": str(world.settings.home)},
    )
