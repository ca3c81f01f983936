"""Freezing, frozen files, destruction and certificates, by pages and REST, with the gate's own code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from enclave import certificate, clock, keys
from enclave.actor import Actor
from enclave.commands import people, project, workspace
from enclave.commands.workspace import mark_started, mark_stopped
from enclave.portal import closing, destroying, sweeping
from enclave.queries import certificates
from enclave.queries import ends as ended
from enclave.states import WorkspaceState
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_inner_apis import Core, GateOf, core, entries, gate, place  # noqa: F401 - fixtures
from tests.enclave.portal.world import ROOT, TABLE, World

SYSTEM = Actor.system()
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="volumes are mounted by root"),
    pytest.mark.docker,
]


@pytest.fixture
def running(world: World, gate: GateOf, place: workspace.WorkspaceView) -> Iterator[str]:  # noqa: F811 - fixtures
    """Mina's workspace, running as far as the database knows, with files in both volumes."""
    mark_started(world.store, SYSTEM, workspace_id=place.id, container_id="c", now=clock.now())
    home = gate.volumes.place(place.id, "home")
    (home / "sub").mkdir()
    (home / "sub" / "표 2.csv").write_bytes(TABLE.encode())
    (home / "link.csv").symlink_to("/etc/passwd")
    (gate.volumes.outbox(place.id) / "note<b>.txt").write_text("줄 하나\n<script>alert(1)</script>\n")
    return place.id


def over(world: World) -> None:
    """End the project: the lead's own act."""
    project.end_project(
        world.store, world.actor("jiwoo"), project_id=world.project_id, reason="연구 종료", now=clock.now()
    )
    closing.stop_frozen(world.portal)
    sweeping.sweep(world.portal)


def test_one_button_stops_the_project_at_the_gate_and_a_steward_lifts_it(world: World, running: str) -> None:
    in_force = world.settings.volumes / running / "current"
    browser = world.browser("jiwoo")
    assert "과제 동결하기" in browser.get(f"{ROOT}/projects/{world.project_id}").text
    assert "과제 동결하기" not in world.browser("mina").get(f"{ROOT}/projects/{world.project_id}").text
    assert in_force.exists()
    answer = browser.form(f"/projects/{world.project_id}/freeze", freeze_reason="의심스러운 반출")
    assert answer.status_code == 303
    assert not in_force.exists()
    assert not (world.settings.volumes / running / "home").is_mount()
    page = browser.get(f"{ROOT}/projects/{world.project_id}").text
    assert "이 과제는 동결되어 있습니다." in page
    assert "의심스러운 반출" in page
    assert faults(Page(page)) == []
    refused = world.browser("jiwoo").form(f"/projects/{world.project_id}/thaw", freeze_reason="r")
    assert refused.status_code == 403
    lifted = world.browser("suyeon").api("POST", f"/projects/{world.project_id}/thaw", {"reason": "확인함"})
    assert lifted.status_code == 200, lifted.text
    assert ended.of_project(world.store, world.actor("suyeon"), world.project_id, now=clock.now()).workspaces == ()


def test_while_an_incident_is_looked_into_files_are_seen_but_not_asked_for(world: World, running: str) -> None:
    workspace_row = world.actor("suyeon")
    workspace.freeze(world.store, workspace_row, workspace_id=running, reason="조사", now=clock.now())
    browser = world.browser("mina")
    page = browser.get(f"{ROOT}/frozen/{running}")
    assert page.status_code == 200, page.text[-600:]
    assert "반출 신청하기" not in page.text
    body = {"home": ["sub/표 2.csv"], "purpose": "p", "key": "key-0123"}
    refused = browser.api("POST", f"/frozen/{running}/ask", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "ends.held")


def test_in_the_grace_the_person_sees_the_files_and_asks_for_them_and_nobody_else_does(
    world: World, running: str
) -> None:
    over(world)
    browser = world.browser("mina")
    page = browser.get(f"{ROOT}/frozen/{running}")
    assert page.status_code == 200, page.text[-600:]
    assert "6일 23시간 남음" in page.text
    assert "sub/표 2.csv" in page.text
    assert "note&lt;b&gt;.txt" in page.text
    assert "link.csv" not in page.text
    assert faults(Page(page.text)) == []
    assert not (world.settings.volumes / running / "home").is_mount()
    table = browser.get(f"{ROOT}/frozen/{running}/file?volume=home&name={quote('sub/표 2.csv')}")
    assert table.status_code == 200, table.text[-600:]
    assert '<table class="preview">' in table.text
    text = browser.get(f"{ROOT}/frozen/{running}/file?volume=outbox&name={quote('note<b>.txt')}").text
    assert "&lt;script&gt;alert(1)" in text
    for volume, name in (("home", "link.csv"), ("home", "../../plans"), ("root", "x"), ("home", "a.png")):
        answer = browser.get(f"{ROOT}/frozen/{running}/file?volume={volume}&name={quote(name)}")
        assert "root:x:0:0" not in answer.text
        assert "preview" not in answer.text
    for login in ("jiwoo", "suyeon", "operator", "haneul"):
        assert world.browser(login).get(f"{ROOT}/frozen/{running}").status_code == 403, login
    looks = [(each["outcome"], each["details"].get("files")) for each in entries(world, "workspace.look")]  # type: ignore[attr-defined]
    assert looks[:3] == [("done", 0), ("done", 1), ("done", 1)]
    assert looks.count(("denied", 0)) == 4
    asked = browser.form(
        f"/frozen/{running}/ask",
        file="home:sub/표 2.csv",
        purpose="논문 표 2",
        context="연령대로 세었습니다.",
        once="o-1",
    )
    assert asked.status_code == 303, asked.text[-900:]
    review = browser.get(asked.headers["location"])
    assert "표 2.csv" in review.text
    assert list(world.settings.staging.rglob("*.csv")) == []


def test_after_the_grace_everything_is_destroyed_and_certified_and_a_second_person_countersigns(
    world: World, running: str
) -> None:
    over(world)
    assert destroying.destroy_due(world.portal) == []
    seen = ended.ended(world.store, world.actor("mina"), running, now=clock.now())
    assert seen.grace_until is not None
    assert world.settings.grace_days * 24 - 1 <= (seen.grace_until - clock.now()) / timedelta(hours=1)
    assert (world.settings.volumes / running / "home.img").exists()
    object.__setattr__(world.portal, "settings", world.settings)
    shorten(world, running)
    assert destroying.destroy_due(world.portal) == [running]
    assert not (world.settings.volumes / running).exists()
    assert world.browser("mina").get(f"{ROOT}/frozen/{running}").status_code == 409
    steward = world.browser("suyeon")
    page = steward.get(f"{ROOT}/certificates").text
    assert running in page
    assert faults(Page(page)) == []
    (view,) = certificates.destructions(world.store, world.actor("suyeon"), now=clock.now())
    assert steward.form(f"/certificates/{view.id}/witness", code=world.code("suyeon")).status_code == 303
    answer = steward.get(f"{ROOT}/certificates/{view.id}.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    found = certificate.read(answer.content)
    certificate.verify(found, keys.load_public_key(world.settings.certificate_key.with_suffix(".pub")))
    assert found.witness_fields[0]["login"] == "suyeon"
    assert (world.settings.certificates / f"{view.id}.json").read_bytes() == answer.content
    assert "파기확인서" in (world.settings.certificates / f"{view.id}.html").read_text()
    (entry,) = entries(world, "destruction.done")
    assert entry["object"]["sha256"] == found.sha256  # type: ignore[index]
    assert world.browser("woojin").get(f"{ROOT}/certificates/{view.id}.json").status_code == 404


def shorten(world: World, workspace_id: str) -> None:
    """Let the grace be over: what otherwise takes seven days."""
    from enclave.actions import Action
    from enclave.commands.acting import intent
    from enclave.queries.workspace import load_workspace

    with world.store.write(intent(Action.WORKSPACE_GRACE, SYSTEM, ("workspace", workspace_id))) as tx:
        load_workspace(tx.session, workspace_id).grace_until = clock.now() - timedelta(seconds=1)


def test_a_visit_has_its_certificate_on_the_page_and_by_rest(world: World, running: str) -> None:
    mark_stopped(world.store, SYSTEM, workspace_id=running, reason="closed", now=clock.now())
    browser = world.browser("mina")
    (visit,) = browser.api("GET", "/visits").json()["visits"]
    issued = browser.form(f"/visits/{visit['id']}/certificate")
    assert issued.status_code == 303, issued.text[-600:]
    page = browser.get(f"{ROOT}/certificates").text
    assert faults(Page(page)) == []
    again = browser.api("POST", f"/visits/{visit['id']}/certificate").json()
    assert f"{again['id']}.json" in page
    fields = certificate.read(browser.api("GET", f"/certificates/{again['id']}").content).fields
    assert (fields["login"], fields["project"]) == ("mina", world.project_id)
    assert "이용확인서" in browser.get(f"{ROOT}/certificates/{again['id']}.html").text
    assert world.browser("jiwoo").api("POST", f"/visits/{visit['id']}/certificate").status_code == 404


def test_the_sweep_stops_at_the_gate_what_a_rule_ends(world: World, running: str) -> None:
    in_force = world.settings.volumes / running / "current"
    assert sweeping.sweep(world.portal) == []
    people.revoke_role(
        world.store, Actor.console(), login="mina", role=people.Role("scientist"), reason="r", now=clock.now()
    )
    assert sweeping.sweep(world.portal) == [running]
    assert not in_force.exists()
    assert json.dumps(entries(world, "workspace.enforce")).count("role.missing") == 1
    with world.store.read() as session:
        from enclave.queries.workspace import load_workspace

        assert load_workspace(session, running).state is WorkspaceState.STOPPED
