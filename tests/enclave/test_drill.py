"""Drills in the database: asked for, begun, recorded whole; their accounts are nobody's; when one is due."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import reserved
from enclave.actor import Actor
from enclave.commands import credentials, people
from enclave.commands import drill as commands
from enclave.commands.drill import SIGNATURE_CONTEXT, Found
from enclave.commands.drill_ground import Ground, set_ground
from enclave.drill import neighbours
from enclave.drill.bridged import datagrams
from enclave.drill.ground import canaries
from enclave.drill.serve import due
from enclave.errors import Conflict, Denied, EnclaveError, Invalid
from enclave.keys import create_signing_key, load_public_key
from enclave.model.people import OrganisationKind
from enclave.queries import dataset, drill, project
from enclave.queries import people as found_people
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import DrillReason, DrillState
from enclave.workspace.barriers.barrier import Outcome
from enclave.workspace.barriers.catalogue import BARRIERS, reference
from tests.enclave.scene import NOW, Scene

KEY = Ed25519PrivateKey.generate()
SYSTEM = Actor.system()


def results(**broken: str) -> list[Found]:
    return [
        Found(b.id, Outcome.BROKEN if b.id in broken.values() else Outcome.HELD, f"evidence of {b.id}")
        for b in BARRIERS
    ]


def entries(scene: Scene) -> list[dict]:
    with scene.store.read() as rows:
        data = rows.connection().execute(select(audit_entry.c.bytes).order_by(audit_entry.c.position)).scalars()
        return [json.loads(each) for each in data]


def begun(scene: Scene) -> str:
    made = commands.request_drill(scene.store, scene.actor("auditor"), now=NOW).id
    commands.begin_drill(scene.store, SYSTEM, drill_id=made, now=NOW)
    return made


def test_a_drill_is_kept_whole_with_a_signed_document_and_an_alert_for_what_did_not_hold(scene: Scene) -> None:
    made = begun(scene)
    before = len(entries(scene))
    done = commands.record_drill(scene.store, SYSTEM, drill_id=made, found=results(one="net.tcp"), key=KEY, now=NOW)
    assert (done.state, done.broken, done.held) == (DrillState.DONE, 1, len(BARRIERS) - 1)
    auditor = scene.actor("auditor")
    document = drill.document(scene.store, auditor, made)
    KEY.public_key().verify(document.signature, SIGNATURE_CONTEXT + document.data)
    assert hashlib.sha256(document.data).hexdigest() == done.document_sha256
    assert [each["id"] for each in document.values()["results"]] == [b.id for b in BARRIERS]
    said, alert = entries(scene)[before:]
    assert (said["action"], said["object"]["sha256"]) == ("drill.done", done.document_sha256)
    assert (alert["action"], alert["object"]["id"], alert["outcome"]) == ("drill.broken", "net.tcp", "failed")
    assert drill.newest_done(scene.store, auditor).results[0].barrier_id == BARRIERS[0].id


@pytest.mark.parametrize(
    "found", [results()[1:], [*results(), results()[0]], []], ids=["one less", "one twice", "none"]
)
def test_only_a_drill_of_every_barrier_is_recorded(scene: Scene, found: list[Found]) -> None:
    made = begun(scene)
    with pytest.raises(Invalid, match="목록"):
        commands.record_drill(scene.store, SYSTEM, drill_id=made, found=found, key=KEY, now=NOW)
    assert drill.drill(scene.store, scene.actor("auditor"), made).state is DrillState.RUNNING


def test_two_drills_do_not_wait_at_once_and_a_crashed_one_is_told_at_the_next(scene: Scene) -> None:
    first = begun(scene)
    with pytest.raises(Conflict, match="이미"):
        commands.request_drill(scene.store, scene.actor("auditor"), now=NOW)
    commands.fail_drill(scene.store, SYSTEM, drill_id=first, code="drill.test", now=NOW)
    assert drill.drill(scene.store, scene.actor("auditor"), first).failure == "drill.test"
    assert begun(scene) != first


@pytest.mark.parametrize("login", ["operator", "lead", "scientist", "checker-a", "steward-a"])
def test_only_auditors_ask_and_only_the_system_records(scene: Scene, login: str) -> None:
    with pytest.raises(Denied):
        commands.request_drill(scene.store, scene.actor(login), now=NOW)
    made = begun(scene)
    for who in (scene.actor(login), scene.actor("auditor")):
        with pytest.raises(Denied):
            commands.record_drill(scene.store, who, drill_id=made, found=results(), key=KEY, now=NOW)


@pytest.fixture
def ground(scene: Scene, tmp_path: Path) -> tuple[Scene, Path, object]:
    settings = Settings(home=tmp_path)
    for folder in (settings.keys, settings.drill, settings.snapshots):
        folder.mkdir()
    create_signing_key(settings.keys / "snapshot.key")
    public = load_public_key(settings.snapshot_public_key)
    folder = canaries(settings, NOW).folder
    assert canaries(settings, NOW).folder == folder  # made once
    set_ground(scene.store, SYSTEM, folder=folder, public_key=public, ground=Ground(), now=NOW)
    return scene, folder, public


def test_the_drills_accounts_are_in_no_list_and_cannot_be_set_up_or_signed_in(ground: tuple) -> None:
    scene = ground[0]
    operator = scene.actor("operator")
    logins = {each.login for each in found_people.accounts(scene.store, operator, now=NOW)}
    assert logins
    assert not logins & reserved.LOGINS
    assert reserved.NAME not in {each.id for each in found_people.organisations(scene.store)}
    assert reserved.PROJECT not in {each.id for each in project.all_projects(scene.store, operator, now=NOW)}
    assert reserved.NAME not in {each.id for each in dataset.datasets(scene.store, operator)}
    attempts = [
        lambda: people.grant_role(scene.store, operator, login=reserved.DRILL, role=Role.OPERATOR, reason="x", now=NOW),
        lambda: people.end_account(scene.store, operator, login=reserved.DRILL, reason="x", now=NOW),
        lambda: credentials.enrol_totp(scene.store, scene.vault, operator, login=reserved.DRILL, now=NOW),
        lambda: people.create_organisation(
            scene.store, operator, organisation_id=reserved.NAME, name="x", kind=OrganisationKind.STARTUP, now=NOW
        ),
        lambda: people.create_account(
            scene.store,
            operator,
            login="somebody",
            name="x",
            organisation_id=reserved.NAME,
            password="a long enough sentence",
            now=NOW,
        ),
        lambda: credentials.log_in(
            scene.store,
            scene.vault,
            login=reserved.DRILL,
            password="!",
            code="000000",
            ip="127.0.0.1",
            session_id="s",
            now=NOW,
        ),
    ]
    for attempt in attempts:
        with pytest.raises(EnclaveError):
            attempt()


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (Ground(pledged=False), "workspace.no-pledge"),
        (Ground(project_open=False), "project.expired"),
        (Ground(account_open=False), "account.closed"),
    ],
)
def test_the_ground_can_be_spoilt_and_put_right(ground: tuple, spoilt: Ground, code: str) -> None:
    scene, folder, public = ground

    def refusal() -> str:
        try:
            actor = found_people.actor(scene.store, reserved.DRILL, ip="127.0.0.1", session_id="s", now=NOW)
            (option,) = project_options(scene, actor)
        except Denied as error:
            return error.code
        return option.refusal.code if option.refusal else "open"

    assert refusal() == "open"
    set_ground(scene.store, SYSTEM, folder=folder, public_key=public, ground=spoilt, now=NOW)
    assert refusal() == code
    set_ground(scene.store, SYSTEM, folder=folder, public_key=public, ground=Ground(), now=NOW)
    assert refusal() == "open"


def project_options(scene: Scene, actor: Actor):
    from enclave.queries import workspace

    return workspace.options(scene.store, actor, now=NOW)


AT = datetime(2026, 11, 28, 0, 30, tzinfo=UTC)  # half past nine in Seoul


@pytest.mark.parametrize(
    ("newest", "hour", "expected"),
    [
        (None, 4, DrillReason.INSTALL),
        (None, -1, None),
        (AT - timedelta(hours=5), 4, None),  # at half past four of the same day
        (AT - timedelta(hours=6), 4, DrillReason.DAILY),
        (AT - timedelta(hours=6), 12, None),  # today's hour is still to come
        (AT - timedelta(days=9), -1, None),
    ],
)
def test_a_drill_is_due_at_first_and_once_a_day(newest, hour, expected) -> None:
    drills = [{"requested_at": newest.isoformat()}] if newest else []
    assert due(drills, AT, hour) is expected


WORK = neighbours.Work([n / 5 for n in range(500)], [(50.0, "inotify")], 1)


@pytest.mark.parametrize(
    ("began", "ended", "expected"),
    [(10, 20, Outcome.HELD), (49, 51, Outcome.BROKEN), (90, 200, Outcome.BROKEN)],
    ids=["it worked on", "it failed", "it stood still"],
)
def test_an_attack_that_took_the_neighbours_share_did_not_hold(began, ended, expected) -> None:
    outcome, evidence = neighbours.judged(Outcome.HELD, "x", WORK, began, ended)
    assert outcome is expected
    assert "neighbour" in evidence


def test_the_page_of_barriers_is_the_list() -> None:
    page = Path(__file__).parents[2] / "docs/reference/barriers.md"
    assert page.read_text() == reference()
    assert len(BARRIERS) == len({barrier.id for barrier in BARRIERS}) >= 80
    assert all(barrier.satre for barrier in BARRIERS)


@pytest.mark.parametrize(
    ("heard", "bridge", "outcome"),
    [
        ([], False, Outcome.HELD),
        (["control"], True, Outcome.HELD),
        ([], True, Outcome.BROKEN),
        (["control", "leak"], True, Outcome.BROKEN),
        (["leak"], False, Outcome.BROKEN),
    ],
    ids=["sealed", "heard itself alone", "deaf", "a datagram came through", "sealed, and one came through"],
)
def test_datagrams_that_the_neighbour_heard_are_a_barrier_that_did_not_hold(
    heard: list[str], bridge: bool, outcome: Outcome
) -> None:
    assert datagrams((Outcome.HELD, "silent"), heard, bridge=bridge)[0] is outcome
