"""Chapters 6 and 7: asking to take files out, and deciding."""

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

JUDGEMENTS = {
    "purpose_relation": "신청한 연구 목적의 집계표입니다.",
    "identifiability": "모든 칸이 10명 이상이고 재식별 단서가 없습니다.",
    "safety_measures": "수령자의 보관·파기 계획이 적절합니다.",
    "comment": "표시된 칸과 글을 고쳐 다시 제출해 주세요.",
}
# The last one is left waiting, for whoever clicks through afterwards.
ASKED = (
    ("good", ["table.csv"], "논문 표 2"),
    ("small", ["small_cells.csv"], "논문 부록 표 1"),
    ("phone", ["with_phone.csv"], "논문 부록 표 2"),
    ("waiting", ["table.csv", "hdl.png"], "학회 발표 그림 1과 표"),
)
CHECKED = """
import json
small = patients.groupby(['age_band', 'sex', 'weight_band']).patient.nunique().rename('n').reset_index()
small.to_csv('small_cells.csv', index=False)
table.assign(contact='010-1234-5678').to_csv('with_phone.csv', index=False)
found = ansim.egress.preflight(['table.csv', 'small_cells.csv', 'with_phone.csv'])
print(json.dumps([[f.name, f.verdict, [[x.rule, x.ko, x.place, x.sample] for x in f.findings]] for f in found.files]))
"""
SUBMITTED = """
request = ansim.egress.submit({files!r}, purpose={purpose!r}, context={context!r}, receiver='jiwoo', again=True)
print(json.dumps([request.id, request.state, [[f.name, f.verdict] for f in request.files]]))
"""


def ask(world: World) -> None:
    """Preflight three files and submit them, each stopped or not for the reason that is shown."""
    mina = world.session("mina")
    with Kernel(mina) as kernel:
        with step("6.1", "미리 점검 (preflight)") as line:
            kernel.run("import pandas as pd, ansim")
            kernel.run("patients = pd.read_parquet('/data/nafld/patients.parquet')")
            kernel.run("table = pd.read_csv('table.csv')")
            files = _printed(kernel, CHECKED)
            line.said = f"파일 {len(files)}개"
            for name, verdict, findings in files:
                line.detail(f"{name}: {verdict}")
                for rule, text, place, sample in findings[:2]:
                    line.detail(f"   {rule} · {place} · {text} · {sample}".replace("[", "\\["))
        with step("6.2", "반출 신청 (submit)") as line:
            for key, asked, purpose in ASKED:
                code = SUBMITTED.format(files=asked, purpose=purpose, context="나이대·성별 환자 수, 10명 미만 제외")
                request_id, state, verdicts = _printed(kernel, code)
                world.requests[key] = request_id
                line.detail(f"{request_id} {asked[0]}: {state}, {verdicts[0][1] if verdicts else ''}")
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
        for login in ("dahye", "woojin"):
            code = world.session(login).code() if login == "woojin" else ""
            answer = _vote(world, login, good, "approve", code=code)
            if answer.is_error:
                raise StepFailedError(f"{login}: {said(answer)}", SEE_LOGS)
            line.detail(f"{login} 승인 → {answer.json()['state']}")
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
