"""Whose signatures make a checkpoint one to rely on: a file in the form of C2SP tlog-policy. Pure.

`log` lines name the log's keys, `witness` lines the witnesses', `group` lines what counts together, and the one
`quorum` line which of them must have cosigned. Without a quorum a checkpoint is still the log's, but nobody outside
has seen that it extends the one before: it is shown amber.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from audit.cosignature import ED25519, MLDSA44, NOTE, SigningKey
from audit.errors import NoteError, Text
from audit.note import BAD_ORIGIN, UNTRUSTED, Checkpoint, VerifierKey, decode_note, split_note

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A checkpoint opened under a policy: the log keys that signed it, and when which witness cosigned it."""

    checkpoint: Checkpoint
    log_keys: tuple[SigningKey, ...]
    cosigned: Mapping[str, int]
    quorum: bool
    """Whether a quorum of witnesses is asked for and reached."""
    unchecked: tuple[str, ...] = ()
    """Witnesses whose signature this machine cannot check (no ML-DSA-44)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The keys of one log (or several), of its witnesses by their name in the file, the groups and the quorum."""

    logs: tuple[SigningKey, ...]
    witnesses: Mapping[str, SigningKey] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NOBODY

    @classmethod
    def of_key(cls, vkey: VerifierKey) -> Policy:
        """Return the policy that knows one log key and no witness."""
        return cls((SigningKey(vkey.name, NOTE, vkey.public),))

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy file; raise `NoteError` (`audit.bad-policy`) naming the line that is wrong."""
        return _Reading().all(text)

    def witnessed(self, name: str, cosigned: AbstractSet[str]) -> bool:
        """Say whether a witness or group counts as having seen what the witnesses `cosigned` signed."""
        if name in self.witnesses:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self.witnessed(member, cosigned) for member in members) >= least

    def open(self, note: bytes) -> Endorsed:
        """Return what a signed checkpoint says and who stands behind it.

        Raises `NoteError` when it is malformed, when no log key of the policy signed it, when a signature of any key
        of the policy does not hold (C2SP signed-note), or when its name is not the key's.
        """
        text, signatures = split_note(decode_note(note))
        checkpoint = Checkpoint.parse(text)
        logs: list[SigningKey] = []
        cosigned: dict[str, int] = {}
        unchecked: list[str] = []
        for each in signatures:
            name, key = self._known().get((each.name, each.key_id), ("", None))
            if key is None:
                continue
            time = _checked(key, each.blob, checkpoint)
            if time is None:
                unchecked.append(name or key.name)
            elif not name:
                logs.append(key)
            elif time:  # C2SP tlog-witness: without a time it says nothing about larger trees
                cosigned[name] = time
        if not logs:
            raise NoteError("audit.untrusted-key", UNTRUSTED)
        if any(key.name != checkpoint.origin for key in logs):
            raise NoteError("audit.bad-origin", BAD_ORIGIN)
        quorum = self.quorum != NOBODY and self.witnessed(self.quorum, cosigned.keys())
        return Endorsed(checkpoint, tuple(logs), cosigned, quorum, tuple(unchecked))

    def _known(self) -> dict[tuple[str, bytes], tuple[str, SigningKey]]:
        named = [("", key) for key in self.logs] + list(self.witnesses.items())
        return {(key.name, key.key_id): (name, key) for name, key in named}

    def lacking(self, cosigned: AbstractSet[str]) -> tuple[str, ...]:
        """Return the names of the witnesses that have not cosigned, in the order of the file."""
        return tuple(name for name in self.witnesses if name not in cosigned)


def _checked(key: SigningKey, signature: bytes, checkpoint: Checkpoint) -> int | None:
    """Return the time that a signature states; None where this machine cannot check its kind."""
    try:
        return key.check(signature, checkpoint)
    except NoteError as error:
        if error.code == "audit.bad-signature" and key.kind != NOTE:
            raise NoteError(error.code, _bad_cosignature(key)) from error
        if error.code != "audit.no-mldsa":
            raise
    return None


def _bad_cosignature(key: SigningKey) -> Text:
    kind = "ML-DSA-44" if key.kind == MLDSA44 else "Ed25519"
    return Text(
        f"{key.name}의 서명({kind})이 이 확인점의 것이 아닙니다.",
        f"The signature of {key.name} ({kind}) is not of this checkpoint.",
        "원본에서 다시 복사하고, 같은 결과면 감사 담당자에게 알리세요.",
        "Copy it again from the original; if it stays so, tell the auditor.",
    )


@dataclass
class _Reading:
    """One pass over a policy file."""

    logs: list[SigningKey] = field(default_factory=list)
    witnesses: dict[str, SigningKey] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = ""
    members: set[str] = field(default_factory=set)
    publics: set[bytes] = field(default_factory=set)

    def all(self, text: str) -> Policy:
        for number, line in enumerate(text.split("\n"), 1):
            words = line.replace("\t", " ").strip(" ")
            if any((char < " " and char != "\t") or char == "\x7f" for char in line):
                raise _bad(number, "제어 문자가 있습니다", "it holds a control character")
            if words and not words.startswith("#"):
                self._line(number, [word for word in words.split(" ") if word])
        if not self.quorum:
            raise _bad(0, "quorum 줄이 없습니다", "there is no quorum line")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum)

    def _line(self, number: int, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self.logs.append(self._key(number, key, {NOTE, MLDSA44}))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._free(number, name)
                self.witnesses[name] = self._key(number, key, {ED25519, MLDSA44})
            case ["group", name, least, *members] if members:
                self._free(number, name)
                self.groups[name] = self._group(number, least, tuple(members))
            case ["quorum", name] if not self.quorum and (name == NOBODY or self._known(name)):
                self.quorum = name
            case ["quorum", _]:
                raise _bad(number, "quorum은 앞에서 정한 이름 하나뿐입니다", "one quorum of a name defined before it")
            case _:
                raise _bad(number, "log, witness, group, quorum 줄이 아닙니다", "no log, witness, group or quorum line")

    def _key(self, number: int, line: str, kinds: AbstractSet[int]) -> SigningKey:
        try:
            key = SigningKey.parse(line)
        except NoteError as error:
            raise _bad(number, "키 줄의 형식이 틀립니다", "the key is malformed") from error
        if key.kind not in kinds or key.public in self.publics:
            raise _bad(number, "쓸 수 없는 종류이거나 두 번 나온 키입니다", "a key of another kind, or one named twice")
        self.publics.add(key.public)
        return key

    def _group(self, number: int, least: str, members: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        if any(not self._known(name) or name in self.members for name in members) or len(set(members)) < len(members):
            raise _bad(number, "앞에서 정하지 않았거나 두 번 쓴 이름입니다", "a name not defined before, or used twice")
        self.members.update(members)
        count = {"any": 1, "all": len(members)}.get(least) or (int(least) if least.isdecimal() else 0)
        if not 1 <= count <= len(members) or (least.isdecimal() and str(count) != least):
            raise _bad(
                number, f"정족수 {least}이(가) 1~{len(members)}이 아닙니다", f"{least} is not 1 to {len(members)}"
            )
        return count, members

    def _free(self, number: int, name: str) -> None:
        if name == NOBODY or self._known(name):
            raise _bad(number, f"이미 쓰인 이름입니다: {name}", f"the name {name} is taken")

    def _known(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def with_log(text: str, vkey: VerifierKey) -> str:
    """Return a policy file's text with one more log key, as its first line; the rest stays as it is."""
    return text if f"log {vkey}\n" in text else f"log {vkey}\n{text}"


def _bad(number: int, ko: str, en: str) -> NoteError:
    where_ko, where_en = (f"{number}행: ", f"line {number}: ") if number else ("", "")
    return NoteError(
        "audit.bad-policy",
        Text(
            f"정책 파일이 틀립니다. {where_ko}{ko}.",
            f"The policy file is wrong: {where_en}{en}.",
            "게시된 정책 파일을 그대로 쓰거나 그 줄을 고치세요.",
            "Use the published policy file as it is, or mend that line.",
        ),
    )
