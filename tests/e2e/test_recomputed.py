"""Tables and models made in a real kernel: looked at, mended, asked for, and recomputed on the checker's screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.acts import cell, kernel_of, printed
from tests.e2e.browsing import shot, visitors

# A folder of its own: the scientist's stays as it is.
MADE = """
import hashlib, json, os, ansim
from ansim import recipes
from pathlib import Path
os.makedirs('/tmp/recomputed', exist_ok=True)
os.chdir('/tmp/recomputed')
ansim.table('nafld/patients', ['age_band', 'sex'], aggfunc='persons').save('groups.csv')
cross = ansim.crosstab('age_band', 'status', 'nafld/patients', aggfunc='persons', margins=True, suppress=False)
cross.save('cross.csv')
ansim.model('ols', 'value ~ C(patients.sex)', 'nafld/labs', join='patients', where="test == 'hdl'").save('model.csv')
def looked(*names):
    found = [ansim.egress.preflight(name).files[0] for name in names]
    return [[f.name, f.verdict, f.recomputed, [[x.rule, x.place] for x in f.findings]] for f in found]
"""
ASKED = """
made = ansim.egress.submit({files!r}, purpose='시험 표와 모형', context='다시 계산 시험', again=True)
print(json.dumps(made.id))
"""
FORGED = """
rows = Path('groups.csv').read_text().splitlines()
honest = rows[1].rsplit(',', 1)
Path('forged.csv').write_text('\\n'.join([rows[0], honest[0] + ',' + str(int(honest[1]) + 1), *rows[2:]]) + '\\n')
digest = hashlib.sha256(Path('forged.csv').read_bytes()).hexdigest()
recipes.remember(digest, recipes.recall(hashlib.sha256(Path('groups.csv').read_bytes()).hexdigest()))
found = ansim.egress.preflight('forged.csv')
said = repr(found)
file = found.files[0]
print(json.dumps([file.verdict, file.recomputed, [[x.rule, x.place] for x in file.findings], honest[1], said]))
"""


@pytest.fixture(scope="module")
def kernel(world):
    """Mina's kernel with what she made in it."""
    with kernel_of(world.session("mina")) as opened:
        cell(opened, MADE)
        yield opened


def test_tables_and_models_are_recomputed_before_anything_is_asked(kernel):
    table, cross, model = printed(kernel, "print(json.dumps(looked('groups.csv', 'cross.csv', 'model.csv')))")
    assert table[:4] == ["groups.csv", "PASS", "match", []]
    assert cross[1] == "BLOCK"
    small = [place for rule, place in cross[3] if rule == "recompute.small"]
    assert small
    assert all(re.match(r"R\d+ C\d+ ", place) for place in small), "the cell is named"
    assert (model[2], model[1] != "BLOCK") == ("match", True), model


def test_the_cell_that_fails_is_mended_in_one_step_and_the_new_file_is_recomputed_too(kernel):
    code = "print(json.dumps(looked(str(ansim.egress.repair('cross.csv', how='suppress').name))))"
    [mended] = printed(kernel, code)
    assert mended[:4] == ["cross.repaired.csv", "PASS", "match", []]
    assert cell(kernel, "print(Path('cross.repaired.csv').read_text().count('*'))") != "0"


@pytest.fixture(scope="module")
def asked(kernel):
    """A request with the table, the mended one and the model."""
    return printed(kernel, ASKED.format(files=["groups.csv", "cross.repaired.csv", "model.csv"]))


def test_the_checker_sees_that_each_was_made_again_and_is_the_same(world, asked):
    with visitors(world) as people, people.window("dahye") as (page, heard):
        page.goto(f"{world.session('dahye').portal}/review/{asked}")
        lines = page.locator(".glance tbody tr")
        expect(lines).to_have_count(3)
        for number in range(3):
            expect(lines.nth(number)).to_contain_text("다시 계산: 일치")
        first = page.locator(".file").first.locator(".evidence").first
        counts = re.search(r"([\d,]+) / ([\d,]+)", first.locator("summary").inner_text())
        assert counts
        assert counts[1] == counts[2] != "0"
        first.locator("summary").click()
        shot(page, "review-recomputed")
        assert not heard.errors


def test_a_forged_number_is_stopped_at_its_cell_and_the_true_one_is_told_to_checkers_alone(world, kernel):
    verdict, recomputed, found, true, said = printed(kernel, FORGED)
    assert (verdict, recomputed) == ("BLOCK", "mismatch")
    assert found == [["recompute.number", "R2 C3 (persons)"]]
    assert not re.search(rf"\b{true}\b", said), "those who ask do not learn the true number"
    request = printed(kernel, ASKED.format(files=["forged.csv"]))
    with visitors(world) as people, people.window("dahye") as (page, _):
        page.goto(f"{world.session('dahye').portal}/review/{request}")
        expect(page.locator(".glance tbody tr")).to_contain_text("다시 계산: 불일치")
        wrong = page.locator(".evidence tr.wrong")
        expect(wrong).to_have_count(1)
        assert wrong.locator("td").all_inner_texts()[:5:4] == ["R2 C3 (persons)", true]
        page.locator("[data-jump]").first.press("Enter")
        expect(page.locator("td.mark.block")).to_be_focused()
        shot(page, "review-forged")
