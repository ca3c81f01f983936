"""Chapter 8: the log verified offline, its bundle by itself, a flipped byte found, a witness, a period to review."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from audit.durable import TEMPORARY
from demo.chapters.witness import witness
from demo.show import Step, StepFailedError, step
from demo.world import SEE_LOGS, World

TICKED = re.compile(r'name="finding" value="([a-z0-9-]+)"')


def prove(world: World) -> None:
    """Verify the log folder and a copied bundle; then flip one byte and show that it is found, and where."""
    log, key = world.settings.log, world.settings.keys / "log.pub"
    verify = (sys.executable, "-m", "enclave.cli", "audit", "verify")
    with step("8.1", "접속기록 검증 (verify)") as line:
        whole = _run(*verify, str(log), "--key", str(key))
        if whole.returncode:
            raise StepFailedError(_last(whole), SEE_LOGS)
        line.said = _last(whole)
        line.look = f"ansim audit verify {log} --key {key}"
    with tempfile.TemporaryDirectory(prefix="ansim-proof-") as name:
        folder = Path(name)
        with step("8.2", "증거 묶음과 한 파일짜리 검증기 (bundle)") as line:
            _bundle(world, folder / "bundle", line)
        with step("8.3", "한 바이트를 바꾸면 (tamper)") as line:
            copy = folder / "log"
            # The log is being written: what is half-written is not of it yet, and gone before it is copied.
            shutil.copytree(log, copy, ignore=shutil.ignore_patterns(f"{TEMPORARY}*"))
            victim = max(
                (copy / "tile" / "entries").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size
            )
            content = bytearray(victim.read_bytes())
            content[len(content) // 2] ^= 1
            victim.chmod(0o644)
            victim.write_bytes(content)
            found = _run(*verify, str(copy), "--key", str(key))
            if found.returncode == 0:
                raise StepFailedError("바뀐 바이트를 찾지 못했습니다.", SEE_LOGS)
            line.said = f"{victim.relative_to(copy)} 의 한 비트를 바꿈 → 찾음"
            for text in [each for each in found.stdout.splitlines() if each.startswith("✗")]:
                line.detail(text)
    with step("8.4", "다른 기관의 증인 (witness)") as line:
        witness(world.settings, line)


def review(world: World) -> None:
    """Close a period of the log at its checkpoint and ask for the first explanation; the rest is left to click."""
    with step("8.5", "접속기록 점검 (review)") as line:
        reviewer = world.session("sora")
        page = reviewer.send(reviewer.page("/periods"), "/periods/close")
        raised = TICKED.findall(page)
        if raised:
            reviewer.send(page, "/ask", finding=raised[0], text="어떤 일이었는지 적어 주세요.")
        line.said = f"확인점에서 마감, 이상징후 {len(raised)}건, 첫째 것의 소명을 요청 (sora → 당사자 → sora·bora 서명)"
        line.look = f"{reviewer.portal}/periods"


def _bundle(world: World, target: Path, line: Step) -> None:
    log, key = world.settings.log, world.settings.keys / "log.pub"
    kept = world.settings.home / "demo" / "bundle"
    shutil.rmtree(kept, ignore_errors=True)
    made = _run(
        *(sys.executable, "-m", "enclave.cli", "audit", "bundle", str(target)),
        *("--log", str(log), "--key", str(key), "--project", world.project_id),
    )
    if made.returncode:
        raise StepFailedError(_last(made), SEE_LOGS)
    shutil.copytree(target, kept)
    # As an outsider would: the bundle's own verifier, isolated from this checkout.
    checked = _run(sys.executable, "-I", str(target / "verify.py"), str(target))
    if checked.returncode:
        raise StepFailedError(_last(checked), SEE_LOGS)
    line.said = _last(checked)
    line.look = f"python3 {kept}/verify.py {kept}"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1] if lines else f"exit {done.returncode}"
