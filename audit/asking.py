"""What a log asks of a witness, and the folder by which the question goes out and the answer comes back.

The question is the body of C2SP tlog-witness `add-checkpoint`: an old size, the consistency proof from there, the
signed checkpoint. A witness that is only reached by a stick or a one-way line cannot be asked where it stands, so the
folder carries one question for every size at which it may stand. Standard library and `cryptography` only.

    ask/<old size>.add-checkpoint       from the log
    answer/<size>.<key id>.cosignature  from a witness: signature lines
    answer/<key id>.size                from a witness that stands at another size: that size
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from audit.errors import Text, WitnessError
from audit.merkle import HASH_BYTES
from audit.note import from_base64, to_base64

ASK, ANSWER = "ask", "answer"
QUESTION, COSIGNATURE, SIZE = ".add-checkpoint", ".cosignature", ".size"
# C2SP tlog-witness.
_MAX_PROOF = 63
_FORM = re.compile(r"old (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL)
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Question:
    """A signed checkpoint with the proof that it extends the tree of the first `old` entries (32-byte hashes)."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def __str__(self) -> str:
        lines = "".join(f"{to_base64(item)}\n" for item in self.proof)
        return f"old {self.old}\n{lines}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Question:
        """Read a question; raise `WitnessError` (`witness.bad-question`) unless it is in the one form."""
        match = _FORM.fullmatch(text)
        hashes = [from_base64(line) for line in match[2].splitlines()] if match else []
        proof = tuple(item for item in hashes if item is not None and len(item) == HASH_BYTES)
        if match is None or len(proof) != len(hashes) or len(proof) > _MAX_PROOF:
            raise WitnessError("witness.bad-question", _BAD_QUESTION)
        return cls(int(match[1]), proof, match[3])


def read_questions(drop: Path) -> list[Question]:
    """Return the questions in a folder; raise `WitnessError` (`witness.no-question`, `witness.bad-question`)."""
    paths = sorted((drop / ASK).glob(f"*{QUESTION}"))
    if not paths:
        raise WitnessError("witness.no-question", _no_question(drop))
    return [Question.parse(_read(path)) for path in paths]


def write_questions(drop: Path, questions: list[Question]) -> None:
    """Put questions into a folder in place of those that lie there."""
    folder = drop / ASK
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"*{QUESTION}"):
        path.unlink()
    for each in questions:
        (folder / f"{each.old}{QUESTION}").write_text(str(each), encoding="utf-8", newline="\n")


def write_answer(drop: Path, name: str, text: str) -> Path:
    """Put an answer into a folder; return the file."""
    path = drop / ANSWER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def read_answers(drop: Path) -> tuple[list[tuple[int, str]], list[int]]:
    """Return the cosignatures in a folder as (size, signature lines), and the sizes at which witnesses stand.

    Files of other names are left alone. Raises `WitnessError` (`witness.bad-answer`) for one that is not text.
    """
    signed, standing = [], []
    for path in sorted((drop / ANSWER).glob("*")):
        size = path.name.split(".")[0]
        if path.name.endswith(COSIGNATURE) and size.isdecimal():
            signed.append((int(size), _read(path)))
        elif path.name.endswith(SIZE) and (text := _read(path).strip()).isdecimal():
            standing.append(int(text[:19]))
    return signed, standing


def _read(path: Path) -> str:
    # What comes from a stick is not believed: neither its size nor its bytes.
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WitnessError("witness.bad-answer", _unreadable(path)) from error
    if len(data) > _MAX_BYTES:
        raise WitnessError("witness.bad-answer", _unreadable(path))
    return text


def _unreadable(path: Path) -> Text:
    return Text(
        f"파일을 읽을 수 없거나 너무 큽니다: {path.name}.",
        f"The file cannot be read or is too large: {path.name}.",
        "폴더를 다시 복사해 오세요.",
        "Copy the folder again.",
    )


def _no_question(drop: Path) -> Text:
    return Text(
        f"{drop}에 확인할 확인점(ask/*.add-checkpoint)이 없습니다.",
        f"There is no checkpoint to look at (ask/*.add-checkpoint) in {drop}.",
        "안심구역에서 가져온 폴더를 그대로 주세요.",
        "Give the folder as it came from the enclave.",
    )


_BAD_QUESTION = Text(
    "증인에게 온 파일(add-checkpoint)의 형식이 틀립니다.",
    "A file for the witness (add-checkpoint) is malformed.",
    "안심구역에서 폴더를 다시 받아 오세요.",
    "Get the folder from the enclave again.",
)
