"""Cosignatures: the specification's example, a foreign implementation both ways, every changed byte, and policies."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import MLDSA44CosignatureSigner, NoteSignature, Vkey
from tlog_scales.tlog import Checkpoint as ForeignCheckpoint

from audit import cosignature
from audit.cosignature import ED25519, MLDSA44, Cosigner, SigningKey, has_mldsa
from audit.errors import NoteError
from audit.merkle import leaf_hash
from audit.note import Checkpoint, split_note
from audit.policy import Policy
from tests.audit.logs import SIGNER, VKEY

VECTORS = Path(__file__).parent.parent / "vectors/audit"
CHECKPOINT = Checkpoint(SIGNER.name, 7, leaf_hash(b"root"))
NOTE = SIGNER.sign(str(CHECKPOINT))
KINDS = {"Ed25519": ED25519, "ML-DSA-44": MLDSA44}
OLD = Cosigner("audit.test/w1", ED25519, b"1" * 32)
NEW = Cosigner("audit.test/w1", MLDSA44, b"2" * 32)
OTHER = Cosigner("other.test/w2", ED25519, b"3" * 32)
TIME = 1_700_000_000


def note_with(*cosigners: Cosigner, time: int = TIME, checkpoint: Checkpoint = CHECKPOINT) -> bytes:
    return (NOTE + "".join(each.cosign(checkpoint, time=time) + "\n" for each in cosigners)).encode()


def code_of(function, *arguments) -> str:
    with pytest.raises(NoteError) as caught:
        function(*arguments)
    return caught.value.code


def foreign() -> ForeignCheckpoint:
    return ForeignCheckpoint(CHECKPOINT.origin, CHECKPOINT.size, CHECKPOINT.root, [])


def test_the_cosigned_checkpoint_of_the_specification_parses_to_its_parts() -> None:
    text, signatures = split_note((VECTORS / "cosigned-checkpoint.txt").read_text())
    assert (Checkpoint.parse(text).origin, Checkpoint.parse(text).size) == ("example.com/behind-the-sofa", 20852163)
    witness = signatures[1]
    assert (witness.name, len(witness.blob), int.from_bytes(witness.blob[:8])) == (
        "witness.example.com/w1",
        72,
        1679315147,
    )


def test_the_signed_message_is_that_of_the_specification() -> None:
    text = split_note((VECTORS / "cosigned-checkpoint.txt").read_text())[0]
    message = cosignature._ed25519_message(Checkpoint.parse(text), 1679315147)
    assert message.decode() == (VECTORS / "cosigned-message.txt").read_text()


@pytest.mark.parametrize("cosigner", [OLD, NEW], ids=KINDS)
def test_a_foreign_verifier_accepts_our_cosignature_and_no_other_checkpoint(cosigner) -> None:
    key = Vkey.from_string(str(cosigner.vkey))
    line = NoteSignature.from_line(cosigner.cosign(CHECKPOINT, time=TIME))
    key.get_verifier().verify_note(line, foreign())
    assert key.get_verifier().get_timestamp(line.payload) == TIME
    with pytest.raises(InvalidSignature):
        key.get_verifier().verify_note(line, ForeignCheckpoint(CHECKPOINT.origin, 8, CHECKPOINT.root, []))


def test_we_accept_a_cosignature_that_a_foreign_signer_made() -> None:
    signer = MLDSA44CosignatureSigner("far.test/w9", MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
    signature = signer.sign(foreign())
    key = SigningKey.parse(signer.vkey.serialize())
    assert key.check(signature.payload, CHECKPOINT) > TIME


@pytest.mark.parametrize("cosigner", [OLD, NEW], ids=KINDS)
def test_no_changed_byte_of_a_cosignature_is_accepted(cosigner) -> None:
    blob = split_note(note_with(cosigner).decode())[1][1].blob
    assert cosigner.vkey.check(blob, CHECKPOINT) == TIME

    @given(st.integers(0, len(blob) - 1), st.integers(1, 255))
    def changed(place: int, flip: int) -> None:
        data = bytearray(blob)
        data[place] ^= flip
        assert code_of(cosigner.vkey.check, bytes(data), CHECKPOINT) == "audit.bad-signature"

    changed()
    for wrong in (b"", blob[:-1], blob + b"x"):
        assert code_of(cosigner.vkey.check, wrong, CHECKPOINT) == "audit.bad-signature"


def test_an_ml_dsa_cosignature_commits_to_the_witnesses_name() -> None:
    blob = split_note(note_with(NEW).decode())[1][1].blob
    other = SigningKey("audit.test/w2", MLDSA44, NEW.vkey.public)
    assert code_of(other.check, blob, CHECKPOINT) == "audit.bad-signature"


def test_the_published_key_of_a_public_witness_reads_back() -> None:
    line = (VECTORS / "witness.vkey").read_text().strip()
    key = SigningKey.parse(line)
    assert (str(key), key.kind, key.name) == (line, ED25519, "remora.n621.de")


@pytest.mark.parametrize("key", [OLD.vkey, NEW.vkey, SigningKey.parse(str(VKEY))], ids=["0x04", "0x06", "0x01"])
def test_a_key_line_reads_back_and_no_other_form_of_it_does(key) -> None:
    line = str(key)
    assert SigningKey.parse(line) == key
    for wrong in (line + "\n", line[:-4], line.upper(), line.replace("+", " +", 1), f"{key.name}+{key.key_id.hex()}+"):
        assert code_of(SigningKey.parse, wrong) == "audit.bad-key"


def test_where_ml_dsa_is_missing_the_signature_is_named_and_not_counted(monkeypatch) -> None:
    policy = Policy.parse(
        f"log {VKEY}\nwitness old {OLD.vkey}\nwitness new {NEW.vkey}\ngroup g all old new\nquorum g\n"
    )
    note = note_with(OLD, NEW)
    assert has_mldsa()
    monkeypatch.setattr(cosignature, "_MLDSA", None)
    opened = policy.open(note)
    assert (opened.cosigned, opened.quorum, opened.unchecked) == ({"old": TIME}, False, ("new",))
    assert not has_mldsa()
    assert code_of(lambda: NEW.vkey) == "audit.no-mldsa"


GROUPS = (
    f"# 감사실과 이웃 기관\nlog {VKEY} file:log\n\nwitness  감사실\t{OLD.vkey}\nwitness pq {NEW.vkey} file:\n"
    f"witness far {OTHER.vkey}\ngroup office any 감사실 pq\n  group both 2 office far\nquorum both\n"
)


@pytest.mark.parametrize(
    ("cosigners", "quorum"),
    [((), False), ((OLD,), False), ((OLD, NEW), False), ((OTHER,), False), ((OLD, OTHER), True), ((NEW, OTHER), True)],
    ids=["none", "one", "one office twice", "the other", "both", "both, second algorithm"],
)
def test_a_quorum_is_reached_by_the_groups_of_the_file_and_by_nothing_less(cosigners, quorum) -> None:
    opened = Policy.parse(GROUPS).open(note_with(*cosigners))
    assert opened.quorum is quorum
    assert set(opened.cosigned.values()) <= {TIME}
    assert len(opened.cosigned) == len(cosigners)


def test_a_signature_of_no_key_of_the_file_is_ignored_and_a_broken_one_of_a_known_key_refuses_the_note() -> None:
    policy = Policy.parse(f"log {VKEY}\nwitness w {OLD.vkey}\nquorum w\n")
    assert policy.open(note_with(OTHER, NEW)).cosigned == {}
    stolen = note_with(OLD, checkpoint=Checkpoint(SIGNER.name, 8, CHECKPOINT.root))
    assert code_of(policy.open, stolen) == "audit.bad-signature"
    assert code_of(policy.open, NOTE.replace("\n7\n", "\n8\n").encode()) == "audit.bad-signature"
    assert code_of(Policy.parse(f"log {OLD_LOG.vkey}\nquorum none\n").open, note_with(OLD)) == "audit.untrusted-key"


OLD_LOG = type(SIGNER)(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


DOUBLE = SigningKey("impostor.test/w1", ED25519, OLD.vkey.public)


def test_words_of_the_form_may_be_names_and_what_is_white_space_is_skipped() -> None:
    lines = f"\n# remark\n\t # remark\n\twitness \t all  {OLD.vkey}   file:  \n\nwitness any {OTHER.vkey}\n"
    policy = Policy.parse(lines + "group group 2 all any\n  quorum\tgroup")
    assert policy.witnessed("group", {"all", "any"})
    assert not policy.witnessed("group", {"all"})
    assert policy.lacking({"all"}) == ("any",)


def test_a_cosignature_without_a_time_does_not_count() -> None:
    policy = Policy.parse(f"log {VKEY}\nwitness w {NEW.vkey}\nquorum w\n")
    assert policy.open(note_with(NEW, time=0)).cosigned == {}


@pytest.mark.parametrize("key", [OLD, NEW], ids=["Ed25519", "ML-DSA-44"])
def test_a_time_of_more_than_63_bits_is_none(key) -> None:
    assert Policy.parse(f"log {VKEY}\nwitness w {key.vkey}\nquorum w\n").open(note_with(key, time=(1 << 63) - 1)).quorum
    blob = split_note(note_with(key, time=1 << 63).decode())[1][1].blob
    assert code_of(key.vkey.check, blob, CHECKPOINT) == "audit.bad-signature"


def test_without_a_quorum_line_that_names_somebody_no_quorum_is_ever_reached() -> None:
    policy = Policy.parse(f"log {VKEY}\nwitness w {OLD.vkey}\nquorum none\n")
    assert not policy.open(note_with(OLD)).quorum
    assert policy.open(note_with(OLD)).cosigned == {"w": TIME}
    assert not Policy.of_key(VKEY).open(NOTE.encode()).quorum


def test_a_log_named_otherwise_than_its_key_is_refused() -> None:
    note = SIGNER.sign(str(Checkpoint("other.test/log", 7, CHECKPOINT.root)))
    assert code_of(Policy.of_key(VKEY).open, note.encode()) == "audit.bad-origin"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("", "quorum"),
        (f"log {VKEY}", "quorum"),
        ("quorum nobody", "1행"),
        ("quorum none\nquorum none", "2행"),
        (f"witness w {VKEY}\nquorum w", "1행"),
        (f"log {OLD.vkey}\nquorum none", "1행"),
        (f"log {VKEY}\nlog {VKEY}\nquorum none", "2행"),
        (f"witness w {OLD.vkey}\nwitness w {OTHER.vkey}\nquorum w", "2행"),
        (f"witness none {OLD.vkey}\nquorum none", "1행"),
        (f"witness w {OLD.vkey}\ngroup g 2 w\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g 0 w\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g 01 w\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g ² w\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g any w w\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g any none\nquorum g", "2행"),
        (f"witness w {OLD.vkey}\ngroup g any w\ngroup h any w\nquorum g", "3행"),
        ("group g any g\nquorum g", "1행"),
        (f"witness w {OLD.vkey}\ngroup g any\nquorum g", "2행"),
        (f"log {VKEY} a b\nquorum none", "1행"),
        ("log x\nquorum none", "1행"),
        ("quorum none\r", "1행"),
        ("nothing", "1행"),
        ("quorum none\n\x01", "2행"),
        (f"witness w {OLD.vkey} a # remark\nquorum w", "1행"),
        (f"group g any w\nwitness w {OLD.vkey}\nquorum g", "1행"),
        (f"witness w {OLD.vkey}\nwitness x {DOUBLE}\nquorum w", "2행"),
    ],
)
def test_a_policy_that_says_two_things_or_nothing_is_refused_with_its_line(lines, place) -> None:
    with pytest.raises(NoteError, match=place) as caught:
        Policy.parse(lines + "\n")
    assert caught.value.code == "audit.bad-policy"
