"""A witness: remembers the largest tree it saw of each log and cosigns only what extends it (C2SP tlog-witness).

It runs on another machine, of another office. Whoever controls the enclave cannot rewrite, shorten or fork the log
without this machine refusing. Its home holds `witness.key` (0600), `trusted` (key lines of the logs), one
`<origin hash>.checkpoint` per log (the last one cosigned) and `evidence/` (signed checkpoints that contradict it).
Standard library and `cryptography` only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from audit.asking import Question
from audit.cosignature import ED25519, MLDSA44, Cosigner, has_mldsa
from audit.errors import NoteError, Text, WitnessError
from audit.merkle import EMPTY_ROOT, consistent
from audit.note import (
    UNTRUSTED,
    Checkpoint,
    VerifierKey,
    decode_note,
    from_base64,
    open_checkpoint,
    signature_of,
    split_note,
    to_base64,
)

_KEY_FILE, _TRUSTED, _EVIDENCE = "witness.key", "trusted", "evidence"
_PREFIX = "PRIVATE+KEY+"
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness answers: the signature lines (each with its newline), over a tree of `size` entries."""

    size: int
    lines: str
    before: int
    """The size at which the witness stood."""


class Witness:
    """The witness whose files lie in `home`; raises `NoteError` when key or trust file are malformed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cosigners = _load_keys(home / _KEY_FILE)
        self.trusted = [VerifierKey.parse(line) for line in _key_lines(home / _TRUSTED)]

    @classmethod
    def create(cls, home: Path, name: str, logs: Sequence[VerifierKey]) -> Witness:
        """Make a witness: an Ed25519 key and, where `cryptography` has it, an ML-DSA-44 key, both named `name`.

        Raises `FileExistsError` rather than replace a key.
        """
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        kinds = [ED25519, MLDSA44] if has_mldsa() else [ED25519]
        keys = [Cosigner(name, kind, os.urandom(_SECRET_BYTES)) for kind in kinds]
        descriptor = os.open(home / _KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{_key_line(key)}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        _replace(home / _TRUSTED, "".join(f"{key}\n" for key in logs))
        return cls(home)

    def trust(self, vkey: VerifierKey) -> None:
        """Trust this key for its log instead of the one trusted so far (the log's key was handed over)."""
        others = [key for key in self.trusted if key.name != vkey.name]
        _replace(self.home / _TRUSTED, "".join(f"{key}\n" for key in (vkey, *others)))
        self.trusted = [vkey, *others]

    def last(self, origin: str) -> Checkpoint:
        """Return the checkpoint last cosigned for a log; the empty tree when there is none."""
        path = self._memory(origin)
        if not path.exists():
            return Checkpoint(origin, 0, EMPTY_ROOT)
        return Checkpoint.parse(split_note(path.read_text(encoding="utf-8"))[0])

    def consider(self, questions: Sequence[Question], *, time: int) -> Cosigned:
        """Cosign the checkpoint that the questions ask for, if it extends the last one; remember it first.

        Raises `NoteError` when no trusted key signed it, `WitnessError`: `witness.unknown-log`, `.rolled-back`,
        `.split-view`, `.rewritten` (each of these three keeps the contradiction as evidence), `.no-proof`.
        """
        with _alone(self.home):
            note = questions[0].note
            checkpoint, vkey = self._opened(note)
            last = self.last(checkpoint.origin)
            try:
                _check_extends(last, checkpoint, questions)
            except WitnessError as error:
                if error.code != "witness.no-proof":
                    self._keep_evidence(checkpoint, note)
                raise
            lines = "".join(f"{each.cosign(checkpoint, time=time)}\n" for each in self.cosigners)
            line = signature_of(note.encode(), vkey)
            # Before answering: whoever has the answer must never find the witness behind it.
            _replace(self._memory(checkpoint.origin), f"{checkpoint}\n{line}\n{lines}")
            return Cosigned(checkpoint.size, lines, last.size)

    def _opened(self, note: str) -> tuple[Checkpoint, VerifierKey]:
        origin = Checkpoint.parse(split_note(note)[0]).origin
        keys = [key for key in self.trusted if key.name == origin]
        if not keys:
            raise WitnessError("witness.unknown-log", _unknown(origin))
        for key in keys:
            if signature_of(note.encode(), key):
                return open_checkpoint(note.encode(), key), key
        raise NoteError("audit.untrusted-key", UNTRUSTED)

    def _memory(self, origin: str) -> Path:
        return self.home / f"{sha256(origin.encode()).hexdigest()}.checkpoint"

    def _keep_evidence(self, checkpoint: Checkpoint, note: str) -> None:
        folder = self.home / _EVIDENCE
        folder.mkdir(exist_ok=True)
        _replace(folder / f"{checkpoint.size}-{checkpoint.root.hex()[:16]}.checkpoint", note)


def _check_extends(last: Checkpoint, new: Checkpoint, questions: Sequence[Question]) -> None:
    if new.size < last.size:
        raise WitnessError("witness.rolled-back", _rolled_back(last, new))
    if new.size == last.size and new.root != last.root:
        raise WitnessError("witness.split-view", _two_roots(last, new))
    if new.size == last.size:
        return
    fitting = [each for each in questions if each.old == last.size and each.note == questions[0].note]
    if not fitting:
        raise WitnessError("witness.no-proof", _no_proof(last))
    if not consistent((last.size, new.size), (last.root, new.root), fitting[0].proof):
        raise WitnessError("witness.rewritten", _rewritten(last, new))


def _load_keys(path: Path) -> list[Cosigner]:
    if path.stat().st_mode & 0o077:
        raise NoteError("audit.bad-key-file", _open_key(path))
    found = []
    for line in _key_lines(path):
        name, _, rest = line.removeprefix(_PREFIX).partition("+")
        blob = from_base64(rest.partition("+")[2]) or b"\0"
        key = Cosigner(name, blob[0], blob[1:])
        if len(key.secret) != _SECRET_BYTES or key.kind not in {ED25519, MLDSA44} or _key_line(key) != line:
            raise NoteError("audit.bad-key-file", _bad_key(path))
        found.append(key)
    return found


def _key_line(key: Cosigner) -> str:
    return f"{_PREFIX}{key.name}+{key.vkey.key_id.hex()}+{to_base64(bytes([key.kind]) + key.secret)}"


def _key_lines(path: Path) -> list[str]:
    return [line for line in decode_note(path.read_bytes()).splitlines() if line.strip()]


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".new-{path.name}")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep two runs of the program apart: looking at the last size and replacing it is one step."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_TELL_KO = "서명하지 않았습니다. 두 확인점을 보관하고 감사 담당자에게 곧바로 알리세요(evidence 폴더)."
_TELL_EN = "It was not cosigned. Keep both checkpoints (folder evidence) and tell the auditor at once."


def _rolled_back(last: Checkpoint, new: Checkpoint) -> Text:
    return Text(
        f"로그가 되돌려졌습니다: 지난번 {last.size:,}건, 이번 {new.size:,}건.",
        f"The log was rolled back: {last.size:,} entries last time, {new.size:,} now.",
        f"옛 폴더를 다시 가져온 것이 아니라면, {_TELL_KO}",
        f"Unless an old folder was brought again: {_TELL_EN}",
    )


def _two_roots(last: Checkpoint, new: Checkpoint) -> Text:
    return Text(
        f"같은 {last.size:,}건에 루트가 둘입니다: 로그가 두 갈래입니다({to_base64(new.root)}).",
        f"Two roots over the same {last.size:,} entries: the log shows two views ({to_base64(new.root)}).",
        _TELL_KO,
        _TELL_EN,
    )


def _rewritten(last: Checkpoint, new: Checkpoint) -> Text:
    return Text(
        f"{new.size:,}건의 로그가 지난번 {last.size:,}건의 연장이 아닙니다: 지난 기록이 다시 쓰였습니다.",
        f"The log of {new.size:,} entries does not extend last time's {last.size:,}: it was rewritten.",
        _TELL_KO,
        _TELL_EN,
    )


def _no_proof(last: Checkpoint) -> Text:
    return Text(
        f"지난번 {last.size:,}건부터 이어짐을 보이는 파일이 없습니다.",
        f"No file shows that it continues from last time's {last.size:,} entries.",
        "답(answer 폴더)을 안심구역에 가져가 새로 받아 오세요.",
        "Take the answer (folder answer) back to the enclave and get the questions anew.",
    )


def _unknown(origin: str) -> Text:
    return Text(
        f"모르는 로그입니다: {origin}.",
        f"Unknown log: {origin}.",
        "게시된 검증 키를 확인하고 trust 명령으로 등록하세요.",
        "Check its published key and register it with `trust`.",
    )


def _open_key(path: Path) -> Text:
    return Text(
        f"증인 키 파일 {path.name}을(를) 다른 사용자가 읽을 수 있습니다.",
        f"The witness's key {path.name} is open to other users.",
        f"chmod 600 {path} 를 실행하고, 새 키로 바꿀지 검토하세요.",
        f"Run chmod 600 {path} and consider a new key.",
    )


def _bad_key(path: Path) -> Text:
    return Text(
        f"증인 키 파일 {path.name}의 형식이 틀립니다.",
        f"The witness's key {path.name} is malformed.",
        "백업에서 키 파일을 되살리세요.",
        "Restore the key file from its backup.",
    )
