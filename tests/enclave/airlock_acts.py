"""Every verb of the airlock as a well-formed attempt: whether it is let through is up to the machine alone.

`release` is not among them: nobody can ask for it, a package is built by the system (`release.build` takes no person).
"""

from __future__ import annotations

from datetime import datetime

from enclave.actor import Actor
from enclave.commands import drafts, egress, release, reviewing, upkeep
from enclave.queries.airlock_views import RequestView
from enclave.states import Audience, Decision, Verb
from tests.enclave.scene import Scene

HEIRS = ("scientist", "colleague", "lead")


def attempt(scene: Scene, actor: Actor, view: RequestView, verb: Verb, now: datetime, *, look: bool = True) -> object:
    """Do `verb` to the request, with everything filled in that a form of it needs. Raises what the command raises."""
    store, made = scene.store, view.id
    decisions = {
        Verb.REVIEW: Decision.APPROVE,
        Verb.REVISE: Decision.APPROVE,
        Verb.RETURN: Decision.RETURN,
        Verb.REJECT: Decision.REJECT,
    }
    if verb in decisions:
        ballot = scene.ballot(made, decisions[verb], look=look, comment="고쳐 주세요.", override_reason="위원회 합의")
        return reviewing.decide(store, actor, request_id=made, vote=ballot, now=now)
    seen = (view.round, view.content_sha256)
    if verb is Verb.SUBMIT:
        # Something else in each round, as people mend it: what is asked for again unchanged has the same hash.
        form = scene.submission(view.project_id, scene.checked(f"연령,수\n30대,{60 + view.round}\n"), request_id=made)
        return egress.submit(store, actor, submission=form, now=now)
    if verb is Verb.SAVE:
        draft = drafts.Draft(purpose="고치는 중")
        return drafts.save_draft(store, actor, project_id=view.project_id, draft=draft, now=now, request_id=made)
    if verb is Verb.RECALL and view.release is not None:
        return release.recall(store, scene.depot, actor, release_id=view.release.id, reason="오류", now=now)
    acts = {
        Verb.WITHDRAW: lambda: egress.withdraw(store, actor, request_id=made, now=now),
        Verb.REASSIGN: lambda: egress.reassign(
            store, actor, request_id=made, login=_heir(scene, view), reason="퇴사", now=now
        ),
        Verb.CONCLUDE: lambda: reviewing.conclude(store, actor, request_id=made, seen=seen, now=now),
        Verb.REOPEN: lambda: reviewing.reopen(store, actor, request_id=made, now=now),
        Verb.COMMENT: lambda: reviewing.comment(
            store, actor, request_id=made, text="의견", audience=Audience.PUBLIC, now=now
        ),
        Verb.DECLARE: lambda: reviewing.declare_conflict(store, actor, request_id=made, reason="공동 연구", now=now),
        Verb.EXPIRE: lambda: upkeep.expire(store, scene.depot, actor, request_id=made, now=now),
        Verb.RECALL: lambda: release.recall(store, scene.depot, actor, release_id="r-none", reason="오류", now=now),
    }
    return acts[verb]()


def _heir(scene: Scene, view: RequestView) -> str:
    """Somebody else of the project, who may act for it if anybody may."""
    able = [login for login in HEIRS if scene.actor(login).roles & {"scientist", "project_lead"}]
    return next((login for login in able if login != view.requester_login), "colleague")
