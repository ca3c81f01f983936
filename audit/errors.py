"""What can go wrong in the log, in one place: AuditError is the base of all of it.

AuditError
├── EntryError        an event or an entry's bytes that may not enter the log (HTTP 422 at the doors)
├── UnauditedError    a commit that changed data without an entry; the transaction was rolled back
├── NoteError         a signed note, key line or checkpoint that is malformed or not signed by the trusted key
├── LogConflictError  database, log folder and last checkpoint contradict each other; nothing was signed
├── LogBusyError      another sequencer holds the log folder
├── NotInLogError     an index or id that the published log does not contain
├── StampError        a time stamp that proves nothing, or that cannot be checked here
├── CopyError         the store of the copy does not lock, refuses or cannot be reached
└── WitnessError      a checkpoint that a witness will not cosign, or an answer of a witness that proves nothing
"""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """What happened and what to do now, in Korean and English."""

    ko: str
    en: str
    remedy_ko: str
    remedy_en: str


class AuditError(Exception):
    """An error with a stable `code` (`audit.what`) and its text in Korean and English."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(f"{text.ko} {text.remedy_ko}")
        self.code = code
        self.ko, self.en, self.remedy_ko, self.remedy_en = text


class EntryError(AuditError):
    """An event or an entry's bytes that may not enter the log."""


class UnauditedError(AuditError):
    """A commit changed data without an audit entry; it was rolled back."""


class NoteError(AuditError):
    """A signed note, key line or checkpoint that is malformed or not signed by the trusted key."""


class LogConflictError(AuditError):
    """Database, log folder and last checkpoint contradict each other; nothing was signed."""


class LogBusyError(AuditError):
    """Another sequencer holds the log folder."""


class NotInLogError(AuditError):
    """The published log has no such index or id."""


class WitnessError(AuditError):
    """A checkpoint that a witness will not cosign, or an answer of a witness that proves nothing."""


class StampError(AuditError):
    """A time stamp that proves nothing, or that cannot be checked here."""


class CopyError(AuditError):
    """The store of the copy does not lock its objects, refuses or cannot be reached."""
