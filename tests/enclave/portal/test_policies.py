"""Policies of providers on the page, in REST and at the console: proposed, replayed, activated."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from enclave import clock
from enclave.commands import provider_policy
from enclave.policy.provider.document import default, parse
from enclave.policy.provider.fields import FIELDS
from enclave.portal import replaying
from enclave.portal.forms import Form
from enclave.portal.pages.policies import text_of
from enclave.queries import provider_policy as queries
from tests.enclave.portal.test_browser import Open, complaints, visit
from tests.enclave.portal.test_replaying import decided, history, look, proposed
from tests.enclave.portal.world import ROOT, TABLE, World
from tests.enclave.provider.policies import policy

__all__ = ["complaints", "history", "visit"]
STRICT = policy(min_cell=100)


def fields(**other: object) -> dict[str, str]:
    values = {name: getattr(default(), name) for name in FIELDS} | other
    return {f"p_{name}": " ".join(value) if isinstance(value, tuple) else str(value) for name, value in values.items()}


def api(world: World, login: str, method: str, path: str, body: object = None) -> httpx.Response:
    return world.browser(login).api(method, path, body)


def in_force(world: World) -> int:
    with world.store.read() as session:
        return queries.active(session, "bitgoeul").number


def test_a_flip_is_proposed_shown_and_put_into_force_with_the_keyboard(
    world: World, history: dict[str, str], visit: Open, complaints: list[str]
) -> None:
    page = visit("suyeon", "/policies")
    page.get_by_text("새 정책 제안하기").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("최소 셀 빈도").fill("100")
    page.get_by_label("바꾸는 까닭").fill("희귀질환 자료라서")
    page.get_by_label("바꾸는 까닭").press("Enter")
    expect(page.get_by_text("최소 셀 빈도(명): 10 → 100 (강화)")).to_be_visible()
    expect(page.get_by_text("지난 결정 2건 중 0건 재판정")).to_be_visible()
    expect(page.get_by_role("button", name="이 정책 적용하기")).to_have_count(0)
    replaying.turn(world.portal)
    expect(page.get_by_text("지난 결정 2건 중 2건 재판정")).to_be_visible(timeout=15_000)  # by itself
    place = page.url.partition(ROOT)[2]
    page = visit("yerin", place)
    row = page.get_by_role("row", name=history["left"])
    expect(row).to_contain_text("나갔으나 막힐 것")
    expect(row).to_contain_text("cell.small")
    expect(row).to_contain_text("2 → 3")
    assert page.get_by_role("row").nth(1).inner_text().startswith(history["left"]), "flips come first"
    page.get_by_label("일회용 비밀번호").fill(world.code("yerin"))
    page.get_by_label("일회용 비밀번호").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("정책을 적용했습니다")
    assert in_force(world) == 2
    page = visit(
        "dahye",
        f"/review/{world.submit({'b.csv': TABLE.encode() + b'80'.join([b'', b',F,300,1']) + chr(10).encode()})}",
    )
    expect(page.locator("main")).to_contain_text(STRICT.sha256[:12])
    assert complaints == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (fields(min_cell=4), "policy.floor"),
        (fields(min_cell="열"), "policy.kind"),
        (fields(block="cell.smal"), "policy.warning"),
        (fields(committee=4), "policy.reviewers"),
        (fields() | {"text": "min_cell = 4"}, "policy.format"),
        (fields(), "policy.same"),
        (fields(max_rows=10) | {"reason": ""}, "input.missing"),
    ],
)
def test_a_form_that_is_refused_says_why_and_keeps_what_was_typed(
    world: World, sent: dict[str, str], code: str
) -> None:
    answer = world.browser("suyeon").form("/policies/bitgoeul", **({"reason": "이유"} | sent))
    assert code in answer.text
    assert f'value="{sent["p_min_cell"]}"' in answer.text


def test_a_form_says_the_same_file_as_the_policy_it_began_with() -> None:
    other = policy(block=("cell.zero", "text.long"), max_rows=2000)
    sent = {name: getattr(other, name) for name in FIELDS}
    assert parse(text_of(Form(tuple(fields(**sent).items())))) == other


@pytest.mark.parametrize("login", ["jiwoo", "mina", "operator", "dahye", "haneul"])
def test_nobody_else_proposes_or_activates_by_any_door(world: World, login: str) -> None:
    made = proposed(world, STRICT)
    replaying.turn(world.portal)
    body = {"sha256": made.sha256, "code": world.code(login)}
    assert api(world, login, "POST", f"/policies/{made.id}/activate", body).status_code == 403
    new = {"text": policy(max_rows=10).canonical(), "reason": "x"}
    assert api(world, login, "POST", "/providers/bitgoeul/policies", new).status_code == 403
    browser = world.browser(login)
    assert browser.form("/policies/bitgoeul", reason="x", **fields(max_rows=10)).status_code == 403
    assert browser.form(f"/policies/version/{made.id}/activate", **body).status_code in {403, 303}
    assert in_force(world) == 1


def refused(world: World, login: str, address: str, body: dict[str, str]) -> tuple[int, str]:
    """What the page says to an activation that is refused: status and code; with a fresh second factor."""
    answer = world.browser(login).form(address, **body, code=world.code(login))
    found = re.search(r"\((policy\.[a-z-]+|role\.[a-z-]+)\)", answer.text)
    return answer.status_code, found[1] if found else ""


def test_page_and_rest_refuse_the_proposer_the_company_and_a_replay_that_is_out_of_date(
    world: World, history: dict[str, str]
) -> None:
    made = proposed(world, STRICT)
    replaying.turn(world.portal)
    page, rest, body = f"/policies/version/{made.id}/activate", f"/policies/{made.id}/activate", {"sha256": made.sha256}
    assert refused(world, "suyeon", page, body) == (403, "policy.two-person")
    assert refused(world, "mina", page, body)[0] == 403
    company = api(world, "mina", "POST", rest, body | {"code": ""})
    assert (company.status_code, company.json()["code"]) == (403, "role.missing")
    assert refused(world, "yerin", page, {"sha256": "0" * 64}) == (409, "policy.swapped")
    decided(world, world.submit({"later.csv": TABLE.encode() + "90대,F,300,1\n".encode()}))
    late = api(world, "yerin", "POST", rest, body | {"code": ""})
    assert (late.status_code, late.json()["code"]) == (409, "policy.replay-stale")
    assert world.browser("yerin").form(page, **body, code="").status_code == 409
    assert in_force(world) == 1


@pytest.mark.parametrize("login", ["jiwoo", "mina"])
def test_the_company_does_not_see_what_other_requests_would_have_been(world: World, login: str) -> None:
    made = proposed(world, STRICT)
    assert api(world, login, "GET", f"/policies/{made.id}").status_code == 403
    assert world.browser(login).get(f"{ROOT}/policies/version/{made.id}").status_code == 403
    assert world.browser(login).get(f"{ROOT}/policies/version/{made.id}/file").status_code == 403


def test_rest_proposes_shows_and_activates(world: World, history: dict[str, str]) -> None:
    made = api(world, "suyeon", "POST", "/providers/bitgoeul/policies", {"text": STRICT.canonical(), "reason": "보호"})
    assert made.status_code == 201, made.text
    told = made.json()
    early = api(
        world,
        "yerin",
        "POST",
        f"/policies/{told['id']}/activate",
        {"sha256": told["sha256"], "code": world.code("yerin")},
    )
    assert (early.status_code, early.json()["code"]) == (409, "policy.not-replayed")
    replaying.turn(world.portal)
    shown = api(world, "yerin", "GET", f"/policies/{told['id']}").json()
    assert (shown["state"], shown["flips"], shown["allowed"]) == ("replayed", 1, ["activate"])
    own = api(
        world,
        "suyeon",
        "POST",
        f"/policies/{told['id']}/activate",
        {"sha256": told["sha256"], "code": world.code("suyeon")},
    )
    assert (own.status_code, own.json()["code"]) == (403, "policy.two-person")
    stale = api(world, "yerin", "POST", f"/policies/{told['id']}/activate", {"sha256": "0" * 64, "code": ""})
    assert stale.status_code in {403, 409}


def test_the_file_that_is_handed_out_is_the_version(world: World) -> None:
    made = proposed(world, STRICT)
    answer = world.browser("yerin").get(f"{ROOT}/policies/version/{made.id}/file")
    assert answer.text == STRICT.canonical()
    assert parse(answer.text).sha256 == made.sha256


def test_files_are_checked_and_asked_for_under_what_is_in_force(world: World) -> None:
    made = proposed(world, STRICT)
    replaying.turn(world.portal)
    actor = replace(world.actor("yerin"), second_factor_at=clock.now())
    provider_policy.activate(world.store, actor, policy_id=made.id, sha256=made.sha256, now=clock.now())
    from enclave.portal.taking import measures_of

    measures = measures_of(world.portal, world.actor("mina"), world.project_id)
    assert (measures.rules.min_cell, measures.policy) == (100, STRICT)
    request = decided(world, world.submit({"table.csv": TABLE.encode()}))
    shown = api(world, "dahye", "GET", f"/requests/{request}").json()["rounds"][-1]
    assert (shown["policy_version"], shown["policy_parts"]) == (STRICT.sha256, [["bitgoeul", STRICT.sha256]])


def ansim(world: World, *arguments: str | Path, answers: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enclave.cli", *map(str, arguments)]
    environment = {"ANSIM_HOME": str(world.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, check=False, capture_output=True, text=True, input=answers, env=environment)


def test_the_console_checks_shows_and_exports(world: World, tmp_path: Path) -> None:
    made = proposed(world, STRICT)
    replaying.turn(world.portal)
    file = tmp_path / "new.toml"
    file.write_text(ansim(world, "policy", "export", made.id).stdout)
    assert ansim(world, "policy", "check", file).stdout.strip() == made.sha256
    assert ansim(world, "policy", "export").stdout == default().canonical()
    shown = ansim(world, "policy", "show", "bitgoeul").stdout
    assert made.id in shown
    assert "10 → 100" in shown
    assert "0건" in ansim(world, "policy", "replay", made.id).stdout
    file.write_text("min_cell = 4")
    refused = ansim(world, "policy", "check", file)
    assert refused.returncode == 2
    assert "policy.format" in refused.stderr + refused.stdout


def test_at_the_console_persons_propose_and_activate_and_prove_who_they_are(world: World, tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    file.write_text(STRICT.canonical())
    words = ("--provider", "bitgoeul", "--reason", "보호", "--as", "suyeon")
    wrong = ansim(world, "policy", "propose", file, *words, answers="no such password\n000000\n")
    assert wrong.returncode == 3
    right = f"demo-only-suyeon-2026\n{world.code('suyeon')}\n"
    made = ansim(world, "policy", "propose", file, *words, answers=right)
    assert made.returncode == 0, made.stderr
    replaying.turn(world.portal)
    with world.store.read() as session:
        [found] = session.query(queries.ProviderPolicy).all()
    own = ansim(
        world,
        "policy",
        "activate",
        found.id,
        found.sha256,
        "--as",
        "mina",
        answers=f"demo-only-mina-2026\n{world.code('mina')}\n",
    )
    assert own.returncode == 3
    right = f"demo-only-yerin-2026\n{world.code('yerin')}\n"
    done = ansim(world, "policy", "activate", found.id, found.sha256, "--as", "yerin", answers=right)
    assert done.returncode == 0, done.stderr
    assert look(world, found.id).activated_by == "yerin"
