"""What can go wrong in the airlock itself (a file that fails a check is no error: it gets a report)."""

from __future__ import annotations

from enclave.errors import Invalid, NotFound, Unavailable


class FileRefused(Invalid):
    """The bytes cannot be taken in: not a plain file, too large, changed while they were read (HTTP 422)."""


class StoredFileMissing(NotFound):
    """No stored file has this hash (HTTP 404)."""


class StoredFileDamaged(Unavailable):
    """A stored file no longer has the hash it is stored under (HTTP 503)."""


class PackageDamaged(Unavailable):
    """A release package was changed, cut, reordered, or is opened with another key (HTTP 503)."""


class PreviewFailed(Invalid):
    """The sealed process could not draw a safe preview (HTTP 422)."""
