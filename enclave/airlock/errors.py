"""What can go wrong in the airlock itself (a file that fails a check is no error: it gets a report)."""

from __future__ import annotations


class AirlockError(Exception):
    """Base of the airlock's errors: a stable code, what happened and what to do now, in both languages."""

    def __init__(self, code: str, *, ko: str, en: str, remedy_ko: str = "", remedy_en: str = "") -> None:
        super().__init__(f"{ko} {remedy_ko}".strip())
        self.code, self.ko, self.en = code, ko, en
        self.remedy_ko, self.remedy_en = remedy_ko, remedy_en


class FileRefused(AirlockError):  # noqa: N818 - named for what happened, as in the other rooms
    """The bytes cannot be taken in: not a plain file, too large, changed while they were read (HTTP 422)."""


class StoredFileMissing(AirlockError):  # noqa: N818 - named for what happened, as in the other rooms
    """No stored file has this hash (HTTP 404)."""


class StoredFileDamaged(AirlockError):  # noqa: N818 - named for what happened, as in the other rooms
    """A stored file no longer has the hash it is stored under, or a package was changed (HTTP 503)."""


class PreviewFailed(AirlockError):  # noqa: N818 - named for what happened, as in the other rooms
    """The sealed process could not draw a safe preview (HTTP 422)."""
