"""The witness on another machine, by a folder: what it cosigns, what it refuses, and what its word is worth here."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import standalone, witnessing
from audit.anchors import Anchors
from audit.asking import Question, read_questions, write_answer
from audit.carry import hand_out, take_in
from audit.cli import audit
from audit.errors import AuditError, LogConflictError, NoteError, WitnessError
from audit.merkle import leaf_hash
from audit.note import Checkpoint, Signer
from audit.policy import Policy
from audit.reader import LogReader
from audit.standing import standing
from audit.verify import verify_log
from audit.witness import Witness
from tests.audit.logs import SIGNER, VKEY, entries, publish

TIME = 1_764_000_000
NAME = "audit.test/w1"
DATA = entries(900)


class Office:
    """An enclave's log and anchors, a stick, and the witness of another office."""

    def __init__(self, folder: Path) -> None:
        self.log, self.anchors, self.drop = folder / "log", Anchors(folder / "anchors"), folder / "stick"
        self.home = folder / "witness"
        self.witness = Witness.create(self.home, NAME, [VKEY])
        self.data = list(DATA)
        lines = [f"witness w{number} {each.vkey}" for number, each in enumerate(self.witness.cosigners)]
        self.anchors.keep_policy("\n".join([f"log {VKEY}", *lines, "group g all w0 w1", "quorum g", ""]))
        self.policy = self.anchors.policy(VKEY)
        self.edge = publish(self.log, self.data[:300])

    def grow(self, size: int) -> None:
        self.edge = publish(self.log, self.data[:size], edge=self.edge)

    def ask(self, log: Path | None = None) -> int:
        return hand_out(LogReader(log or self.log, VKEY), self.anchors, self.drop)

    def sign(self) -> int:
        return witnessing.main(["sign", str(self.home), str(self.drop)])

    def take(self):
        return take_in(self.anchors, self.policy, self.drop)

    def look(self):
        return verify_log(self.log, self.policy, anchors=self.anchors.folder)


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path)


def test_a_checkpoint_goes_out_and_its_cosignatures_come_back(office, capsys) -> None:
    assert office.ask() == 300
    assert office.sign() == 0
    assert "0건에서 300건으로" in capsys.readouterr().out
    (taken,) = office.take()
    assert (taken.size, taken.names, taken.quorum) == (300, ("w0", "w1"), True)
    claim = office.look().claims[-1]
    assert (claim.code, claim.amber) == ("anchor.quorum", False)


def test_what_the_witness_has_not_seen_yet_is_amber_and_its_next_word_covers_it(office) -> None:
    office.ask(), office.sign(), office.take()
    office.grow(700)
    report = office.look()
    assert report.ok
    assert (report.claims[-1].code, report.claims[-1].amber) == ("anchor.short", True)
    assert "400건은 아직" in report.claims[-1].ko
    office.ask(), office.sign(), office.take()
    assert not office.look().amber
    assert office.witness.last(VKEY.name).size == 700


def test_the_status_of_the_log_says_how_far_it_was_seen_and_of_any_of_its_beginnings(office) -> None:
    def status(*arguments: object):
        return CliRunner().invoke(audit, ["status", *map(str, arguments)])

    assert "△ 필요한 수의 증인(정족수)이 확인한 확인점이 아직 없습니다" in status(office.log).output
    office.ask(), office.sign(), office.take()
    assert "✓ 증인(w0, w1)이" in status(office.log).output
    office.grow(700)
    office.ask()  # and nobody has answered yet
    state = json.loads(status(office.log, "--json", "--anchors", office.anchors.folder).output)
    assert (state["look"], state["witnessed"], state["size"]) == ("warn", 300, 700)
    assert standing(office.log, office.anchors.folder, size=300).look == "ok"
    assert standing(office.log, office.anchors.folder, size=301).look == "warn"
    assert [standing(office.log, office.anchors.folder).covers(index) for index in (299, 300)] == [True, False]
    rewritten(office)
    assert "✗ 밖에서 본 확인점은 700건인데" in status(office.log).output
    (office.anchors.folder / "policy").unlink()
    assert "△ 정책 파일이 없습니다" in status(office.log).output


def test_the_same_folder_signed_twice_is_no_rollback_and_taken_in_once(office) -> None:
    office.ask(), office.sign(), office.take()
    assert office.sign() == 0
    assert [taken.names for taken in office.take()] == []


def test_an_answer_that_was_lost_on_the_way_is_made_good_by_the_next(office) -> None:
    office.ask(), office.sign()
    shutil.rmtree(office.drop)
    office.grow(500)
    office.ask()
    assert office.sign() == 0
    assert [taken.size for taken in office.take()] == [500]


def test_a_witness_that_stands_elsewhere_says_where_and_is_asked_from_there(office, capsys) -> None:
    office.ask(), office.sign()
    shutil.rmtree(office.drop)
    shutil.rmtree(office.anchors.folder)
    office.grow(500)
    office.ask()
    assert office.sign() == 1
    assert "[witness.no-proof]" in capsys.readouterr().err
    office.ask()
    assert office.sign() == 0


# --- an enclave that lies ------------------------------------------------------------------------------------------


def rewritten(office: Office) -> None:
    data = [*office.data[:7], office.data[7].replace(b"done", b"dune"), *office.data[8:600]]
    shutil.rmtree(office.log)
    publish(office.log, data)


def two_views(office: Office) -> None:
    shutil.rmtree(office.log)
    publish(office.log, [*office.data[:299], office.data[400]])


def rolled_back(office: Office) -> None:
    shutil.rmtree(office.log)
    publish(office.log, office.data[:200])


@pytest.mark.parametrize(
    ("lie", "code", "words"),
    [
        (rewritten, "witness.rewritten", "다시 쓰였습니다"),
        (two_views, "witness.split-view", "두 갈래"),
        (rolled_back, "witness.rolled-back", "지난번 300건, 이번 200건"),
    ],
)
def test_a_log_that_does_not_extend_what_was_seen_is_refused_and_kept_as_evidence(
    office, lie, code, words, capsys
) -> None:
    office.ask(), office.sign(), office.take()
    kept = (office.log / "checkpoint").read_bytes()
    lie(office)
    shutil.rmtree(office.drop)
    shutil.rmtree(office.anchors.folder)
    write_answer(office.drop, "w.size", "300\n")
    office.ask()
    capsys.readouterr()
    assert office.sign() == 1
    told = capsys.readouterr().err
    assert f"[{code}]" in told
    assert words in told
    assert list((office.drop / "answer").glob("*.cosignature")) == []
    (evidence,) = (office.home / "evidence").iterdir()
    assert evidence.read_bytes() == (office.log / "checkpoint").read_bytes() != kept
    assert office.witness.last(VKEY.name).size == 300


def test_the_verifier_sees_the_same_lies_against_what_the_witness_signed(office) -> None:
    office.ask(), office.sign(), office.take()
    for lie, code in ((rewritten, "anchor.rewritten"), (rolled_back, "anchor.log-shorter")):
        lie(office)
        assert [claim.code for claim in office.look().failures] == [code]


def test_a_kept_checkpoint_under_another_size_is_another_checkpoint(office) -> None:
    office.ask(), office.sign(), office.take()
    office.anchors.path(300).rename(office.anchors.path(299))
    assert [claim.code for claim in office.look().failures] == ["anchor.other"]


def test_an_enclave_that_shows_two_views_cannot_even_hand_out_the_second(office) -> None:
    office.ask()
    two_views(office)
    with pytest.raises(LogConflictError) as caught:
        office.ask()
    assert caught.value.code == "audit.two-views"


def question(signer: Signer = SIGNER, size: int = 300, root: bytes | None = None, old: int = 0) -> Question:
    note = signer.sign(str(Checkpoint(signer.name, size, root or leaf_hash(b"any"))))
    return Question(old, (), note)


STRANGER = Signer(VKEY.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER_LOG = Signer("other.test/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (question(STRANGER), "audit.untrusted-key"),
        (question(OTHER_LOG), "witness.unknown-log"),
        (Question(0, (), question().note.replace("\n300\n", "\n301\n")), "audit.bad-signature"),
        (question(old=5), "witness.no-proof"),
        (Question(0, (leaf_hash(b""),), question().note), "witness.rewritten"),
        (question(size=0), "witness.split-view"),
    ],
    ids=["stranger", "other log", "changed", "no proof", "proof where none belongs", "empty tree of another root"],
)
def test_a_checkpoint_that_cannot_be_vouched_for_is_not_cosigned(office, asked, code) -> None:
    with pytest.raises(AuditError) as caught:
        office.witness.consider([asked], time=TIME)
    assert caught.value.code == code
    assert office.witness.last(VKEY.name).size == 0


def test_a_proof_for_another_checkpoint_on_the_same_stick_proves_nothing(office) -> None:
    office.ask(), office.sign()
    office.grow(600)
    office.ask()
    good = read_questions(office.drop)
    lie = question(size=600)
    with pytest.raises(WitnessError) as caught:
        office.witness.consider([lie, *good], time=TIME)
    assert caught.value.code == "witness.no-proof"


# --- what comes back on the stick ----------------------------------------------------------------------------------


def answer(office: Office) -> Path:
    (path,) = (office.drop / "answer").glob("*.cosignature")
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.unlink(), "witness.no-answer"),
        (lambda path: path.rename(path.with_name("301." + path.name.split(".", 1)[1])), "witness.no-checkpoint"),
        (lambda path: path.write_text(path.read_text().replace(NAME, "audit.test/w2")), "witness.not-ours"),
        (lambda path: path.write_text(path.read_text()[:40] + "AAAA" + path.read_text()[44:]), "audit.bad-signature"),
        (lambda path: path.write_text("hello\n"), "audit.bad-note"),
        (lambda path: path.write_text("x\n\n" + path.read_text()), "audit.bad-note"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "witness.bad-answer"),
        (lambda path: path.write_bytes(b"x" * (1 << 21)), "witness.bad-answer"),
    ],
    ids=["gone", "other size", "other name", "changed", "no line", "a whole note", "no text", "huge"],
)
def test_an_answer_that_proves_nothing_is_refused_and_nothing_of_it_is_kept(office, change, code) -> None:
    office.ask(), office.sign()
    before = office.anchors.note(300)
    change(answer(office))
    with pytest.raises(AuditError) as caught:
        office.take()
    assert caught.value.code == code
    assert office.anchors.note(300) == before


def test_one_of_two_cosignatures_is_no_quorum(office) -> None:
    office.ask(), office.sign()
    answer(office).write_text(answer(office).read_text().splitlines(keepends=True)[0])
    (taken,) = office.take()
    assert (taken.names, taken.quorum) == (("w0",), False)
    last = office.look().claims[-1]
    assert (last.code, last.amber) == ("anchor.no-quorum", True)


def test_a_cosignature_over_another_log_is_of_no_use_here(office, tmp_path) -> None:
    office.ask(), office.sign()
    other = Office(tmp_path / "other")
    other.data[5] = b"another"
    shutil.rmtree(other.log)
    publish(other.log, other.data[:300])
    other.ask()
    shutil.copytree(office.drop / "answer", other.drop / "answer")
    with pytest.raises(NoteError) as caught:
        take_in(other.anchors, office.policy, other.drop)
    assert caught.value.code == "audit.bad-signature"


@pytest.mark.parametrize(
    "text", ["", "old 1\n", "old 01\n\nx\n", "old 1\nAAAA\n\nx\n", "old 1\n" + "A" * 44 + "\n\nx\n"]
)
def test_a_malformed_question_is_refused(office, text, capsys) -> None:
    office.ask()
    (office.drop / "ask/0.add-checkpoint").write_text(text)
    assert office.sign() == 1
    assert "[witness.bad-question]" in capsys.readouterr().err


# --- the program ---------------------------------------------------------------------------------------------------


def test_the_one_file_witness_works_alone_on_another_machine(office, tmp_path) -> None:
    program = tmp_path / "witness.py"
    assert CliRunner().invoke(audit, ["program", "witness", str(program)]).exit_code == 0
    assert program.read_text() == standalone.witness()

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)

    home = tmp_path / "far"
    (tmp_path / "log.pub").write_text(f"{VKEY}\n")
    made = run("init", home, "--name", "far.test/w9", "--log", tmp_path / "log.pub")
    assert made.returncode == 0, made.stderr
    lines = "\n".join(line for line in made.stdout.splitlines() if not line.startswith("#"))
    policy = Policy.parse(f"log {VKEY}\n{lines}\n")
    office.ask()
    assert run("sign", home, office.drop).returncode == 0
    (taken,) = take_in(office.anchors, policy, office.drop)
    assert (taken.names, taken.quorum) == (("witness-1", "witness-2"), True)
    assert "300건까지" in run("show", home).stdout
    again = run("init", home, "--name", "far.test/w9", "--log", VKEY, "--lang", "en")
    assert (again.returncode, again.stdout) == (1, f"✗ {home} holds a witness's key already\n")
    assert run("sign", tmp_path / "nowhere", office.drop).returncode == 1
    for wrong in (("init", home), ("sign", home), ("trust", home), ("dance", home)):
        assert run(*wrong).returncode == 2


def test_the_command_of_the_group_is_the_same_program(office) -> None:
    office.ask()
    done = CliRunner().invoke(audit, ["witness", "sign", str(office.home), str(office.drop), "--lang", "en"])
    assert done.exit_code == 0
    assert "Extends 0 to 300 entries" in done.output


def test_two_runs_of_the_program_wait_for_each_other(office) -> None:
    """Else both would look at the same last size, and one could cosign what the other's contradicts."""
    office.ask()
    held = os.open(office.home, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = re.compile(rf"-> FLOCK .*:{os.fstat(held).st_ino} ")
    done: list[int] = []
    other = threading.Thread(target=lambda: done.append(office.sign()))
    other.start()
    while other.is_alive() and not waiting.search(Path("/proc/locks").read_text()):
        time.sleep(0.01)
    assert done == []
    os.close(held)
    other.join()
    assert done == [0]


def test_a_witness_follows_the_logs_key_only_when_it_is_told(office, capsys) -> None:
    office.ask(), office.sign()
    publish(office.log, office.data[:400], edge=office.edge, signer=STRANGER)
    drop = office.drop
    hand_out(LogReader(office.log, STRANGER.vkey), office.anchors, drop)
    assert office.sign() == 1
    assert witnessing.main(["trust", str(office.home), "--log", str(STRANGER.vkey)]) == 0
    assert office.sign() == 0
    assert Witness(office.home).last(VKEY.name).size == 400


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.chmod(0o644),
        lambda path: path.write_text(path.read_text().replace("audit.test", "odit.test")),
        lambda path: path.write_text("nothing\n"),
    ],
)
def test_a_key_file_that_is_open_or_damaged_signs_nothing(office, damage) -> None:
    damage(office.home / "witness.key")
    with pytest.raises(NoteError) as caught:
        Witness(office.home)
    assert caught.value.code == "audit.bad-key-file"


def test_without_ml_dsa_a_witness_signs_with_one_key_and_says_so(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("audit.cosignature._MLDSA", None)
    assert witnessing.main(["init", str(tmp_path / "w"), "--name", NAME, "--log", str(VKEY)]) == 0
    assert "ML-DSA-44가 없어" in capsys.readouterr().out
    assert len(Witness(tmp_path / "w").cosigners) == 1
