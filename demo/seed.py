"""Puts the people of the demonstration into the enclave: runs as the portal's user; may run again.

`python -m demo.seed` prints `{login: TOTP secret}` of the accounts it made.
"""

from __future__ import annotations

import json

from demo.people import OPERATOR, ORGANISATIONS, PEOPLE, Person
from enclave import clock
from enclave.actor import Actor
from enclave.commands import credentials, people
from enclave.model.people import OrganisationKind
from enclave.queries import people as found
from enclave.roles import Role
from enclave.settings import Settings
from enclave.store import Store
from enclave.vault import Vault


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


def main() -> None:
    """Make the people; see the module's text."""
    print(json.dumps(seed_people(Settings.load())))


if __name__ == "__main__":
    main()
