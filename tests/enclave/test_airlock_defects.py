"""The twelve defects seen in other airlocks: each is tried here, and each is impossible.

Numbers are those of the list this project was begun with (self-approval … scripts from elsewhere).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.report import FileReport
from enclave.commands import egress, release, reviewing
from enclave.commands.acting import intent
from enclave.commands.ballot import Ballot
from enclave.commands.submission import Submission
from enclave.errors import Conflict, Denied, EnclaveError, Invalid
from enclave.policy.airlock import machine
from enclave.portal.rest_bodies import DecisionBody
from enclave.queries import egress as queries
from enclave.states import Audience, Decision, RequestState
from tests.enclave.scene import NOW, Scene

ROOT = Path(__file__).parents[2]


def view(scene: Scene, made: str, login: str = "scientist"):
    return queries.request(scene.store, scene.actor(login), made, now=NOW)


def self_approval(scene: Scene) -> None:
    """1: the author's own word, and every door but the command."""
    made = scene.submitted(scene.usual())
    with pytest.raises(Denied):
        scene.vote("scientist", made)
    # There is no second way: only one place writes a state of a request, and it asks the table.
    writers = [
        path.name
        for path in (ROOT / "enclave").rglob("*.py")
        if "AirlockRequest" in (source := path.read_text())
        and re.search(r"\b(found|request)\.state(, [\w.]+)* = (after|RequestState)", source)
    ]
    assert writers == ["moving.py"]
    portal = "".join(path.read_text() for path in (ROOT / "enclave/portal").rglob("*.py"))
    assert "tx.session" not in portal


def approver_from_a_link(scene: Scene) -> None:
    """2: nothing that is sent says who decides."""
    names = {*DecisionBody.model_fields, *inspect.signature(Ballot).parameters}
    assert not names & {"login", "reviewer", "reviewer_id", "actor", "user", "account"}
    made = scene.submitted(scene.usual())
    with scene.new_entries() as entries:
        scene.vote("checker-a", made)
    assert entries[0]["actor"]["id"] == "u-checker-a"


def words_of_another_round(scene: Scene) -> None:
    """3: a word counts in its round, and a new round goes all the way."""
    made = scene.submitted(scene.usual())
    scene.vote("checker-a", made)
    scene.vote("checker-b", made, Decision.RETURN)
    form = scene.submission(scene.usual(), request_id=made)
    again = egress.submit(scene.store, scene.actor("scientist"), submission=form, now=NOW)
    assert (again.round, again.reviews_in) == (2, 0)
    scene.vote("checker-b", made)
    assert scene.vote("checker-a", made).state is RequestState.APPROVED


def nothing_approved_releases_all(scene: Scene) -> None:
    """4: no approved file, no release, not even when the state is forged."""
    made = scene.submitted(scene.usual())
    for login in ("checker-a", "checker-b"):
        scene.vote(login, made, Decision.CHANGES, comment="고치세요.")
    found = view(scene, made)
    with pytest.raises(Denied) as refused:
        reviewing.conclude(
            scene.store,
            scene.actor("checker-a"),
            request_id=made,
            seen=(found.round, found.content_sha256),
            now=NOW,
        )
    assert refused.value.code == "egress.nothing-approved"
    good = scene.approved_request(scene.usual())
    with scene.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "forged"))) as tx:
        tx.session.execute(text("UPDATE output_file SET outcome = NULL WHERE request_id = :id"), {"id": good})
    with pytest.raises(Denied) as refused:
        release.build(scene.store, scene.depot, release_id=view(scene, good).release.id, now=NOW)
    assert refused.value.code == "egress.nothing-approved"


def number_from_the_caller(scene: Scene) -> None:
    """5: nothing that is sent says how many are needed, and the stored number is not believed either."""
    for form in (DecisionBody.model_fields, inspect.signature(Submission).parameters):
        assert not [name for name in form if re.search(r"need|count|required|approv", name)]
    made = scene.submitted(scene.usual())
    with scene.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "forged"))) as tx:
        tx.session.execute(text("UPDATE request_round SET reviewers_needed = 1 WHERE request_id = :id"), {"id": made})
    assert scene.vote("checker-a", made).state is RequestState.SUBMITTED


def view_after_approve(scene: Scene) -> None:
    """6: a word is bound to what was shown; whoever has not looked cannot name it."""
    made = scene.submitted(scene.usual())
    for unseen in ({"content_sha256": "0" * 64}, {"round": 2}):
        with pytest.raises(Conflict):
            scene.vote("checker-a", made, **unseen)
    (file,) = view(scene, made, "checker-a").files
    shown = egress.view_file(scene.store, scene.actor("checker-a"), request_id=made, file_id=file.id, now=NOW)
    assert shown.sha256 == file.sha256


def results_from_the_researcher(scene: Scene) -> None:
    """7: a report about other bytes is refused, a report's verdict follows from its findings, a role from its grant."""
    one = scene.checked("수\n3\n", block=True)
    report = FileReport(name=one.file.name, sha256="0" * 64, kind="table")
    forged = type(one)(one.file, report)
    with pytest.raises(Invalid):
        scene.submitted(scene.usual(), forged)
    with pytest.raises(ValueError, match="verdict"):
        FileReport.from_json(one.report.to_json().replace('"verdict": "BLOCK"', '"verdict": "PASS"'))
    with pytest.raises(Denied):
        scene.vote("steward-a", scene.submitted(scene.usual()))


def what_was_said_removed(scene: Scene) -> None:
    """8: no command removes a comment or an entry; the database refuses both."""
    made = scene.submitted(scene.usual())
    reviewing.comment(
        scene.store,
        scene.actor("checker-a"),
        request_id=made,
        text="기록",
        audience=Audience.CHECKERS,
        now=NOW,
    )
    for statement in ("DELETE FROM request_comment", "DELETE FROM audit_entry", "UPDATE request_comment SET text = ''"):
        with (
            pytest.raises((DBAPIError, EnclaveError)),
            scene.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "forged"))) as tx,
        ):
            tx.session.execute(text(statement))
    assert [each.text for each in view(scene, made, "checker-a").comments] == ["기록"]


def links_after_a_recall(scene: Scene) -> None:
    """9: a recall leaves no link, no key and no package."""
    named = view(scene, scene.approved_request(scene.usual())).release.id
    release.build(scene.store, scene.depot, release_id=named, now=NOW)
    release.recall(scene.store, scene.depot, scene.actor("checker-c"), release_id=named, reason="오류", now=NOW)
    with pytest.raises(Conflict):
        release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=named, now=NOW)
    assert not list(scene.depot.folder.glob(f"{named}-*"))
    with scene.store.read() as session:
        key = session.execute(text("SELECT sealed_key FROM release WHERE id = :id"), {"id": named}).scalar()
    assert key is None


def keys_in_the_workspace(scene: Scene) -> None:
    """10: what runs in a workspace holds no key of ours, and no answer allows another origin."""
    del scene
    notebook = "".join(path.read_text() for path in (ROOT / "enclave/notebook").rglob("*.py"))
    assert not re.search(r"enclave\.(vault|keys|store)|SECRET_KEY|signing_key", notebook)
    portal = "".join(path.read_text() for path in (ROOT / "enclave").rglob("*.py"))
    assert "CORSMiddleware" not in portal
    assert not re.search(r"Access-Control-Allow-Origin.{0,6}\*", portal)


def any_name_from_a_workspace(scene: Scene) -> None:
    """11: a workspace has no network at all, so no name is asked for; the drill attacks it on the running system."""
    del scene
    from enclave.workspace.barriers.catalogue import BARRIERS

    assert [each.id for each in BARRIERS if "dns" in each.id]
    engine = (ROOT / "enclave/workspace/engine.py").read_text()
    assert re.search(r"NetworkMode.*none", engine)


def scripts_from_elsewhere(scene: Scene) -> None:
    """12: no page loads anything from another host."""
    del scene
    templates = sorted((ROOT / "enclave/portal/templates").rglob("*.html"))
    assert templates
    for path in templates:
        loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']([^\"']+)", path.read_text())
        assert [each for each in loaded if re.match(r"(https?:)?//", each)] == [], path


DEFECTS: dict[int, Callable[[Scene], None]] = dict(
    enumerate(
        (
            self_approval,
            approver_from_a_link,
            words_of_another_round,
            nothing_approved_releases_all,
            number_from_the_caller,
            view_after_approve,
            results_from_the_researcher,
            what_was_said_removed,
            links_after_a_recall,
            keys_in_the_workspace,
            any_name_from_a_workspace,
            scripts_from_elsewhere,
        ),
        start=1,
    )
)


@pytest.mark.parametrize("number", DEFECTS, ids=lambda number: f"{number}-{DEFECTS[number].__name__}")
def test_a_defect_of_other_airlocks_is_impossible_here(shared: Scene, number: int) -> None:
    DEFECTS[number](shared)


def test_what_a_page_offers_and_what_a_command_enforces_is_one_function() -> None:
    """`allowed` is nothing but `check`, asked for each verb."""
    source = ast.parse(inspect.getsource(machine.allowed))
    called = {
        node.func.id for node in ast.walk(source) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called == {"frozenset", "allows"}
