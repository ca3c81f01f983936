"""Somebody hands an auditor a bundle that they made: what they can make look right, and what gives it away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import bundle
from audit.anchors import Anchors, merged
from audit.bundle import Source
from audit.canonical import decode
from audit.cosignature import ED25519, Cosigner
from audit.errors import EntryError
from audit.note import Checkpoint, Signer
from audit.policy import Policy
from audit.reader import LogReader
from audit.stamps import certificates
from audit.tiles import Edge
from audit.verify import verify_bundle
from tests.audit.logs import SIGNER, VKEY, WITNESSED, entries, publish
from tests.audit.tampering import put, relist


@pytest.fixture
def copy(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "bundle"))


def codes(report, *, amber: bool = False) -> list[str]:
    return [claim.code for claim in report.claims if claim.amber or not amber]


def as_an_auditor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As the read-me says: `python3 verify.py`, in the folder; the limit only ends what would never end."""
    command = [sys.executable, "verify.py", "--lang", "en", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=300)


# --- whose word it is ---------------------------------------------------------------------------------------------


def test_all_that_is_published_makes_a_bundle_green_but_for_what_was_left_out(sound) -> None:
    policy = Policy.parse((sound / "policy").read_text())
    report = verify_bundle(sound, policy, stamping=certificates((sound / "tsa.pem").read_bytes()))
    assert (report.ok, codes(report, amber=True)) == (True, ["bundle.selection"])


def test_who_has_the_logs_key_and_no_witness_cannot_make_one(tmp_path) -> None:
    """A log of their own, signed with the stolen key, cosigned by a witness made for it and named in its policy."""
    publish(tmp_path / "log", entries(40))
    mine = Cosigner("audit.test/w1", ED25519, bytes(32))
    anchors = Anchors(tmp_path / "anchors")
    anchors.keep_policy(f"log {VKEY}\nwitness w1 {mine.vkey}\nquorum w1\n")
    reader = LogReader(tmp_path / "log")
    anchors.keep(merged(reader.note, mine.cosign(reader.checkpoint, time=WITNESSED) + "\n"))
    forged = tmp_path / "forged"
    bundle.write(forged, Source(tmp_path / "log", VKEY, anchors.folder), indexes=range(40), selection={})
    report = verify_bundle(forged, VKEY)
    assert (report.ok, "bundle.own-witness" in codes(report, amber=True)) == (True, True)
    published = Policy.parse(
        f"log {VKEY}\nwitness w1 {Cosigner('audit.test/w1', ED25519, bytes(31) + b'1').vkey}\nquorum w1\n"
    )
    assert "anchor.no-quorum" in codes(verify_bundle(forged, published), amber=True)


def test_a_log_made_for_the_purpose_is_amber_where_no_key_is_given(tmp_path) -> None:
    stranger = Signer(VKEY.name, Ed25519PrivateKey.generate())
    publish(tmp_path / "log", entries(40), signer=stranger)
    bundle.write(tmp_path / "bundle", Source(tmp_path / "log", stranger.vkey), indexes=range(40), selection={})
    report = verify_bundle(tmp_path / "bundle")
    assert (report.ok, "bundle.key" in codes(report, amber=True)) == (True, True)


def test_a_copy_of_a_key_that_was_handed_over_makes_only_amber(tmp_path) -> None:
    """Of a log that went on under a new key: the old one still signs any tree in a bundle, and says so."""
    newer = Signer(VKEY.name, Ed25519PrivateKey.generate())
    published = Policy.parse(f"log {newer.vkey}\nlog {VKEY}\nquorum none\n")
    for name, signer, wanted in (("old", SIGNER, True), ("new", newer, False)):
        publish(tmp_path / name / "log", entries(40), signer=signer)
        source = Source(tmp_path / name / "log", signer.vkey)
        bundle.write(tmp_path / name / "bundle", source, indexes=range(40), selection={})
        report = verify_bundle(tmp_path / name / "bundle", published)
        assert (report.ok, "bundle.old-key" in codes(report, amber=True)) == (True, wanted)


# --- what it says of itself ---------------------------------------------------------------------------------------

RELABELLED = {
    "another project": {"project": "P-2"},
    "another action": {"action": "thing.take"},
    "actions of another kind": {"action": "role."},
    "another outcome": {"outcome": "denied"},
    "a session that none has": {"session": "s-1"},
    "a reason that none has": {"reason": "log.inspection"},
    "a later day": {"begin": "2026-01-02"},
    "an earlier day": {"end": "2025-12-31"},
    "a later moment": {"since": "2026-01-01 00:00:00.000252"},
    "an earlier moment": {"until": "2026-01-01 00:00:00.000250"},
}


@pytest.mark.parametrize("case", RELABELLED)
def test_a_bundle_with_another_label_is_refused(copy, case) -> None:
    relist(copy, selection=RELABELLED[case])
    report = verify_bundle(copy, VKEY)
    assert [claim.code for claim in report.failures] == ["bundle.selection"]
    ((name, value),) = RELABELLED[case].items()
    assert f"{name}={value}" in report.failures[0].en


RIGHT = {
    "all that can be seen": {"project": "P-1", "action": "thing.", "outcome": "done"},
    "its Korean day": {"begin": "2026-01-01", "end": "2026-01-01"},
    "its moments": {"since": "2026-01-01 00:00:00", "until": "2026-01-01 00:00:01"},
    "what only the log knows": {"actor": "kim", "text": "이유", "recent": "7"},
    "no calendar's days": {"begin": "0001-01-01", "end": "9999-12-31", "since": "soon"},
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_label_that_its_entries_meet_stays_amber_and_is_shown(copy, case) -> None:
    """Three entries that meet it may have been left out: nothing in the bundle tells."""
    relist(copy, selection=RIGHT[case])
    last = verify_bundle(copy, VKEY).claims[-1]
    assert (last.code, last.ok, last.amber) == ("bundle.selection", True, True)
    assert all(f"{name}={value}" in last.en for name, value in RIGHT[case].items())


# --- what it does to the program ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json.py", "argparse.py", "cryptography/__init__.py", "sitecustomize.py"])
def test_nothing_beside_the_verifier_is_loaded(copy, name) -> None:
    """Even where the forger lists it, so that no file is one too many."""
    (copy / name).parent.mkdir(exist_ok=True)
    put(copy, name, "import sys\nprint('everything holds')\nsys.exit(0)\n")
    put(copy, "README.txt", "changed")
    done = as_an_auditor(copy, "--key", str(VKEY))
    assert done.returncode == 1
    assert "everything holds" not in done.stdout
    relist(copy)
    assert "files are as listed" in as_an_auditor(copy, "--key", str(VKEY)).stdout


@pytest.mark.parametrize("name", ["x\n✓ all holds\nResult: everything holds", "x\x1b[2K\r✓", "x\u202e✓", "x\u2028✓"])
def test_no_name_in_a_bundle_draws_a_line_of_the_report(copy, name) -> None:
    put(copy, name, "")
    report = verify_bundle(copy, VKEY)
    for lang in ("ko", "en"):
        text = report.text(lang)
        assert len(text.splitlines()) == len(report.claims) + 1
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["README.txt", "manifest.json"])
def test_a_pipe_is_refused_and_not_waited_for(copy, name) -> None:
    (copy / name).unlink()
    os.mkfifo(copy / name)
    done = as_an_auditor(copy, "--key", str(VKEY))
    assert (done.returncode, f"No ordinary file: {name}" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000", "tile/0/001"])
@pytest.mark.parametrize("odd", ["pipe", "device"])
def test_a_log_folder_with_something_endless_in_it_is_refused_unread(log, sound, name, odd) -> None:
    (log / name).unlink()
    if odd == "pipe":
        os.mkfifo(log / name)
    else:
        (log / name).symlink_to("/dev/zero")
    done = as_an_auditor(sound, str(log), "--key", str(VKEY))
    assert (done.returncode, f"Not part of the log: {name}" in done.stdout) == (1, True)


def test_a_manifest_that_lies_elsewhere_is_refused(copy) -> None:
    (copy / "manifest.json").rename(copy.parent / "elsewhere.json")
    (copy / "manifest.json").symlink_to(copy.parent / "elsewhere.json")
    assert [claim.code for claim in verify_bundle(copy, VKEY).failures] == ["bundle.file-link"]


def test_a_witness_beyond_the_calendar_is_no_reason_to_break_off(tmp_path) -> None:
    mine = Cosigner("audit.test/w1", ED25519, bytes(32))
    policy = Policy.parse(f"log {VKEY}\nwitness w1 {mine.vkey}\nquorum w1\n")
    publish(tmp_path / "log", entries(3))
    bundle.write(tmp_path / "bundle", Source(tmp_path / "log", VKEY), indexes=range(3), selection={})
    edge = Edge()
    edge.extend(entries(3))
    checkpoint = Checkpoint(VKEY.name, 3, edge.root())
    note = SIGNER.sign(str(checkpoint)) + mine.cosign(checkpoint, time=2**63 - 1) + "\n"
    put(tmp_path / "bundle", "checkpoint", note)
    for each in (tmp_path / "bundle/proofs").iterdir():
        text = each.read_text()
        each.write_text(text[: text.index("\n\n") + 2] + note)
    relist(tmp_path / "bundle")
    report = verify_bundle(tmp_path / "bundle", policy)
    assert (report.ok, "9999-12-31" in report.text("en")) == (True, True)


def test_an_entry_is_refused_however_deep_it_is_nested() -> None:
    for depth in range(900, 1100):
        try:
            decode(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
        except EntryError:
            continue


def test_what_a_selection_says_is_text_alone(copy) -> None:
    said = json.loads((copy / "manifest.json").read_text())["selection"] | {"note": "x\n✓ complete"}
    relist(copy, selection=said)
    assert "\n✓ complete" not in verify_bundle(copy, VKEY).text("en")
