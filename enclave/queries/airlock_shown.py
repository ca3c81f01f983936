"""From rows to views: each request, review, comment and file exactly as far as this person may see it now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import object_session

from enclave.actor import Actor
from enclave.airlock.report import Evidence, FileReport
from enclave.model.egress import AirlockRequest, OutputFile, RequestGroup, RequestRound
from enclave.model.release import RecallReceipt, Release
from enclave.model.review import Comment, Review
from enclave.policy.airlock import machine, visibility, votes, who
from enclave.policy.airlock.facts import RequestFacts
from enclave.policy.airlock.reviewers import FileFacts
from enclave.policy.airlock.visibility import Said
from enclave.policy.allows import allows
from enclave.queries.airlock_facts import facts, file_facts, present_files, present_round
from enclave.queries.airlock_queue import positions
from enclave.queries.airlock_views import (
    CommentView,
    FileChange,
    FileView,
    FindingView,
    GroupView,
    ReceiptView,
    ReleaseView,
    RequestRow,
    RequestView,
    ReviewView,
    RoundView,
    worst,
)
from enclave.states import RELEASE, FileDecision, FileVote, ReleaseState, RequestState, Verb
from enclave.workdays import day_of


def request_view(found: AirlockRequest, actor: Actor, now: datetime) -> RequestView:
    """Return the row as pages show it to this actor; where it stands in the queue is for those who asked."""
    about = facts(found, now)
    need = votes.need(about)
    current = present_round(found)
    of_authors = visibility.is_authors_side(actor, about)
    waits = found.state is RequestState.SUBMITTED
    due = current.due_at if current is not None and waits else None
    return RequestView(
        id=found.id,
        direction=found.direction,
        project_id=found.project_id,
        project_title=found.project.title,
        project_purpose=found.project.purpose,
        requester_id=found.requester_id,
        requester_login=found.requester.login,
        requester_organisation_id=found.requester.organisation_id,
        receiver_login=found.receiver.login,
        state=found.state,
        phase=votes.phase(about),
        round=found.round,
        content_sha256=found.content_sha256,
        purpose=found.purpose,
        context=found.context,
        details=found.details,
        draft=found.draft if of_authors else None,
        created_at=found.created_at,
        submitted_at=found.submitted_at,
        decided_at=found.decided_at,
        decided_reason=found.decided_reason,
        due_at=due,
        due_on=day_of(due) if due is not None else None,
        overdue=due is not None and now >= due,
        groups=tuple(_group(each) for each in found.groups if each.round == found.round),
        files=tuple(file_view(each, about, actor) for each in present_files(found)),
        earlier_groups=tuple(_group(each) for each in found.groups if each.round < found.round),
        earlier_files=tuple(file_view(each) for each in found.files if each.round < found.round),
        changes=_changes(found),
        rounds=tuple(_round(each) for each in found.rounds),
        reviews=tuple(_review(each, about, of_authors=of_authors) for each in _visible(found, about, actor)),
        comments=_comments(found, about, actor),
        conflicted=() if of_authors else tuple(each.account.login for each in found.conflicts),
        reviews_in=len(votes.counting(about)),
        reviewers_needed=need.reviewers,
        need_reasons=tuple(reason.value for reason in need.reasons),
        queue_position=_place(found) if waits and of_authors else None,
        release=release_view(found.release, actor, now) if found.release is not None else None,
        may=frozenset(verb.value for verb in machine.allowed(actor, about, now)),
        reruns=tuple((each.code_name, each.state.value) for each in found.reruns if each.round == found.round),
    )


def release_view(found: Release, actor: Actor, now: datetime) -> ReleaseView:
    """Return the row as pages show it to this actor."""
    about = facts(found.request, now)
    ready = found.state is ReleaseState.DONE and found.expires_at is not None and now < found.expires_at
    waiting = found.state in {ReleaseState.REQUESTED, ReleaseState.FAILED}
    owed = {each.account_id for each in found.receipts if each.confirmed_at is None}
    # Lists of recalls are for more people than may read what was said: operators, checkers with an interest.
    reads = allows(who.check_may_see, actor, about) or allows(who.check_may_recall, actor, about)
    may = {
        "hand_over": ready
        and actor.account_id == found.receiver_id
        and allows(who.check_may_collect, actor, about, now)
        and allows(votes.check_still_carried, about),
        "recall": ReleaseState.RECALLED in RELEASE[found.state]
        and allows(machine.check, actor, about, Verb.RECALL, now),
        "build": waiting and allows(who.check_may_see, actor, about) and _carried(about),
        "confirm_recall": actor.account_id in owed,
    }
    return ReleaseView(
        id=found.id,
        request_id=found.request_id,
        project_id=found.request.project_id,
        state=found.state,
        receiver_id=found.receiver_id,
        receiver_login=found.receiver.login,
        package_sha256=found.package_sha256,
        failure=found.failure,
        requested_at=found.requested_at,
        built_at=found.built_at,
        expires_at=found.expires_at,
        handed_over_at=found.handed_over_at,
        recalled_at=found.recalled_at,
        recall_reason=found.recall_reason if reads else None,
        receipts=tuple(_receipt(each, now, reads=reads) for each in found.receipts),
        may=frozenset(name for name, open_to in may.items() if open_to),
    )


def file_view(found: OutputFile, about: RequestFacts | None = None, actor: Actor | None = None) -> FileView:
    """Return the row as pages show it; with `about` and `actor`, with what they may know of the votes."""
    decision = my_vote = None
    if about is not None and actor is not None:
        decision = _decision(file_facts(found), about, actor)
        my_vote = _own_vote(file_facts(found), about, actor)
    return FileView(
        id=found.id,
        round=found.round,
        group_id=found.group_id or "",
        name=found.name,
        sha256=found.sha256,
        size=found.size,
        role=found.role,
        kind=found.kind,
        rows=found.rows,
        columns=found.columns,
        verdict=found.verdict,
        recomputed=found.recomputed,
        recipe=found.recipe,
        code=found.code,
        description=found.description,
        statistic=found.statistic,
        subjects=found.subjects,
        smallest_cell=found.smallest_cell,
        carried=found.carried_from is not None,
        passed=None if found.outcome is None else found.outcome is FileDecision.APPROVED,
        decision=decision,
        my_vote=my_vote,
        findings=tuple(
            FindingView(each.rule, each.severity, each.ko, each.en, each.place, each.sample, tuple(each.repairs))
            for each in found.findings
        ),
        evidence=_evidence(found, about, actor),
    )


def request_row(found: AirlockRequest, actor: Actor, now: datetime, place: int | None) -> RequestRow:
    """Return the row as lists show it to this actor; `place`: where it stands in the queue."""
    about = facts(found, now)
    files, current = present_files(found), present_round(found)
    due = current.due_at if current is not None and found.state is RequestState.SUBMITTED else None
    return RequestRow(
        id=found.id,
        direction=found.direction,
        project_id=found.project_id,
        project_title=found.project.title,
        requester_login=found.requester.login,
        state=found.state,
        round=found.round,
        purpose=found.purpose if allows(who.check_may_see, actor, about) else "",
        submitted_at=found.submitted_at,
        due_at=due,
        due_on=day_of(due) if due is not None else None,
        queue_position=place,
        file_count=len(files),
        verdict=worst(file.verdict for file in files),
        may=frozenset(verb.value for verb in machine.allowed(actor, about, now)),
    )


def _place(found: AirlockRequest) -> int | None:
    session = object_session(found)
    return positions(session, [found.id]).get(found.id) if session is not None else None


def _evidence(found: OutputFile, about: RequestFacts | None, actor: Actor | None) -> tuple[Evidence, ...]:
    if about is None or actor is None or found.report is None or not visibility.sees_evidence(actor, about):
        return ()
    return FileReport.from_json(found.report).evidence


def _carried(about: RequestFacts) -> bool:
    return allows(votes.check_carried, about, [file.id for file in about.files if file.passed])


def _decision(file: FileFacts, about: RequestFacts, actor: Actor) -> FileDecision | None:
    if file not in about.outputs:
        return None
    return visibility.decision_shown(actor, about, votes.decision_on(file, about))


def _own_vote(file: FileFacts, about: RequestFacts, actor: Actor) -> FileVote | None:
    mine = (each for each in votes.of_this_round(about) if each.reviewer_id == actor.account_id)
    return next((votes.vote_on(file, each) for each in mine), None)


def _group(found: RequestGroup) -> GroupView:
    return GroupView(found.id, found.round, found.name, found.context, found.controls)


def _round(found: RequestRound) -> RoundView:
    return RoundView(
        round=found.round,
        content_sha256=found.content_sha256,
        purpose=found.purpose,
        context=found.context,
        details=found.details,
        reviewers_needed=found.reviewers_needed,
        need_reasons=tuple(found.need_reasons),
        policy_version=found.policy_version,
        policy_parts=tuple(sorted((found.policy_parts or {}).items())),
        submitted_at=found.submitted_at,
        due_at=found.due_at,
        escalate_at=found.escalate_at,
        first_review_at=found.first_review_at,
        ended_at=found.ended_at,
        ended_as=found.ended_as,
    )


def _changes(found: AirlockRequest) -> tuple[FileChange, ...]:
    before = {file.name: file for file in found.files if file.round == found.round - 1}
    after = {file.name: file for file in present_files(found)}
    if not before:
        return ()
    changes = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None:
            change = "same" if _content(old) == _content(new) else "changed"
        else:
            change = "added" if old is None else "removed"
        changes.append(FileChange(name, change, old.id if old else None, new.id if new else None))
    return tuple(changes)


def _content(file: OutputFile) -> tuple[str, ...]:
    return file.sha256, file.role.value, file.recipe, file.code


def _visible(found: AirlockRequest, about: RequestFacts, actor: Actor) -> list[Review]:
    def said(review: Review) -> Said:
        return Said(review.reviewer_id, review.round, decision=review.decision)

    return [each for each in found.reviews if visibility.sees_review(actor, about, said(each))]


def _review(found: Review, about: RequestFacts, *, of_authors: bool) -> ReviewView:
    counting = {each.reviewer_id for each in votes.counting(about)}
    return ReviewView(
        reviewer_id=found.reviewer_id,
        reviewer_login=found.reviewer.login,
        organisation_id=found.organisation_id,
        round=found.round,
        content_sha256=found.content_sha256,
        decision=found.decision,
        reason_code=found.reason_code,
        purpose_relation=found.purpose_relation,
        identifiability=found.identifiability,
        safety_measures=found.safety_measures,
        override_reason=found.override_reason,
        votes={} if of_authors else {each.file_id: each.vote for each in found.votes},
        revisions=len(found.revisions),
        counts=found.round == about.round and found.reviewer_id in counting,
        decided_at=found.decided_at,
    )


def _comments(found: AirlockRequest, about: RequestFacts, actor: Actor) -> tuple[CommentView, ...]:
    members = about.project.member_ids | {about.requester_id}

    def shown(comment: Comment) -> bool:
        said = Said(comment.author_id, comment.round, comment.audience)
        return visibility.sees_comment(actor, about, said)

    return tuple(
        CommentView(
            id=each.id,
            round=each.round,
            group_id=each.group_id or "",
            author_id=each.author_id,
            author_login=each.author.login,
            from_author=each.author_id in members,
            audience=each.audience,
            text=each.text,
            made_at=each.made_at,
        )
        for each in found.comments
        if shown(each)
    )


def _receipt(found: RecallReceipt, now: datetime, *, reads: bool) -> ReceiptView:
    return ReceiptView(
        account_id=found.account_id,
        login=found.account.login,
        told_at=found.told_at,
        due_at=found.due_at,
        confirmed_at=found.confirmed_at,
        statement=found.statement if reads else None,
        overdue=found.confirmed_at is None and now >= found.due_at,
    )
