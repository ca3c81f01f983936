"""What the log says: every act has words, is really recorded somewhere, and no name or free text enters."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from enclave.actions import ABOUT, Action, Retention, reference
from enclave.actor import Actor
from enclave.commands import access, egress, people, project, release, workspace
from enclave.commands.ballot import Judgements
from enclave.errors import Denied, Invalid
from enclave.roles import Role
from tests.enclave.scene import NOW, Scene

ROOT = Path(__file__).parents[2]
SECRET_WORDS = ("김수한무", "홍길동", "900101-1234568")


def test_every_action_has_a_korean_and_an_english_label_and_a_retention():
    assert set(ABOUT) == set(Action)
    assert all(about.ko and about.en for about in ABOUT.values())
    assert {about.retention for about in ABOUT.values()} == set(Retention)


def test_every_action_is_recorded_by_some_command():
    source = "".join(path.read_text() for path in (ROOT / "enclave/commands").glob("*.py"))
    assert [action.name for action in Action if f"Action.{action.name}" not in source] == []


def test_every_action_is_in_the_reference():
    assert (ROOT / "docs/reference/actions.md").read_text(encoding="utf-8") == reference()


def test_only_commands_write():
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "enclave").rglob("*.py")
        if re.search(r"\bstore\.write\(", path.read_text())
    }
    assert {caller for caller in callers if not caller.startswith("enclave/commands/")} == set()


def test_no_name_and_no_free_text_of_anybody_enters_the_log(scene: Scene) -> None:
    said = " ".join(SECRET_WORDS)
    console = Actor.console()
    people.create_account(
        scene.store, console, login="kim", name=SECRET_WORDS[0], organisation_id="startup", password="p" * 12, now=NOW
    )
    people.grant_role(scene.store, console, login="kim", role=Role.SCIENTIST, reason=said, now=NOW)
    people.revoke_role(scene.store, console, login="kim", role=Role.SCIENTIST, reason=said, now=NOW)
    made = scene.active(title=said, purpose=said * 10, expected_outputs=said, ethics=said, safety_plan=said)
    opened = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW)
    workspace.mark_failed(scene.store, Actor.system(), workspace_id=opened.workspace.id, reason=said, now=NOW)
    asked = scene.submitted(made, scene.checked(said, f"{said}.csv"), purpose=said, context=said)
    scene.vote("checker-a", asked, judgements=Judgements(said, said, said))
    wish = scene.vote("checker-b", asked, judgements=Judgements(said, said, said)).release.id
    release.build(scene.store, scene.depot, release_id=wish, now=NOW)
    release.recall(scene.store, scene.depot, scene.actor("checker-c"), release_id=wish, reason=said, now=NOW)
    with pytest.raises(Invalid):
        scene.applied(data={"set-a": {"patients": SECRET_WORDS}})
    with pytest.raises(Denied):
        egress.submit(
            scene.store,
            scene.actor("nobody"),
            submission=scene.submission(made, scene.checked(said, said)),
            now=NOW,
        )
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason=said, now=NOW)
    text = json.dumps(scene.entries(), ensure_ascii=False)
    assert len(scene.entries()) > 15
    assert [word for word in (*SECRET_WORDS, "이름 ") if word in text] == []


def test_what_the_hub_saw_is_recorded_in_a_closed_form(shared: Scene) -> None:
    with shared.new_entries() as entries:
        access.hub_event(shared.store, login="scientist", kind="server-stopped", details={"code": 1}, now=NOW)
    assert [entry["details"]["kind"] for entry in entries] == ["server-stopped"]
    for kind, details in (("Bad Kind", {}), ("ok", {"Bad Key": 1}), ("ok", {"long": "x" * 201})):
        with pytest.raises(Invalid):
            access.hub_event(shared.store, login="scientist", kind=kind, details=details, now=NOW)
