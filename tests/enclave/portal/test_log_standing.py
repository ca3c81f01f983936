"""What stands beside every checkpoint that a page shows: green, amber or red by what witnesses outside have seen."""

from __future__ import annotations

from audit.anchors import Anchors
from audit.asking import read_questions, write_answer
from audit.carry import hand_out, take_in
from audit.reader import LogReader
from audit.witness import Witness
from enclave import clock
from enclave.commands.anchoring import log_key
from tests.enclave.portal.world import ROOT, World


def test_the_log_is_green_where_a_witness_has_seen_it_and_red_where_it_contradicts_what_was_seen(world: World) -> None:
    world.publish_log()
    settings = world.settings
    vkey = log_key(settings)
    anchors = Anchors(settings.anchors)
    far = Witness.create(world.home / "far", "audit.test/w1", [vkey])
    lines = [f"witness w{number} {each.vkey}" for number, each in enumerate(far.cosigners)]
    anchors.keep_policy("\n".join([f"log {vkey}", *lines, "group g all w0 w1", "quorum g", ""]))
    size = hand_out(LogReader(settings.log, vkey), anchors, settings.witness)
    answer = far.consider(read_questions(settings.witness), time=int(clock.now().timestamp()))
    write_answer(settings.witness, f"{size}.w.cosignature", answer.lines)
    take_in(anchors, anchors.policy(vkey), settings.witness)
    browser = world.browser("haneul")
    assert 'class="note ok"' in browser.get(f"{ROOT}/log/3").text
    assert 'class="tag ok"' in browser.get(f"{ROOT}/log").text
    anchors.path(size).rename(anchors.path(size + 1))
    assert 'class="note stop"' in browser.get(f"{ROOT}/log/3").text
    assert 'class="tag stop"' in browser.get(f"{ROOT}/log?lang=en").text
