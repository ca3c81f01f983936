"""What a door is told about a request besides its files: groups, what each file is, use, retention, receiver (R45)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from enclave.commands.content import FileNote, Group
from enclave.commands.details import HOME, Details, Transfer
from enclave.commands.drafts import Draft
from enclave.states import Direction, FileRole

Text = Annotated[str, Field(max_length=8000)]
Short = Annotated[str, Field(max_length=400)]
Count = Annotated[int, Field(ge=0, le=10**12)]


class Strict(BaseModel):
    """An object of exactly the documented fields."""

    model_config = ConfigDict(extra="forbid")


class GroupBody(Strict):
    """A group of files with their context and the controls applied to them."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    context: Text
    controls: Text = ""

    def group(self) -> Group:
        """Return it as the command takes it."""
        return Group(self.name, self.context, self.controls)


class NoteBody(Strict):
    """What is said about one file. `role`: output, supporting or code."""

    role: FileRole | None = None
    group: Short = ""
    description: Text = ""
    statistic: Short = ""
    subjects: Count | None = None
    smallest_cell: Count | None = None

    def note(self) -> FileNote:
        """Return it as the command takes it."""
        fields = {name: getattr(self, name) for name in NoteBody.model_fields}
        return FileNote(**fields)


class TransferBody(Strict):
    """The block for a receiver abroad (korea.md R73)."""

    basis: Short = ""
    receiver: Text = ""
    items: Text = ""
    period: Short = ""
    refusal: Text = ""
    cpo_approval: Short = ""


class DetailsBody(Strict):
    """Use, retention, safety plan, relation to the approved purpose, and where the receiver is."""

    relation: Text = ""
    use: Text = ""
    retention: Text = ""
    safety_plan: Text = ""
    receiver_organisation: Short = ""
    receiver_country: Annotated[str, Field(max_length=2)] = HOME
    transfer: TransferBody | None = None

    def details(self) -> Details:
        """Return it as the command takes it."""
        transfer = Transfer(**self.transfer.model_dump()) if self.transfer else None
        return Details(**self.model_dump(exclude={"transfer"}), transfer=transfer)


class DraftBody(Strict):
    """A request that is being written; nothing is compulsory but its project. `files`: names in the outbox."""

    project_id: Short
    direction: Direction = Direction.EGRESS
    purpose: Text = ""
    context: Text = ""
    receiver: Short = ""
    files: Annotated[list[Short], Field(max_length=200)] = []
    groups: Annotated[list[GroupBody], Field(max_length=20)] = []
    notes: Annotated[dict[Short, NoteBody], Field(max_length=200)] = {}
    details: DetailsBody = Field(default_factory=DetailsBody)

    def draft(self) -> Draft:
        """Return it as the command takes it."""
        return Draft(
            purpose=self.purpose,
            context=self.context,
            receiver=self.receiver,
            files=tuple(self.files),
            groups=tuple(each.group() for each in self.groups),
            notes={name: each.note() for name, each in self.notes.items()},
            details=self.details.details(),
        )
