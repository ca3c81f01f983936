"""A frozen project: nothing of it opens, nothing is asked for, nothing leaves, nothing is destroyed, by any way."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from enclave.actor import Actor
from enclave.airlock.report import FileReport
from enclave.commands import destruction, drafts, egress, ends, freeze, incoming, project, release, workspace
from enclave.commands.drafts import Draft
from enclave.errors import Conflict, Denied, Invalid
from enclave.policy.ends import check_in_grace
from enclave.queries import ends as queries
from enclave.queries import incoming as arrivals
from enclave.queries.airlock_facts import load_request
from enclave.queries.airlock_shown import request_view
from enclave.queries.ends import frozen_facts
from enclave.queries.workspace import load_workspace
from enclave.states import Decision, Verb
from tests.enclave.scene import NOW, Scene

SYSTEM = Actor.system()
ASKS = frozenset({Verb.SAVE, Verb.SUBMIT})


def frozen(scene: Scene, made: str) -> None:
    freeze.freeze_project(scene.store, scene.actor("steward-a"), project_id=made, reason="재식별 의심", now=NOW)


def thawed(scene: Scene, made: str) -> None:
    freeze.thaw_project(scene.store, scene.actor("steward-a"), project_id=made, reason="조사 종료", now=NOW)


def _collects(scene: Scene, made: str) -> Callable[[], object]:
    """What was approved before lies ready."""
    request = scene.submitted(made)
    scene.vote("checker-a", request)
    named = scene.vote("checker-b", request).release.id
    release.build(scene.store, scene.depot, release_id=named, now=NOW)
    return lambda: release.hand_over(scene.store, scene.depot, scene.actor("scientist"), release_id=named, now=NOW)


def _asks(scene: Scene, made: str) -> Callable[[], object]:
    """With no workspace at all, so that none is frozen."""
    return lambda: scene.submitted(made)


def _asks_again(scene: Scene, made: str) -> Callable[[], object]:
    """What was returned before may not come back."""
    request = scene.submitted(made)
    scene.vote("checker-a", request, Decision.RETURN)
    form = scene.submission(made, scene.checked("연령,수\n50대,61\n"), request_id=request)

    return lambda: egress.submit(scene.store, scene.actor("scientist"), submission=form, now=NOW)


def _brings_in(scene: Scene, made: str) -> Callable[[], object]:
    """What was uploaded before may not be asked for."""
    upload = _uploads(scene, made)().id  # type: ignore[attr-defined]
    form = incoming.ImportForm(
        project_id=made, name="tools", uploads=(upload,), purpose="도구", context="표 작성", idempotency_key="k-in"
    )
    return lambda: incoming.submit(scene.store, scene.actor("scientist"), form=form, now=NOW)


def _uploads(scene: Scene, made: str) -> Callable[[], object]:
    stored = scene.depot.quarantine.put(io.BytesIO(b"x = 1\n"))
    report = FileReport(name="a.py", sha256=stored.sha256, kind="code", findings=())
    keep = partial(incoming.upload, scene.store, project_id=made, name="a.py", stored=stored, report=report, now=NOW)
    return lambda: keep(scene.actor("scientist"))


def _begins_an_upload(scene: Scene, made: str) -> Callable[[], object]:
    """Before any byte is taken."""
    return lambda: arrivals.check_may_upload(scene.store, scene.actor("scientist"), made, now=NOW)


def _drafts(scene: Scene, made: str) -> Callable[[], object]:
    actor, draft = scene.actor("scientist"), Draft(purpose="표")
    return lambda: drafts.save_draft(scene.store, actor, project_id=made, draft=draft, now=NOW)


@pytest.mark.parametrize("way", [_collects, _asks, _asks_again, _brings_in, _begins_an_upload, _uploads, _drafts])
def test_nothing_leaves_a_frozen_project_and_it_does_once_it_is_thawed(scene: Scene, way) -> None:
    made = scene.active()
    act = way(scene, made)
    frozen(scene, made)
    with pytest.raises(Denied) as refused:
        act()
    assert refused.value.code == "project.frozen"
    thawed(scene, made)
    act()


def test_a_project_is_frozen_once_and_for_a_reason(scene: Scene) -> None:
    made = scene.active()
    act = partial(freeze.freeze_project, scene.store, scene.actor("lead"), project_id=made, now=NOW)
    with pytest.raises(Invalid):
        act(reason=" ")
    act(reason="의심")
    with pytest.raises(Conflict) as refused:
        act(reason="의심")
    assert refused.value.code == "ends.frozen-already"


def test_no_page_of_a_frozen_project_offers_to_ask_again(scene: Scene) -> None:
    made = scene.active()
    request = scene.submitted(made)
    scene.vote("checker-a", request, Decision.RETURN)

    def offered() -> frozenset[str]:
        with scene.store.read() as session:
            return request_view(load_request(session, request), scene.actor("scientist"), NOW).may & ASKS

    before = offered()
    frozen(scene, made)
    assert (before, offered()) == (ASKS, frozenset())
    thawed(scene, made)
    assert offered() == ASKS


def test_a_workspace_that_froze_before_its_project_is_held_with_it(scene: Scene) -> None:
    made = scene.active()
    start = workspace.request_start(scene.store, scene.means, scene.actor("scientist"), project_id=made, now=NOW)
    name = start.workspace.id
    workspace.mark_started(scene.store, SYSTEM, workspace_id=name, container_id="c", now=NOW)
    project.end_project(scene.store, scene.actor("lead"), project_id=made, reason="끝", now=NOW)
    ends.begin_grace(scene.store, SYSTEM, workspace_id=name, days=7, now=NOW)
    frozen(scene, made)
    later = NOW + timedelta(days=400)
    assert name not in queries.due(scene.store, now=later)
    with scene.store.read() as session, pytest.raises(Denied) as refused:
        check_in_grace(frozen_facts(load_workspace(session, name)), NOW)
    assert refused.value.code == "ends.held"
    with pytest.raises(Conflict) as refused:
        destruction.request(scene.store, SYSTEM, workspace_id=name, now=later)
    assert refused.value.code == "ends.not-due"
    thawed(scene, made)
    assert name in queries.due(scene.store, now=later)
