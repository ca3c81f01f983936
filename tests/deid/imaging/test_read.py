"""The reader: every encoding, sequences that hide, what is behind the end; no damage is a crash."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from deid.folder.format import Refused
from deid.imaging.elements import walk
from deid.imaging.read import HEADER, PIXELS, is_dicom, read, read_header

NAMES = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm",
    "UN_sequence.dcm", "rtplan.dcm", "nested_priv_SQ.dcm", "waveform_ecg.dcm", "JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm",
)  # fmt: skip


def sample(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    long = vr in {"UN", "SQ", "OB", "OW", "UT"}
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


@pytest.mark.parametrize("name", NAMES)
def test_real_files_in_every_encoding(name: str) -> None:
    data = sample(name)
    assert is_dicom(data[:8192])
    found = read(data)
    assert len(found.elements) > 0
    assert [each.tag for each in found.elements] == sorted(each.tag for each in found.elements)
    assert found.tail == b""


@pytest.mark.parametrize("name", NAMES)
def test_a_header_is_what_the_whole_file_says_before_its_pixels(name: str) -> None:
    whole, header = read(sample(name)), read_header(io.BytesIO(sample(name)))
    assert [each for each in header.elements if each.tag < min(PIXELS)] == [
        each for each in whole.elements if each.tag < min(PIXELS)
    ]
    assert (header.syntax, header.transfer_syntax, header.meta) == (whole.syntax, whole.transfer_syntax, whole.meta)
    assert {each.tag for each in header.elements} & PIXELS == {each.tag for each in whole.elements} & PIXELS


def test_a_header_is_read_without_the_pixels_however_long_it_is() -> None:
    long = element(0x00281201, "OW", bytes(3 * HEADER))
    pixels = element(0x7FE00010, "OW", bytes(64 * HEADER))
    file = io.BytesIO(bytes(128) + b"DICM" + element(0x00080060, "CS", b"CT") + long + pixels)
    assert [each.tag for each in read_header(file).elements] == [0x00080060, 0x00281201, 0x7FE00010]
    assert file.tell() == 4 * HEADER


def test_a_sequence_that_came_as_unknown_is_followed() -> None:
    inner = struct.pack("<HHI", 0x0010, 0x0010, 8) + b"Kim^Sora"
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
    body = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0") + element(0x00081115, "UN", item)
    names = [each for each in walk(read(bytes(128) + b"DICM" + body).elements) if each.tag == 0x00100010]
    assert [bytes(each.value) for each in names] == [b"Kim^Sora"]


def test_what_is_behind_the_pixels_is_no_part_of_the_data_set() -> None:
    found = read(sample("CT_small.dcm") + b"Kim^Sora 12345678")
    assert found.tail == b"Kim^Sora 12345678"


def test_sequences_in_sequences_without_end_are_refused() -> None:
    value = b""
    for _ in range(200):
        value = element(0x00081140, "SQ", b"\xfe\xff\x00\xe0" + struct.pack("<I", len(value)) + value)
    with pytest.raises(Refused) as refused:
        read(element(0x00080016, "UI", b"1.2\0") + value)
    assert refused.value.code == "imaging.unreadable"


@pytest.mark.parametrize("cut", [140, 200, 333, 1000, 3000])
def test_a_file_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Refused):
        read(sample("CT_small.dcm")[:cut])


@pytest.mark.parametrize("name", NAMES)
def test_no_damage_is_a_crash(name: str) -> None:
    data, draw = sample(name), random.Random(3)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(draw.randint(1, 6)):
            broken[draw.randrange(128, min(len(broken), 6000))] = draw.randrange(256)
        try:
            read(bytes(broken))
        except Refused as refused:
            assert not refused.policy  # noqa: PT017 - either is right


def test_other_files_are_not_taken_for_dicom() -> None:
    heads = [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"%PDF-1.7\n" + b"x" * 200, b"0       " + b" " * 248, bytes(600)]
    assert [is_dicom(head) for head in heads] == [False] * 5


def test_what_is_deflated_is_written_plainly_so_that_the_last_look_sees_it() -> None:
    found = read(sample("image_dfl.dcm"))
    assert found.transfer_syntax == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize(("most", "is_read"), [(1 << 18, False), (1 << 20, True)])
def test_what_inflates_beyond_measure_is_refused_and_says_so(
    monkeypatch: pytest.MonkeyPatch, most: int, *, is_read: bool
) -> None:
    """A picture of 512 by 512 bytes, beside a limit below it and one above."""
    monkeypatch.setattr("deid.imaging.read.LARGEST_INFLATED", most)
    if is_read:
        assert len(read(sample("image_dfl.dcm")).elements) > 0
        return
    with pytest.raises(Refused, match="inflates beyond"):
        read(sample("image_dfl.dcm"))
