"""The checkpoints that somebody outside has seen: one file each, beside the log, with all their signatures.

    anchors/policy             whose signatures count (C2SP tlog-policy)
    anchors/<size>.checkpoint  the signed checkpoint with the cosignatures that came back
    anchors/<size>.tsr         its time stamp (RFC 3161), if there is one

Nothing in it is secret and nothing in it is believed unchecked. Standard library and `cryptography` only.
"""

from __future__ import annotations

import os
from pathlib import Path

from audit.errors import LogConflictError, NoteError, Text
from audit.note import Checkpoint, VerifierKey, decode_note, split_note
from audit.policy import Policy

POLICY_FILE, NOTE_SUFFIX, STAMP_SUFFIX = "policy", ".checkpoint", ".tsr"


class Anchors:
    """The folder of one log's anchored checkpoints; it need not exist to be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sizes(self) -> list[int]:
        """Return the sizes of the kept checkpoints, smallest first."""
        names = [path.name.removesuffix(NOTE_SUFFIX) for path in self.folder.glob(f"*{NOTE_SUFFIX}")]
        return sorted(int(name) for name in names if name.isdecimal() and str(int(name)) == name)

    def path(self, size: int) -> Path:
        """Return the file of the checkpoint of that size."""
        return self.folder / f"{size}{NOTE_SUFFIX}"

    def note(self, size: int) -> bytes:
        """Return a kept checkpoint; raise `FileNotFoundError`."""
        return self.path(size).read_bytes()

    def stamp(self, size: int) -> bytes | None:
        """Return the time stamp of a kept checkpoint, DER of RFC 3161's `TimeStampResp`; None without one."""
        path = self.folder / f"{size}{STAMP_SUFFIX}"
        return path.read_bytes() if path.exists() else None

    def policy_text(self) -> str:
        """Return the folder's policy as its file has it; empty where there is none."""
        path = self.folder / POLICY_FILE
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def policy(self, vkey: VerifierKey | None) -> Policy:
        """Return the folder's policy; where there is none, the one that knows this log key and no witness.

        Raises `NoteError` (`audit.bad-policy`; `audit.no-key-file` where there is neither).
        """
        text = self.policy_text()
        if text:
            return Policy.parse(text)
        if vkey is None:
            raise NoteError("audit.no-key-file", _no_policy(self.folder / POLICY_FILE))
        return Policy.of_key(vkey)

    def keep(self, note: bytes) -> Checkpoint:
        """Keep a checkpoint, adding its signatures to those kept; return it.

        The caller has checked the signatures. Raises `LogConflictError` (`audit.two-views`) when another checkpoint
        of that size is kept already.
        """
        text, signatures = split_note(decode_note(note))
        checkpoint = Checkpoint.parse(text)
        path = self.path(checkpoint.size)
        lines = [each.line for each in signatures]
        if path.exists():
            known, old = split_note(decode_note(path.read_bytes()))
            if known != text:
                raise LogConflictError("audit.two-views", _two_views(checkpoint))
            lines = [each.line for each in old] + [line for line in lines if line not in {each.line for each in old}]
        self._write(path, "\n".join([text, *lines, ""]).encode())
        return checkpoint

    def keep_stamp(self, size: int, token: bytes) -> None:
        """Keep the time stamp of a kept checkpoint."""
        self._write(self.folder / f"{size}{STAMP_SUFFIX}", token)

    def keep_policy(self, text: str) -> None:
        """Replace the policy; raise `NoteError` when it is none."""
        Policy.parse(text)
        self._write(self.folder / POLICY_FILE, text.encode())

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".new-{path.name}")
        with temporary.open("wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)


def merged(note: bytes, lines: str) -> bytes:
    """Return a note with more signature lines; raise `NoteError` (`audit.bad-note`) when they are none."""
    if not lines.endswith("\n") or "\n\n" in lines:
        raise NoteError("audit.bad-note", _BAD_LINES)
    split_note(f"x\n\n{lines}")
    return note + lines.encode()


def _no_policy(path: Path) -> Text:
    return Text(
        f"정책 파일이 없습니다: {path}.",
        f"There is no policy file: {path}.",
        "게시된 로그 키나 정책 파일을 주세요.",
        "Give the log's published key or the policy file.",
    )


def _two_views(checkpoint: Checkpoint) -> Text:
    return Text(
        f"기록 {checkpoint.size:,}건의 확인점이 보관된 것과 다릅니다: 로그가 두 갈래입니다.",
        f"The checkpoint over {checkpoint.size:,} entries is not the kept one: the log shows two views.",
        "두 파일을 그대로 보존하고 감사 담당자에게 알리세요.",
        "Keep both files as they are and tell the auditor.",
    )


_BAD_LINES = Text(
    "증인의 답이 서명 줄이 아닙니다.",
    "The witness's answer is not made of signature lines.",
    "폴더를 증인에게서 다시 받아 오세요.",
    "Get the folder from the witness again.",
)
