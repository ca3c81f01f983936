"""What a sender may send that no archive should: each object is kept whole under its digest, or apart with a reason."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MRImageStorage,
)
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE

from enclave.reception import receiver
from tests.enclave.gate.world import until
from tests.enclave.reception.archive import Hall, file_of, sending

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
LITTLE, BIG, DEFLATED = ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian
OUTSIDE = "../../../../outside"


def short(group: int, element: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    """One element with a length of two bytes (PS3.5 7.1.2)."""
    return struct.pack(f"{order}HH2sH", group, element, vr, len(value)) + value


def plain(order: str = "<", uid: bytes = b"1.2.3.4\0", more: bytes = b"") -> bytes:
    """A small object, in order."""
    return b"".join(
        (
            short(0x0008, 0x0016, b"UI", CTImageStorage.encode() + b"\0", order),
            short(0x0008, 0x0018, b"UI", uid, order),
            more,
            short(0x0010, 0x0020, b"LO", b"12345678", order),
            short(0x0020, 0x000D, b"UI", b"1.2.3\0", order),
        )
    )


def deflated(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def long_private(length: int, said: int) -> bytes:
    return struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, said) + bytes(length)


def sent(port: int, data: bytes, *, syntax: UID = LITTLE, sop_class: UID = CTImageStorage, uid: str = "1.2.3.4") -> int:
    """Send bytes as they are under a name; gives the status, -1 where none came."""
    archive = AE(ae_title="PACS")
    archive.add_requested_context(sop_class, syntax)
    association = archive.associate("127.0.0.1", port, ae_title="ANSIM")
    assert association.is_established
    wish: Any = C_STORE()
    wish.MessageID, wish.Priority = 1, 2
    wish.AffectedSOPClassUID, wish.AffectedSOPInstanceUID = sop_class, "1.2.3.4"
    # As a sender writes it who does not ask whether it is one.
    wish._affected_sop_instance_uid = UID(uid)
    wish.DataSet = io.BytesIO(data) if data else None
    (context,) = association.accepted_contexts
    # pynetdicom's own thread would take the answer.
    association._reactor_checkpoint.clear()
    until(lambda: association._is_paused)
    association.dimse.send_msg(wish, context.context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.release()
    return int(answer.Status) if answer is not None else -1


KEPT, APART = receiver.SUCCESS, receiver.CANNOT_UNDERSTAND
ATTACKS: dict[str, tuple[int, bytes, dict[str, Any]]] = {
    "big endian": (KEPT, plain(">"), {"syntax": BIG}),
    "deflated": (KEPT, deflated(plain()), {"syntax": DEFLATED}),
    "deflated, it says": (APART, plain(), {"syntax": DEFLATED}),
    "another class than it says": (KEPT, plain(), {"sop_class": MRImageStorage}),
    "a group's length that lies": (KEPT, plain(more=short(0x0009, 0x0000, b"UL", b"\xff\xff\xff\x7f")), {}),
    "a private element of megabytes": (KEPT, plain(more=long_private(3 << 20, 3 << 20)), {}),
    "an element longer than the object": (APART, plain(more=long_private(16, 0xFFFFFFF0)), {}),
    "a UID that leads out": (KEPT, plain(uid=OUTSIDE.encode() + b"\0"), {"uid": OUTSIDE}),
    "a UID that is a path": (KEPT, plain(uid=b"/etc/passwd\0"), {"uid": "/etc/passwd"}),
    "no text": (APART, b"\xff" * 999, {}),
}


def _around(hall: Hall, folder: Path) -> set[Path]:
    """Every file that is not of the store or the home."""
    own = (hall.store.folder, hall.home)
    return {path for path in folder.rglob("*") if path.is_file() and not any(map(path.is_relative_to, own))}


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_is_sent_is_kept_under_its_digest_or_apart(hall: Hall, tmp_path: Path, attack: str) -> None:
    status, data, how = ATTACKS[attack]
    before = _around(hall, tmp_path)
    assert sent(hall.port, data, **how) == status
    until(lambda: len(hall.entries()) == 2)
    (path,) = hall.store.folder.rglob("*.dcm")
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.read_bytes().endswith(data)
    if "uid" in how:
        assert how["uid"].encode() in path.read_bytes()[: -len(data)]
    assert (path in hall.kept()) == (status == KEPT)
    assert list(hall.store.incoming.iterdir()) == []
    assert _around(hall, tmp_path) == before
    with sending(hall.port) as association:
        assert association.is_established


def test_an_object_of_another_content_under_the_same_uid_does_not_take_its_place(hall: Hall) -> None:
    first, second = plain(), plain(more=short(0x0008, 0x0060, b"CS", b"CT"))
    assert [sent(hall.port, data) for data in (first, second, first)] == [receiver.SUCCESS] * 3
    assert sorted(len(path.read_bytes()) for path in hall.kept()) == sorted(
        len(path.read_bytes()) for path in hall.store.folder.rglob("*.dcm")
    )
    assert len(hall.kept()) == 2
    assert [kept.known for _, kept in hall.heard if kept] == [False, False, True]


def test_an_object_without_a_data_set_is_refused_and_the_receiver_goes_on(hall: Hall) -> None:
    assert sent(hall.port, b"") not in {-1, receiver.SUCCESS}
    assert hall.files() == []
    assert sent(hall.port, plain()) == receiver.SUCCESS


def test_two_who_send_the_same_at_once_have_it_kept_once(hall: Hall) -> None:
    names = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")
    with sending(hall.port) as first, sending(hall.port) as second, ThreadPoolExecutor(2) as both:
        sets = [[pydicom.dcmread(file_of(name)) for name in names] for _ in range(2)]

        def send(pair: tuple[Any, list[Any]]) -> list[int]:
            return [pair[0].send_c_store(data).Status for data in pair[1]]

        told = list(both.map(send, zip((first, second), sets, strict=True)))
    assert told == [[receiver.SUCCESS] * 3] * 2
    assert len(hall.kept()) == 3
    assert list(hall.store.incoming.iterdir()) == []
