"""Notes, keys, checkpoints: the published example opens, everything that is not canonical does not."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import NoteError
from audit.merkle import EMPTY_ROOT
from audit.note import Checkpoint, VerifierKey, open_checkpoint, open_note
from audit.proof import Proof
from tests.audit.logs import SIGNER, VKEY

VECTORS = Path(__file__).parent.parent / "vectors/audit"
EXAMPLE = (VECTORS / "signed-note.txt").read_text()
EXAMPLE_KEY = VerifierKey.parse((VECTORS / "signed-note.vkey").read_text().strip())
CHECKPOINT = Checkpoint(SIGNER.name, 7, EMPTY_ROOT)
NOTE = SIGNER.sign(str(CHECKPOINT))


def code_of(function, *arguments) -> str:
    with pytest.raises(NoteError) as caught:
        function(*arguments)
    return caught.value.code


def test_the_example_of_the_specification_opens() -> None:
    assert open_note(EXAMPLE, EXAMPLE_KEY) == "This is an example message.\n"


def test_our_own_checkpoint_opens_and_reads_back() -> None:
    assert open_checkpoint(NOTE.encode(), VKEY) == CHECKPOINT
    assert VerifierKey.parse(str(VKEY)) == VKEY


def test_signatures_of_others_beside_ours_are_ignored() -> None:
    stranger = EXAMPLE.split("\n\n")[1]
    assert open_note(NOTE + stranger, VKEY) == str(CHECKPOINT)


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_a_note_with_any_byte_changed_does_not_open(place, flip) -> None:
    data = bytearray(NOTE.encode())
    data[place] ^= flip
    with pytest.raises(NoteError):
        open_checkpoint(bytes(data), VKEY)


SIGNATURE = NOTE.split("\n\n")[1]


@pytest.mark.parametrize(
    ("note", "code"),
    [
        ("", "audit.bad-note"),
        ("text\n", "audit.bad-note"),
        ("text\n\n", "audit.bad-note"),
        (NOTE.rstrip("\n"), "audit.bad-note"),
        (NOTE + "\n", "audit.bad-note"),
        (NOTE.replace("— ", "- "), "audit.bad-note"),
        (NOTE.replace("— ", "—  "), "audit.bad-note"),
        (NOTE.replace("\n\n", "\n\r\n\n"), "audit.bad-note"),
        (f"{CHECKPOINT}\n— {SIGNER.name} AAAA\n", "audit.bad-note"),
        (f"{CHECKPOINT}\n— {SIGNER.name} AAB=\n", "audit.bad-note"),
        (f"{CHECKPOINT}\n" + SIGNATURE * 2000, "audit.bad-note"),
        (EXAMPLE, "audit.untrusted-key"),
        (NOTE.replace("\n7\n", "\n8\n"), "audit.bad-signature"),
        (f"{CHECKPOINT}\n" + SIGNATURE + SIGNER.sign("x\n").split("\n\n")[1], "audit.bad-signature"),
    ],
    ids=range(14),
)
def test_a_malformed_or_foreign_note_is_refused(note, code) -> None:
    assert code_of(open_note, note, VKEY) == code


ROOT = base64.b64encode(EMPTY_ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"log\n07\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n7 \n{ROOT}\n",
        f"log\n7\n{ROOT}",
        f"log\n7\n{ROOT}\nmore\n",
        f"\n7\n{ROOT}\n",
        f"log\n7\n{ROOT[:-4]}\n",
        "log\n7\nnot base64 at all!\n",
        f"log\n7\n{ROOT[:-2]}V=\n",
        f"log\n٧\n{ROOT}\n",
    ],
    ids=repr,
)
def test_a_checkpoint_that_is_not_in_its_one_form_is_refused(text) -> None:
    assert code_of(Checkpoint.parse, text) == "audit.bad-checkpoint"


def test_a_checkpoint_of_another_log_than_the_key_is_refused() -> None:
    note = SIGNER.sign(str(Checkpoint("other.test/log", 7, EMPTY_ROOT)))
    assert code_of(open_checkpoint, note.encode(), VKEY) == "audit.bad-origin"


def test_a_checkpoint_that_is_not_utf8_is_refused() -> None:
    assert code_of(open_checkpoint, b"\xff", VKEY) == "audit.bad-note"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        str(VKEY) + "\n",
        str(VKEY).replace("ansim", "anzim"),
        str(VKEY)[:-1],
        str(VKEY).upper(),
        "+" + str(VKEY).split("+", 1)[1],
        str(VKEY).replace("log+", "log +"),
    ],
    ids=repr,
)
def test_a_key_line_that_is_not_exactly_the_published_one_is_refused(line) -> None:
    assert code_of(VerifierKey.parse, line) == "audit.bad-key"


def test_a_key_that_is_no_point_of_the_curve_verifies_nothing() -> None:
    key = VerifierKey(SIGNER.name, b"\xff" * 32)
    blob = base64.b64encode(key.key_id + bytes(64)).decode()
    assert code_of(open_note, f"{CHECKPOINT}\n— {SIGNER.name} {blob}\n", key) == "audit.bad-signature"


@given(st.integers(0, 2**60), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_a_proof_reads_back(index, hashes) -> None:
    proof = Proof(index, tuple(hashes), NOTE)
    assert Proof.parse(str(proof)) == proof


def test_a_proof_is_written_as_the_specification_has_it() -> None:
    hashes = tuple(sha256(data).digest() for data in (b"hash1", b"hash2"))
    lines = "\n".join(base64.b64encode(each).decode() for each in hashes)
    text = f"c2sp.org/tlog-proof@v1\nindex 5\n{lines}\n\ntest checkpoint\n"
    assert str(Proof(5, hashes, "test checkpoint\n")) == text
    assert str(Proof(0, (), "checkpoint\n")) == "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("proof@v1", "proof@v2"),
        ("index 5", "index 05"),
        ("index 5", "extra AA==\nindex 5"),
        (ROOT, ROOT[:-4]),
        (ROOT, "not base64!"),
        (f"{ROOT}\n\n", f"{ROOT}\n"),
        ("index 5\n", "index 5\r\n"),
    ],
    ids=repr,
)
def test_a_malformed_proof_is_refused(old, new) -> None:
    text = str(Proof(5, (EMPTY_ROOT,), "checkpoint\n"))
    assert old in text
    assert code_of(Proof.parse, text.replace(old, new, 1)) == "audit.bad-proof"
