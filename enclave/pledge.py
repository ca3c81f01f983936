"""The pledge every member signs (korea.md R5): one edition in force, its text in the package, its hash in the log."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

EDITION = "1"


@dataclass(frozen=True)
class PledgeText:
    """One edition. `sha256` is of the Korean text's bytes, a line feed with a zero byte, and the English text's."""

    version: str
    ko: str
    en: str

    @property
    def sha256(self) -> str:
        """What a person's signature is bound to."""
        return sha256(f"{self.ko}\n\x00{self.en}".encode()).hexdigest()


def load(version: str) -> PledgeText:
    """Return an edition that ships with this package; raises `FileNotFoundError` for others."""
    folder = files("enclave.texts")
    ko, en = (folder.joinpath(f"pledge-{version}.{language}.txt").read_text("utf-8") for language in ("ko", "en"))
    return PledgeText(version, ko, en)


CURRENT = load(EDITION)
