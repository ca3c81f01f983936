"""Puts the people of the demonstration into the enclave, and publishes snapshots: runs as the portal's user.

`python -m demo.seed people` prints `{login: TOTP secret}` of the accounts it made; `python -m demo.seed publish
DATASET FOLDER LOGIN` publishes one snapshot in the name of its hospital's steward. Both may run again.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from demo.people import OPERATOR, ORGANISATIONS, PEOPLE, Person
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import credentials, dataset, people, publication
from enclave.model.people import OrganisationKind
from enclave.policy.publication import Decision
from enclave.queries import dataset as datasets
from enclave.queries import people as found
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import SnapshotState
from enclave.store import Store
from enclave.vault import Vault

TITLES = {
    "nafld": ("지방간 코호트", "Fatty-liver cohort", "방문 검사와 진단이 이어진 17,549명의 자료"),
    "rand": ("의료보험 청구", "Insurance claims", "해마다의 외래·입원·약제 비용"),
}
PROVIDERS = {"nafld": "bitgoeul", "rand": "mudeung"}
# Who judges what each steward submits: nobody of the start-up, and not the steward.
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


def seed_people(settings: Settings) -> dict[str, str]:
    """Make the organisations and accounts that are missing; returns the TOTP secrets of the new accounts."""
    store, console = Store(settings.url, observer="console"), Actor.console()
    vault = Vault.load(settings.vault_key)
    known = {each.id for each in found.organisations(store)}
    for each in ORGANISATIONS:
        if each.id not in known:
            kind = OrganisationKind(each.kind)
            people.create_organisation(
                store, console, organisation_id=each.id, name=each.name, kind=kind, now=clock.now()
            )
    accounts = {each.login for each in found.accounts(store, console, now=clock.now())}
    new = [person for person in (OPERATOR, *PEOPLE) if person.login not in accounts]
    return {person.login: _make(store, vault, person) for person in new}


def publish(settings: Settings, dataset_id: str, folder: Path, login: str) -> str:
    """Take a snapshot the whole way into the catalogue in the name of those who decide; returns the snapshot's id.

    The steward submits it and writes the risk review, three reviewers of other organisations find it adequate, the
    steward offers it under the board's decision. What was done in an earlier run is not done again.
    """
    store = Store(settings.url, observer="console")
    steward = _person(store, login)
    if dataset_id not in {each.id for each in datasets.datasets(store, steward)}:
        title_ko, title_en, description = TITLES[dataset_id]
        dataset.register_dataset(
            store,
            steward,
            dataset_id=dataset_id,
            organisation_id=PROVIDERS[dataset_id],
            title_ko=title_ko,
            title_en=title_en,
            description=description,
            now=clock.now(),
        )
    public_key = keys.load_public_key(settings.snapshot_public_key)
    made = dataset.receive_snapshot(store, steward, folder=folder, public_key=public_key, now=clock.now())
    if made.state is SnapshotState.RECEIVED:
        _review(store, made.id, login)
    return made.id


def _review(store: Store, snapshot_id: str, login: str) -> None:
    steward, now = _person(store, login), clock.now()
    publication.write_risk_review(store, steward, snapshot_id=snapshot_id, answers=ANSWERS, now=now)
    risk = datasets.dossier(store, steward, snapshot_id, now=now).risk
    if risk is None:
        raise RuntimeError("the risk review was written and is not there")
    for reviewer in REVIEWERS[login]:
        publication.judge_adequacy(
            store,
            _person(store, reviewer),
            snapshot_id=snapshot_id,
            risk_sha256=risk.sha256,
            adequate=True,
            reason="항목별 처리와 위험 보고서를 확인했고 안심구역 안에서 쓰기에 적정합니다.",
            now=clock.now(),
        )
    today = clock.korean_date(now)
    decision = Decision(f"DRB-{today.year}-{snapshot_id[:4]}", today, today, today + timedelta(days=365))
    steward = _person(store, login)
    publication.offer(
        store, steward, snapshot_id=snapshot_id, risk_sha256=risk.sha256, decision=decision, now=clock.now()
    )


def _person(store: Store, login: str) -> Actor:
    """Return who this is, with a second factor of this moment: the story is played on one's own machine."""
    now = clock.now()
    return found.actor(store, login, ip="127.0.0.1", session_id="demo", now=now, second_factor_at=now)


def _make(store: Store, vault: Vault, person: Person) -> str:
    console = Actor.console()
    people.create_account(
        store,
        console,
        login=person.login,
        name=person.name,
        organisation_id=person.organisation,
        password=person.password,
        now=clock.now(),
    )
    for role in person.roles:
        people.grant_role(store, console, login=person.login, role=Role(role), reason="시연 계정", now=clock.now())
    enrolment = credentials.enrol_totp(store, vault, console, login=person.login, now=clock.now())
    return enrolment.secret


def main(arguments: list[str]) -> None:
    """Run one of the two jobs; see the module's text."""
    settings = Settings.load()
    if arguments[:1] == ["people"]:
        print(json.dumps(seed_people(settings)))
    else:
        dataset_id, folder, login = arguments[1:]
        print(publish(settings, dataset_id, Path(folder), login))


if __name__ == "__main__":
    main(sys.argv[1:])
