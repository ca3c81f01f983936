"""A patient's pseudonym and day offset, UIDs and file names for images and signals: by the keys of tables and notes.

The same master, project, data set and domain give the same pseudonym and the same number of days here as
`transform/pseudonyms.py` gives in tables (a test holds the two together), so that a patient's images, signals, rows and
notes can be joined inside one project and never between two. Nothing here is an unkeyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from deid.keys import Derives
from deid.transform.lengths import HEX_FOR_SHIFT, HEX_OF_16_BYTES
from deid.versions.alike import ALIKE

UID_ROOT = "2.25."  # PS3.5 Annex B.2: an UUID as one whole number
UUID_VERSION, UUID_VARIANT = 0x4 << 76, 0x2 << 62
UUID_FREE = (1 << 128) - 1 ^ (0xF << 76) ^ (0x3 << 62)


class Withdrew(Exception):  # noqa: N818 - the finding in words
    """A file says that it is of somebody who withdrew; `who` is the number as it stands there, and told to nobody."""

    def __init__(self, who: str) -> None:
        super().__init__("withdrew")
        self.who = who


@dataclass(frozen=True)
class Leaving:
    """Who is in no later version: what all spellings of their numbers have in common (`versions/spellings.py`)."""

    cores: frozenset[str] = field(default=frozenset(), repr=False)
    spellings: str = ALIKE

    @classmethod
    def of(cls, ids: Iterable[str], spellings: str) -> Leaving:
        """Read the feed's numbers."""
        from deid.versions.spellings import cores  # noqa: PLC0415 - Polars, which a worker need not load

        return cls(frozenset(cores(ids, spellings)), spellings)

    @property
    def digest(self) -> bytes:
        """Stand for the list, so that what was done under another is not taken for done."""
        return hashlib.sha256(
            "\n".join([self.spellings, *sorted(self.cores)]).encode("utf-8", "surrogateescape")
        ).digest()

    def check(self, patient: str) -> None:
        """Raise `Withdrew` for a number of theirs, however it is spelled."""
        if self.cores and _core(patient, self.spellings) in self.cores:
            raise Withdrew(patient)


@lru_cache(maxsize=8192)
def _core(patient: str, spellings: str) -> str:
    from deid.versions.spellings import cores  # noqa: PLC0415 - only where somebody withdrew

    return str(cores([patient], spellings).item())


@dataclass(frozen=True)
class People:
    """Keyed arithmetic for one data set of one project. `max_days` is the widest offset, as in `date_shift`.

    `asked` fills with every pseudonym given since it was cleared: whose a file is that is rewritten with these.
    """

    keys: Derives = field(repr=False)
    dataset: str
    domain: str = "patient"
    max_days: int = 365
    leaving: Leaving = field(default_factory=Leaving)
    asked: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    _derived: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def pseudonym(self, patient: str) -> str:
        """Give the pseudonym of a patient number as written in the file (blanks around it aside): 32 hex digits.

        Raises `Withdrew` for somebody who withdrew: nothing of the file is written then.
        """
        number = patient.strip(" \0")
        self.leaving.check(number)
        found = self._tag("pseudonym", self.domain, number)[:HEX_OF_16_BYTES]
        self.asked.add(found)
        return found

    def days(self, patient: str) -> int:
        """Give the patient's own offset in days, from -max_days to +max_days, never 0."""
        tag = self._tag("date-shift", self.domain, patient.strip(" \0"))
        step = int(tag[:HEX_FOR_SHIFT], 16) % (2 * self.max_days)
        return step - self.max_days if step < self.max_days else step - self.max_days + 1

    def uid(self, original: str) -> str:
        """Map an instance UID: the same wherever it is referenced, in every file of this data set and project."""
        number = int(self._tag("uid", "", original.strip(" \0"))[:HEX_OF_16_BYTES], 16)
        return UID_ROOT + str(number & UUID_FREE | UUID_VERSION | UUID_VARIANT)

    def file_name(self, original: str, suffix: str) -> str:
        """Name a file anew from its path below the source folder: 32 hex digits and `suffix` (`.edf`)."""
        return self._tag("file-name", "", original)[:HEX_OF_16_BYTES] + suffix

    def _tag(self, purpose: str, domain: str, value: str) -> str:
        if purpose not in self._derived:
            # As text, as in `transform/pseudonyms.py`: 64 hex digits fill one block of SHA-256 exactly.
            self._derived[purpose] = self.keys.derive(purpose, self.dataset, domain).hex().encode("ascii")
        # Names of files may be in CP949: what Python could not decode stands there as surrogates.
        return hmac.digest(self._derived[purpose], value.encode("utf-8", "surrogateescape"), "sha256").hex()
