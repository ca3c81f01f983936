"""What can go wrong in the airlock itself (a file that fails a check is no error: it gets a report)."""

from __future__ import annotations

from enclave.errors import EnclaveError, Invalid, NotFound, Unavailable


class AirlockError(EnclaveError):
    """Base of the airlock's errors; each is also one of the enclave's kinds, which gives its HTTP status."""


class FileRefused(AirlockError, Invalid):  # noqa: N818 - named for what happened, as in the other rooms
    """The bytes cannot be taken in: not a plain file, too large, changed while they were read (HTTP 422)."""


class StoredFileMissing(AirlockError, NotFound):  # noqa: N818 - named for what happened, as in the other rooms
    """No stored file has this hash (HTTP 404)."""


class StoredFileDamaged(AirlockError, Unavailable):  # noqa: N818 - named for what happened, as in the other rooms
    """A stored file no longer has the hash it is stored under (HTTP 503)."""


class PackageDamaged(AirlockError, Unavailable):  # noqa: N818 - named for what happened, as in the other rooms
    """A release package was changed, cut, reordered, or is opened with another key (HTTP 503)."""


class PreviewFailed(AirlockError, Invalid):  # noqa: N818 - named for what happened, as in the other rooms
    """The sealed process could not draw a safe preview (HTTP 422)."""


class RepairFailed(AirlockError, Invalid):  # noqa: N818 - named for what happened, as in the other rooms
    """A one-step repair does not fit the file, or the sealed process gave no whole answer (HTTP 422)."""
