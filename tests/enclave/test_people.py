"""Accounts, roles and signing in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pyotp
import pytest
from sqlalchemy import select

from enclave.actor import Actor
from enclave.commands import credentials, people
from enclave.credentials import STEP_S
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.ids import new_id
from enclave.model.people import Account
from enclave.queries import people as queries
from enclave.roles import FORBIDDEN_PAIRS, Role
from tests.enclave.scene import NOW, Scene

CONSOLE = Actor.console()
PASSWORD = "correct horse battery"
LATER = timedelta(seconds=STEP_S)


@pytest.fixture
def person(shared: Scene) -> str:
    """A new account without roles."""
    login = "t" + new_id("t")[-10:]
    people.create_account(
        shared.store, CONSOLE, login=login, name="새 사람", organisation_id="startup", password=PASSWORD, now=NOW
    )
    return login


@pytest.fixture
def secret(shared: Scene, person: str) -> str:
    """The secret of that account's second factor."""
    return credentials.enrol_totp(shared.store, shared.vault, CONSOLE, login=person, now=NOW).secret


def log_in(scene: Scene, login: str, *, password: str = PASSWORD, code: str, now=NOW) -> Actor:
    return credentials.log_in(
        scene.store, scene.vault, login=login, password=password, code=code, ip="10.0.0.9", session_id="s", now=now
    )


def code(secret: str, now=NOW) -> str:
    return pyotp.TOTP(secret).at(now)


def test_no_two_roles_of_a_forbidden_pair_can_be_held_in_either_order(shared, person):
    for first, second in permutations(Role, 2):
        people.grant_role(shared.store, CONSOLE, login=person, role=first, reason="r", now=NOW)
        if frozenset({first, second}) in FORBIDDEN_PAIRS:
            with pytest.raises(Denied) as refused:
                people.grant_role(shared.store, CONSOLE, login=person, role=second, reason="r", now=NOW)
            assert refused.value.code == "role.forbidden-pair"
        people.revoke_role(shared.store, CONSOLE, login=person, role=first, reason="r", now=NOW)


def test_a_role_that_begins_to_overlap_later_is_refused_too(shared, person):
    """A grant past its end does not count as in force, but is still open until it is revoked."""
    past = NOW.date() - timedelta(days=1)
    people.grant_role(shared.store, CONSOLE, login=person, role=Role.OPERATOR, reason="r", ends_on=past, now=NOW)
    assert queries.account(shared.store, CONSOLE, person, now=NOW).roles == ()
    with pytest.raises(Denied):
        people.grant_role(shared.store, CONSOLE, login=person, role=Role.OUTPUT_CHECKER, reason="r", now=NOW)


def test_nobody_changes_their_own_rights(shared):
    operator = shared.actor("operator")
    for act in (
        lambda: people.grant_role(shared.store, operator, login="operator", role=Role.REVIEWER, reason="r", now=NOW),
        lambda: people.revoke_role(shared.store, operator, login="operator", role=Role.OPERATOR, reason="r", now=NOW),
        lambda: people.end_account(shared.store, operator, login="operator", reason="r", now=NOW),
        lambda: credentials.enrol_totp(shared.store, shared.vault, operator, login="operator", now=NOW),
    ):
        with pytest.raises(Denied) as refused:
            act()
        assert refused.value.code == "role.own"


def test_a_grant_stays_on_record_with_who_when_and_why_after_it_was_revoked(shared, person):
    operator = shared.actor("operator")
    people.grant_role(shared.store, operator, login=person, role=Role.SCIENTIST, reason="과제 참여", now=NOW)
    view = people.revoke_role(
        shared.store, operator, login=person, role=Role.SCIENTIST, reason="과제 종료", now=NOW + LATER
    )
    (grant,) = view.grants
    assert (grant.granted_by, grant.reason, grant.granted_at) == ("u-operator", "과제 참여", NOW)
    assert (grant.revoked_by, grant.revoke_reason, grant.revoked_at) == ("u-operator", "과제 종료", NOW + LATER)
    assert (view.roles, grant.current) == ((), False)


def test_a_revoked_role_stops_counting_in_a_session_that_is_already_open(shared, person):
    people.grant_role(shared.store, CONSOLE, login=person, role=Role.OPERATOR, reason="r", now=NOW)
    stale = queries.actor(shared.store, person, ip="1", session_id="s", now=NOW)
    people.revoke_role(shared.store, CONSOLE, login=person, role=Role.OPERATOR, reason="r", now=NOW)
    assert Role.OPERATOR in stale.roles
    with pytest.raises(Denied):
        people.unlock_account(shared.store, stale, login="scientist", reason="r", now=NOW)


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"login": "Upper"}, Invalid, "name.malformed"),
        ({"login": "a/b"}, Invalid, "name.malformed"),
        ({"login": "scientist"}, Conflict, "name.taken"),
        ({"password": "short"}, Invalid, "account.password-weak"),
        ({"name": " "}, Invalid, "input.missing"),
        ({"organisation_id": "none"}, NotFound, "organisation.unknown"),
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_refused_with_its_own_code(shared, changes, error, code):
    fields = {"login": "newcomer", "name": "이", "organisation_id": "zone", "password": PASSWORD} | changes
    with pytest.raises(error) as refused:
        people.create_account(shared.store, CONSOLE, **fields, now=NOW)
    assert refused.value.code == code


def test_signing_in_gives_the_roles_and_a_fresh_second_factor(shared, person, secret):
    people.grant_role(shared.store, CONSOLE, login=person, role=Role.SCIENTIST, reason="r", now=NOW)
    actor = log_in(shared, person, code=code(secret))
    assert (actor.login, actor.roles, actor.second_factor_at) == (person, {Role.SCIENTIST}, NOW)


def test_a_code_is_good_once_here_or_there(shared, person, secret):
    actor = log_in(shared, person, code=code(secret))
    with pytest.raises(Denied):
        credentials.confirm_second_factor(shared.store, shared.vault, actor, code=code(secret), now=NOW)
    later = NOW + LATER
    again = credentials.confirm_second_factor(shared.store, shared.vault, actor, code=code(secret, later), now=later)
    assert again.second_factor_at == later


@pytest.mark.parametrize("steps", [-1, 0])
def test_the_present_code_and_the_one_before_are_taken(shared, person, secret, steps):
    assert log_in(shared, person, code=code(secret, NOW + steps * LATER)).login == person


@pytest.mark.parametrize("wrong", ["", "12345", "abcdef", "１２３４５６", "-2", "future"])
def test_other_codes_are_not_taken(shared, person, secret, wrong):
    with pytest.raises(Denied) as refused:
        log_in(shared, person, code=code(secret, NOW + 2 * LATER) if wrong == "future" else wrong)
    assert refused.value.code == "account.wrong"


def test_an_unknown_login_a_wrong_password_and_a_wrong_code_sound_the_same(shared, person, secret):
    said = set()
    for login, password, given in (
        ("nobody-here", PASSWORD, code(secret)),
        (person, "wrong password!!", code(secret)),
        (person, PASSWORD, "000000"),
    ):
        with pytest.raises(Denied) as refused:
            log_in(shared, login, password=password, code=given)
        said.add((refused.value.code, str(refused.value)))
    assert len(said) == 1


def test_five_failures_in_a_row_lock_and_an_operator_unlocks(shared, person, secret):
    for number in range(5):
        with shared.new_entries() as entries, pytest.raises(Denied) as refused:
            log_in(shared, person, password="wrong password!!", code=code(secret))
        assert refused.value.code == "account.wrong"
        assert [(e["outcome"], e["details"]["failures"]) for e in entries] == [("denied", number + 1)]
    with pytest.raises(Denied) as refused:
        log_in(shared, person, code=code(secret))
    assert refused.value.code == "account.locked"
    with pytest.raises(Denied):
        queries.actor(shared.store, person, ip="1", session_id="s", now=NOW)
    people.unlock_account(shared.store, shared.actor("operator"), login=person, reason="본인 확인", now=NOW)
    assert log_in(shared, person, code=code(secret)).login == person


def test_a_success_begins_the_count_of_failures_anew(shared, person, secret):
    for turn in range(2):
        now = NOW + 2 * turn * LATER
        for _ in range(4):
            with pytest.raises(Denied):
                log_in(shared, person, password="wrong password!!", code="000000", now=now)
        assert log_in(shared, person, code=code(secret, now), now=now).login == person


def test_guessing_codes_at_a_decision_locks_as_well(shared, person, secret):
    actor = log_in(shared, person, code=code(secret))
    for _ in range(5):
        with pytest.raises(Denied):
            credentials.confirm_second_factor(shared.store, shared.vault, actor, code="000000", now=NOW)
    with pytest.raises(Denied) as refused:
        credentials.confirm_second_factor(
            shared.store, shared.vault, actor, code=code(secret, NOW + LATER), now=NOW + LATER
        )
    assert refused.value.code == "account.locked"


def test_without_an_enrolled_second_factor_nobody_signs_in(shared, person):
    with pytest.raises(Denied) as refused:
        log_in(shared, person, code="123456")
    assert refused.value.code == "account.not-enrolled"


def test_enrolling_again_makes_the_old_codes_worthless(shared, person, secret):
    renewed = credentials.enrol_totp(shared.store, shared.vault, CONSOLE, login=person, now=NOW).secret
    with pytest.raises(Denied):
        log_in(shared, person, code=code(secret))
    assert log_in(shared, person, code=code(renewed)).login == person


def test_an_ended_account_does_nothing_more_and_holds_no_role(shared, person, secret):
    people.grant_role(shared.store, CONSOLE, login=person, role=Role.SCIENTIST, reason="r", now=NOW)
    actor = log_in(shared, person, code=code(secret))
    view = people.end_account(shared.store, shared.actor("operator"), login=person, reason="퇴직", now=NOW)
    assert (view.ended, view.roles) == (True, ())
    with pytest.raises(Denied) as refused:
        credentials.change_password(
            shared.store, actor, old=PASSWORD, new="another long one", again="another long one", now=NOW
        )
    assert refused.value.code == "account.closed"
    with pytest.raises(Conflict):
        people.end_account(shared.store, shared.actor("operator"), login=person, reason="퇴직", now=NOW)


def test_an_account_past_its_last_day_is_closed(shared):
    login = "t" + new_id("t")[-10:]
    people.create_account(
        shared.store, CONSOLE, login=login, name="기간제", organisation_id="zone", password=PASSWORD, now=NOW,
        ends_on=NOW.date(),
    )  # fmt: skip
    queries.actor(shared.store, login, ip="1", session_id="s", now=NOW)
    with pytest.raises(Denied) as refused:
        queries.actor(shared.store, login, ip="1", session_id="s", now=NOW + timedelta(days=1))
    assert refused.value.code == "account.closed"


def test_a_changed_password_is_the_one_that_counts(shared, person, secret):
    actor = log_in(shared, person, code=code(secret))
    for old, new in (("not the old one", "another long one"), (PASSWORD, "short"), (PASSWORD, PASSWORD)):
        with pytest.raises((Denied, Invalid)):
            credentials.change_password(shared.store, actor, old=old, new=new, again=new, now=NOW)
    credentials.change_password(
        shared.store, actor, old=PASSWORD, new="another long one", again="another long one", now=NOW
    )
    later = NOW + LATER
    with pytest.raises(Denied):
        log_in(shared, person, code=code(secret, later), now=later)
    assert log_in(shared, person, password="another long one", code=code(secret, later), now=later).login == person


def test_no_password_and_no_second_factor_can_be_read_in_the_database(shared, person, secret):
    with shared.store.read() as session:
        found = session.scalar(select(Account).where(Account.login == person))
    assert found.password_hash.startswith("$argon2id$")
    assert PASSWORD not in found.password_hash
    assert secret.encode() not in found.totp_sealed


def test_what_is_typed_into_the_login_field_is_not_written_into_the_log(shared):
    with shared.new_entries() as entries, pytest.raises(Denied):
        log_in(shared, "my-secret-password", code="123456")
    assert "my-secret-password" not in str(entries)


def test_signing_out_is_recorded(shared):
    with shared.new_entries() as entries:
        credentials.log_out(shared.store, shared.actor("scientist"), now=NOW)
    assert [(entry["action"], entry["actor"]["id"]) for entry in entries] == [("account.log-out", "u-scientist")]
