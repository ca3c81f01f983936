"""Search among many: whichever way a question is read, the answer is that of reading everything."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text

from audit import blocks, hours, index, lookup, tables
from audit.errors import LogConflictError
from audit.event import Event
from audit.query import LogFilter, count, search
from audit.tables import audit_block, audit_hour, audit_index
from tests.bench.log_entries import BEGIN, rows
from tests.entry_form import unwatched

ENTRIES = 1_500
WORDS = ("빈도", "two-person", "최소빈도 충족", "u-01", "hand-over", "없는말", "egress. 완료")


@pytest.fixture(scope="module")
def made():
    """Rows as a log of three years has them, with a clock that once ran backwards and bytes that are no entry."""
    found = list(rows(ENTRIES))
    found[700]["at"], found[701]["at"] = found[690]["at"], "2031-01-01T00:00:00.000000Z"
    found[900] |= dict.fromkeys(("at", "project", "actor", "object_id", "session"), "") | {"action": index.UNREADABLE}
    return found


@pytest.fixture
def filled(engine, made):
    for start in range(0, ENTRIES, 400):
        with engine.begin() as connection:
            index._add(connection, made[start : start + 400], start)
    return engine


def by_hand(made, asked: LogFilter, after: int | None = None) -> list[int]:
    def holds(row) -> bool:
        equal = ("actor", "project", "outcome", "object_kind", "object_id", "from_ip", "reason_code", "session")
        stamp = "%Y-%m-%dT%H:%M:%S.%fZ"
        conditions = [
            *(row[name] == value for name in equal if (value := getattr(asked, name)) is not None),
            not asked.action or row["action"] == asked.action
            or (asked.action.endswith(".") and row["action"].startswith(asked.action)),
            not asked.actions or row["action"] in asked.actions,
            not asked.object_ids or row["object_id"] in asked.object_ids,
            not asked.since or row["at"] >= asked.since.strftime(stamp),
            not asked.until or row["at"] < asked.until.strftime(stamp),
            after is None or row["leaf_index"] < after,
        ]  # fmt: skip
        words = row["words"].replace("\n", " \n ")
        return all(conditions) and all(_has(words, term) for term in (asked.text or "").split())

    return [row["leaf_index"] for row in reversed(made) if holds(row)]


def _has(words: str, term: str) -> bool:
    plain = words.replace(" ", "")
    return term in plain if "가" <= term[0] <= "힣" else any(
        plain[at - 1] in "\n-.:/" or at == 0 for at in _places(plain, term)
    )  # fmt: skip


def _places(text: str, term: str):
    at = text.find(term)
    while at >= 0:
        yield at
        at = text.find(term, at + 1)


def questions(made) -> list[LogFilter]:
    draw = random.Random(3)

    def some(name: str) -> str:
        return draw.choice([row[name] for row in made if row[name]])

    def period() -> dict[str, datetime]:
        since = BEGIN + timedelta(days=draw.randrange(1_000), hours=draw.randrange(24))
        return {"since": since, "until": since + timedelta(days=draw.randrange(1, 300))}

    fields = ("actor", "project", "outcome", "action", "from_ip", "reason_code", "session", "object_id", "object_kind")
    found = [LogFilter(), *(LogFilter(**{name: some(name)}) for name in fields)]
    found += [LogFilter(**{a: some(a), b: some(b)}) for a, b in itertools.combinations(fields[:6], 2)]
    found += [LogFilter(text=words) for words in WORDS]
    found += [LogFilter(text=words, actor=some("actor")) for words in WORDS]
    found += [LogFilter(text=words, **period()) for words in WORDS]
    found += [LogFilter(**period(), **{name: some(name)}) for name in fields]
    found += [LogFilter(action="egress."), LogFilter(action="egress.", **period()), LogFilter(action="none.")]
    found += [LogFilter(actions=("role.grant", "egress.view"), project=some("project")), LogFilter(project="")]
    found += [LogFilter(object_ids=(some("object_id"), some("object_id"), "w-none")), LogFilter(object_id="w-none")]
    far = datetime(2030, 1, 1, tzinfo=UTC)
    return [
        *found,
        LogFilter(since=far),
        LogFilter(until=far),
        LogFilter(until=BEGIN),
        LogFilter(since=far, text="u-0"),
    ]


@pytest.mark.parametrize("counted", [(2_000, 50_000), (1, 2)], ids=["by field", "by words"])
def test_every_question_is_answered_as_by_reading_everything(filled, made, monkeypatch, counted) -> None:
    monkeypatch.setattr(lookup, "_COUNTED", counted)
    with filled.connect() as connection:
        for asked in questions(made):
            for after in (None, 777):
                wanted = by_hand(made, asked, after)
                page = search(connection, filters=asked, after=after, limit=20)
                assert [row.leaf_index for row in page.rows] == wanted[:20], asked
                assert page.next == (wanted[19] if len(wanted) > 20 else None), asked


def test_counts_are_those_of_reading_everything_or_are_not_told(filled, made) -> None:
    with filled.connect() as connection:
        told = [(asked, count(connection, asked)) for asked in questions(made)]
    counted = [(asked, number) for asked, number in told if number is not None]
    assert len(counted) > 20
    for asked, number in counted:
        assert number == len(by_hand(made, asked)), asked
    assert all(number is None for asked, number in told if asked.text or asked.session or asked.object_ids)


def test_activity_adds_up_by_hour(filled, made) -> None:
    project = made[1_200]["project"]
    with filled.connect() as connection:
        done = hours.activity(connection, project=project)
        everything = hours.activity(connection)
    own = [row for row in made if row["project"] == project]
    assert sum(each.entries for each in done) == len(own)
    assert {each.hour.strftime("%Y-%m-%dT%H") for each in done} == {row["at"][:13] for row in own}
    # All but the one whose bytes tell no time.
    assert sum(each.entries for each in everything) == ENTRIES - 1


def test_what_is_forgotten_is_nowhere_and_the_rest_is_found_as_before(filled, made) -> None:
    with filled.begin() as connection:
        index.forget(connection, 512)
    later = [row for row in made if row["leaf_index"] >= 512]
    with filled.connect() as connection:
        for asked in questions(made):
            rows = search(connection, filters=asked, limit=1_000).rows
            assert [row.leaf_index for row in rows] == by_hand(later, asked)[:1_000], asked
            if (number := count(connection, asked)) is not None:
                assert number == len(by_hand(later, asked))
        words = sorted({word for row in made[:512] for word in blocks.words_of(row["words"])})
        words_left = {word for row in later for word in blocks.words_of(row["words"])}
        gone = next(word for word in words if word not in words_left and len(word) == 32)
        assert list(blocks._blocks_with(connection, blocks_term(gone), 0, 9)) == []
    with filled.begin() as connection, pytest.raises(LogConflictError):
        index.forget(connection, 10**6 // 256 * 256)


def blocks_term(word: str):
    return [blocks.Term(word, frozenset(), word)]


def test_a_new_log_has_its_derived_tables_and_an_old_one_gets_them_anew(database_url, log_folder) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert tables.create(connection) is False
        assert tables.create(connection) is False
        index._add(connection, [index.row(0, "A" * 26, Event("a.b", "done", "u").entry(
            entry_id="A" * 26, at="2026-01-01T00:00:00.000000Z", observer="t"))], 0)  # fmt: skip
        connection.execute(text("UPDATE audit_layout SET layout = 1"))
    with engine.begin() as connection:
        assert tables.create(connection) is True
        assert index.length(connection) == 0
        assert connection.scalar(select(audit_hour.c.entries)) is None
        assert tables.create(connection) is False
    engine.dispose()


def test_an_index_of_the_first_layout_is_filled_again_while_publishing_goes_on(
    engine, sequencer, add, monkeypatch
) -> None:
    monkeypatch.setattr(index, "_BATCH", 100)
    monkeypatch.setattr("audit.sequencer._INDEXED", 200)
    monkeypatch.setattr("audit.sequencer._INDEX_S", 0)
    with engine.begin() as connection:
        tables.metadata.drop_all(connection, [audit_index, audit_block, audit_hour, tables.audit_layout])
        connection.execute(text("CREATE TABLE audit_index (leaf_index INTEGER PRIMARY KEY, words TEXT)"))
        assert tables.create(connection) is True
    add(900, project="P-1", reason_text="최소빈도 충족")
    lengths = []
    for _ in range(5):
        sequencer.step()
        with engine.connect() as connection:
            lengths.append(index.length(connection))
    assert lengths == [200, 400, 600, 800, 900]
    with engine.connect() as connection:
        assert blocks.length(connection) == 900 // 256
        assert [row.leaf_index for row in search(connection, filters=LogFilter(text="빈도"), limit=3).rows] == [
            899,
            898,
            897,
        ]


def test_rows_of_the_bench_are_stored_as_the_index_stores_them(made) -> None:
    for row in made[:50]:
        sha256 = row["words"].rpartition("\n ")[2] if len(row["words"].rpartition("\n ")[2]) == 64 else None
        event = Event(
            row["action"], row["outcome"], row["actor"], actor_role=row["actor_role"], from_ip=row["from_ip"],
            session=row["session"], object_kind=row["object_kind"], object_id=row["object_id"], object_sha256=sha256,
            project=row["project"], reason_code=row["reason_code"], reason_text=row["reason_text"],
        )  # fmt: skip
        data = unwatched(event, entry_id=row["entry_id"], at=row["at"], observer=row["observer"])
        assert index.row(row["leaf_index"], row["entry_id"], data) == row
