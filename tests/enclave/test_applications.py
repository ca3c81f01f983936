"""Applying for a project and deciding on its columns."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from enclave.commands import dataset, project
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.model.project import LegalBasis
from enclave.queries import dataset as dataset_queries
from enclave.queries import project as queries
from enclave.states import ColumnState, ProjectState
from tests.enclave.scene import COLUMNS, NOW, Scene, build, publish_for

BOTH = {"set-a": COLUMNS, "set-b": COLUMNS}


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("title", "과제명"),
        ("purpose", "이용 목적"),
        ("legal_basis", "법적 근거"),
        ("data", "이용 항목"),
        ("starts_on", "시작일"),
        ("ends_on", "종료일"),
        ("expected_outputs", "예상 반출물"),
        ("ethics", "IRB 심의번호 또는 면제 사유"),
        ("safety_plan", "안전조치 계획"),
    ],
)
def test_a_missing_field_is_named_in_korean(shared, field, named):
    empty = {"data": {}, "legal_basis": None, "starts_on": None, "ends_on": None}.get(field, "  ")
    with pytest.raises(Invalid) as refused:
        shared.applied(**{field: empty})
    assert (refused.value.code, named in refused.value.ko) == ("input.missing", True)


@pytest.mark.parametrize(
    ("changes", "error", "code", "says"),
    [
        ({"purpose": "짧은 목적"}, Invalid, "project.purpose-short", "5자"),
        (
            {"data": {"set-a": {"patients": ("pid", "salary")}}},
            Invalid,
            "project.unknown-column",
            "set-a.patients.salary",
        ),
        ({"data": {"set-a": {"wages": ("x",)}}}, Invalid, "project.unknown-column", "set-a.wages.x"),
        ({"data": {"set-z": COLUMNS}}, NotFound, "dataset.unknown", "set-z"),
        ({"data": BOTH}, Denied, "project.cross-provider", "hospital-a, hospital-b"),
        ({"data": BOTH, "legal_basis": LegalBasis.COMBINED}, Invalid, "input.missing", "결합 승인번호"),
        ({"legal_basis": LegalBasis.AI_EXCEPTION}, Invalid, "project.basis-not-in-force", "2027-03-09"),
        ({"starts_on": date(2026, 12, 1), "ends_on": date(2026, 11, 30)}, Invalid, "project.period", "2026-11-30"),
        ({"ends_on": date(2026, 11, 23), "starts_on": date(2026, 11, 1)}, Invalid, "project.period", "2026-11-23"),
        ({"people": ("ghost",)}, NotFound, "account.unknown", "ghost"),
        ({"people": ("checker-a", "scientist")}, Denied, "project.person-role", "checker-a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_application_that_cannot_be_is_refused_and_says_which(shared, changes, error, code, says):
    with pytest.raises(error) as refused:
        shared.applied(**changes)
    assert (refused.value.code, says in refused.value.ko) == (code, True)


def test_a_refused_application_leaves_the_returned_one_as_it_was(shared):
    made = shared.applied()
    project.return_application(shared.store, shared.actor("steward-a"), project_id=made, reason="보완", now=NOW)
    form = shared.application(title="새 제목", data={"set-a": {"patients": ("none",)}})
    with pytest.raises(Invalid):
        project.apply(shared.store, shared.actor("lead"), application=form, project_id=made, now=NOW)
    view = queries.project(shared.store, shared.actor("lead"), made, now=NOW)
    assert (view.state, view.title, len(view.columns)) == (ProjectState.RETURNED, "방문 양상 연구", 5)


def test_approved_combined_data_of_two_hospitals_may_meet_and_each_steward_decides_their_own(shared):
    made = shared.applied(data=BOTH, legal_basis=LegalBasis.COMBINED, combination_approval="결합-2026-7")
    for login, name in (("steward-b", "set-a"), ("steward-a", "set-b")):
        with pytest.raises(Denied):
            _decide(shared, made, login=login, name=name)
    assert _decide(shared, made).state is ProjectState.SUBMITTED
    assert _decide(shared, made, login="steward-b", name="set-b").state is ProjectState.APPROVED


def _decide(scene: Scene, made: str, login: str = "steward-a", name: str = "set-a", approve=COLUMNS, reason="적합"):
    return project.decide_columns(
        scene.store, scene.actor(login), project_id=made, dataset_id=name, approve=approve, reason=reason, now=NOW
    )


def test_columns_the_steward_did_not_name_are_rejected(shared):
    view = _decide(shared, shared.applied(), approve={"patients": ("pid", "age")})
    granted = {(each.table, each.column) for each in view.columns if each.state is ColumnState.APPROVED}
    assert granted == {("patients", "pid"), ("patients", "age")}
    assert {each.state for each in view.columns} == {ColumnState.APPROVED, ColumnState.REJECTED}
    assert {each.decided_by for each in view.columns} == {"u-steward-a"}


def test_no_column_approved_is_a_rejection(shared):
    assert _decide(shared, shared.applied(), approve={}).state is ProjectState.REJECTED


def test_a_column_that_was_not_asked_for_cannot_be_approved(shared):
    made = shared.applied(data={"set-a": {"patients": ("pid",)}})
    with pytest.raises(Invalid) as refused:
        _decide(shared, made, approve={"patients": ("pid", "memo")})
    assert "patients.memo" in refused.value.ko


def test_a_decision_without_reasons_is_refused(shared):
    with pytest.raises(Invalid):
        _decide(shared, shared.applied(), reason=" ")


def test_what_is_decided_is_not_decided_again(shared):
    made = shared.applied(data=BOTH, legal_basis=LegalBasis.COMBINED, combination_approval="결합-2026-7")
    _decide(shared, made)
    with pytest.raises(Conflict) as refused:
        _decide(shared, made)
    assert refused.value.code == "project.decided"


def test_a_draft_may_be_incomplete_but_names_only_what_exists(shared):
    form = shared.application(purpose="", data={}, expected_outputs="")
    draft = project.save_draft(shared.store, shared.actor("lead"), application=form, now=NOW)
    assert (draft.state, draft.columns, draft.members[0].login) == (ProjectState.DRAFT, (), "colleague")
    with pytest.raises(Invalid):
        project.apply(shared.store, shared.actor("lead"), application=form, project_id=draft.id, now=NOW)
    form = shared.application(people=("scientist",))
    sent = project.apply(shared.store, shared.actor("lead"), application=form, project_id=draft.id, now=NOW)
    assert (sent.state, sorted(each.login for each in sent.members)) == (ProjectState.SUBMITTED, ["lead", "scientist"])


def test_the_lead_is_always_a_member_and_named_once(shared):
    view = queries.project(shared.store, shared.actor("lead"), shared.applied(people=("lead",)), now=NOW)
    assert [each.login for each in view.members] == ["lead"]


def test_a_pledge_to_another_text_than_the_one_in_force_is_refused(shared):
    made = shared.approved()
    with pytest.raises(Conflict) as refused:
        project.sign_pledge(
            shared.store, shared.actor("lead"), project_id=made, version="1", text_sha256="0" * 64, now=NOW
        )
    assert refused.value.code == "pledge.changed"


def test_signing_twice_is_one_signature(shared):
    made = shared.approved()
    shared.pledged(made, "lead", "lead")
    view = queries.project(shared.store, shared.actor("lead"), made, now=NOW)
    assert [each.login for each in view.members if each.pledged_at] == ["lead"]


def test_a_project_opens_only_in_its_period_and_after_its_lead_signed(shared):
    made = shared.approved(starts_on=date(2026, 11, 25))
    with pytest.raises(Denied) as refused:
        project.activate(shared.store, shared.actor("lead"), project_id=made, now=NOW)
    assert refused.value.code == "project.not-begun"
    made = shared.approved()
    with pytest.raises(Denied) as refused:
        project.activate(shared.store, shared.actor("operator"), project_id=made, now=NOW)
    assert refused.value.code == "project.lead-not-pledged"


def test_the_steward_finds_what_waits_for_them_and_others_do_not(shared):
    made = shared.applied()
    waiting = {
        login: queries.to_decide(shared.store, shared.actor(login), now=NOW) for login in ("steward-a", "steward-b")
    }
    assert made in {each.id for each in waiting["steward-a"]}
    assert made not in {each.id for each in waiting["steward-b"]}


@pytest.mark.parametrize(
    ("login", "sees"),
    [
        *((login, True) for login in ("lead", "colleague", "steward-a", "auditor", "checker-a", "operator")),
        *((login, False) for login in ("steward-b", "other-lead", "owner", "nobody")),
    ],
)
def test_a_project_is_shown_to_its_people_its_stewards_and_those_who_oversee(shared, login, sees):
    made = shared.applied()
    if sees:
        assert queries.project(shared.store, shared.actor(login), made, now=NOW).id == made
    else:
        with pytest.raises(Denied):
            queries.project(shared.store, shared.actor(login), made, now=NOW)
    assert (made in {each.id for each in queries.mine(shared.store, shared.actor(login), now=NOW)}) == (
        login in {"lead", "colleague"}
    )


def test_what_a_page_offers_is_what_the_command_allows(shared):
    made = shared.approved()
    offered = {
        login: queries.project(shared.store, shared.actor(login), made, now=NOW).may
        for login in ("lead", "steward-a", "operator", "auditor")
    }
    assert offered == {
        "lead": {"sign_pledge", "end_project"},
        "steward-a": {"end_project"},
        "operator": {"end_project"},
        "auditor": set(),
    }


def test_a_withdrawn_snapshot_is_not_offered_to_new_applications(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    steward = scene.actor("steward-a")
    dataset.withdraw_snapshot(
        scene.store, steward, snapshot_id=scene.folders["set-a"].name, reason="오류 발견", now=NOW
    )
    with pytest.raises(Invalid) as refused:
        scene.applied()
    assert refused.value.code == "project.no-snapshot"
    with pytest.raises(Conflict):
        dataset.receive_snapshot(
            scene.store, steward, folder=scene.folders["set-a"], public_key=scene.means.snapshot_key, now=NOW
        )
    scene.store.close()


def test_a_snapshot_made_for_a_project_is_that_projects_alone(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    catalogue = scene.folders["set-a"].name
    other = scene.applied()
    later = NOW + timedelta(hours=1)
    own = publish_for(scene, other, now=later)
    assert _snapshots(scene, scene.applied()) == {catalogue}, "the newest of all is not for everybody"
    lead = scene.actor("lead")
    draft = project.save_draft(scene.store, lead, application=scene.application(), now=NOW).id
    assert _snapshots(scene, draft) == {catalogue}
    mine = publish_for(scene, draft, now=later)
    project.apply(scene.store, lead, application=scene.application(), project_id=draft, now=NOW)
    assert _snapshots(scene, draft) == {mine} != {own}
    assert dataset_queries.dataset(scene.store, lead, "set-a").current.id == catalogue
    scene.store.close()


def _snapshots(scene, project_id):
    return {each.snapshot_id for each in queries.project(scene.store, scene.actor("lead"), project_id, now=NOW).columns}
