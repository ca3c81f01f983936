"""Several findings of one rule settled with one reason: all or none, an entry each, each refusal told of its own."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import select

from enclave.commands import findings_together, review_limits
from enclave.commands.findings_together import SomeRefused
from enclave.errors import Denied, EnclaveError, Invalid
from enclave.model.logreview import FindingText
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.hit import Rule
from enclave.policy.logreview.limits import Limits
from enclave.queries.logreview import FindingView
from enclave.states import FindingState
from tests.enclave.logreview.office import SECOND, Office

GRANTED = ("nobody", "other-lead")


@pytest.fixture
def week(office: Office) -> list[FindingView]:
    """Two days on which an operator granted something, and one on which the reviewer changed the plan: asked."""
    for login in GRANTED:
        office.grant(login)
        office.later(days=1)
    review_limits.set_plan(office.store, office.actor("reviewer"), plan=Plan("2", 1, 14), reason="개정", now=office.now)
    for _ in range(Limits().denials):
        with suppress(Denied):
            office.close("lead")
    period = office.close()
    found = privilege(office, period.id)
    for each in found:
        office.ask(each.id, login=SECOND)
    return privilege(office, period.id)


def privilege(office: Office, period_id: str) -> list[FindingView]:
    return [each for each in office.period(period_id)[1] if each.rule is Rule.PRIVILEGE]


def states(office: Office, found: list[FindingView]) -> list[str]:
    now = {each.id: each.state.value for each in privilege(office, found[0].period_id)}
    return [now[each.id] for each in found]


def settle(office: Office, found: list[FindingView], verdict: str = "accept", login: str = SECOND, text: str = "정기"):
    ids = [each.id for each in found]
    act = findings_together.settle
    return act(office.store, office.actor(login), finding_ids=ids, verdict=verdict, text=text, now=office.now)


def of_operator(found: list[FindingView]) -> list[FindingView]:
    return [each for each in found if each.login == "operator"]


def test_each_is_settled_with_the_same_words_and_an_entry_of_its_own(office: Office, week: list[FindingView]) -> None:
    mine = of_operator(week)
    assert len(mine) == len(GRANTED)
    for each in mine:
        office.answer(each.id, "operator")
    with office.scene.new_entries() as entries:
        assert settle(office, mine, text="정기 인사 발령") == len(GRANTED)
    assert states(office, mine) == ["accepted"] * len(GRANTED)
    assert [(each["action"], each["object"]["id"], each["outcome"]) for each in entries] == [
        ("finding.accept", each.id, "done") for each in mine
    ]
    assert len({each["details"]["text_sha256"] for each in entries}) == 1
    with office.store.read() as session:
        said = list(session.scalars(select(FindingText.text).where(FindingText.part == FindingState.ACCEPTED)))
    assert said == ["정기 인사 발령"] * len(GRANTED)


def test_if_one_is_refused_none_is_settled_and_each_refusal_is_told_and_recorded(
    office: Office, week: list[FindingView]
) -> None:
    first, second = of_operator(week)
    own = next(each for each in week if each.login == "reviewer")
    office.answer(first.id, "operator")
    office.answer(own.id, "reviewer")
    with office.scene.new_entries() as entries, pytest.raises(SomeRefused) as refused:
        settle(office, week, login="reviewer")
    assert {name: why.code for name, why in refused.value.refused.items()} == {
        second.id: "state.transition",
        own.id: "finding.own-case",
    }
    assert states(office, [first, second, own]) == ["answered", "asked", "answered"]
    told = {each["object"]["id"]: (each["outcome"], each["reason"]["code"]) for each in entries}
    assert told == {
        second.id: ("failed", "state.transition"),
        own.id: ("denied", "finding.own-case"),
    }
    assert settle(office, [first], login="reviewer") == 1


def test_if_somebody_was_quicker_with_one_none_is_settled_and_the_entry_names_it(
    office: Office, week: list[FindingView], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = of_operator(week)
    for each in (first, second):
        office.answer(each.id, "operator")
    looked = findings_together._refusals

    def looked_and_overtaken(*given):
        refused = looked(*given)
        office.accept(second.id)
        return refused

    monkeypatch.setattr(findings_together, "_refusals", looked_and_overtaken)
    with office.scene.new_entries() as entries, pytest.raises(SomeRefused) as refused:
        settle(office, [first, second])
    assert {name: why.code for name, why in refused.value.refused.items()} == {second.id: "state.transition"}
    assert states(office, [first, second]) == ["answered", "accepted"]
    told = [(each["object"]["id"], each["outcome"]) for each in entries]
    assert told == [(second.id, "done"), (second.id, "failed")]


def test_silence_is_escalated_together(office: Office, week: list[FindingView]) -> None:
    assert settle(office, week, "escalate") == len(week)
    assert states(office, week) == ["escalated"] * len(week)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"found": []}, "finding.how-many"),
        ({"verdict": "perhaps"}, "finding.verdict"),
        ({"text": " "}, "input.missing"),
        ({"text": "길" * 4_001}, "finding.text-too-long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_sent_wrong_is_refused_before_anything(
    office: Office, week: list[FindingView], change: dict[str, object], code: str
) -> None:
    before = states(office, week)
    with office.scene.new_entries() as entries, pytest.raises(Invalid) as refused:
        settle(office, **({"found": week, "verdict": "escalate"} | change))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert [each["outcome"] for each in entries] == ["failed"]
    assert states(office, week) == before


def test_findings_of_two_rules_do_not_share_a_reason(office: Office, week: list[FindingView]) -> None:
    others = [each for each in office.period(week[0].period_id)[1] if each.rule is not Rule.PRIVILEGE]
    assert others
    with pytest.raises(Invalid, match="서로 다른 규칙"):
        settle(office, [week[0], others[0]], "escalate")
    assert states(office, week) == ["asked"] * len(week)


@pytest.mark.parametrize("login", ["auditor", "operator", "lead"])
def test_only_reviewers_settle(office: Office, week: list[FindingView], login: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        settle(office, week, "escalate", login)
    assert all(isinstance(each, Denied) for each in refused.value.refused.values())
    assert states(office, week) == ["asked"] * len(week)
