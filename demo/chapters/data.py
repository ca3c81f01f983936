"""Chapters 2 and 3: hospital files, then signed snapshots by recipe."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from demo import data
from demo.show import StepFailedError, step
from demo.world import CHECKOUT, World

GATE_FAILED = 5
RECIPES = {"nafld": ("bitgoeul", "suyeon"), "rand": ("mudeung", "taeho")}


def ingest(world: World) -> None:
    """Write both hospitals' CSV files into the sealed source store."""
    with step("2", "병원 파일 (ingest)") as line:
        build = CHECKOUT / "build/demo-data"
        data.build_parquet(build)
        rows = data.write_sources(build, world.settings.source)
        line.said = f"실제 공개 자료 {sum(rows.values()):,}행을 두 병원의 CSV로"
        for name, count in rows.items():
            line.detail(f"{Path(name).parent.name}/{Path(name).name}: {count:,}행")
        line.look = f"{world.settings.source} (root만), 안내문 README.txt"


def deidentify(world: World) -> None:
    """Run the three recipes: one that must fail its gate, two that publish."""
    with step("3.1", "너무 자세한 계획은 발행되지 않음") as line:
        failed = _run("nafld-too-fine", "bitgoeul", world)
        if failed.returncode != GATE_FAILED:
            raise StepFailedError(
                f"관문이 열려 있습니다: {failed.stdout}{failed.stderr}", "recipes/nafld-too-fine.yaml"
            )
        line.said = failed.stderr.strip().splitlines()[0]
        line.look = "recipes/nafld-too-fine.yaml"
    for number, (recipe, (provider, steward)) in enumerate(RECIPES.items(), start=2):
        with step(f"3.{number}", f"가명처리와 발행: {recipe}") as line:
            folder = _published(recipe, world) or _new_snapshot(recipe, provider, world)
            world.snapshots[recipe] = world.as_portal("publish", recipe, str(folder), steward).strip()
            manifest = json.loads((folder / "manifest.json").read_text())
            for table, risk in manifest["risk"].items():
                line.detail(_risk_line(table, risk))
            line.said = f"서명된 스냅샷 {world.snapshots[recipe][:12]}…"
            line.look = f"{folder}/report.html"


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


def _run(recipe: str, provider: str, world: World) -> subprocess.CompletedProcess[str]:
    settings = world.settings
    return subprocess.run(
        [
            *(sys.executable, "-m", "enclave.cli", "deid", "run", str(CHECKOUT / f"recipes/{recipe}.yaml")),
            *("--source", str(settings.source / provider), "--out", str(settings.snapshots)),
            *("--keys", str(settings.deid_keys), "--signing-key", str(settings.keys / "snapshot.key")),
            *("--snapshot-keys", str(settings.snapshot_keys), "--seal-key", str(settings.snapshot_seal)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
