"""Chapter 3, second half: before a snapshot is offered people look at it; then its twin is everybody's."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from deid.snapshot import read_manifest
from deid.versions.keystore import keys_of
from deid.versions.tables import open_table
from demo.forms import form_to
from demo.session import Session
from demo.show import Step, StepFailedError, step
from demo.world import SEE_LOGS, World
from enclave import clock
from enclave.keys import load_public_key
from enclave.snapshot_keys import store_of

# Who judges what each steward answers for: nobody of the start-up, and not the steward.
REVIEWERS = {"suyeon": ("dahye", "woojin", "taeho"), "taeho": ("dahye", "woojin", "suyeon")}
ANSWERS = {
    "identifying": "이름, 주민등록번호, 전화번호, 주소는 공개하지 않고 병원 번호는 키로 만든 가명으로 바꾸었습니다.",
    "combining": "성별, 나이대, 신체 계측 구간이 준식별자이며 같은 조합의 환자가 5명 이상 남도록 했습니다.",
    "outliers": "구간의 양 끝을 묶고 작은 집단의 행을 뺐습니다. 메모는 식별자를 가렸습니다.",
    "impact": "만성질환 진단과 진료비가 알려질 수 있어 영향은 중간입니다.",
    "use": "승인된 과제의 연구자만 쓰고 다른 자료와 결합하지 않습니다.",
    "place": "망이 없는 작업공간 안에서만 쓰고, 나가는 것은 반출 심사를 거칩니다.",
    "method": "이용자는 서약했고 화면 표시량과 실행 코드가 기록됩니다.",
    "level_data": "medium",
    "level_place": "low",
}
ADEQUATE = "항목별 처리와 위험 보고서를 확인했고 안심구역 안에서 쓰기에 적정합니다."
SHOWN = re.compile(r"([\d.]+)%(?:</b>)? <span class=\"soft\">\[([\d.]+), ([\d.]+)\]")
COUNTED = re.compile(r"<dd>((?:글|장면) [^<·]+)")


@dataclass(frozen=True)
class Sampled:
    """What people look at: the page's address, and words; `bound` is which of the result's intervals is told."""

    page: str
    title: str
    compared: str
    measure: str
    bound: int


TEXTS = Sampled("sample", "글의 표본 검토", "원문과 가린 글", "재현율", 0)
# The last: letters may be in no picture of the sample, and then there is no recall.
FRAMES = Sampled("frames", "영상의 표본 검토", "가리기 전과 후의 장면", "남은 것 없는 장면", -1)


def review(world: World, number: str, dataset: str, login: str) -> None:
    """Take a received snapshot into the catalogue: a sample if its recipe asks, risk, adequacy, the board."""
    steward, snapshot = world.session(login), world.snapshots[dataset]
    path = f"/snapshots/{snapshot}"
    for kind in (TEXTS, FRAMES):
        if form_to(steward.page(f"{path}/{kind.page}"), f"/{kind.page}-close"):
            with step(f"{number}a", f"{kind.title} (sample review): {dataset}") as line:
                _go_through(steward, path, kind, line)
    if form_to(steward.page(path), f"{path}/risk") is None:
        return  # an earlier run of the story has offered it
    with step(f"{number}b", f"위험성·적정성 검토와 의결 (review): {dataset}") as line:
        steward.send(steward.page(path), f"{path}/risk", **{f"r_{key}": said for key, said in ANSWERS.items()})
        for reviewer in REVIEWERS[login]:
            session = world.session(reviewer)
            session.page(f"{path}/figures")
            session.send(session.page(path), f"{path}/adequacy", adequate="yes", judge_reason=ADEQUATE)
        today = clock.korean_date(clock.now())
        drb = f"DRB-{today.year}-{snapshot[:4]}"
        days = {"drb_on": today, "starts_on": today, "ends_on": today + timedelta(days=365)}
        said = {name: day.isoformat() for name, day in days.items()}
        steward.send(steward.page(path), f"{path}/offer", drb_number=drb, **said)
        line.said = f"{', '.join(REVIEWERS[login])} 3명이 적정, {drb} 의결로 1년 동안 공개"
        line.look = f"{steward.portal}{path}/record"


def _go_through(steward: Session, path: str, kind: Sampled, line: Step) -> None:
    """Open every sampled case beside what was made of it, say that nothing was missed, close the review."""
    here = f"{path}/{kind.page}"
    page, number = steward.page(f"{here}/1"), 1
    while form_to(page, f"{here}/{number}"):
        page, number = steward.send(page, f"{here}/{number}"), number + 1
    shown = steward.send(page, f"{here}-close")
    bounds, counts = SHOWN.findall(shown), COUNTED.search(shown)
    if not bounds:
        raise StepFailedError("표본 검토의 결과가 화면에 없습니다.", SEE_LOGS)
    value, low, high = bounds[kind.bound]
    line.said = f"{kind.compared} {number - 1}건을 견주어 놓친 것 없음으로 표시"
    line.detail(f"{kind.measure} {value}% [{low}, {high}] (95% 신뢰구간){f' · {counts[1].strip()}' if counts else ''}")
    line.detail("표본의 원본은 봉인되어 있다가 검토를 닫을 때 지워졌습니다")
    line.look = f"{steward.portal}{here}"


def twin(world: World, number: str, dataset: str, login: str) -> None:
    """Let somebody of the start-up take the synthetic twin before anything is approved, and hold it to the snapshot."""
    session, snapshot = world.session(login), world.snapshots[dataset]
    with step(number, "합성 쌍둥이 (synthetic twin)") as line:
        answer = session.api("GET", f"/snapshots/{snapshot}/twin")
        if answer.is_error:
            raise StepFailedError(f"{login}: HTTP {answer.status_code}", SEE_LOGS)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".parquet")]
            tables = {
                name.split("/")[-1].removesuffix(".parquet"): pl.read_parquet(archive.read(name)) for name in names
            }
        people, rows = _real_in(world, snapshot, tables)
        if people or rows:
            raise StepFailedError(f"쌍둥이에 실제 환자 {people}명, 실제 행 {rows}개가 있습니다.", SEE_LOGS)
        sizes = ", ".join(f"{name} {frame.height:,}행" for name, frame in tables.items())
        line.said = f"{login}이(가) 승인 전에 받음: {len(answer.content):,} 바이트, {sizes}"
        line.detail("polars로 열어 스냅샷과 견줌: 같은 자료형, 실제 환자 0명, 실제 행 0개")
        line.look = f"{session.portal}/snapshots/{snapshot}"


def _real_in(world: World, snapshot: str, tables: dict[str, pl.DataFrame]) -> tuple[int, int]:
    """Count people and rows of the snapshot that are in a twin. Raises: StepFailedError for another column or type."""
    folder = world.settings.snapshots / snapshot
    manifest = read_manifest(folder, load_public_key(world.settings.snapshot_public_key))
    keys = keys_of(manifest, store_of(world.settings))
    people = rows = 0
    for name, frame in tables.items():
        real = open_table(folder, manifest, keys, name).select(frame.columns).collect()
        if real.schema != frame.schema:
            raise StepFailedError(f"쌍둥이 {name}의 열이 스냅샷과 다릅니다.", SEE_LOGS)
        people += real.select("patient").unique().join(frame, on="patient", how="semi").height
        rows += real.join(frame, on=frame.columns, how="semi", nulls_equal=True).height
    return people, rows
