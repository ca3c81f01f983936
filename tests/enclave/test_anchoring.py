"""Witnesses from the enclave's side: each crossing is an entry, nobody but the machine's holder appoints them."""

from __future__ import annotations

import pytest

from audit import rotation, witnessing
from audit.anchors import Anchors
from audit.sequencer import holding
from enclave.actor import Actor
from enclave.commands import anchoring, log_key
from enclave.errors import Conflict, Denied, EnclaveError, Unavailable
from enclave.store import Store
from tests.enclave.anchor_place import Place
from tests.enclave.scene import NOW

CONSOLE = Actor.console()


class Witnessed(Place):
    """An enclave, an office with a witness, and the folder between them."""

    def appoint(self, capsys) -> None:
        log = str(self.signer.vkey)
        assert witnessing.main(["init", str(self.office), "--name", "audit.test/w1", "--log", log]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
        text = "\n".join([f"log {log}", *lines, ""])
        anchoring.set_witness_policy(self.store, self.settings, CONSOLE, text=text, now=NOW)

    def ask(self, actor: Actor = CONSOLE) -> int:
        return anchoring.ask_witness(self.store, self.settings, actor, drop=self.drop, now=NOW)

    def take(self, actor: Actor = CONSOLE):
        return anchoring.take_cosignatures(self.store, self.settings, actor, drop=self.drop, now=NOW)

    def sign(self) -> int:
        return witnessing.main(["sign", str(self.office), str(self.drop)])


@pytest.fixture
def place(shared, tmp_path) -> Witnessed:
    return Witnessed(shared, tmp_path / "place")


def test_the_log_is_amber_until_a_witness_has_seen_all_of_it_and_each_crossing_is_an_entry(place, capsys) -> None:
    assert place.look() == "warn"
    with place.scene.new_entries() as entries:
        place.appoint(capsys)
        size = place.ask()
        assert place.sign() == 0
        (taken,) = place.take()
    assert (taken.size, taken.quorum) == (size, True)
    assert place.look() == "ok"
    assert [(each["action"], each["outcome"]) for each in entries] == [
        ("log.policy", "done"),
        ("log.witness-ask", "done"),
        ("log.witness", "done"),
    ]
    assert entries[0]["details"] == {"witnesses": 2, "logs": 1}
    assert entries[2]["details"] == {"checkpoints": 1, "witnesses": 2, "size": size, "quorum": True}
    place.publish()
    assert place.look() == "warn"


def test_an_answer_that_does_not_hold_is_refused_and_the_refusal_is_an_entry(place, capsys) -> None:
    place.appoint(capsys)
    place.ask(), place.sign()
    (answer,) = (place.drop / "answer").iterdir()
    answer.write_text(answer.read_text()[:40] + "AAAA" + answer.read_text()[44:])
    with place.scene.new_entries() as entries, pytest.raises(Conflict):
        place.take()
    assert [(each["outcome"], each["reason"]["code"]) for each in entries] == [("failed", "audit.bad-signature")]
    assert place.look() == "warn"


def test_a_log_that_contradicts_what_a_witness_signed_is_red(place, capsys) -> None:
    place.appoint(capsys)
    place.ask(), place.sign(), place.take()
    kept = Anchors(place.settings.anchors)
    (size,) = kept.sizes()
    kept.path(size).rename(kept.path(size + 1))
    assert place.look() == "stop"


@pytest.mark.parametrize("login", ["operator", "auditor", "scientist"])
def test_nobody_at_a_browser_hands_out_takes_in_or_appoints(place, login) -> None:
    actor = place.scene.actor(login)
    tries = [
        lambda: place.ask(actor),
        lambda: place.take(actor),
        lambda: anchoring.set_witness_policy(place.store, place.settings, actor, text="quorum none\n", now=NOW),
    ]
    for each in tries:
        with place.scene.new_entries() as entries, pytest.raises(Denied):
            each()
        assert [entry["outcome"] for entry in entries] == ["denied"]
    assert not place.settings.anchors.exists()


def test_the_service_itself_hands_out_but_appoints_nobody(place) -> None:
    assert place.ask(Actor.system()) > 0
    with pytest.raises(Denied):
        anchoring.set_witness_policy(place.store, place.settings, Actor.system(), text="quorum none\n", now=NOW)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("quorum none\n", "log.policy-key"),
        ("nonsense\n", "audit.bad-policy"),
        ("log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\nquorum none\n", "log.policy-key"),
    ],
)
def test_a_policy_that_does_not_fit_this_log_is_refused(place, text, code) -> None:
    with pytest.raises(EnclaveError) as caught:
        anchoring.set_witness_policy(place.store, place.settings, CONSOLE, text=text, now=NOW)
    assert caught.value.code == code
    assert not place.settings.anchors.exists()


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(place, tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    place.drop = tmp_path / "file"
    with pytest.raises(Unavailable, match="ansim-app"):
        place.ask()


def test_an_error_of_the_database_is_not_taken_for_one_of_the_folder(place, tmp_path) -> None:
    store = Store(f"sqlite:///{tmp_path}/nowhere/ansim.sqlite", wait_s=0)
    with pytest.raises(Unavailable) as caught:
        anchoring.ask_witness(store, place.settings, CONSOLE, drop=place.drop, now=NOW)
    assert caught.value.code == "store.gone"
    store.close()
    assert not place.drop.exists()


def test_the_logs_key_is_handed_over_between_two_entries(place) -> None:
    def rotate():
        return rotation.hand_over(place.settings.log, place.settings.keys / "log.key", Anchors(place.settings.anchors))

    with place.scene.new_entries() as entries:
        done = log_key.hand_over_key(place.store, place.settings, CONSOLE, rotate=rotate, now=NOW)
    assert [each["action"] for each in entries] == ["log.key-requested", "log.key-done"]
    assert entries[1]["details"] == {
        "size": place.size,
        "old": place.signer.vkey.key_id.hex(),
        "new": done.new.key_id.hex(),
    }
    assert anchoring.log_key(place.settings) == done.new
    backwards = f"log {done.old}\nlog {done.new}\nquorum none\n"
    with pytest.raises(Conflict) as caught:
        anchoring.set_witness_policy(place.store, place.settings, CONSOLE, text=backwards, now=NOW)
    assert caught.value.code == "log.policy-key"


def test_a_hand_over_under_a_running_sequencer_is_refused_and_recorded(place) -> None:
    def rotate():
        with holding(place.settings.log):
            return rotation.hand_over(place.settings.log, place.settings.keys / "log.key", Anchors(place.drop))

    with place.scene.new_entries() as entries, pytest.raises(Conflict):
        log_key.hand_over_key(place.store, place.settings, CONSOLE, rotate=rotate, now=NOW)
    assert [(each["action"], each["outcome"]) for each in entries] == [
        ("log.key-requested", "done"),
        ("log.key-done", "failed"),
    ]
    for actor in (place.scene.actor("operator"), Actor.system()):
        with pytest.raises(Denied):
            log_key.hand_over_key(place.store, place.settings, actor, rotate=rotate, now=NOW)
