"""The story's chapter of publication on a real portal, without the rest of the enclave."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from demo.chapters import publication
from demo.people import Person
from demo.session import Session
from demo.show import StepFailedError
from demo.world import World as Story
from enclave.actor import Actor
from enclave.queries import dataset as queries
from enclave.settings import Settings
from enclave.states import SnapshotState
from tests.enclave.filmed import filmed
from tests.enclave.portal.test_frame_pages import receive as receive_frames
from tests.enclave.portal.test_publication_pages import receive, state
from tests.enclave.portal.world import ROOT, World


class Seated(Session):
    """A session of the story that is signed in at this test's portal already."""

    def __init__(self, world: World, login: str) -> None:
        super().__init__(Person(login, login, "", ()), "http://hub", lambda: world.code(login))
        self.http.close()
        self.http = world.browser(login)
        self.http.follow_redirects = True
        self.portal = ROOT


def story(world: World, snapshot: str) -> Story:
    sessions: dict[str, Seated] = {}
    seat = lambda login: sessions.setdefault(login, sessions.get(login) or Seated(world, login))  # noqa: E731
    return cast("Story", SimpleNamespace(session=seat, settings=world.settings, snapshots={"visits": snapshot}))


@pytest.mark.parametrize("texts", [0, 3])
def test_a_received_snapshot_is_offered_by_the_pages_and_a_second_time_nothing_happens(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], texts: int
) -> None:
    monkeypatch.setitem(publication.REVIEWERS, "suyeon", ("dahye", "woojin", "yerin"))
    made = receive(world, tmp_path, texts=texts)
    played = story(world, made)
    publication.review(played, "3.2", "visits", "suyeon")
    assert state(world, made) is SnapshotState.PUBLISHED
    said = capsys.readouterr().out
    assert ("재현율 100.0% [100.0, 100.0]" in said, "3건" in said) == (texts > 0, texts > 0)
    assert "DRB-" in said
    publication.review(played, "3.2", "visits", "suyeon")
    assert capsys.readouterr().out == ""


def test_frames_are_gone_through_as_texts_are(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(publication.REVIEWERS, "suyeon", ("dahye", "woojin", "yerin"))
    made = receive_frames(world, filmed(tmp_path / "film", size=13, min_recall=0.5))
    publication.review(story(world, made), "3.4", "visits", "suyeon")
    assert state(world, made) is SnapshotState.PUBLISHED
    said = capsys.readouterr().out
    assert ("영상의 표본 검토" in said, "남은 것 없는 장면 100.0% [" in said, "장면 13건" in said) == (True, True, True)


def test_a_form_that_is_not_there_or_refused_ends_the_step_with_its_reason(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path)
    suyeon = Seated(world, "suyeon")
    page = suyeon.page(f"/snapshots/{made}")
    with pytest.raises(StepFailedError, match="양식이 없습니다"):
        suyeon.send(page, f"/snapshots/{made}/offer")
    with pytest.raises(StepFailedError, match="답하지 않은 물음"):
        suyeon.send(page, f"/snapshots/{made}/risk", r_identifying="이름")


def test_the_twin_is_taken_by_the_startup_and_held_to_the_snapshot(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    played = story(world, world.snapshot_id)
    # This world is a copy: its snapshot lies where the template's is.
    home = queries.snapshot(world.store, Actor.console(), world.snapshot_id).path.parent.parent
    played.settings = Settings(home=home)
    publication.twin(played, "3.4", "visits", "mina")
    assert "mina이(가) 승인 전에 받음" in capsys.readouterr().out
