"""Chapters 4 and 5: an application and its approval, then work in a sealed workspace."""

from __future__ import annotations

from datetime import timedelta

from demo.kernel import Kernel
from demo.show import StepFailedError, step
from demo.world import World
from enclave import clock

COLUMNS = {
    "patients": ["patient", "age_band", "sex", "height_band", "weight_band", "status"],
    "labs": ["patient", "test", "value", "test_date"],
}
# The column `file` stands for the pictures themselves.
INDEX = ["file", "format", "patient", "modality", "body_part", "study_date", "sex", "rows", "columns", "frames"]
DATA = {"nafld": COLUMNS, "images": {"index": INDEX}}
PURPOSE = (
    "지방간 환자의 검사 경과로 간섬유화 위험을 예측하는 모형을 만들고 검증합니다. 나이대와 성별, 체격과 혈액 검사의 "
    "변화, 복부 영상이 추적 종료 상태와 어떤 관계인지 과학적으로 연구하며, 결과는 집계표와 그림으로만 반출합니다."
)
NOTEBOOK = "시작하기.ipynb"
CELLS = [
    "import pandas as pd, ansim\nansim.data()",
    """patients = pd.read_parquet('/data/nafld/patients.parquet')
labs = pd.read_parquet('/data/nafld/labs.parquet')
print(len(patients), 'patients,', len(labs), 'laboratory rows')""",
    """# 계산 방법(recipe)을 기억하는 표: 심사할 때 서명된 스냅샷에서 다시 계산해 칸마다 비교합니다
table = ansim.table('nafld/patients', ['age_band', 'sex'], aggfunc='persons')
table.save('table.csv')
table""",
    """import matplotlib.pyplot as plt
hdl = labs[labs.test == 'hdl'].merge(patients[['patient', 'sex']], on='patient')
hdl.boxplot('value', by='sex')
plt.suptitle('HDL')
plt.savefig('hdl.png')
plt.show()""",
    "ansim.egress.preflight(['table.csv'])",
]


def apply_and_approve(world: World) -> None:
    """Let the start-up's lead apply, the hospital's steward decide, and every member sign."""
    with step("4", "과제 신청과 승인 (apply, approve)") as line:
        open_now = [each for each in world.ask("jiwoo", "GET", "/projects")["projects"] if each["state"] == "active"]
        if open_now:
            world.project_id = open_now[0]["id"]
            line.said = f"과제 {world.project_id}은(는) 이미 열려 있습니다"
        else:
            world.project_id = _new_project(world)
            line.said = f"과제 {world.project_id}: 신청 → 제공기관 승인 → 서약 2명 → 시작"
        approved = (f"{table}.{column}" for tables in DATA.values() for table in tables for column in tables[table])
        line.detail(f"승인된 열: {', '.join(approved)}")
        line.look = f"{world.session('jiwoo').portal}/projects/{world.project_id}"


def _new_project(world: World) -> str:
    today = clock.korean_date(clock.now())
    project = world.ask(
        "jiwoo",
        "POST",
        "/projects",
        {
            "title": "지방간 섬유화 위험 예측",
            "purpose": PURPOSE,
            "legal_basis": "가명_과학적연구",
            "data": DATA,
            "people": ["mina"],
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(days=90)).isoformat(),
            "expected_outputs": "나이대·성별 집계표와 검사 분포 그림 5점 안팎",
            "ethics": "IRB 심의 면제(가명정보, 기관 제2026-11호)",
            "safety_plan": "수령자는 책임자 한 명이며 사내 암호화 저장소에만 두고 과제 종료 시 파기합니다.",
        },
    )["id"]
    for dataset, approved in DATA.items():
        decision = {"dataset_id": dataset, "approve": approved, "reason": "목적에 필요한 최소한의 항목입니다."}
        world.ask("suyeon", "POST", f"/projects/{project}/columns", decision)
    for login in ("jiwoo", "mina"):
        pledge = world.ask(login, "GET", "/pledge")
        signed = {"version": pledge["version"], "text_sha256": pledge["text_sha256"]}
        world.ask(login, "POST", f"/projects/{project}/pledge", signed)
    world.ask("jiwoo", "POST", f"/projects/{project}/activate")
    return str(project)


def work(world: World) -> None:
    """Start the scientist's workspace and run the notebook's cells over the real websocket."""
    mina = world.session("mina")
    with step("5.1", "봉인된 작업공간 (workspace)") as line:
        world.workspace_s = mina.start_workspace()
        line.said = f"{world.workspace_s:.1f}초 만에 열림: 네트워크 없음, 승인된 열만 읽기 전용"
        line.look = mina.save_notebook(NOTEBOOK, CELLS)
    with step("5.2", "노트북에서 분석 (kernel)") as line, Kernel(mina) as kernel:
        for code in CELLS[:-1]:
            outcome = kernel.run(code)
            if outcome.error:
                raise StepFailedError(
                    f"{code.splitlines()[0]} → {outcome.error}", "노트북에서 같은 셀을 실행해 보세요."
                )
            if "patients," in outcome.text:
                line.said = outcome.text.strip()
        blocked = kernel.run("import socket; socket.create_connection(('1.1.1.1', 53), timeout=3)")
        if not blocked.error:
            raise StepFailedError("작업공간에서 바깥으로 연결되었습니다.", "`make down` 후 게이트 설정을 확인하세요.")
        line.detail(f"바깥 연결 시도 → {blocked.error}")
        missing = kernel.run("pd.read_parquet('/data/nafld/patients.parquet').columns.tolist()")
        line.detail(f"환자 표의 열: {missing.text.strip()}")
