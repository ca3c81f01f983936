"""The vendored table is the standard's, and nothing that it forgets gets through."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from pydicom._dicom_dict import DicomDictionary

from deid.folder.people import People
from deid.imaging import allowed
from deid.imaging.clean import Cleaner
from deid.imaging.elements import Element, Letters
from deid.imaging.gone import Gone
from deid.imaging.leaves import Leaves
from deid.imaging.private import SafePrivate
from deid.imaging.standard import EDITION, FILE, OPTIONS, Profile, table
from deid.keys import WorkerKeys

BASIC = Profile(frozenset())
STRICT = Profile(frozenset({"retain_longitudinal_modified_dates", "clean_descriptors", "clean_structured_content"}))
ADDED_SINCE = {0x3004007F}
LETTERS_OF = {
    "D_TAGS": "D", "Z_TAGS": "Z", "X_TAGS": "X", "U_TAGS": "U", "Z_D_TAGS": "Z/D", "X_Z_TAGS": "X/Z", "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D", "X_Z_U_STAR_TAGS": "X/Z/U*",
}  # fmt: skip


def test_the_table_is_whole_and_says_where_it_comes_from() -> None:
    assert (len(table()["rules"]), len(table()["content_items"])) == (657, 214)
    assert table()["source"]["edition"] == EDITION
    assert "NEMA" in table()["source"]["attribution"]
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == DIGEST


DIGEST = "600ec53ad601eb6f69aab203625cd3538c79b943e053b21fb5769c94af3792fd"


def test_two_extractions_of_the_table_agree() -> None:
    ours = {
        int(rule["tag"], 16): rule["basic"]
        for rule in table()["rules"]
        if rule["tag"].isalnum() and "x" not in rule["tag"] and rule["tag"] != "PRIVATE"
    }
    theirs: dict[int, str] = {}
    for name, letters in LETTERS_OF.items():
        for tag in getattr(dicomfields_2026c, name):
            if len(tag) == 2:
                theirs[tag[0] << 16 | tag[1]] = letters
    assert len(theirs) > 600
    assert {tag: (ours.get(tag), action) for tag, action in theirs.items() if ours.get(tag) != action} == {}
    assert set(ours) - set(theirs) == ADDED_SINCE


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_changes_what_is_done_and_nothing_else(option: str) -> None:
    chosen = Profile(frozenset({option}))
    for rule in table()["rules"]:
        if rule["tag"] == "PRIVATE" or "x" in rule["tag"]:
            continue
        tag = int(rule["tag"], 16)
        if option in rule["options"]:
            assert chosen.action(tag) == rule["options"][option]
        else:
            assert chosen.action(tag) == BASIC.action(tag)


@pytest.mark.parametrize("tag", [0x50003000, 0x50FE0010, 0x60003000, 0x60204000, 0x60FE3000])
def test_curves_and_overlays_always_go(tag: int) -> None:
    assert Profile(frozenset(OPTIONS) - {"retain_longitudinal_full_dates"}).action(tag) == "X"


NOT_IN_TABLE = sorted(tag for tag, entry in DicomDictionary.items() if BASIC.action(tag) is None)
PLAIN = dict.fromkeys(("LO", "SH", "ST", "LT", "UT", "UC", "UN", "OB"), b"Kim Sora") | {
    "PN": b"Kim^Sora", "UR": b"http://kim.sora", "AE": b"KIMSORA", "CS": b"KIM SORA", "AS": b"045Y", "DA": b"20210304",
    "DT": b"20210304101112", "UI": b"1.2.410.200.123456.7",
}  # fmt: skip


def _cleaner(profile: Profile) -> Cleaner:
    people = People(WorkerKeys(bytes(32)), "t")
    letters = Letters(("ISO_IR 192",))
    return Cleaner(profile, Leaves(people, 40, letters, Gone(letters), 90), SafePrivate({}), "0" * 32)


@pytest.mark.parametrize("vr", sorted(PLAIN))
def test_nothing_that_the_table_forgets_gets_through(vr: str) -> None:
    forgotten = [tag for tag in NOT_IN_TABLE if DicomDictionary[tag][0].split(" or ")[0] == vr]
    passed = []
    for tag in forgotten:
        if tag >> 16 in {2, 4} or tag in allowed.CLASS_TAGS or (vr == "OB" and tag in allowed.BULK_TAGS):
            continue
        kept = _cleaner(STRICT).clean([Element(tag, vr, PLAIN[vr])])
        if any(PLAIN[vr] in bytes(each.value) for each in kept):
            passed.append(f"{tag:08X}")
    assert passed == []


def test_the_dictionary_minus_the_table_is_as_it_was_looked_at() -> None:
    """A new edition of either changes these counts; then somebody looks at what was added."""
    found = {vr: sum(DicomDictionary[tag][0] == vr for tag in NOT_IN_TABLE) for vr in ("PN", "DA", "DT", "UI")}
    assert found == EXPECTED


EXPECTED = {"PN": 3, "DA": 6, "DT": 7, "UI": 51}


def test_the_notice_names_the_source() -> None:
    notice = (Path(__file__).parents[3] / "NOTICE").read_text()
    assert "ps315_2026d.json" in notice
