"""What the gate saw comes into the log exactly once, code stays sealed, floods are counted and not lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from enclave.actor import Actor
from enclave.airlock.shown import Found
from enclave.commands import code, seen, shown, watch, workspace
from enclave.errors import Denied, EnclaveError, Unavailable
from enclave.gate.events import GateEvent
from enclave.gate.spool import Spool
from enclave.model.watch import DisplayFinding, DisplayText, ExecutedCode
from enclave.queries import watch as queries
from enclave.vault import Vault
from tests.enclave.scene import CAST, NOW, Scene
from tests.entry_words import entry_words

SECRET = "patients.query('name == \"김수한무\"')"
PHONE = "전화 010-1234-5678"


@pytest.fixture
def place(shared: Scene) -> str:
    """A workspace of the scientist's, as the database knows it; a new one each time, for floods are counted by it."""
    return open_workspace(shared)


def open_workspace(scene: Scene) -> str:
    actor = scene.actor("scientist")
    start = workspace.request_start(scene.store, scene.means, actor, project_id=scene.active(), now=NOW)
    return start.workspace.id


COUNTER = iter(range(10**9))


def event(place: str, kind: str, text: str = "", **details: str | int | bool) -> GateEvent:
    return GateEvent(f"{next(COUNTER):012d}-{kind}", NOW, place, kind, details, text.encode())


def take(scene: Scene, *events: GateEvent, now=NOW) -> int:
    return watch.take(scene.store, scene.vault, events=events, now=now)


def about(entries: list[dict[str, object]], name: str) -> list[object]:
    return [entry["details"].get(name) for entry in entries]  # type: ignore[attr-defined]


def test_executed_code_is_one_entry_with_its_hash_and_one_sealed_text(shared: Scene, place: str) -> None:
    ran = event(place, "code", SECRET, source="execute", session="k-1")
    with shared.new_entries() as entries:
        assert take(shared, ran) == 1
    (entry,) = entries
    assert (entry["action"], entry["outcome"], entry["actor"]["id"]) == ("code.executed", "allowed", "u-scientist")
    assert entry["object"]["id"] == place
    assert entry["details"]["characters"] == len(SECRET)
    assert SECRET not in json.dumps(entry, ensure_ascii=False)
    assert "김수한무" not in json.dumps(entry, ensure_ascii=False)
    with shared.store.read() as session:
        row = session.scalar(select(ExecutedCode).where(ExecutedCode.event_id == ran.id))
        assert SECRET.encode() not in row.sealed
        assert entry["object"]["sha256"] == row.sha256
        assert shared.vault.open(row.sealed, purpose=f"code:{row.id}") == SECRET.encode()
        with pytest.raises(Unavailable):
            shared.vault.open(row.sealed, purpose="code:another")


def test_an_event_that_comes_again_is_nothing(shared: Scene, place: str) -> None:
    ran = event(place, "code", SECRET)
    assert take(shared, ran, ran) == 1
    with shared.new_entries() as entries:
        assert take(shared, ran) == 0
    assert entries == []


def test_entries_of_a_workspace_stand_in_the_order_of_its_events(shared: Scene, place: str) -> None:
    kinds = ["code", "locked", "code", "route-refused", "unlocked", "code"]
    with shared.new_entries() as entries:
        take(shared, *(event(place, kind, why="download") for kind in kinds))
    assert about(entries, "kind") == kinds


def test_each_kind_has_its_action_and_outcome(shared: Scene, place: str) -> None:
    expected = {
        "route-refused": ("route.refused", "denied", "route-refused.download"),
        "seat-refused": ("seat.refused", "denied", "seat-refused.download"),
        "display-spent": ("display.spent", "denied", "display-spent.download"),
        "malformed": ("gate.event", "denied", "malformed.download"),
        "locked": ("screen.locked", "done", "locked.download"),
        "something-new": ("gate.event", "done", "something-new.download"),
    }
    with shared.new_entries() as entries:
        take(shared, *(event(place, kind, why="download") for kind in expected))
        take(shared, event(place, "clipboard", outcome="refused"))
    told = [(entry["action"], entry["outcome"], (entry.get("reason") or {}).get("code")) for entry in entries]
    assert told == [*expected.values(), ("clipboard.copy", "denied", None)]


def test_only_words_and_numbers_of_the_details_stand_in_the_log(shared: Scene, place: str) -> None:
    said = {"route": "files", "title": "홍길동 님", "n": 1 << 80, "Bad Key": "x", "flag": True, "empty": ""}
    with shared.new_entries() as entries:
        take(shared, event(place, "route-refused", **said))
    details = entries[0]["details"]
    assert (details["route"], details["flag"], details["n"]) == ("files", True, seen.LARGEST)
    assert len(details["title_sha256"]) == 64
    assert "홍길동" not in json.dumps(entries, ensure_ascii=False)
    assert {"Bad Key", "title", "empty"}.isdisjoint(details)


def test_what_was_shown_is_one_entry_with_sums_and_its_texts_wait_sealed(shared: Scene) -> None:
    place = open_workspace(shared)
    events = [
        event(place, "display", PHONE, mime="text/plain", bytes=60, rows=2),
        event(place, "display", "", mime="image/png", bytes=1000, pictures=1),
        event(place, "display", "평균 3.5", mime="text/plain\x00", bytes=10),
    ]
    with shared.new_entries() as entries:
        take(shared, *events)
    (entry,) = entries
    told = {name: entry["details"][name] for name in ("shown", "texts", "bytes", "rows", "pictures")}
    assert (entry["action"], told) == (
        "display.shown",
        {"shown": 3, "texts": 2, "bytes": 1070, "rows": 2, "pictures": 1},
    )
    with shared.store.read() as session:
        rows = session.scalars(select(DisplayText).where(DisplayText.workspace_id == place)).all()
        assert len(rows) == 2
        assert all(b"010-1234" not in row.sealed for row in rows)


def test_texts_above_what_may_wait_and_those_the_gate_cut_are_owned_up_to(shared: Scene, monkeypatch) -> None:
    place = open_workspace(shared)
    monkeypatch.setattr(watch, "WAITING", 30)
    events = [event(place, "display", "x" * 20, bytes=1 << 20, cut=1), event(place, "display", "y" * 15, bytes=15)]
    with shared.new_entries() as entries:
        take(shared, *events)
    assert [entry["action"] for entry in entries] == ["display.shown", "display.unsearched"]
    assert entries[1]["details"] == {"cut": 1, "backlog": 1}
    with shared.new_entries() as entries:
        take(shared, event(place, "display", "z" * 15, bytes=15))
    assert entries[1]["details"] == {"backlog": 1}


def test_a_flood_is_a_few_entries_and_one_that_says_how_many_more(shared: Scene) -> None:
    place, other = open_workspace(shared), open_workspace(shared)
    flood = [event(place, "route-refused", why="download") for _ in range(watch.SINGLES + 70)]
    with shared.new_entries() as entries:
        take(shared, *flood[:50])
        take(shared, *flood[50:], event(other, "route-refused", why="download"), event(place, "seat-refused"))
    mine = [e for e in entries if e["object"]["id"] == place and e["action"] == "route.refused"]
    assert [e["details"].get("more") for e in mine] == [None] * watch.SINGLES + [30, 40]
    assert len(entries) == watch.SINGLES + 2 + 2, "the neighbour and the other kind have entries of their own"
    with shared.new_entries() as entries:
        take(shared, event(place, "route-refused", why="download"), now=NOW + timedelta(minutes=2))
    assert about(entries, "more") == [None], "a minute later entries begin anew"


def test_an_event_of_an_unknown_workspace_blocks_nothing_and_keeps_its_code(shared: Scene, place: str) -> None:
    lost = event("w-nowhere", "code", SECRET)
    odd = event("\x00<b>", "display", PHONE, bytes=30)
    with shared.new_entries() as entries:
        take(shared, lost, odd, event(place, "code", "1+1"))
    told = [(e["action"], e["outcome"], (e.get("reason") or {}).get("code")) for e in entries]
    assert told == [
        ("code.executed", "unknown", "workspace.unknown"),
        ("code.executed", "allowed", None),
        ("display.shown", "unknown", "workspace.unknown"),
        ("display.unsearched", "failed", None),
    ]
    with shared.store.read() as session:
        record = session.scalar(select(ExecutedCode).where(ExecutedCode.event_id == lost.id))
    text = code.view_code(shared.store, shared.vault, shared.actor("auditor"), code_id=record.id, now=NOW)
    assert (record.workspace_id, text.text) == ("w-nowhere", SECRET)


def test_what_is_about_the_gate_itself_is_no_unknown_workspace(shared: Scene) -> None:
    with shared.new_entries() as entries:
        take(shared, event("", "topology-tested", outcome="broken", found=2), event("gate", "topology-tested"))
    told = [(e["object"], e["outcome"], e.get("project")) for e in entries]
    gate = {"id": "gate", "kind": "gate"}
    assert told == [(gate, "failed", None), (gate, "done", None)]


def test_an_event_that_cannot_be_recorded_is_buried_once(shared: Scene, place: str) -> None:
    sick = event(place, "code", SECRET)
    with shared.new_entries() as entries:
        watch.bury(shared.store, event=sick, code="event.malformed", now=NOW)
        watch.bury(shared.store, event=sick, code="event.malformed", now=NOW)
        assert take(shared, sick) == 0
    (entry,) = entries
    assert (entry["action"], entry["outcome"], entry["reason"]["code"]) == ("gate.event", "failed", "event.malformed")
    assert SECRET not in json.dumps(entry)


class DiedError(Exception):
    """A process that ended here."""


class Frail(Vault):
    """A vault whose process dies at the n-th seal from now."""

    def __init__(self, inner: Vault) -> None:
        self._inner, self.left = inner, -1

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        self.left -= 1
        if self.left == 0:
            raise DiedError
        return self._inner.seal(plain, purpose=purpose)


STEP = st.one_of(
    st.tuples(st.just("put"), st.lists(st.sampled_from(["code", "display", "route-refused", "locked"]), max_size=30)),
    st.tuples(st.just("turn"), st.sampled_from(["whole", "not settled", "half settled", "dies early", "dies late"])),
    st.tuples(st.just("gate"), st.just("restarts")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=1, max_size=14))
def test_whatever_is_delivered_twice_or_dies_each_event_is_told_exactly_once(
    shared: Scene, place: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool, kinds = Spool(folder), {}
    frail = Frail(shared.vault)

    def turn(how: str) -> None:
        events = spool.events(limit=25)
        frail.left = 2 if how == "dies early" else -1
        try:
            watch.take(shared.store, frail, events=events, now=NOW)  # type: ignore[arg-type]
        except DiedError:
            return
        if how in {"not settled", "dies late"}:
            return
        spool.settle([each.id for each in (events[::2] if how == "half settled" else events)])

    with shared.new_entries() as entries:
        for step, what in steps:
            if step == "put":
                for kind in what:  # type: ignore[attr-defined]
                    details = {"bytes": 4} if kind == "display" else {}
                    kinds[spool.put(place, kind, details, b"text" if kind in {"code", "display"} else b"")] = kind
            elif step == "turn":
                turn(str(what))
            else:
                spool = Spool(folder)
        while spool.events():
            turn("whole")
    assert told(entries) == Counter(kinds.values())
    single = Counter(entry["details"]["event"] for entry in entries if "event" in entry["details"])
    assert set(single.values()) <= {1}
    assert {name for name, kind in kinds.items() if kind == "code"} <= set(single)
    with shared.store.read() as session:
        query = select(func.count()).where(ExecutedCode.event_id.in_(list(kinds)))
        assert session.scalar(query) == Counter(kinds.values())["code"]


def told(entries: list[dict[str, object]]) -> Counter[str]:
    """How many events of each kind the entries speak of."""
    count: Counter[str] = Counter()
    for entry in entries:
        details = entry["details"]
        if entry["action"] == "display.shown":
            count["display"] += details["shown"]  # type: ignore[index]
        elif entry["action"] != "display.unsearched":
            count[details["kind"]] += details.get("more", 1)  # type: ignore[index,attr-defined]
    return +count


def test_the_property_sees_an_intake_that_forgets_what_it_took(shared: Scene, place: str, monkeypatch) -> None:
    """The barrier taken away: without the table of taken ids a redelivery is told twice."""
    real = watch._known
    monkeypatch.setattr(watch, "_known", lambda *args: replace(real(*args), taken=frozenset()))
    taken = watch._taken
    fresh_id = lambda e, now, single: taken(replace(e, id=f"{e.id}-{next(COUNTER)}"), now, single=single)  # noqa: E731
    monkeypatch.setattr(watch, "_taken", fresh_id)
    again = event(place, "locked")
    with shared.new_entries() as entries:
        take(shared, again)
        take(shared, again)
    assert told(entries)["locked"] == 2


def search(scene: Scene, place: str, answer: Callable[[str], Found | None]) -> list[dict[str, object]]:
    (batch,) = [
        each for each in queries.ready(scene.store, now=NOW + timedelta(minutes=1)) if each.workspace_id == place
    ]
    opened = {each.event_id: scene.vault.open(each.sealed, purpose=f"display:{each.event_id}") for each in batch.texts}
    with scene.new_entries() as entries:
        found = {event_id: answer(text.decode()) for event_id, text in opened.items()}
        shown.record_search(scene.store, scene.vault, workspace_id=place, found=found, now=NOW)
        shown.record_search(scene.store, scene.vault, workspace_id=place, found=found, now=NOW)
    return entries


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """All workspaces are searched at one turn."""
    monkeypatch.setattr(queries, "WORKSPACES", 1000)


@pytest.mark.usefixtures("drawn")
def test_a_finding_tells_kinds_and_counts_and_never_a_value(shared: Scene) -> None:
    place = open_workspace(shared)
    take(shared, event(place, "display", PHONE, bytes=30), event(place, "display", "3.5", bytes=3))
    hit = Found({"PHONE": 1, "NAME": 2}, (("PHONE", "0***"),))
    entries = search(shared, place, lambda text: hit if text == PHONE else Found({}, ()))
    assert [entry["action"] for entry in entries] == ["display.searched", "display.finding", "display.searched"]
    assert [entries[0]["details"][name] for name in ("texts", "findings")] == [2, 1]
    assert entries[2]["details"]["texts"] == 0, "searched once, told once"
    finding = entries[1]
    assert (finding["details"]["n_phone"], finding["details"]["n_name"]) == (1, 2)
    assert finding["actor"]["id"] == "u-scientist"
    told = " ".join(map(entry_words, entries))
    assert not [part for part in ("010", "1234", "5678") if part in told]
    with shared.store.read() as session:
        row = session.scalar(select(DisplayFinding).where(DisplayFinding.workspace_id == place))
        assert (row.kinds, row.sha256) == ("NAME:2 PHONE:1", finding["object"]["sha256"])
        assert session.scalar(select(func.count()).where(DisplayText.workspace_id == place)) == 0
    looked = code.view_finding(shared.store, shared.vault, shared.actor("auditor"), finding_id=row.id, now=NOW)
    assert looked.samples == (("PHONE", "0***"),)


@pytest.mark.usefixtures("drawn")
def test_what_could_not_be_searched_is_told_and_many_findings_are_counted(shared: Scene) -> None:
    place = open_workspace(shared)
    take(shared, *(event(place, "display", f"{PHONE} {n}", bytes=30) for n in range(25)))
    hit = Found({"PHONE": 1}, ())
    entries = search(shared, place, lambda text: None if text.endswith(" 7") else hit)
    actions = Counter(entry["action"] for entry in entries)
    assert actions["display.finding"] == shown.SINGLES + 1
    assert about([e for e in entries if e["action"] == "display.finding"], "more")[-1] == 4
    assert [e["details"] for e in entries if e["action"] == "display.unsearched"] == [{"checker": 1}]


def test_texts_wait_until_there_are_enough_or_long_enough(shared: Scene) -> None:
    place = open_workspace(shared)
    take(shared, event(place, "display", "x" * 100, bytes=100))
    names = {each.workspace_id for each in queries.ready(shared.store, now=NOW + timedelta(seconds=5))}
    assert place not in names
    take(shared, event(place, "display", "x" * queries.ENOUGH, bytes=100))
    with shared.store.read() as session:
        batch = queries._batch(session, place)
    assert len(batch.texts) == 1, "as many as fit, and at least one"


READS = {
    "code": lambda scene, actor, thing: code.view_code(scene.store, scene.vault, actor, code_id=thing, now=NOW),
    "finding": lambda scene, actor, thing: code.view_finding(
        scene.store, scene.vault, actor, finding_id=thing, now=NOW
    ),
}


@pytest.mark.parametrize("what", READS)
def test_nobody_but_an_auditor_reads_code_or_samples_and_every_try_is_an_entry(shared: Scene, what: str) -> None:
    thing = {"code": _some_code, "finding": _some_finding}[what](shared)
    let_through = set()
    for login in [*CAST, "console", "system"]:
        actor = {"console": Actor.console, "system": Actor.system}.get(login, lambda: shared.actor(login))()  # noqa: B023
        with shared.new_entries() as entries:
            try:
                READS[what](shared, actor, thing)
                let_through.add(login)
            except Denied:
                pass
        assert [entry["action"] for entry in entries] == [{"code": "code.view", "finding": "display.view"}[what]], login
        assert entries[0]["outcome"] == ("done" if login in let_through else "denied")
    assert let_through == {"auditor"}


def test_reviewers_and_auditors_see_hashes_and_nobody_else_does(shared: Scene) -> None:
    thing = _some_code(shared)
    seeing = set()
    for login in CAST:
        actor = shared.actor(login)
        try:
            (row,) = [each for each in queries.executed(shared.store, actor, limit=1000) if each.id == thing]
            queries.execution(shared.store, actor, thing)
            queries.findings(shared.store, actor)
        except EnclaveError:
            continue
        assert SECRET not in repr(row)
        assert ("view_code" in row.may) is (login == "auditor")
        seeing.add(login)
    assert seeing == {"reviewer", "auditor"}


def test_lead_and_steward_are_told_that_there_is_a_finding_and_members_are_not(shared: Scene) -> None:
    finding = queries.finding(shared.store, shared.actor("auditor"), _some_finding(shared))
    told_to = {
        login for login in CAST if queries.in_project(shared.store, shared.actor(login), finding.project_id) is not None
    }
    assert told_to == {"lead", "steward-a", "reviewer", "auditor"}
    found = queries.in_project(shared.store, shared.actor("lead"), finding.project_id)
    assert (found.count, found.last_at) == (1, finding.at)


def test_executions_are_listed_newest_first_by_project_and_page(shared: Scene) -> None:
    place = open_workspace(shared)
    later = [replace(event(place, "code", f"{n}"), at=NOW + timedelta(days=300, seconds=n // 2)) for n in range(5)]
    take(shared, *later)
    auditor = shared.actor("auditor")
    newest = queries.executed(shared.store, auditor, limit=2)
    project_id = newest[0].project_id
    pages = [*newest]
    while page := queries.executed(shared.store, auditor, project_id=project_id, before=pages[-1].id, limit=2):
        pages += page
    assert len({each.id for each in pages}) == len(pages) == 5
    assert [each.at for each in pages] == sorted((each.at for each in pages), reverse=True)


def _some_code(scene: Scene) -> str:
    ran = event(open_workspace(scene), "code", SECRET)
    take(scene, ran)
    with scene.store.read() as session:
        return session.scalar(select(ExecutedCode.id).where(ExecutedCode.event_id == ran.id))


def _some_finding(scene: Scene) -> str:
    place = open_workspace(scene)
    hit = event(place, "display", PHONE, bytes=30)
    take(scene, hit)
    found = {hit.id: Found({"PHONE": 1}, (("PHONE", "0***"),))}
    shown.record_search(scene.store, scene.vault, workspace_id=place, found=found, now=NOW)
    with scene.store.read() as session:
        return session.scalar(select(DisplayFinding.id).where(DisplayFinding.event_id == hit.id))


def test_the_folder_of_the_spool_is_no_place_for_the_portal(tmp_path: Path) -> None:
    """The gate's own folder: nobody but root reads what waits there."""
    Spool(tmp_path / "spool").put("w-1", "code", {}, b"1+1")
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
