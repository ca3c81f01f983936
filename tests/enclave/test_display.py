"""How much may be shown: each provider's word, the strictest of them in the plan, and new limits for what runs."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.actor import Actor
from enclave.commands import display, project, workspace
from enclave.errors import Conflict, Denied, Invalid
from enclave.keys import load_public_key
from enclave.model.project import LegalBasis
from enclave.policy import display as policy
from enclave.queries import display as queries
from enclave.settings import Settings
from enclave.workspace.plan import DISPLAY_BOUNDS, Display, WorkspacePlan, verify_plan
from tests.enclave.scene import CAST, COLUMNS, NOW, Scene

USUAL = Display()
TIGHT = replace(USUAL, hour_bytes=1 << 20, day_bytes=2 << 20, hour_pictures=0, day_pictures=0)
WIDE = replace(USUAL, hour_rows=USUAL.hour_rows * 4, day_rows=USUAL.day_rows * 4)
SCALE = policy.Scale.of(USUAL, 4)


def say(scene: Scene, project_id: str, login: str = "steward-a", limits: Display = TIGHT, reason: str = "민감한 자료"):
    actor, settings = scene.actor(login), scene.means.settings
    return display.set_display_policy(
        scene.store, settings, actor, project_id=project_id, limits=limits, reason=reason, now=NOW
    )


def plan_of(scene: Scene, project_id: str) -> WorkspacePlan:
    actor = scene.actor("scientist")
    start = workspace.request_start(scene.store, scene.means, actor, project_id=project_id, now=NOW)
    public = load_public_key(scene.means.settings.plan_key.with_suffix(".pub"))
    return verify_plan(start.plan, start.signature, public)


def two_providers(scene: Scene) -> str:
    made = scene.applied(
        data={"set-a": COLUMNS, "set-b": COLUMNS}, combination_approval="결합-2026-1", legal_basis=LegalBasis.COMBINED
    )
    for steward, dataset in (("steward-a", "set-a"), ("steward-b", "set-b")):
        project.decide_columns(
            scene.store, scene.actor(steward), project_id=made, dataset_id=dataset, approve=COLUMNS, reason="r", now=NOW
        )
    scene.pledged(made, "lead", "scientist")
    project.activate(scene.store, scene.actor("lead"), project_id=made, now=NOW)
    return made


def test_without_a_word_the_settings_count_and_stand_in_the_signed_plan(shared: Scene) -> None:
    made = shared.active()
    assert plan_of(shared, made).display == USUAL == queries.scale_of(shared.means.settings).usual
    view = queries.of_project(shared.store, shared.actor("scientist"), made, shared.means.settings)
    assert (view.limits, view.voices, view.may) == (USUAL, (), frozenset())


def test_a_steward_tightens_and_widens_and_the_next_plan_says_so(shared: Scene) -> None:
    made = shared.active()
    with shared.new_entries() as entries:
        assert say(shared, made).limits == TIGHT
    (entry,) = entries
    assert (entry["action"], entry["outcome"], entry["project"]) == ("display.policy", "done", made)
    assert entry["details"]["hour_pictures"] == 0
    assert "민감" not in str(entry)
    assert plan_of(shared, made).display == TIGHT
    assert say(shared, made, limits=WIDE).limits == WIDE
    assert plan_of(shared, made).display == WIDE


def test_of_two_providers_the_strictest_counts_field_by_field(shared: Scene) -> None:
    made = two_providers(shared)
    assert say(shared, made, "steward-a", WIDE).limits == USUAL, "the other one said nothing, which is what is usual"
    view = say(shared, made, "steward-b", replace(TIGHT, hour_rows=USUAL.hour_rows * 2, day_rows=USUAL.day_rows * 2))
    assert view.limits == replace(TIGHT, hour_rows=USUAL.hour_rows * 2, day_rows=USUAL.day_rows * 2)
    assert [voice.organisation_id for voice in view.voices] == ["hospital-a", "hospital-b"]
    assert plan_of(shared, made).display == view.limits


@given(st.data())
def test_no_word_of_one_provider_widens_what_another_said(data: st.DataObject) -> None:
    limits = st.builds(Display, **{name: st.integers(0, DISPLAY_BOUNDS[1]) for name in queries.FIELDS})
    said = data.draw(st.dictionaries(st.sampled_from("abc"), limits))
    counts = policy.in_force(frozenset("abc"), said, SCALE)
    for each in said.values():
        assert all(getattr(counts, name) <= getattr(each, name) for name in queries.FIELDS)
    assert all(getattr(counts, name) <= value for name, value in asdict(SCALE.widest).items())
    if len(said) < 3:
        assert all(getattr(counts, name) <= getattr(USUAL, name) for name in queries.FIELDS)


@pytest.mark.parametrize(
    ("limits", "kind", "code"),
    [
        (replace(USUAL, day_bytes=USUAL.day_bytes * 4 + 1), Denied, "display.too-wide"),
        (replace(USUAL, hour_pictures=-1), Invalid, "display.limits"),
        (replace(USUAL, message_bytes=100), Invalid, "display.limits"),
        (replace(USUAL, hour_rows=10, day_rows=5), Invalid, "display.limits"),
    ],
    ids=["too wide", "below zero", "no message fits", "hour above day"],
)
def test_limits_that_make_no_sense_are_refused_and_recorded(shared: Scene, limits, kind, code) -> None:
    made = shared.usual()
    with shared.new_entries() as entries, pytest.raises(kind) as refused:
        say(shared, made, limits=limits)
    assert (refused.value.code, [entry["reason"]["code"] for entry in entries]) == (code, [code])


def test_a_word_needs_a_reason(shared: Scene) -> None:
    with pytest.raises(Invalid) as refused:
        say(shared, shared.usual(), reason=" ")
    assert refused.value.code == "input.missing"


def test_an_installation_that_is_made_stricter_later_counts_over_an_old_word(shared: Scene) -> None:
    made = shared.active()
    say(shared, made, limits=WIDE)
    strict = Settings(home=shared.home, display_hour_rows=10, display_day_rows=20, display_widest_times=1)
    view = queries.of_project(shared.store, shared.actor("lead"), made, strict)
    assert (view.limits.hour_rows, view.limits.day_rows) == (10, 20)


def test_exactly_the_stewards_of_its_providers_are_offered_the_form(shared: Scene) -> None:
    made = shared.usual()
    offered = set()
    for login in CAST:
        try:
            view = queries.of_project(shared.store, shared.actor(login), made, shared.means.settings)
        except Denied:
            continue
        offered |= {login} if "set_display_policy" in view.may else set()
    assert offered == {"steward-a"}


def test_a_running_workspace_gets_its_own_plan_with_other_limits(shared: Scene) -> None:
    made = shared.active()
    before = plan_of(shared, made)
    with pytest.raises(Conflict, match="사용 중이 아닙니다"):
        display.renew_limits(shared.store, shared.means, workspace_id=before.workspace_id, now=NOW)
    workspace.mark_started(shared.store, Actor.system(), workspace_id=before.workspace_id, container_id="c", now=NOW)
    say(shared, made)
    with shared.new_entries() as entries:
        renewed = display.renew_limits(shared.store, shared.means, workspace_id=before.workspace_id, now=NOW)
    public = load_public_key(shared.means.settings.plan_key.with_suffix(".pub"))
    after = verify_plan(renewed.plan, renewed.signature, public)
    assert replace(after, display=before.display, expires_at=before.expires_at) == before
    assert (after.display, after.expires_at) == (TIGHT, NOW + display.RENEWED)
    (entry,) = entries
    assert (entry["action"], entry["object"]["sha256"]) == ("display.limits", after.sha256)
    from enclave.queries import workspace as workspaces

    view = workspaces.by_id(shared.store, shared.actor("scientist"), before.workspace_id)
    assert view.plan_sha256 == before.sha256, "the container is labelled with the plan it started from"
    workspace.mark_stopped(shared.store, Actor.system(), workspace_id=before.workspace_id, reason="r", now=NOW)
