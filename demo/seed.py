"""Puts the people of the demonstration into the enclave, and publishes snapshots: runs as the portal's user.

`python -m demo.seed people` prints `{login: TOTP secret}` of the accounts it made; `python -m demo.seed publish
DATASET FOLDER LOGIN` publishes one snapshot in the name of its hospital's steward. Both may run again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from demo.people import OPERATOR, ORGANISATIONS, PEOPLE, Person
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import credentials, dataset, people
from enclave.model.people import OrganisationKind
from enclave.queries import dataset as datasets
from enclave.queries import people as found
from enclave.roles import Role
from enclave.settings import Settings
from enclave.store import Store
from enclave.vault import Vault

TITLES = {
    "nafld": ("지방간 코호트", "Fatty-liver cohort", "방문 검사와 진단이 이어진 17,549명의 자료"),
    "rand": ("의료보험 청구", "Insurance claims", "해마다의 외래·입원·약제 비용"),
}
PROVIDERS = {"nafld": "bitgoeul", "rand": "mudeung"}


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
    """Register the data set if it is new and publish the snapshot as this steward; returns the snapshot's id."""
    store = Store(settings.url, observer="console")
    steward = found.actor(store, login, ip="127.0.0.1", session_id="demo", now=clock.now())
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
    return dataset.publish_snapshot(store, steward, folder=folder, public_key=public_key, now=clock.now()).id


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
