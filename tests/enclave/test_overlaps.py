"""Which earlier releases a request overlaps with, and who is told what of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyroaring import BitMap

from enclave.airlock.ledger.asked import Populations
from enclave.airlock.ledger.cells import Cell, Group, Origin, groups
from enclave.airlock.ledger.image import draw, full_labels
from enclave.airlock.ledger.likeness import Lie, lie, same_cells
from enclave.airlock.ledger.unions import Side
from enclave.airlock.ledger.wording import told
from enclave.airlock.report import Finding, Severity
from enclave.commands import egress, project
from enclave.commands import release as release_commands
from enclave.commands.content import Checked
from enclave.errors import Denied
from enclave.queries import egress as egress_queries
from enclave.queries import ledger as queries
from enclave.queries.airlock_facts import load_request
from enclave.queries.overlap_views import How
from enclave.queries.overlaps import overlaps
from enclave.states import FileVote
from tests.enclave.scene import COLUMNS, NOW, Scene
from tests.enclave.test_ledger import Book, first


@pytest.fixture
def book(scene: Scene) -> Book:
    return Book(scene)


def file_of(book: Book, of: str, name: str, *cells: BitMap, text: str = "") -> Checked:
    """A file with a recipe about these people, compared with the ledger as it is now, as at submission."""
    checked = book.scene.checked(text or f"연령,수\n{name},51\n", name)
    made = groups(Origin(project=of, file=name), [Cell(f"n · {i}", each) for i, each in enumerate(cells)],
                  smallest=10)  # fmt: skip
    with book.store.read() as session:
        seen, found = queries.compare(session, "set-a", made, 10)
    if found:
        findings, evidence = told(found, of)[name]
        checked = replace(checked, report=checked.report.with_more(findings, (evidence,)))
    file = replace(checked.file, recipe='{"kind":"table"}')
    return replace(checked, file=file, populations=Populations("set-a", book.snapshot, tuple(made), None, seen, 10))


def let_out(book: Book, of: str, *files: Checked, login: str = "scientist", **more: object) -> str:
    made = submitted(book, of, *files, login=login, **more)
    for checker in ("checker-a", "checker-b"):
        book.scene.vote(checker, made)
    return made


def submitted(book: Book, of: str, *files: Checked, login: str = "scientist", **more: object) -> str:
    form = book.scene.submission(of, *files, **more)
    made = egress.submit(book.store, book.scene.actor(login), submission=form, now=NOW).id
    book.scene.looked(made)
    return made


def another_project(book: Book) -> str:
    """A project on the same hospital's data, led by somebody of another organisation, with nobody of the usual one."""
    scene, lead = book.scene, book.scene.actor("other-lead")
    form = scene.application(title="비밀스러운 다른 과제", people=())
    made = project.apply(book.store, lead, application=form, now=NOW).id
    project.decide_columns(book.store, scene.actor("steward-a"), project_id=made, dataset_id="set-a", approve=COLUMNS,
                           reason="적합", now=NOW)  # fmt: skip
    scene.pledged(made, "other-lead")
    project.activate(book.store, lead, project_id=made, now=NOW)
    return made


def seen(book: Book, login: str, request_id: str) -> list[tuple[str, How, int, bool, str]]:
    found = overlaps(book.store, book.scene.actor(login), request_id, now=NOW)
    return [(each.file, each.how, each.number, each.own, each.request_id) for each in found]


def slice_(start: int, stop: int) -> BitMap:
    return BitMap(range(start, stop))


@pytest.mark.parametrize(
    ("cells", "how", "number"),
    [
        ([slice_(0, 500), slice_(700, 900)], How.CELLS, 1),
        ([slice_(0, 250), slice_(250, 1000)], How.EQUAL, 0),
        ([slice_(100, 300)], How.WITHIN, 0),
        ([slice_(0, 1500)], How.AROUND, 0),
        ([slice_(600, 1500)], How.PARTLY, 0),
        ([slice_(2000, 2500)], How.APART, 0),
        ([slice_(0, 996)], How.FEW, 4),
    ],
    ids=lambda value: value.value if isinstance(value, How) else "",
)
def test_a_checker_is_shown_how_a_table_lies_to_what_is_out(book: Book, cells: list[BitMap], how: How, number: int):
    out = let_out(book, book.project, file_of(book, book.project, "out.csv", slice_(0, 500), slice_(500, 1000)))
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", *cells))
    assert seen(book, "checker-a", asked) == [("new.csv", how, number, True, out)]


def test_the_earlier_file_is_named_so_that_it_can_be_opened(book: Book):
    out = let_out(book, book.project, file_of(book, book.project, "out.csv", first(1000)))
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", slice_(100, 300)))
    [found] = overlaps(book.store, book.scene.actor("checker-a"), asked, now=NOW)
    with book.store.read() as session:
        earlier = load_request(session, out)
        assert (found.file_id, found.file_name, found.opens) == (earlier.files[0].id, "out.csv", True)
        assert found.release_id == (earlier.release and earlier.release.id)


def test_what_was_only_asked_for_is_no_earlier_release(book: Book):
    submitted(book, book.project, file_of(book, book.project, "asked.csv", first(1000)))
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", first(1000)))
    assert seen(book, "checker-a", asked) == []


def test_a_decided_request_shows_what_was_out_when_it_was_decided(book: Book):
    one = let_out(book, book.project, file_of(book, book.project, "one.csv", first(1000)))
    let_out(book, book.project, file_of(book, book.project, "two.csv", first(1000)))
    assert seen(book, "checker-a", one) == []


def test_a_recalled_release_still_stands_beside_what_is_asked(book: Book):
    out = let_out(book, book.project, file_of(book, book.project, "out.csv", first(1000)))
    with book.store.read() as session:
        release = load_request(session, out).release
        assert release is not None
        release_id = release.id
    release_commands.build(book.store, book.scene.depot, release_id=release_id, now=NOW)
    release_commands.recall(
        book.store, book.scene.depot, book.scene.actor("checker-a"), release_id=release_id, reason="시험", now=NOW
    )
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", slice_(100, 300)))
    [found] = overlaps(book.store, book.scene.actor("checker-a"), asked, now=NOW)
    assert (found.how, found.recalled) == (How.WITHIN, True)


@pytest.mark.parametrize(
    ("name", "text", "how"),
    [
        ("표.csv", "연령,수\n40대,51\n", How.BYTES),
        ("다른 이름.csv", "연령,수\n40대,51\n", How.BYTES),
        ("표.csv", "연령,수\n40대,52\n50대,60\n", How.LIKE),
    ],
    ids=["the same file", "the same bytes under another name", "the same name"],
)
def test_without_a_recipe_files_are_found_by_bytes_and_name(book: Book, name: str, text: str, how: How):
    out = let_out(book, book.project, book.scene.checked("연령,수\n40대,51\n", "표.csv"))
    asked = submitted(book, book.project, book.scene.checked(text, name))
    assert seen(book, "checker-a", asked) == [(name, how, 0, True, out)]


def test_a_file_that_was_refused_beside_another_that_left_is_no_release(book: Book):
    finding = Finding(rule="min-cell", severity=Severity.BLOCK, ko="작은 칸", en="small cell")
    bad = book.scene.checked("연령,수\n40대,3\n", "나쁨.csv")
    bad = replace(bad, report=replace(bad.report, findings=(finding,)))
    made = submitted(book, book.project, book.scene.checked("연령,수\n40대,77\n", "좋음.csv"), bad)
    with book.store.read() as session:
        ids = {file.name: file.id for file in load_request(session, made).files}
    votes = {ids["나쁨.csv"]: FileVote.CHANGES}
    for checker in ("checker-a", "checker-b"):
        book.scene.vote(checker, made, votes=votes, comment="나쁨.csv는 작은 칸을 고치세요.")
    asked = submitted(book, book.project, book.scene.checked("연령,수\n40대,3\n", "나쁨.csv"))
    assert How.BYTES not in {each[1] for each in seen(book, "checker-a", asked)}


SECRET = "희귀질환-비밀.csv"


def neighbour(book: Book) -> tuple[str, dict[str, str]]:
    """Something of another project is out; (its request, all words that name it)."""
    other = another_project(book)
    out = let_out(book, other, file_of(book, other, SECRET, first(1000), text="비밀,수\n가,51\n"), login="other-lead")
    with book.store.read() as session:
        found = load_request(session, out)
        release = found.release
        assert release is not None
        words = {"project": other, "request": out, "release": release.id, "file": SECRET, "file id": found.files[0].id,
                 "title": found.project.title}  # fmt: skip
    return out, words


@pytest.mark.parametrize("login", ["scientist", "lead"])
def test_nobody_who_asked_learns_anything_of_another_projects_release(book: Book, login: str):
    out, words = neighbour(book)
    near = file_of(book, book.project, "new.csv", first(996))
    copied = book.scene.checked("비밀,수\n가,51\n", SECRET)
    asked = submitted(book, book.project, near, copied)
    assert {each[1:4:2] for each in seen(book, "checker-a", asked)} == {(How.FEW, False), (How.BYTES, False)}
    assert seen(book, login, asked) == []
    shown = egress_queries.request(book.store, book.scene.actor(login), asked, now=NOW)
    said = str([(file.findings, file.evidence) for file in shown.files])
    assert not [name for name, word in words.items() if word in said and name != "file"]
    assert out not in said


def test_a_checker_is_told_of_another_projects_release_by_its_numbers_alone(book: Book):
    out, words = neighbour(book)
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", slice_(100, 300)))
    [found] = overlaps(book.store, book.scene.actor("checker-a"), asked, now=NOW)
    assert (found.how, found.own, found.request_id, found.release_id) == (How.WITHIN, False, out, words["release"])
    assert (found.title, found.file_name, found.file_id) == ("", "", "")
    assert found.opens, "the same checker may look at it there"


def test_those_who_asked_are_shown_their_own_projects_files_and_nothing_computed(book: Book):
    out = let_out(book, book.project, file_of(book, book.project, "표.csv", first(1000)))
    again = file_of(book, book.project, "표.csv", slice_(100, 300), text="연령,수\n다름,60\n")
    asked = submitted(book, book.project, again)
    assert seen(book, "checker-a", asked) == [("표.csv", How.WITHIN, 0, True, out)]
    assert seen(book, "scientist", asked) == [("표.csv", How.LIKE, 0, True, out)]


def test_whom_a_request_does_not_concern_sees_no_overlap(book: Book):
    asked = submitted(book, book.project, file_of(book, book.project, "new.csv", first(1000)))
    for login in ("checker-own", "other-lead", "operator"):
        with pytest.raises(Denied):
            seen(book, login, asked)


def test_above_the_sample_populations_are_still_told_apart():
    people, rng = 300_000, np.random.default_rng(3)
    some = BitMap(np.sort(rng.choice(people, 120_000, replace=False)).astype(np.uint32))
    part = BitMap(list(some)[::2])

    def image(*cells: BitMap):
        return draw(Group(Origin(), tuple(Cell(str(i), each) for i, each in enumerate(cells))), people)

    def side(*cells: BitMap):
        group = Group(Origin(), tuple(Cell(str(i), each) for i, each in enumerate(cells)))
        return Side(draw(group, people), full_labels(group, people))

    rest = BitMap(range(people)) - some
    assert lie(side(part), image(some)) is Lie.WITHIN
    assert lie(side(some), image(part)) is Lie.AROUND
    assert lie(side(some), image(part, some - part)) is Lie.EQUAL
    assert lie(side(some), image(rest)) is Lie.APART
    assert same_cells(image(part, rest), image(rest)) == 1
