"""The whole way of a snapshot to being offered, as a provider and its reviewers go it: for tests that need one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands import dataset, publication
from enclave.policy.publication import QUESTIONS, Decision
from enclave.queries import dataset as queries
from enclave.queries import people as who
from enclave.store import Store

ANSWERS = {**{key: f"{ko} 시험" for key, ko, _ in QUESTIONS}, "level_data": "low", "level_place": "low"}


def person(store: Store, login: str, now: datetime) -> Actor:
    return who.actor(store, login, ip="10.0.0.9", session_id="s-1", now=now, second_factor_at=now)


def decision(now: datetime, **changes: object) -> Decision:
    today = korean_date(now)
    fields = {"drb_number": "DRB-2026-11", "drb_on": today, "starts_on": today, "ends_on": today + timedelta(days=365)}
    return Decision(**{**fields, **changes})  # type: ignore[arg-type]


def received(store: Store, folder: Path, key: Ed25519PublicKey, *, now: datetime) -> str:
    return dataset.receive_snapshot(store, Actor.console(), folder=folder, public_key=key, now=now).id


def risk_of(store: Store, login: str, snapshot_id: str, now: datetime) -> str:
    found = queries.dossier(store, person(store, login, now), snapshot_id, now=now)
    assert found.risk is not None
    return found.risk.sha256


def reviewed(store: Store, snapshot_id: str, *, steward: str, reviewers: Sequence[str], now: datetime) -> str:
    """A risk review by the steward, and the reviewers' words on it; returns the hash of the risk review."""
    writer = person(store, steward, now)
    publication.write_risk_review(store, writer, snapshot_id=snapshot_id, answers=ANSWERS, now=now)
    risk = risk_of(store, steward, snapshot_id, now)
    for login in reviewers:
        publication.judge_adequacy(
            store,
            person(store, login, now),
            snapshot_id=snapshot_id,
            risk_sha256=risk,
            adequate=True,
            reason="적정함",
            now=now,
        )
    return risk


def offered(
    store: Store, folder: Path, key: Ed25519PublicKey, *, steward: str, reviewers: Sequence[str], now: datetime
) -> str:
    made = received(store, folder, key, now=now)
    risk = reviewed(store, made, steward=steward, reviewers=reviewers, now=now)
    writer = person(store, steward, now)
    publication.offer(store, writer, snapshot_id=made, risk_sha256=risk, decision=decision(now), now=now)
    return made
