"""Locking, unlocking and starting: who may, from where, with what, and what is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from enclave.actor import Actor
from enclave.commands import credentials, desk, people, workspace
from enclave.errors import Conflict, Denied, NotFound
from enclave.queries.desk import seat_of
from enclave.workspace.plan import parse_plan
from tests.enclave.scene import NOW, Scene

LATER = NOW + timedelta(minutes=2)


@pytest.fixture
def running(scene: Scene) -> str:
    """The scientist's running workspace."""
    made = scene.active()
    start = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW)
    found = start.workspace
    workspace.mark_started(scene.store, Actor.system(), workspace_id=found.id, container_id="c" * 64, now=NOW)
    return found.id


@pytest.fixture
def secret(scene: Scene) -> str:
    """The scientist's second factor, after a sign-in at 10.0.0.9."""
    return credentials.enrol_totp(scene.store, scene.vault, Actor.console(), login="scientist", now=NOW).secret


def unlock(scene: Scene, workspace_id: str, *, login: str = "scientist", code: str = "000000", **more: object) -> Actor:
    actor = replace(scene.actor(login, now=LATER), ip=str(more.get("ip", "10.0.0.9")))
    return desk.unlock(scene.store, scene.vault, actor, workspace_id=workspace_id, password=None, code=code, now=LATER)


def test_a_plan_is_bound_to_the_address_that_asked(scene: Scene) -> None:
    made = scene.active()
    start = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW)
    plan = parse_plan(start.plan)
    assert (plan.seat, plan.idle_minutes, plan.clipboard_chars) == ("10.0.0.9", 10, 0)


@pytest.mark.parametrize("address", ["198.51.100.9", "", "not an address"])
def test_no_start_but_from_where_the_account_is(scene: Scene, address: str) -> None:
    made = scene.active()
    desk.come_in(scene.store, scene.actor("scientist"), browser="b", now=NOW)
    elsewhere = replace(scene.actor("scientist"), ip=address)
    with scene.new_entries() as entries, pytest.raises(Denied) as refused:
        workspace.request_start(scene.store, scene.means, elsewhere, project_id=made, now=NOW)
    assert refused.value.code in {"seat.elsewhere", "seat.unknown"}
    assert [(each["action"], each["outcome"]) for each in entries] == [("workspace.requested", "denied")]


def test_a_right_code_unlocks_and_both_acts_are_entries(scene: Scene, running: str, secret: str) -> None:
    with scene.new_entries() as entries:
        proven = unlock(scene, running, code=pyotp.TOTP(secret).at(LATER))
    assert proven.second_factor_at == LATER
    assert [each["action"] for each in entries] == ["account.second-factor", "screen.unlocked"]
    assert {each["outcome"] for each in entries} == {"done"}


def test_a_wrong_code_unlocks_nothing_and_five_lock_the_account(scene: Scene, running: str, secret: str) -> None:
    with scene.new_entries() as entries:
        for _ in range(5):
            with pytest.raises(Denied, match="맞지 않습니다"):
                unlock(scene, running)
        with pytest.raises(Denied) as refused:
            unlock(scene, running, code=pyotp.TOTP(secret).at(LATER))
    assert refused.value.code == "account.locked"
    assert "screen.unlocked" not in {each["action"] for each in entries}


def test_a_wrong_password_counts_and_the_right_code_beside_it_stays_unused(
    scene: Scene, running: str, secret: str
) -> None:
    code = pyotp.TOTP(secret).at(LATER)
    actor = scene.actor("scientist", now=LATER)
    with pytest.raises(Denied) as refused:
        desk.unlock(scene.store, scene.vault, actor, workspace_id=running, password="wrong", code=code, now=LATER)
    assert refused.value.code == "account.wrong"
    assert unlock(scene, running, code=code).second_factor_at == LATER


def test_a_code_is_no_key_to_somebody_elses_screen(scene: Scene, running: str) -> None:
    secret = credentials.enrol_totp(scene.store, scene.vault, Actor.console(), login="colleague", now=NOW).secret
    with pytest.raises(NotFound):
        unlock(scene, running, login="colleague", code=pyotp.TOTP(secret).at(LATER))
    with pytest.raises(NotFound):
        desk.lock(scene.store, scene.actor("colleague"), workspace_id=running, now=LATER)


def test_a_code_from_another_address_unlocks_nothing(scene: Scene, running: str, secret: str) -> None:
    desk.come_in(scene.store, scene.actor("scientist"), browser="b", now=NOW)
    with pytest.raises(Denied) as refused:
        unlock(scene, running, code=pyotp.TOTP(secret).at(LATER), ip="198.51.100.9")
    assert refused.value.code == "seat.elsewhere"


def test_there_is_nothing_to_unlock_where_nothing_runs(scene: Scene, running: str, secret: str) -> None:
    workspace.mark_stopped(scene.store, Actor.system(), workspace_id=running, reason="r", now=NOW)
    with pytest.raises(Conflict):
        unlock(scene, running, code=pyotp.TOTP(secret).at(LATER))


def test_a_seat_is_not_moved_on_an_old_proof(scene: Scene) -> None:
    with pytest.raises(Denied) as refused:
        desk.move_seat(scene.store, scene.actor("scientist", fresh=False), browser="b", now=NOW)
    assert refused.value.code == "second-factor.stale"
    assert seat_of(scene.store, scene.actor("scientist").account_id) is None


def test_an_account_that_has_ended_comes_in_nowhere(scene: Scene) -> None:
    actor = scene.actor("scientist")
    people.end_account(scene.store, scene.actor("operator"), login="scientist", reason="계약 종료", now=NOW)
    with pytest.raises(Denied) as refused:
        desk.come_in(scene.store, actor, browser="b", now=NOW)
    assert refused.value.code == "account.closed"
