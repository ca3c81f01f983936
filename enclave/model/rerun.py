"""Code of a request that is run again on the data it was run on: whose turn it is, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from enclave.model.base import Base, choice


class RerunState(StrEnum):
    """Whether code of a request waits, runs, or was run."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class RerunStep(StrEnum):
    """Which run comes: on the same data, once more with another seed (the first differed), or on half of the data."""

    SAME = "same"
    SEED = "seed"
    HALF = "half"


class Rerun(Base):
    """One file of code of one round. `seen`: by output name, what the run on the same data wrote.

    `run_id` names the run at the gate; `tries` counts how often this step was begun.
    """

    __tablename__ = "rerun"
    __table_args__ = (Index(None, "state", "asked_at"), Index(None, "request_id", "round"))

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("egress_request.id"))
    round: Mapped[int]
    code_name: Mapped[str]
    state: Mapped[RerunState] = mapped_column(choice(RerunState))
    step: Mapped[RerunStep] = mapped_column(choice(RerunStep))
    tries: Mapped[int]
    run_id: Mapped[str | None]
    seen: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
