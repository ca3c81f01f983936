"""The import lane through the portal: upload, ask, two organisations decide, what was approved can be mounted."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from enclave import clock
from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.report import FileReport
from enclave.commands import incoming as commands
from enclave.commands import logbook, reviewing, workspace
from enclave.commands.acting import intent
from enclave.commands.ballot import Ballot, Judgements
from enclave.commands.workspace import Means
from enclave.errors import Conflict, Denied, EnclaveError, Unavailable
from enclave.logbook.question import Question
from enclave.model.incoming import Upload
from enclave.packages.mirror import scan
from enclave.portal import importing
from enclave.queries import egress
from enclave.queries import incoming as queries
from enclave.states import Decision, RequestState
from enclave.workspace.plan import Mount, MountKind, parse_plan
from tests.enclave.packages.wheels import wheel
from tests.enclave.portal.world import ROOT, Browser, World

WORDS = Judgements("목적에 맞음", "식별 정보 없음", "읽기 전용")


def packed(tree: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in tree.items():
            archive.writestr(path, content)
    return made.getvalue()


def up(browser: Browser, name: str, content: bytes, project: str = "") -> httpx.Response:
    place = f"{ROOT}/api/v1/projects/{project or browser.world.project_id}/uploads/{name}"
    return browser.put(place, content=content, headers={"X-CSRF-Token": browser.csrf()})


def asked(browser: Browser, files: dict[str, bytes], name: str = "tools", key: str = "k") -> str:
    ids = []
    for file, content in files.items():
        answer = up(browser, file, content)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    body = {"name": name, "uploads": ids, "purpose": "생존 분석", "context": "우리 저장소의 코드", "key": key}
    answer = browser.api("POST", f"/projects/{browser.world.project_id}/imports", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def vote(world: World, login: str, request_id: str, decision: Decision = Decision.APPROVE) -> None:
    now = clock.now()
    assert world.browser(login).get(f"{ROOT}/imports/{request_id}").status_code == 200
    found = egress.request(world.store, world.actor(login), request_id, now=now)
    actor = replace(world.actor(login), second_factor_at=now)
    ballot = Ballot(decision, found.round, found.content_sha256, "output-checked", WORDS)
    reviewing.decide(world.store, actor, request_id=request_id, vote=ballot, now=now)


def approved(world: World, request_id: str) -> None:
    for login in ("dahye", "woojin"):
        vote(world, login, request_id)
    importing.lay_out_waiting(world.portal)


def mounts(world: World) -> dict[str, Mount]:
    means = Means.load(replace(world.settings, image="sha256:" + "0" * 64))
    here = replace(world.actor("mina"), ip="127.0.0.1")
    start = workspace.request_start(world.store, means, here, now=clock.now())
    return {mount.target: mount for mount in parse_plan(start.plan).mounts}


def test_an_upload_is_checked_and_fixed_by_its_hash_and_nobody_can_read_it(world: World) -> None:
    browser = world.browser("mina")
    answer = up(browser, "fit.py", b"x = 1\n")
    assert answer.status_code == 201
    found = answer.json()
    assert (found["kind"], found["size"]) == ("code", 6)
    assert (world.settings.quarantine / found["sha256"][:2] / found["sha256"]).read_bytes() == b"x = 1\n"
    assert not [path for path in world.settings.quarantine.iterdir() if path.name.startswith("upload-")]
    assert "/imports/tools" not in mounts(world)
    assert not world.settings.imports.exists() or not list(world.settings.imports.iterdir())


def test_what_two_organisations_approve_is_mounted_read_only_under_its_name(world: World) -> None:
    browser = world.browser("mina")
    request = asked(browser, {"src.zip": packed({"pkg/a.py": b"x = 1\n", "README.md": b"# hi\n"})})
    vote(world, "dahye", request)
    importing.lay_out_waiting(world.portal)
    assert "/imports/tools" not in mounts(world), "one approval is not enough"
    vote(world, "woojin", request)
    importing.lay_out_waiting(world.portal)
    mount = mounts(world)["/imports/tools"]
    assert (mount.kind, mount.read_only) == (MountKind.IMPORT, True)
    place = world.settings.imports / mount.sha256
    assert {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()} == {
        "pkg/a.py": b"x = 1\n", "README.md": b"# hi\n"
    }  # fmt: skip
    assert egress.request(world.store, world.actor("mina"), request, now=clock.now()).state is RequestState.RELEASED
    ground = commands.Ground(world.portal.quarantine, world.settings.imports, importing.ImportLimits())
    with pytest.raises(EnclaveError):
        commands.lay_out(world.store, ground, Actor.system(), request_id=request, now=clock.now())


def test_every_folder_of_an_import_can_be_entered_by_the_workspaces_user(world: World, the_services_umask: int) -> None:
    browser = world.browser("mina")
    approved(world, asked(browser, {"src.zip": packed({"pkg/deep/down/a.py": b"x = 1\n", "README.md": b"# hi\n"})}))
    place = world.settings.imports / mounts(world)["/imports/tools"].sha256
    found = {path.relative_to(place).as_posix(): path.stat().st_mode & 0o777 for path in (place, *place.rglob("*"))}
    assert found == {
        ".": 0o755, "pkg": 0o755, "pkg/deep": 0o755, "pkg/deep/down": 0o755, "pkg/deep/down/a.py": 0o444,
        "README.md": 0o444,
    }  # fmt: skip


@pytest.fixture
def the_services_umask() -> Iterator[int]:
    """What the portal runs with (`demo.daemon`): nobody but the owner and the group."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_a_later_import_of_the_same_name_replaces_it_and_is_shown_as_a_difference(world: World) -> None:
    browser = world.browser("mina")
    approved(world, asked(browser, {"a.py": b"x = 1\n"}))
    first = mounts(world)["/imports/tools"].sha256
    second = asked(browser, {"a.py": b"x = 2\n"}, key="k2")
    page = world.browser("dahye").get(f"{ROOT}/imports/{second}")
    assert page.status_code == 200
    assert "-x = 1" in page.text
    assert "+x = 2" in page.text
    approved(world, second)
    assert mounts(world)["/imports/tools"].sha256 != first


def test_an_import_that_is_taken_back_is_gone_from_the_next_start(world: World) -> None:
    browser = world.browser("mina")
    request = asked(browser, {"a.py": b"x = 1\n"})
    approved(world, request)
    with pytest.raises(Denied):
        commands.take_back(world.store, world.actor("mina"), request_id=request, reason="x", now=clock.now())
    commands.take_back(world.store, world.actor("dahye"), request_id=request, reason="허락 없는 코드", now=clock.now())
    assert "/imports/tools" not in mounts(world)
    with pytest.raises(Conflict):
        commands.take_back(world.store, world.actor("dahye"), request_id=request, reason="x", now=clock.now())


def test_what_was_looked_through_long_ago_is_looked_through_again_when_it_is_asked_for(world: World) -> None:
    """As if an older checker, which knew less, had let it pass; the page and REST do the same."""
    browser = world.browser("mina")
    ids = [up(browser, "m.pkl", pickle.dumps([number])).json()["id"] for number in range(2)]
    with world.store.write(intent(Action.HUB_EVENT, Actor.console(), ("test", "older"))) as tx:
        for one in ids:
            found = tx.session.get(Upload, one)
            assert found is not None
            passed = replace(FileReport.from_json(found.report), findings=())
            found.report, found.uploaded_at = passed.to_json(), clock.now() - timedelta(days=2)
    body = {"name": "tools", "uploads": ids[:1], "purpose": "p", "context": "c", "key": "k"}
    asked_for = browser.api("POST", f"/projects/{world.project_id}/imports", body).json()["id"]
    form = {"name": "tools", "uploads": ids[1], "purpose": "p", "context": "c", "once": "1"}
    sent = browser.form(f"/projects/{world.project_id}/imports", **form)
    for one in (asked_for, sent.headers["location"].rpartition("/")[2]):
        found_now = egress.request(world.store, world.actor("mina"), one, now=clock.now())
        assert (found_now.verdict, found_now.reviewers_needed) == ("BLOCK", 3)


def test_an_import_can_be_taken_back_before_it_is_laid_out(world: World) -> None:
    request = asked(world.browser("mina"), {"a.py": b"x = 1\n"})
    for login in ("dahye", "woojin"):
        vote(world, login, request)
    reason = {"reason": "허락 없는 코드"}
    answer = world.browser("dahye").api("POST", f"/imports/{request}/recall", reason)
    assert (answer.status_code, answer.json()) == (200, None)
    importing.lay_out_waiting(world.portal)
    assert "/imports/tools" not in mounts(world)
    assert egress.request(world.store, world.actor("mina"), request, now=clock.now()).state is RequestState.RECALLED


def test_packages_that_are_taken_back_are_gone_from_the_next_start(world: World, mirror: Path) -> None:
    """Of two lists one is taken back: nothing is mounted until the operator has made the set of the other."""
    browser, place = world.browser("mina"), f"/projects/{world.project_id}/packages"
    wheel(mirror, "other", "1.0", License_Expression="MIT")
    scan(mirror, {}).save(mirror)
    lists = []
    for name in ("survive", "other"):
        made = browser.api("POST", place, {"text": name, "purpose": "생존 분석", "key": name}).json()
        approved(world, made["id"])
        lists.append(made["id"])

    both = queries.wanted_packages(world.store)[world.project_id]

    def fetched(tree: str, lock: str, made_of: tuple[str, ...]) -> None:
        place, now = world.project_id, clock.now()
        commands.set_packages(
            world.store, Actor.console(), project_id=place, tree=tree, lock=lock, lists=made_of, now=now
        )

    fetched("ab" * 32, "survive==1.0 --hash=sha256:" + "c" * 64 + "\n", both)
    assert mounts(world)["/packages"].sha256 == "ab" * 32
    commands.take_back(world.store, world.actor("dahye"), request_id=lists[0], reason="악성", now=clock.now())
    assert "/packages" not in mounts(world)
    assert queries.approved_packages(world.store, world.project_id) == ""
    assert browser.get(f"{ROOT}{place}").status_code == 200
    with pytest.raises(Conflict) as refused:
        fetched("ab" * 32, "survive==1.0 --hash=sha256:" + "c" * 64 + "\n", both)
    assert refused.value.code == "packages.taken-back", "it was taken back while the operator fetched"
    fetched("cd" * 32, "other==1.0 --hash=sha256:" + "d" * 64 + "\n", both[1:])
    assert mounts(world)["/packages"].sha256 == "cd" * 32


def test_what_is_stopped_cannot_simply_be_approved(world: World) -> None:
    browser = world.browser("mina")
    request = asked(browser, {"m.pkl": pickle.dumps([1])})
    for login in ("dahye", "woojin"):
        with pytest.raises(EnclaveError):
            vote(world, login, request)
    importing.lay_out_waiting(world.portal)
    assert "/imports/tools" not in mounts(world)


def test_an_import_whose_bytes_changed_in_quarantine_is_not_laid_out(world: World) -> None:
    browser = world.browser("mina")
    request = asked(browser, {"a.py": b"x = 1\n"})
    stored = next(
        path for path in world.settings.quarantine.rglob("*") if path.is_file() and path.read_bytes() == b"x = 1\n"
    )
    stored.chmod(0o600)
    stored.write_bytes(b"x = 2\n")
    for login in ("dahye", "woojin"):
        vote(world, login, request)
    ground = commands.Ground(world.portal.quarantine, world.settings.imports, importing.ImportLimits())
    with pytest.raises(Unavailable) as refused:
        commands.lay_out(world.store, ground, Actor.system(), request_id=request, now=clock.now())
    assert refused.value.code == "import.not-laid-out"
    assert not list(world.settings.imports.iterdir())


def test_nobody_but_a_member_uploads_and_nobody_asks_for_anothers_file(world: World) -> None:
    mine = up(world.browser("mina"), "a.py", b"x = 1\n").json()["id"]
    for login in ("dahye", "suyeon", "operator"):
        assert up(world.browser(login), "a.py", b"x").status_code == 403
    body = {"name": "tools", "uploads": [mine], "purpose": "p", "context": "c", "key": "k"}
    other = world.browser("jiwoo").api("POST", f"/projects/{world.project_id}/imports", body)
    assert other.json()["code"] == "import.no-upload"
    stranger = world.browser()
    answer = stranger.put(f"{ROOT}/api/v1/projects/{world.project_id}/uploads/a.py", content=b"x")
    assert answer.status_code in {303, 401, 403}


def test_an_upload_needs_the_sessions_token_and_a_plain_name_and_has_a_limit(world: World) -> None:
    browser = world.browser("mina")
    place = f"{ROOT}/api/v1/projects/{world.project_id}/uploads"
    assert browser.put(f"{place}/a.py", content=b"x").status_code == 403
    assert up(browser, "%0a.py", b"x").json()["code"] == "import.file-name"
    object.__setattr__(world.settings, "max_import_bytes", 2 << 20)
    assert up(browser, "big.bin", bytes(3 << 20)).json()["code"] == "airlock.too-large"
    assert not [path for path in world.settings.quarantine.iterdir() if path.name.startswith("upload-")]
    # Every other address keeps its small limit.
    other = browser.put(f"{ROOT}/api/v1/projects/{world.project_id}/imports", content=bytes(2 << 20))
    assert other.status_code == 413


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "packages", "한글", "a" * 64])
def test_a_name_that_cannot_be_a_folder_is_refused(world: World, name: str) -> None:
    browser = world.browser("mina")
    upload = up(browser, "a.py", b"x = 1\n").json()["id"]
    body = {"name": name, "uploads": [upload], "purpose": "p", "context": "c", "key": "k"}
    assert browser.api("POST", f"/projects/{world.project_id}/imports", body).json()["code"] == "import.name"


def test_a_column_with_the_pseudonyms_of_the_project_is_marked(world: World) -> None:
    text = "code,x\n" + "".join(f"{number:032x},1\n" for number in range(30))
    found = up(world.browser("mina"), "ref.csv", text.encode()).json()
    assert "import.linkage" in {each["rule"] for each in found["report"]["findings"]}


def test_uploads_and_approvals_are_in_the_log_without_names_of_files(world: World) -> None:
    browser = world.browser("mina")
    request = asked(browser, {"생존 코드.py": b"x = 1\n"})
    approved(world, request)
    world.publish_log()
    page = logbook.ask(
        world.store, world.actor("haneul"), question=Question(), after=None, limit=200, now=clock.now()
    ).page
    actions = [row.action for row in page.rows]
    assert [actions.count(each) for each in ("import.upload", "import.submit", "import.approve", "import.done")] == [
        1,
        1,
        2,
        1,
    ]
    assert "생존" not in repr(page)


@pytest.fixture
def mirror(world: World) -> Path:
    folder = world.settings.wheels
    folder.mkdir()
    wheel(folder, "survive", "1.0", License_Expression="MIT")
    scan(folder, {"numpy": "2.1.0", "Pandas": "2.3.0"}).save(folder)
    return folder


def test_packages_are_resolved_asked_for_decided_and_wanted_from_the_operator(world: World, mirror: Path) -> None:
    browser = world.browser("mina")
    place = f"/projects/{world.project_id}/packages"
    found = browser.api("POST", f"{place}/resolve", {"text": "survive\nnumpy\nnobody\n"}).json()
    assert [each["status"] for each in found["answers"]] == ["needs-approval", "image", "impossible"]
    made = browser.api("POST", place, {"text": "survive\nnumpy", "purpose": "생존 분석", "key": "p"})
    assert made.status_code == 201, made.text
    request = made.json()["id"]
    assert queries.wanted_packages(world.store) == {}
    approved(world, request)
    ((project, locks),) = queries.wanted_packages(world.store).items()
    assert project == world.project_id
    with world.portal.quarantine.open(locks[0]) as lock:
        assert lock.read().startswith(b"survive==1.0 --hash=sha256:")
    assert "/packages" not in mounts(world), "the operator has not fetched them"
    tree, text = "ab" * 32, "survive==1.0 --hash=sha256:" + "c" * 64 + "\n"
    with pytest.raises(EnclaveError):
        commands.set_packages(
            world.store, world.actor("mina"), project_id=project, tree=tree, lock=text, lists=locks, now=clock.now()
        )
    commands.set_packages(
        world.store, Actor.console(), project_id=project, tree=tree, lock=text, lists=locks, now=clock.now()
    )
    assert mounts(world)["/packages"].sha256 == tree


def test_who_asks_for_packages_is_told_of_known_advisories(world: World, mirror: Path) -> None:
    affected = [{"package": {"ecosystem": "PyPI", "name": "survive"}, "versions": ["1.0"]}]
    (mirror / "advisories.json").write_text(json.dumps([{"id": "PYSEC-2026-7", "affected": affected}]))
    browser, place = world.browser("mina"), f"/projects/{world.project_id}/packages/resolve"
    found = browser.api("POST", place, {"text": "survive"}).json()
    assert found["advisories"] == {found["answers"][0]["needs"][0]["sha256"]: ["PYSEC-2026-7"]}
    assert "취약점 PYSEC-2026-7" in browser.form(place, text="survive").text


def test_the_pages_of_imports_and_packages_show_and_ask(world: World, mirror: Path) -> None:
    browser = world.browser("mina")
    upload = up(browser, "a.py", b"x = 1\n").json()["id"]
    page = browser.get(f"{ROOT}/projects/{world.project_id}/imports")
    assert upload in page.text
    sent = browser.form(
        f"/projects/{world.project_id}/imports", name="tools", uploads=upload, purpose="p", context="c", once="1"
    )
    assert sent.status_code == 303, sent.text
    looked = browser.form(f"/projects/{world.project_id}/packages/resolve", text="survive\nnobody")
    assert "승인 필요" in looked.text
    assert "불가" in looked.text
    assert "MIT · ? · 취약점 ?" in looked.text, "nobody says since when it is there; nothing to compare with"
    sent = browser.form(f"/projects/{world.project_id}/packages", text="survive", purpose="p", once="2")
    assert sent.status_code == 303, sent.text


def test_what_was_not_seen_to_its_end_cannot_be_approved(world: World) -> None:
    browser = world.browser("mina")
    text = b"".join(b"x%d = 1\n" % number for number in range(6_000))
    request = asked(browser, {"src.zip": packed({"a.py": text, "b.py": b"y = 1\n"})})
    with pytest.raises(Denied) as refused:
        vote(world, "dahye", request)
    assert refused.value.code == "egress.not-shown"
    rest = world.browser("dahye").get(f"{ROOT}/imports/{request}", params={"start": "5000"})
    assert "b.py" in rest.text
    vote(world, "dahye", request)


def test_a_tar_with_a_link_uploaded_under_a_project_lays_out_nothing(world: World) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("a")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    found = up(world.browser("mina"), "a.tar", made.getvalue()).json()
    assert found["verdict"] == "BLOCK"
    assert not os.path.lexists(world.settings.imports) or not list(world.settings.imports.iterdir())
