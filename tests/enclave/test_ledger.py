"""The ledger on a real database: what counts, from when, over which people, and that nobody slips through together."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pyroaring import BitMap

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.ledger.asked import Populations
from enclave.airlock.ledger.cells import Cell, Group, Origin, groups
from enclave.airlock.ledger.conflicts import Conflict as ConflictOf
from enclave.airlock.ledger.conflicts import Part
from enclave.airlock.ledger.people import digests, moved, place
from enclave.airlock.ledger.wording import told
from enclave.airlock.report import FileReport, Severity, Verdict
from enclave.commands import populations, reviewing
from enclave.commands import release as release_commands
from enclave.commands.acting import intent
from enclave.commands.content import Checked
from enclave.errors import Conflict
from enclave.model.ledger import LedgerGroup
from enclave.queries import egress as requests
from enclave.queries import ledger as queries
from enclave.queries.airlock_facts import load_request
from enclave.states import FileDecision, FileVote, RequestState
from enclave.store import Store
from tests.enclave.scene import NOW, Scene

K, PEOPLE = 10, 5_000
NAMES = [f"{number:032x}" for number in range(PEOPLE)]


class Book:
    """A scene whose data set has its people in the list; requests are submitted and let out without a vote."""

    def __init__(self, scene: Scene, people: int = PEOPLE) -> None:
        self.scene, self.store = scene, scene.store
        self.project = scene.usual()
        with self.store.read() as session:
            self.snapshot = load_request_snapshot(session, self.project)
        with self.write() as tx:
            populations.place_people(
                tx.session, "set-a", self.snapshot, digests(f"{number:032x}" for number in range(people))
            )
        self.people = people

    def write(self, store: Store | None = None):
        return (store or self.store).write(intent(Action.EGRESS_APPROVE, Actor.system(), ("egress_request", "e")))

    def ask(self, members: BitMap, name: str = "table.csv") -> str:
        request_id = self.scene.submitted(self.project)
        with self.write() as tx:
            request = load_request(tx.session, request_id, lock=True)
            origin = Origin("", request_id, self.project, name)
            made = groups(origin, [Cell("all", members)], smallest=K)
            seen = queries.version(tx.session, "set-a")
            kept = Populations("set-a", self.snapshot, tuple(made), None, seen, K)
            populations.keep(tx.session, request, name, kept, NOW)
        return request_id

    def let_out(self, request_id: str, store: Store | None = None, wait: threading.Barrier | None = None) -> int:
        """How many conflicts stood in the way; without any it is let out."""
        with self.write(store) as tx:
            request = load_request(tx.session, request_id, lock=True)
            if wait is not None and not wait.broken:
                wait.wait(5)
            found = populations.overtaken(tx.session, request)
            if not found:
                populations.let_out(tx.session, request, ["table.csv"], NOW)
            return len(found)


def load_request_snapshot(session, project_id: str) -> str:
    from enclave.queries.project import load_project

    return load_project(session, project_id).columns[0].snapshot_id


@pytest.fixture
def book(scene: Scene) -> Book:
    return Book(scene)


def first(people: int) -> BitMap:
    return BitMap(range(people))


def test_what_is_asked_for_counts_only_once_it_is_let_out(book: Book):
    one, two = book.ask(first(1000)), book.ask(first(995))
    with book.store.read() as session:
        assert len(queries.ledger(session, "set-a").released) == 1, "everybody knows all people, and nothing else"
    assert book.let_out(one) == 0
    with book.store.read() as session:
        found = queries.ledger(session, "set-a")
    assert (found.version, found.people, len(found.released)) == (1, PEOPLE, 2)
    assert book.let_out(two) == 1


def test_what_is_kept_is_what_was_computed(book: Book):
    members = BitMap(np.random.default_rng(1).choice(PEOPLE, 700, replace=False).tolist())
    book.let_out(book.ask(members))
    with book.store.read() as session:
        [image] = [each for each in queries.ledger(session, "set-a").released if not each.origin.known]
        assert image.load(0) == members
        assert image.sizes.tolist() == [700]


def test_a_newer_version_of_the_data_is_compared_with_what_is_out_about_the_old_one(book: Book):
    book.let_out(book.ask(first(1000)))
    newer = digests(sorted([*NAMES[3:], *(f"{number:032x}" for number in range(PEOPLE, PEOPLE + 50))]))
    with book.store.read() as session:
        placed = place(queries.digests(session, "set-a"), newer)
    assert placed.until == PEOPLE + 50
    ranks = BitMap(range(997))  # the same people, but for three who left
    asked = groups(Origin("", "e-new", "p", "new.csv"), [Cell("all", moved(ranks, placed.positions))], smallest=K)
    with book.store.read() as session:
        _, found = queries.compare(session, "set-a", asked, K)
    assert [(each.kind, each.people) for each in found] == [("pair", 3)]


def test_people_are_placed_once_and_newcomers_behind():
    known = digests(["a", "b", "c"])
    placed = place(known, digests(["b", "x", "c", "y"]))
    assert placed.positions.tolist() == [1, 3, 2, 4]
    assert placed.until == 5
    assert place(digests([]), known).positions.tolist() == [0, 1, 2]


@pytest.mark.parametrize("turn", range(3))
def test_of_two_that_may_not_leave_together_one_stays_when_both_are_approved_at_the_same_moment(book: Book, turn: int):
    requests = [book.ask(first(1000)), book.ask(first(996))]
    stores = [Store(str(book.store.engine.url.render_as_string(hide_password=False)), wait_s=30) for _ in requests]
    sqlite = book.store.engine.dialect.name == "sqlite"  # takes its one write lock when the transaction begins
    meet = None if sqlite else threading.Barrier(2)
    found: dict[str, int] = {}

    def decide(request_id: str, store: Store) -> None:
        found[request_id] = book.let_out(request_id, store, meet)

    threads = [threading.Thread(target=decide, args=each) for each in zip(requests, stores, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for each in stores:
        each.close()
    assert sorted(found.values()) == [0, 1]
    with book.store.read() as session:
        out = [each for each in session.query(LedgerGroup) if each.released_at is not None]
    assert len(out) == 1


def with_people(book: Book, members: BitMap, name: str = "table.csv") -> Checked:
    """A file whose numbers are about these people, compared with the ledger as it is now."""
    checked = book.scene.checked(f"연령,수\n40대,{len(members)}\n", name)
    made = groups(Origin(project=book.project, file=name), [Cell("n · 40대", members)], smallest=K)
    with book.store.read() as session:
        seen = queries.version(session, "set-a")
    return replace(checked, populations=Populations("set-a", book.snapshot, tuple(made), None, seen, K))


def findings(book: Book, request_id: str) -> list[tuple[str, str]]:
    with book.store.read() as session:
        found = load_request(session, request_id)
        return [(one.rule, one.ko) for file in found.files for one in file.findings]


def test_a_decision_counts_what_it_lets_out_and_names_how_many_cells_in_its_entry(book: Book):
    made = book.scene.submitted(book.project, with_people(book, first(1000)))
    with book.scene.new_entries() as entries:
        book.scene.vote("checker-a", made)
        book.scene.vote("checker-b", made)
    assert [entry["details"].get("ledger_cells") for entry in entries if entry["action"] == "egress.approve"] == [
        None,
        1,
    ]
    with book.store.read() as session:
        [image] = [each for each in queries.ledger(session, "set-a").released if not each.origin.known]
        release = load_request(session, made).release
        assert release is not None
        assert (image.origin.request, image.origin.release) == (made, release.id)


def test_a_release_in_between_stops_the_decision_and_both_sides_are_told_what_they_may_know(book: Book):
    one = book.scene.submitted(book.project, with_people(book, first(1000)))
    two = book.scene.submitted(book.project, with_people(book, first(997)))
    book.scene.vote("checker-a", two)
    for login in ("checker-a", "checker-b"):
        book.scene.vote(login, one)
    with pytest.raises(Conflict) as stopped, book.scene.new_entries() as entries:
        book.scene.vote("checker-b", two)
    assert stopped.value.code == "ledger.meanwhile"
    assert [(entry["outcome"], entry["reason"]["code"]) for entry in entries] == [("failed", "ledger.meanwhile")]
    with book.store.read() as session:
        found = load_request(session, two)
        assert (found.state, found.files[0].verdict) == (RequestState.SUBMITTED, Verdict.BLOCK)
        assert len(found.reviews) == 1, "the word that was refused is not there"
        report = FileReport.from_json(found.files[0].report or "")
        release = load_request(session, one).release
        assert release is not None
        release_id = release.id
    [(rule, said)] = findings(book, two)
    assert rule == "ledger.pair"
    assert release_id in said, "of one's own project the release is named"
    [evidence] = report.evidence
    assert {row[2] for row in evidence.rows[1:]} == {"이 신청 this request", release_id}
    assert {row[1] for row in evidence.rows[1:]} == {"3"}


def test_a_word_given_before_a_finding_does_not_let_its_file_out(book: Book):
    """The reason that one wrote for another file of the request is no reason for what was found since."""
    scene, reason = book.scene, "공개된 통계와 같음"
    blocked = scene.checked("수\n3\n", "blocked.csv", block=True)
    one = scene.submitted(book.project, with_people(book, first(1000)))
    two = scene.submitted(book.project, blocked, with_people(book, first(997)))
    scene.vote("checker-a", two, override_reason=reason)
    for login in ("checker-a", "checker-b"):
        scene.vote(login, one)

    def vote(login: str, minutes: int):
        now = NOW + timedelta(minutes=minutes)
        ballot = scene.ballot(two, override_reason=reason)
        return reviewing.decide(scene.store, scene.actor(login, now=now), request_id=two, vote=ballot, now=now)

    with pytest.raises(Conflict):
        vote("checker-b", 1)
    vote("checker-b", 2)
    found = vote("checker-c", 3)
    assert (found.state, found.reviews_in) == (RequestState.SUBMITTED, 3)
    mine = requests.request(scene.store, scene.actor("checker-a"), two, now=NOW)
    assert {file.name: (file.decision, file.my_vote) for file in mine.files} == {
        "blocked.csv": (FileDecision.APPROVED, FileVote.APPROVE),
        "table.csv": (FileDecision.CONFLICTED, None),
    }
    assert vote("checker-a", 4).state is RequestState.APPROVED


def test_what_is_another_projects_is_not_named_to_the_requester():
    parts = (
        Part(Origin("", "e-2", "p-mine", "mine.csv"), ("n · 40대",), new=True),
        Part(Origin("r-1", "e-1", "p-theirs", "secret.csv"), ("n · 희귀",), new=False),
    )
    findings_, evidence = told([ConflictOf("pair", parts, 3)], "p-mine")["mine.csv"]
    said = findings_[0].ko + findings_[0].en + findings_[0].place
    assert not any(each in said for each in ("r-1", "e-1", "p-theirs", "secret.csv", "희귀", "3"))
    assert "another release on the same data" in said
    shown = {cell for row in evidence.rows for cell in row}
    assert {"r-1", "e-1", "p-theirs", "secret.csv", "n · 희귀", "3"} <= shown


def test_a_model_that_differs_by_a_few_people_is_for_a_persons_eye():
    parts = (
        Part(Origin("", "e", "p", "m.csv", model=True), ("ols",), new=True),
        Part(Origin("r", "e", "p", "t.csv"), ("n",), new=False),
    )
    [finding] = told([ConflictOf("pair", parts, 3)], "p")["m.csv"][0]
    assert (finding.rule, finding.severity) == ("ledger.model", Severity.WARN)


def test_recalled_releases_still_count(book: Book):
    one = book.scene.submitted(book.project, with_people(book, first(1000)))
    for login in ("checker-a", "checker-b"):
        book.scene.vote(login, one)
    with book.store.read() as session:
        release = load_request(session, one).release
        assert release is not None
        release_id = release.id
    built = release_commands.build(book.store, book.scene.depot, release_id=release_id, now=NOW)
    assert built.package_sha256
    release_commands.recall(
        book.store, book.scene.depot, book.scene.actor("checker-a"), release_id=release_id, reason="시험", now=NOW
    )
    with book.store.read() as session:
        found = queries.compare(session, "set-a", [Group(Origin(), (Cell("n", first(995)),))], K)[1]
    assert [each.people for each in found] == [5]


def test_a_mean_over_fewer_people_is_no_difference_of_counts(book: Book):
    one = Group(Origin(measure="persons"), (Cell("n", first(1000)),))
    two = Group(Origin(measure="value patients.bmi"), (Cell("bmi", first(996)),))
    with book.store.read() as session:
        assert queries.compare(session, "set-a", [one, two], K)[1] == ()
        counted = Group(Origin(measure="persons"), (Cell("count(bmi)", first(996)),))
        assert [each.people for each in queries.compare(session, "set-a", [one, counted], K)[1]] == [4]
