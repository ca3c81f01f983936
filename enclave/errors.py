"""What can go wrong in the enclave, and what the person in front of it can do now.

    EnclaveError
    ├── Denied       403  a rule says no to this person
    ├── NotFound     404  there is no such thing, or not for this person
    ├── Conflict     409  the thing is in another state than the act needs
    ├── Invalid      422  what was sent is incomplete or wrong
    └── Unavailable  503  database locked, disk full, engine gone: nothing was done, try again

No message carries a value of a data subject. Codes are stable (`room.what`); texts may change.
"""

from __future__ import annotations

from collections.abc import Mapping


class EnclaveError(Exception):
    """Base of the room: stable `code`, what happened (`ko`, `en`) and what to do now (`remedy_ko`, `remedy_en`)."""

    status = 500

    def __init__(self, code: str, *, ko: str, en: str, remedy_ko: str = "", remedy_en: str = "") -> None:
        super().__init__(f"{ko} {remedy_ko}".strip())
        self.code, self.ko, self.en = code, ko, en
        self.remedy_ko, self.remedy_en = remedy_ko, remedy_en

    def as_json(self) -> dict[str, str]:
        """Return the body every HTTP door answers with: `code, ko, en, remedy_ko, remedy_en`."""
        return {
            "code": self.code,
            "ko": self.ko,
            "en": self.en,
            "remedy_ko": self.remedy_ko,
            "remedy_en": self.remedy_en,
        }


class Denied(EnclaveError):  # noqa: N818 - the verdict in words, named in the contract between rooms
    """A rule says no (HTTP 403)."""

    status = 403


class NotFound(EnclaveError):  # noqa: N818 - named in the contract between rooms
    """There is no such thing, or this person may not know of it (HTTP 404)."""

    status = 404


class Conflict(EnclaveError):  # noqa: N818 - named in the contract between rooms
    """The thing is no longer, or not yet, in the state this act needs (HTTP 409)."""

    status = 409


class Invalid(EnclaveError):  # noqa: N818 - named in the contract between rooms
    """What was sent is incomplete or wrong (HTTP 422)."""

    status = 422


class Unavailable(EnclaveError):  # noqa: N818 - named in the contract between rooms
    """Something we need is not there just now; nothing was done (HTTP 503)."""

    status = 503


_BY_STATUS: dict[int, type[EnclaveError]] = {kind.status: kind for kind in (Denied, NotFound, Conflict, Invalid)}


def answered(status: int, body: Mapping[str, object]) -> EnclaveError:
    """Return the error that one of our own doors answered with: `status` (HTTP) and the body of `as_json`.

    A status that no class has becomes `Unavailable`; fields that are missing become empty.
    """
    texts = {name: str(body.get(name, "")) for name in ("ko", "en", "remedy_ko", "remedy_en")}
    return _BY_STATUS.get(status, Unavailable)(str(body.get("code", "answer.unknown")), **texts)
