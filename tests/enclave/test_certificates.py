"""Certificates: what they say, that they are verified offline, and that no byte of them can be changed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave import certificate, keys
from enclave.actor import Actor
from enclave.certificate_page import page
from enclave.cli import ansim
from enclave.commands import destruction, ends, project, visit, volume_key, workspace
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.queries import certificates as queries
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_ends import opened

SYSTEM = Actor.system()
LATER = NOW + timedelta(hours=3)
ORIGIN = "ansim.test/log"


def key(scene: Scene) -> Ed25519PrivateKey:
    return keys.load_signing_key(scene.means.settings.certificate_key)


def visited(scene: Scene) -> str:
    """A visit of the scientist, three hours long."""
    name = opened(scene, scene.active(title="<b>제목</b>"))
    workspace.mark_stopped(scene.store, SYSTEM, workspace_id=name, reason="closed", now=LATER)
    return visit_of(scene, name)


def visit_of(scene: Scene, workspace_id: str) -> str:
    mine = queries.visits(scene.store, scene.actor("scientist"))
    return next(each.id for each in mine if each.workspace_id == workspace_id)


def used(scene: Scene) -> certificate.CertificateFile:
    actor = scene.actor("scientist")
    made = visit.issue_certificate(scene.store, key(scene), actor, visit_id=visited(scene), enclave=ORIGIN, now=LATER)
    return queries.file_of(scene.store, actor, made.id, now=LATER)


def destroyed(scene: Scene) -> str:
    """Take the steps without a gate: what they record and certify is the matter here."""
    made = scene.active()
    name = opened(scene, made)
    volume_key.hand_over(scene.store, scene.vault, SYSTEM, workspace_id=name, now=NOW)
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=NOW)
    with pytest.raises(Conflict, match="아직 파기할 때가"):
        destruction.request(scene.store, SYSTEM, workspace_id=name, now=NOW)
    ends.begin_grace(scene.store, SYSTEM, workspace_id=name, days=7, now=NOW)
    with pytest.raises(Conflict, match="요청되지 않았습니다"):
        destruction.destroy_keys(scene.store, SYSTEM, workspace_id=name, now=NOW)
    over = NOW + timedelta(days=7)
    destruction.request(scene.store, SYSTEM, workspace_id=name, now=over)
    with pytest.raises(Conflict, match="아직 남아"):
        destruction.finish(scene.store, key(scene), SYSTEM, workspace_id=name, enclave=ORIGIN, now=over)
    destruction.destroy_keys(scene.store, SYSTEM, workspace_id=name, now=over)
    done = destruction.finish(scene.store, key(scene), SYSTEM, workspace_id=name, enclave=ORIGIN, now=over)
    return done.id


def test_a_visit_is_certified_with_seat_times_and_hours_and_always_the_same(shared: Scene) -> None:
    actor, name = shared.actor("scientist"), visited(shared)
    with shared.new_entries() as entries:
        first = visit.issue_certificate(shared.store, key(shared), actor, visit_id=name, enclave=ORIGIN, now=LATER)
        again = visit.issue_certificate(
            shared.store, key(shared), actor, visit_id=name, enclave=ORIGIN, now=LATER + timedelta(days=1)
        )
    assert first.sha256 == again.sha256
    assert [(entry["action"], entry["object"]["sha256"]) for entry in entries] == [  # type: ignore[index]
        ("certificate.issue", first.sha256)
    ] * 2
    fields = queries.file_of(shared.store, actor, first.id, now=LATER).fields
    assert (fields["login"], fields["started_at"], fields["ended_at"], fields["gpu_seconds"]) == (
        "scientist",
        "2026-11-24T03:00:00Z",
        "2026-11-24T06:00:00Z",
        0,
    )


def test_nobody_gets_the_certificate_of_another_and_none_of_a_visit_that_goes_on(shared: Scene) -> None:
    name = visited(shared)
    for login in ("lead", "operator", "auditor"):
        with pytest.raises(NotFound):
            visit.issue_certificate(
                shared.store, key(shared), shared.actor(login), visit_id=name, enclave=ORIGIN, now=LATER
            )
    going_on = visit_of(shared, opened(shared, shared.active()))
    actor = shared.actor("scientist")
    with pytest.raises(Conflict, match="끝나지 않은"):
        visit.issue_certificate(shared.store, key(shared), actor, visit_id=going_on, enclave=ORIGIN, now=LATER)


def test_a_destruction_is_certified_only_after_its_steps_and_says_what_korea_asks_for(shared: Scene) -> None:
    name = destroyed(shared)
    steward = shared.actor("steward-a")
    (seen,) = [each for each in queries.destructions(shared.store, steward, now=NOW) if each.id == name]
    assert seen.may == {"witness"}
    made = destruction.witness(shared.store, key(shared), steward, certificate_id=name, now=NOW)
    assert made.witnesses == 1
    found = queries.file_of(shared.store, steward, name, now=NOW)
    certificate.verify(found, key(shared).public_key())
    fields = found.fields
    assert [each["dataset"] for each in fields["data"]] == ["set-a"]
    assert [each["id"].rpartition("/")[2] for each in fields["volumes"]] == ["home", "outbox"]
    assert all(len(each["key"]) == 32 for each in fields["volumes"])
    assert fields["method"]["ko"]
    assert (fields["operator"], fields["cause"]) == ("system", "project")
    assert fields["keys_destroyed_at"] == fields["volumes_removed_at"] == "2026-12-01T03:00:00Z"
    (witness,) = found.witness_fields
    assert (witness["login"], witness["role"]) == ("steward-a", "data_steward")


def test_who_countersigns_is_a_steward_or_an_auditor_with_a_fresh_second_factor_and_once(shared: Scene) -> None:
    name = destroyed(shared)

    def act(login: str, *, fresh: bool = True) -> None:
        actor = shared.actor(login, fresh=fresh)
        destruction.witness(shared.store, key(shared), actor, certificate_id=name, now=NOW)

    for login in ("operator", "lead", "scientist", "checker-a", "reviewer"):
        with pytest.raises(Denied):
            act(login)
    with pytest.raises(Denied, match="2차 인증"):
        act("auditor", fresh=False)
    act("auditor")
    with pytest.raises(Conflict):
        act("auditor")


def test_strangers_do_not_see_a_certificate_of_destruction(shared: Scene) -> None:
    name = destroyed(shared)
    for login in ("other-lead", "steward-b", "checker-a", "colleague"):
        with pytest.raises(NotFound):
            queries.file_of(shared.store, shared.actor(login), name, now=NOW)
    for login in ("scientist", "lead", "steward-a", "operator", "auditor"):
        assert queries.file_of(shared.store, shared.actor(login), name, now=NOW)


def test_no_byte_of_a_certificate_can_be_changed(scene: Scene) -> None:
    name = destroyed(scene)
    actor, mine = scene.actor("auditor"), key(scene).public_key()
    destruction.witness(scene.store, key(scene), actor, certificate_id=name, now=NOW)
    good = queries.file_of(scene.store, actor, name, now=NOW).to_json()
    certificate.verify(certificate.read(good), mine)
    values = json.loads(good)
    forged = [
        {**values, "document": values["document"].replace("set-a", "set-b")},
        {**values, "witnesses": [{**values["witnesses"][0], "signature": values["signature"]}]},
        # A witness of another certificate.
        {**json.loads(used(scene).to_json()), "witnesses": values["witnesses"]},
        # The witness's own document passed off as a certificate would need the other context.
        {**values, "signature": values["witnesses"][0]["signature"]},
    ]
    for each in forged:
        with pytest.raises(Invalid) as refused:
            certificate.verify(certificate.read(json.dumps(each).encode()), mine)
        assert refused.value.code == "certificate.forged"
    with pytest.raises(Invalid, match="서명"):
        certificate.verify(certificate.read(good), Ed25519PrivateKey.generate().public_key())
    for data in (b"", b"[]", b"{}", good.replace(b"ansim-certificate-v1", b"ansim-certificate-v2"), b"\xff"):
        with pytest.raises(Invalid) as refused:
            certificate.read(data)
        assert refused.value.code == "certificate.unreadable"


def test_the_command_verifies_a_file_offline_and_says_what_is_in_it(scene: Scene, tmp_path) -> None:
    path, public = tmp_path / "c.json", scene.means.settings.certificate_key.with_suffix(".pub")
    path.write_bytes(used(scene).to_json())
    done = CliRunner().invoke(ansim, ["--lang", "en", "certificate", "verify", str(path), "--key", str(public)])
    assert done.exit_code == 0, done.output
    assert "The signature is good." in done.output
    assert "Login: scientist" in done.output
    path.write_bytes(path.read_bytes().replace(b"scientist", b"somebody1"))
    refused = CliRunner().invoke(ansim, ["certificate", "verify", str(path), "--key", str(public)])
    assert isinstance(refused.exception, Invalid)


def test_the_page_to_print_escapes_what_people_wrote(scene: Scene) -> None:
    text = page(used(scene))
    assert "&lt;b&gt;제목&lt;/b&gt;" in text
    assert "<b>" not in text
