"""A snapshot's page: what is different from the version before, on whose consent, who holds it, how it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from deid.snapshot import publish, read_manifest
from deid.versions.recalls import Recall
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands.recall import recall_snapshot
from enclave.queries import dataset as queries
from tests.enclave.encrypting import encrypted, key_store
from tests.enclave.portal.world import ROOT, World
from tests.enclave.publishing import offered

CONSENT = {"version": "동의서 3판", "scope_ko": "간질환 연구", "scope_en": "Liver research", "expires": "2027-12-31"}
TABLE = {
    "new": False, "rows_in": 1234, "rows_out": 7, "patients_in": None, "patients_out": 2, "columns_added": ["height"],
    "columns_removed": ["weight"], "treatment_changed": {"day": ["keep", "date_shift(30)"]}, "files_kept": 1,
    "files_written": 1, "risk": {"k_published": [5, 6]},
}  # fmt: skip


@pytest.fixture
def second(world: World, tmp_path: Path) -> str:
    """The next version of the data set, published."""
    public = keys.load_public_key(world.settings.snapshot_public_key)
    old = queries.snapshot(world.store, world.actor("suyeon"), world.snapshot_id).path
    manifest = read_manifest(old, public)
    folder = tmp_path / "next"
    (folder / "data/visits").mkdir(parents=True)
    pl.DataFrame({name: ["x"] for name in manifest.tables["visits"].columns}).write_parquet(
        folder / "data/visits/part-000.parquet"
    )
    (folder / "report.html").write_text("<p>")
    difference = {"same_keys": False, "tables": {"visits": TABLE}, "tables_removed": ["labs"]}
    lineage = {"withdrawn_rows": {"visits": 3}, "sources": [{"table": "visits", "review": ["note"]}]}
    made = replace(
        manifest, id="", files={}, parent=world.snapshot_id, difference=difference, consent=CONSENT, withdrawn=3,
        lineage=lineage,
    )  # fmt: skip
    sealed = encrypted(folder, key_store(world.settings.snapshot_keys, world.settings.snapshot_seal))
    signing = keys.load_signing_key(world.settings.keys / "snapshot.key")
    world.settings.snapshots.mkdir(exist_ok=True)
    target, _ = publish(folder, world.settings.snapshots, made, signing, sealed)
    reviewers = ("dahye", "woojin", "yerin")
    return offered(world.store, target, public, steward="suyeon", reviewers=reviewers, now=clock.now())


KOREAN = (
    "이전 버전과 다른 점", "가명 키가 바뀌어 사람을 이어 볼 수 없습니다.", "철회로 제외한 사람", "간질환 연구",
    "2027-12-31까지", "30일", "이 버전을 가진 과제와 작업공간", "스냅샷 철회", "다음에 열 때부터", "먼저 볼 표와 항목",
)  # fmt: skip
ENGLISH = (
    "Difference to the version before", "The pseudonym keys changed: nobody can be followed.",
    "Left out because they withdrew", "Liver research", "until 2027-12-31", "30 days",
    "Projects and workspaces that hold this version", "Withdraw snapshot", "From their next start",
    "To be looked at first",
)  # fmt: skip


@pytest.mark.parametrize(("language", "said", "unsaid"), [("ko", KOREAN, ENGLISH), ("en", ENGLISH, KOREAN)])
def test_the_page_says_what_is_different_and_on_whose_consent(
    world: World, second: str, language: str, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{second}", params={"lang": language}).text
    assert f'<html lang="{language}">' in page
    for shown in ("+1,234 −7", "+? −2", "+height", "−weight", "5 → 6", "−labs", "동의서 3판", "2027-12-31"):
        assert shown in page, shown
    assert [words for words in said if words not in page] == []
    assert [words for words in unsaid if words in page] == []
    assert f'href="{ROOT}/snapshots/{world.snapshot_id}"' in page


def test_who_answers_for_the_data_sees_who_holds_a_version_and_nobody_else(world: World) -> None:
    path = f"{ROOT}/snapshots/{world.snapshot_id}"
    assert world.project_id in world.browser("suyeon").get(path).text
    page = world.browser("jiwoo").get(path).text
    assert 'id="holders"' not in page
    assert 'name="mounts_end"' not in page


def test_a_version_is_withdrawn_from_the_next_start_and_then_at_once(world: World) -> None:
    steward, path = world.browser("suyeon"), f"/snapshots/{world.snapshot_id}"
    answer = steward.form(f"{path}/withdraw", reason="새 버전이 나왔습니다", mounts_end="next-start")
    assert answer.status_code == 303
    found = queries.snapshot(world.store, world.actor("suyeon"), world.snapshot_id)
    assert (found.state.value, found.running_stay) == ("withdrawn", True)
    assert f"{path}/end-running" in steward.get(f"{ROOT}{path}").text
    assert world.browser("jiwoo").form(f"{path}/end-running", reason="아무나").status_code == 403
    assert steward.form(f"{path}/end-running", reason="지금 닫습니다").status_code == 303
    assert not queries.snapshot(world.store, world.actor("suyeon"), world.snapshot_id).running_stay
    assert steward.form(f"{path}/end-running", reason="다시").status_code == 409


RECALLED = {
    "ko": ("거두어들인 데이터 버전", "정보주체가 철회하여", "이 버전을 쓰는 작업공간은 닫혔습니다."),
    "en": (
        "A version of the data was withdrawn",
        "because a data subject withdrew",
        "Workspaces that use it are closed.",
    ),
}


def test_a_project_is_told_on_its_page_in_both_languages_that_its_version_ended(world: World) -> None:
    address, mina = f"{ROOT}/projects/{world.project_id}", world.browser("mina")
    assert RECALLED["ko"][1] not in mina.get(address).text
    recall = Recall(world.snapshot_id, "2026-11-24", 1)
    recall_snapshot(world.store, Actor.console(), recall=recall, now=clock.now())
    for language, other in (("en", "ko"), ("ko", "en")):
        page = mina.get(address, params={"lang": language})
        assert (page.status_code, "&lt;time" in page.text) == (200, False)
        assert [words for words in RECALLED[language] if words not in page.text] == []
        assert [words for words in RECALLED[other] if words in page.text] == []
