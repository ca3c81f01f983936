"""The log's key is handed over: the new key signs a checkpoint that the old one signed, and the old one is gone.

Verifiers follow because the policy then names both keys and the checkpoint with both signatures is kept. What the old
key signs of a larger tree no longer counts (`audit.anchorcheck`). Can be killed at any point and run again: until the
new key lies in the old one's place nothing has happened, and from then on only what follows is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from audit import durable, keys
from audit.anchors import POLICY_FILE, Anchors
from audit.note import Signer, VerifierKey, decode_note, open_checkpoint, signature_of, split_note
from audit.policy import with_log
from audit.sequencer import holding
from audit.tiles import CHECKPOINT

_PENDING, _NEW = ".handover", ".next"


@dataclass(frozen=True, slots=True)
class Handover:
    """Where the log's key changed: the tree's size and both public keys."""

    size: int
    old: VerifierKey
    new: VerifierKey


def hand_over(log_folder: Path, key: Path, anchors: Anchors) -> Handover:
    """Replace the signing key at `key` (and `*.pub` beside it) by a new one of the same name and owner.

    Raises `LogBusyError` while a sequencer runs, `NoteError` when the last checkpoint is not the old key's.
    """
    with holding(log_folder):
        pending = key.with_name(key.name + _PENDING)
        if pending.exists():
            done = _resumed(key, pending.read_bytes(), anchors)
            if done is not None:
                return _finish(key, pending, anchors, done)
            pending.unlink()
        old = keys.load(key)
        note = (log_folder / CHECKPOINT).read_bytes()
        checkpoint = open_checkpoint(note, old.vkey)
        new = _make(key, old.name)
        line = new.sign(str(checkpoint)).rpartition("\n\n")[2]
        both = f"{checkpoint}\n{signature_of(note, old.vkey)}\n{line}".encode()
        durable.write_file(pending, both)
        durable.write_checkpoint(log_folder, both)
        # From here on the old key is gone.
        key.with_name(key.name + _NEW).replace(key)
        return _finish(key, pending, anchors, Handover(checkpoint.size, old.vkey, new.vkey))


def _make(key: Path, name: str) -> Signer:
    """Make the new key beside the old one, for the same user."""
    place, owner = key.with_name(key.name + _NEW), key.stat()
    for left in (place, place.with_suffix(".pub")):
        left.unlink(missing_ok=True)
    signer = keys.create(place, name=name)
    # Its public line is written when the key has taken its place.
    place.with_suffix(".pub").unlink()
    if os.geteuid() == 0:
        os.chown(place, owner.st_uid, owner.st_gid)
    return signer


def _resumed(key: Path, both: bytes, anchors: Anchors) -> Handover | None:
    """Return the hand-over that was broken off after the new key had taken its place; None if it had not."""
    new = keys.load(key).vkey
    first = split_note(decode_note(both))[1][0]
    if first.key_id == new.key_id:
        return None
    old = VerifierKey.parse(key.with_suffix(".pub").read_text(encoding="utf-8").strip())
    if old == new:  # broken off at the very end: the policy names the old key
        (named,) = [each for each in anchors.policy(new).logs if each.key_id == first.key_id]
        old = VerifierKey(named.name, named.public)
    return Handover(open_checkpoint(both, new).size, old, new)


def _finish(key: Path, pending: Path, anchors: Anchors, done: Handover) -> Handover:
    anchors.keep(pending.read_bytes())
    policy = anchors.folder / POLICY_FILE
    text = policy.read_text(encoding="utf-8") if policy.exists() else f"log {done.old}\nquorum none\n"
    anchors.keep_policy(with_log(text, done.new))
    public = key.with_suffix(".pub")
    durable.write_file(public, f"{done.new}\n".encode())
    public.chmod(0o644)
    pending.unlink()
    return done
