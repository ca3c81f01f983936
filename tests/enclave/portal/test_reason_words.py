"""Reason codes in words on the log's pages, with the code after them; and what its fields suggest."""

from __future__ import annotations

import re

import pytest

from enclave.errors import Denied
from enclave.policy.log_health import Trouble
from enclave.portal import reason_words
from enclave.portal.words import Language
from enclave.queries import logbook
from scripts import refusal_words
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_log_pages import numbers
from tests.enclave.portal.world import ACCOUNTS, ROOT, World


def test_refusals_are_told_as_the_source_says_them() -> None:
    assert refusal_words.FILE.read_text(encoding="utf-8") == refusal_words.text(), "python -m scripts.refusal_words"


@pytest.mark.parametrize("language", Language)
def test_every_code_of_a_closed_list_has_words(language: Language) -> None:
    codes = (*reason_words.CHOSEN, *(f"log.{each.value}" for each in Trouble), "approved", "gpu.time-over")
    assert [code for code in codes if not reason_words.said(language, code)] == []
    assert reason_words.said(language, "nobody.knows") == ""
    assert dict(reason_words.choices(language, "role.missing", "nobody.knows")).keys() >= {"small-cell", "role.missing"}


def test_a_code_that_several_refusals_share_is_told_as_none_of_them_alone() -> None:
    # A wrong password is not "no account belongs to this identity", whatever refusal of that code is the shortest.
    assert "비밀번호" in reason_words.said(Language.KO, "account.wrong")
    assert "password" in reason_words.said(Language.EN, "account.wrong")
    assert "waive" not in reason_words.said(Language.EN, "adequacy.own-work")


@pytest.mark.parametrize("language", list(Language))
def test_a_reason_is_words_with_its_code_after_them_in_results_entry_and_filter(
    world: World, language: Language
) -> None:
    world.browser("jiwoo").get(f"{ROOT}/log")
    world.publish_log()
    browser = world.browser("haneul")
    browser.get(f"{ROOT}/?lang={language.value}")
    said = reason_words.said(language, "role.missing")
    assert said
    listed = browser.get(f"{ROOT}/log?outcome=denied").text
    assert f"{said} <code>role.missing</code>" in listed
    assert f'<option value="role.missing">{said} (role.missing)</option>' in listed
    number = numbers(listed)[0]
    assert f"{said} <code>role.missing</code>" in browser.get(f"{ROOT}/log/{number}").text
    asked = browser.get(f"{ROOT}/log?reason=role.missing").text
    assert number in numbers(asked)
    assert faults(Page(asked)) == []
    world.publish_log()
    view = numbers(browser.get(f"{ROOT}/log?action=log.view").text)[0]
    assert f"{said} <code>role.missing</code>" in browser.get(f"{ROOT}/log/{view}").text


@pytest.mark.parametrize("path", ["/log", "/log/activity"])
def test_fields_of_account_and_project_suggest_what_the_reader_sees_anyway(world: World, path: str) -> None:
    world.publish_log()
    page = world.browser("sora").get(ROOT + path).text
    for field, known in (("actor", "known-actors"), ("project", "known-projects")):
        assert re.search(f'<input id="f-{field}" [^>]*list="{known}"', page)
    actors = page.partition('<datalist id="known-actors">')[2].partition("</datalist>")[0]
    assert set(re.findall('value="([^"]*)"', actors)) >= set(ACCOUNTS)
    assert "김민아" not in actors, "logins, and no names"
    assert f'<option value="{world.project_id}">만성질환 방문 양상 연구</option>' in page
    assert faults(Page(page)) == []


@pytest.mark.parametrize("login", ["operator", "jiwoo", "suyeon", "dahye"])
def test_nobody_else_is_told_logins_or_projects(world: World, login: str) -> None:
    with pytest.raises(Denied):
        logbook.suggestions(world.store, world.actor(login))
