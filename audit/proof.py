"""A proof that one entry is in the log, as text that verifies offline (C2SP tlog-proof). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit.errors import NoteError, Text
from audit.merkle import HASH_BYTES
from audit.note import from_base64, to_base64

_HEADER = "c2sp.org/tlog-proof@v1"
_FORM = re.compile(r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Proof:
    """The entry's index, its path to the root (32-byte hashes, the sibling first), the signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        path = "".join(to_base64(item) + "\n" for item in self.hashes)
        return f"{_HEADER}\nindex {self.index}\n{path}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof without extra data; raise `NoteError` (`audit.bad-proof`) unless it is canonical."""
        match = _FORM.fullmatch(text)
        hashes = [from_base64(line) for line in match[2].splitlines()] if match else []
        path = tuple(item for item in hashes if item is not None and len(item) == HASH_BYTES)
        if match is None or len(path) != len(hashes):
            raise NoteError("audit.bad-proof", _BAD_PROOF)
        return cls(int(match[1]), path, match[3])


_BAD_PROOF = Text(
    "포함 증명의 형식이 틀립니다.",
    "The proof is not in canonical form.",
    "원본에서 다시 복사하고, 같은 결과면 감사 담당자에게 알리세요.",
    "Copy it again from the original; if it stays so, tell the auditor.",
)
