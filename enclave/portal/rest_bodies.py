"""What programs send to the REST interface: JSON objects of exactly these fields."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from enclave.commands.application import Application
from enclave.commands.ballot import Ballot, Judgements
from enclave.model.project import LegalBasis
from enclave.roles import Role
from enclave.states import Audience, Decision, FileVote

Long = Annotated[str, Field(max_length=20_000)]
Short = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """An object of exactly the documented fields."""

    model_config = ConfigDict(extra="forbid")


class ApplicationBody(Body):
    """An application; `data` is `{data set: {table: [column, …]}}`, `people` are logins besides one's own."""

    title: Short
    purpose: Long = ""
    legal_basis: LegalBasis | None = None
    data: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    people: list[Short] = Field(default_factory=list)
    starts_on: date | None = None
    ends_on: date | None = None
    expected_outputs: Long = ""
    ethics: Long = ""
    safety_plan: Long = ""
    combination_approval: Short = ""
    draft: bool = False

    def application(self) -> Application:
        """Return it as the command takes it."""
        return Application(**self.model_dump(exclude={"draft"}))


class ColumnsBody(Body):
    """A steward's word on one data set: what is not approved is rejected."""

    dataset_id: Short
    approve: dict[str, list[str]]
    reason: Long


class PledgeBody(Body):
    """The edition of the pledge that was read: its version and hash."""

    version: Short
    text_sha256: Short


class ReasonBody(Body):
    """Why."""

    reason: Long


class CodeBody(Body):
    """A second factor, as the authenticator shows it; empty if it was proved within five minutes."""

    code: Short = ""


class DecisionBody(CodeBody):
    """One word, bound to the round and hash that were looked at; `votes` by file id, `comments` by group id."""

    decision: Decision
    round: int
    content_sha256: Short
    reason_code: Short
    purpose_relation: Long
    identifiability: Long
    safety_measures: Long
    comment: Long = ""
    votes: dict[Short, FileVote] = Field(default_factory=dict)
    comments: dict[Short, Long] = Field(default_factory=dict)
    override_reason: Long = ""

    def ballot(self) -> Ballot:
        """Return it as the command takes it."""
        judgements = Judgements(self.purpose_relation, self.identifiability, self.safety_measures)
        return Ballot(
            self.decision,
            self.round,
            self.content_sha256,
            self.reason_code,
            judgements,
            self.comment,
            self.votes,
            self.comments,
            self.override_reason,
        )


class ConcludeBody(CodeBody):
    """What was looked at when concluding."""

    round: int
    content_sha256: Short


class CommentBody(Body):
    """A remark on the round, or with `group_id` on one of its groups."""

    text: Long
    audience: Audience = Audience.PUBLIC
    group_id: Short = ""


class ReassignBody(ReasonBody):
    """To whom a request goes."""

    login: Short


class StatementBody(Body):
    """What a receiver says about a recalled release."""

    statement: Long


class RoleBody(ReasonBody):
    """A role to give or to take away."""

    role: Role
