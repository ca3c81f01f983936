"""Chapters 6 and 7: asking to take files out, deciding, and an attack by subtraction."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx

from demo.kernel import Kernel
from demo.looking import look
from demo.session import said
from demo.show import StepFailedError, step
from demo.world import SEE_LOGS, World
from enclave.state_words import LABELS

STATES = LABELS["RequestState"]
RECOMPUTED = {"match": ", 스냅샷에서 다시 계산하여 모두 일치", "mismatch": ", 다시 계산해 보니 내보낼 수 없음"}
JUDGEMENTS = {
    "purpose_relation": "신청한 연구 목적의 집계표입니다.",
    "identifiability": "모든 칸이 10명 이상이고 재식별 단서가 없습니다.",
    "safety_measures": "수령자의 보관·파기 계획이 적절합니다.",
    "comment": "표시된 칸과 글을 고쳐 다시 제출해 주세요.",
}
# The last one is left waiting, for whoever clicks through afterwards.
ASKED = (
    ("good", ["table.csv", "small_cells.repaired.csv", "hdl.png"], "논문 표 2와 3, 그림 1"),
    ("small", ["small_cells.csv"], "논문 부록 표 1"),
    ("phone", ["with_phone.csv"], "논문 부록 표 2"),
    ("waiting", ["table.csv", "hdl.png"], "학회 발표 그림 1과 표"),
)
CHECKED = """
import json
small = ansim.crosstab('age_band', 'status', 'nafld/patients', aggfunc='persons', margins=True, suppress=False)
small.save('small_cells.csv')
pd.read_csv('table.csv').assign(contact='010-1234-5678').to_csv('with_phone.csv', index=False)
asked = [ansim.egress.preflight(name).files[0] for name in ('table.csv', 'small_cells.csv', 'with_phone.csv')]
print(json.dumps([[f.name, f.verdict, f.recomputed, [[x.rule, x.ko, x.place, x.sample] for x in f.findings]]
                  for f in asked]))
"""
REPAIRED = """
mended = ansim.egress.repair('small_cells.csv', how='suppress')
found = ansim.egress.preflight(mended)
hidden = mended.read_text().count('*')
print(json.dumps([mended.name, found.files[0].verdict, found.files[0].recomputed, hidden]))
"""
SUBMITTED = """
request = ansim.egress.submit({files!r}, purpose={purpose!r}, context={context!r}, receiver='jiwoo', again=True)
print(json.dumps([request.id, request.state, [[f.name, f.verdict] for f in request.files]]))
"""
# A band of weight with fewer than ten people in some group of the table that is out: without them it is another table.
DIFFERENCED = """
groups = patients.groupby(['weight_band', 'age_band', 'sex']).patient.nunique()
left_out = groups[groups < 10].index[0][0]
ansim.table('nafld/patients', ['age_band', 'sex'], aggfunc='persons',
            where=f'weight_band != {left_out!r} or weight_band is None').save('without.csv')
"""


def ask(world: World) -> None:
    """Preflight three files and submit them, each stopped or not for the reason that is shown."""
    mina = world.session("mina")
    with Kernel(mina) as kernel:
        with step("6.1", "미리 점검 (preflight)") as line:
            kernel.run("import pandas as pd, ansim")
            files = _printed(kernel, CHECKED)
            line.said = f"파일 {len(files)}개"
            for name, verdict, recomputed, findings in files:
                line.detail(f"{name}: {verdict}{RECOMPUTED.get(recomputed, '')}")
                for rule, text, place, sample in sorted(findings, key=lambda one: one[0].startswith("ledger."))[:2]:
                    line.detail(f"   {rule} · {place} · {text} · {sample}".replace("[", "\\["))
        with step("6.2", "한 번에 고치기 (repair)") as line:
            name, verdict, recomputed, hidden = _printed(kernel, REPAIRED)
            if verdict == "BLOCK":
                raise StepFailedError(f"{name}이(가) 아직 막힙니다.", SEE_LOGS)
            line.said = (
                f"작은 칸과 그것을 되살릴 칸 {hidden}개를 가린 {name}: {verdict}{RECOMPUTED.get(recomputed, '')}"
            )
        with step("6.3", "반출 신청 (submit)") as line:
            for key, asked, purpose in ASKED:
                code = SUBMITTED.format(files=asked, purpose=purpose, context="나이대·성별 환자 수, 10명 미만 제외")
                request_id, state, verdicts = _printed(kernel, code)
                world.requests[key] = request_id
                line.detail(f"{request_id} {asked[0]}: {STATES[state][0]}, {verdicts[0][1] if verdicts else ''}")
            line.said = "바이트를 해시로 복사해 격리"
            line.look = f"{mina.portal}/review/{world.requests['good']}"


def decide(world: World) -> None:
    """Stop the two bad requests; release the good one by two checkers of two organisations, once."""
    good = world.requests["good"]
    with step("7.1", "막힌 신청과 막힌 사람") as line:
        for key in ("small", "phone"):
            code = world.session("dahye").code() if key == "small" else ""
            refused = _vote(world, "dahye", world.requests[key], "approve", code=code)
            if refused.is_success:
                raise StepFailedError(f"{world.requests[key]}이(가) 승인되었습니다.", SEE_LOGS)
            line.detail(f"{world.requests[key]} 승인 시도 → {said(refused)}")
        own = _vote(world, "mina", good, "approve")
        line.detail(f"신청자 mina의 승인 시도 → {said(own)}")
        line.said = "BLOCK 파일과 신청자 본인은 승인할 수 없습니다"
    with step("7.2", "두 기관의 두 심사자가 결정") as line:
        line.detail(_made_again(world, good))
        for login in ("dahye", "woojin"):
            code = world.session(login).code() if login == "woojin" else ""
            answer = _vote(world, login, good, "approve", code=code)
            if answer.is_error:
                raise StepFailedError(f"{login}: {said(answer)}", SEE_LOGS)
            line.detail(f"{login} 승인 → {STATES[answer.json()['state']][0]}")
        for key, code in (("small", "small-cell"), ("phone", "identifier")):
            _vote(world, "dahye", world.requests[key], "return", code)
        line.said = f"{good} 승인, 나머지는 이유와 함께 돌려보냄"
        line.look = f"{world.session('dahye').portal}/review/{good}"
    with step("7.3", "지정된 수령자에게 한 번 (release)") as line:
        waiting = world.ask("jiwoo", "GET", "/releases")["releases"]
        world.release_id = next(each["id"] for each in waiting if each["request_id"] == good)
        jiwoo = world.session("jiwoo")
        path = f"/releases/{world.release_id}/hand-over"
        first = jiwoo.api("POST", path, {"code": jiwoo.code()})
        if first.is_error:
            raise StepFailedError(said(first), SEE_LOGS)
        names = zipfile.ZipFile(io.BytesIO(first.content)).namelist()
        target = world.settings.home / "demo" / f"{world.release_id}.zip"
        target.write_bytes(first.content)
        second = jiwoo.api("POST", path, {"code": ""})
        line.said = f"{', '.join(names)} ({len(first.content):,} 바이트)"
        line.detail(f"두 번째 수령 시도 → {said(second)}")
        line.look = str(target)


def attack(world: World) -> None:
    """Ask for the released table once more without a few people: their difference would give them away."""
    with step("7.4", "뺄셈 공격 (differencing)") as line:
        with Kernel(world.session("mina")) as kernel:
            kernel.run("import json, pandas as pd, ansim")
            kernel.run("patients = pd.read_parquet('/data/nafld/patients.parquet')")
            kernel.run(DIFFERENCED)
            code = SUBMITTED.format(files=["without.csv"], purpose="논문 표 3", context="한 체중 구간을 뺀 환자 수")
            request_id, _, [[_, verdict]] = _printed(kernel, code)
        world.requests["differencing"] = request_id
        release, people = _given_away(world, request_id)
        if verdict != "BLOCK" or release != world.release_id:
            raise StepFailedError(f"{request_id}이(가) 막히지 않았습니다({verdict}).", SEE_LOGS)
        refused = _vote(world, "dahye", request_id, "approve")
        if refused.is_success:
            raise StepFailedError(f"{request_id}이(가) 승인되었습니다.", SEE_LOGS)
        line.said = f"{request_id}의 표는 모든 칸이 10명 이상이지만 {verdict}: {release}과(와) 빼면 {people}명이 드러남"
        line.detail(f"승인 시도 → {said(refused)}")
        line.look = f"{world.session('dahye').portal}/review/{request_id}"


def _evidence(world: World, request_id: str) -> list[dict[str, Any]]:
    """Return what the system found out itself about a request's files, as a checker is shown it."""
    files = world.ask("dahye", "GET", f"/requests/{request_id}")["files"]
    return [each for file in files for each in file["evidence"]]


def _made_again(world: World, request_id: str) -> str:
    """Say how many cells of a request's tables were made again on the snapshot, and how many of them agree."""
    rows = [row for each in _evidence(world, request_id) if each["kind"] == "recompute" for row in each["rows"][1:]]
    same = sum(row[-1] == "match" for row in rows)
    if not rows or same < len(rows):
        raise StepFailedError(f"{request_id}: 다시 계산한 칸 {len(rows)}개 가운데 {same}개만 같습니다.", SEE_LOGS)
    return f"심사 화면: 스냅샷에서 다시 계산한 칸 {len(rows)}개가 모두 일치, 그림은 눈으로 확인"


def _given_away(world: World, request_id: str) -> tuple[str, str]:
    """Return the earlier release that a request was stopped for, and how many people the two give away together."""
    rows = [row for each in _evidence(world, request_id) if each["kind"] == "ledger" for row in each["rows"][1:]]
    return next(((row[2], row[1]) for row in rows if row[2] == world.release_id), ("", ""))


def _vote(  # noqa: PLR0913, PLR0917 - who, what, which, why
    world: World, login: str, request_id: str, decision: str, reason: str = "output-checked", code: str = ""
) -> httpx.Response:
    """Cast a vote; without a code it rests on the second factor of signing in, for five minutes."""
    session = world.session(login)
    shown = session.api("GET", f"/requests/{request_id}")
    if shown.is_error:
        return shown
    facts = shown.json()
    if decision == "approve":
        look(session, request_id)
    body = JUDGEMENTS | {"decision": decision, "reason_code": reason, "code": code}
    body |= {"round": facts["round"], "content_sha256": facts["content_sha256"]}
    return session.api("POST", f"/requests/{request_id}/decide", body)


def _printed(kernel: Kernel, code: str) -> Any:
    outcome = kernel.run(code)
    if outcome.error:
        raise StepFailedError(outcome.error, "노트북에서 같은 셀을 실행해 보세요.")
    return json.loads(outcome.text.strip().splitlines()[-1])
