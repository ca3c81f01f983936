"""What the command line trusts: a key, given itself or in a file, or a policy file. Standard library only."""

from __future__ import annotations

from pathlib import Path

from audit.errors import NoteError, Text
from audit.note import VerifierKey
from audit.policy import Policy


def key_from(text: str) -> VerifierKey:
    """Read the key line given itself or in a file of that name; raise `NoteError` when there is none."""
    if "+" in text and not Path(text).exists():
        return VerifierKey.parse(text)
    return VerifierKey.parse(_file(text).strip())


def policy_of(trusted: VerifierKey | Policy | str) -> Policy:
    """Return what is trusted as a policy; a key, or its line, trusts that key and knows no witness."""
    if isinstance(trusted, str):
        trusted = VerifierKey.parse(trusted)
    return Policy.of_key(trusted) if isinstance(trusted, VerifierKey) else trusted


def trusted_from(key: str | None, policy: str | None) -> VerifierKey | Policy | None:
    """Return what the command line trusts: the policy file, else the key, else None; raise `NoteError`."""
    if policy:
        return policy_from(policy)
    return key_from(key) if key else None


def policy_from(path: str) -> Policy:
    """Read a policy file (C2SP tlog-policy); raise `NoteError`."""
    return Policy.parse(_file(path))


def _file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoteError("audit.no-key-file", _no_key_file(path)) from error


def _no_key_file(path: str) -> Text:
    return Text(
        f"검증 키 파일을 읽을 수 없습니다: {path}.",
        f"The key file cannot be read: {path}.",
        "게시된 '이름+해시+base64' 한 줄이나 그 줄이 든 파일을 주세요.",
        "Give the published line `name+hash+base64`, or a file that holds it.",
    )
