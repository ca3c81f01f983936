"""Requests that were made before the airlock had rounds, groups and votes by file are kept, as what they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import text

from audit import tables as audit_tables
from enclave.actor import Actor
from enclave.migrations import run
from enclave.queries.airlock_facts import load_request
from enclave.queries.airlock_shown import request_view
from enclave.states import RequestState
from enclave.store import Store, open_engine, writable

AT = "2026-11-20 03:00:00"
BEFORE = "0007"


def _old(url: str) -> None:
    """A database of the version before, with one request in each state that there was."""
    engine = open_engine(url)
    with writable(engine).begin() as connection:
        audit_tables.metadata.create_all(connection)
        command.upgrade(run.config(connection), BEFORE)
        zone = "+00:00" if connection.dialect.name == "postgresql" else ""
        rows = [
            f"INSERT INTO organisation VALUES ('{name}', '{name}', '{kind}', '{AT}{zone}')"
            for name, kind in (("startup", "startup"), ("review-a", "reviewer"), ("review-b", "reviewer"))
        ]
        rows += [
            "INSERT INTO account (id, login, name, organisation_id, password_hash, totp_last_step, failed_logins, "
            f"created_at) VALUES ('u-{name}', '{name}', '{name}', '{place}', '', 0, 0, '{AT}{zone}')"
            for name, place in (("author", "startup"), ("one", "review-a"), ("two", "review-b"))
        ]
        rows.append(
            "INSERT INTO project (id, title, purpose, combination_approval, expected_outputs, ethics, safety_plan, "
            "lead_id, organisation_id, state, state_reason, created_at, version) VALUES "
            f"('p', 't', 'p', '', '', '', '', 'u-author', 'startup', 'active', '', '{AT}{zone}', 1)"
        )
        for state, number in (("submitted", 1), ("returned", 1), ("released", 2), ("approved", 1), ("rejected", 1)):
            rows += _request(state, number, AT + zone)
        for statement in rows:
            connection.execute(text(statement))
    engine.dispose()


def _request(state: str, number: int, at: str) -> list[str]:
    """One request with its last round; a released one was sent back once, and recalled afterwards."""
    decided = f"'{at}'" if state != "submitted" else "NULL"
    asked = (
        "INSERT INTO egress_request (id, project_id, requester_id, receiver_id, state, round, content_sha256, purpose, "
        "context, idempotency_key, created_at, submitted_at, decided_at, version) VALUES "
        f"('{state}', 'p', 'u-author', 'u-author', '{state}', {number}, 'hash-{number}', 'why', 'how', 'k-{state}', "
        f"'{at}', '{at}', {decided}, 1)"
    )
    into = "INSERT INTO output_file (id, request_id, round, position, name, sha256, size, kind, verdict, checked_at)"
    rows = [asked] + [
        f"{into} VALUES ('{state}-{each}', '{state}', {each}, 0, 't.csv', 'x', 1, 'table', 'PASS', '{at}')"
        for each in range(1, number + 1)
    ]
    words = {"returned": ["return"], "rejected": ["reject"], "approved": ["approve"] * 2, "released": ["approve"] * 2}
    votes = [(number, word) for word in words.get(state, [])] + ([(1, "return")] if number > 1 else [])
    for place, (of_round, word) in enumerate(votes):
        reviewer = ("one", "two")[place % 2]
        rows.append(
            "INSERT INTO review (id, request_id, round, content_sha256, reviewer_id, organisation_id, decision, "
            "reason_code, purpose_relation, identifiability, safety_measures, second_factor_at, decided_at) VALUES "
            f"('{state}-v{place}', '{state}', {of_round}, 'hash-{of_round}', 'u-{reviewer}', "
            f"'review-{'ab'[place % 2]}', '{word}', 'other', 'a', 'b', 'c', '{at}', '{at}')"
        )
    if state in {"approved", "released"}:
        now = "recalled" if state == "released" else "requested"
        rows.append(
            "INSERT INTO release (id, request_id, receiver_id, state, requested_at) "
            f"VALUES ('r-{state}', '{state}', 'u-author', '{now}', '{at}')"
        )
    return rows


@pytest.fixture
def store(database_url: str):
    _old(database_url)
    assert run.upgrade(database_url) == run.newest()
    made = Store(database_url)
    yield made
    made.close()


def test_every_earlier_request_is_what_it_was(store):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    with store.read() as session:
        found = {
            name: load_request(session, name) for name in ("submitted", "returned", "released", "approved", "rejected")
        }
        views = {name: request_view(each, Actor.system(), now) for name, each in found.items()}
    assert {name: view.state for name, view in views.items()} == {
        "submitted": RequestState.SUBMITTED,
        "returned": RequestState.RETURNED,
        "released": RequestState.RECALLED,
        "approved": RequestState.APPROVED,
        "rejected": RequestState.REJECTED,
    }
    assert [(each.round, each.ended_as) for each in views["released"].rounds] == [(1, "returned"), (2, "approved")]
    assert [each.ended_as for each in views["submitted"].rounds] == [None]
    assert [each.passed for each in views["approved"].files] == [True]
    assert [each.passed for each in views["returned"].files] == [None]
    for view in views.values():
        assert [(each.name, each.context) for each in view.groups] == [("", "how")]
        assert [file.group_id for file in view.files] == [view.groups[0].id]
        assert [each.content_sha256 for each in view.rounds][-1] == view.content_sha256


def test_earlier_words_are_votes_on_each_file(store):
    with store.read() as session:
        cast = session.execute(text("SELECT review_id, file_id, vote FROM file_vote ORDER BY review_id")).all()
    assert [tuple(row) for row in cast] == [
        ("approved-v0", "approved-1", "approve"),
        ("approved-v1", "approved-1", "approve"),
        ("rejected-v0", "rejected-1", "changes"),
        ("released-v0", "released-2", "approve"),
        ("released-v1", "released-2", "approve"),
        ("released-v2", "released-1", "changes"),
        ("returned-v0", "returned-1", "changes"),
    ]
