"""Known values: a project's own pseudonyms and people are recognised, and told to the checker as keyed hashes."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.airlock.checker import check, check_content
from enclave.airlock.known import KEY, Known, person_marks, pseudonym_marks, read
from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import SealedPool
from enclave.airlock.worker import inspect

RULES = CheckRules()
PSEUDONYMS = [hashlib.sha256(f"p{number}".encode()).hexdigest()[:32] for number in range(2000)]
ONE = PSEUDONYMS[7]
KNOWN = Known(pseudonym_marks([*PSEUDONYMS, "120", "4410"]), person_marks(["김민지", "Mina Kim", "mina-k"]))


def rules_of(content: str, name: str = "t.csv") -> set[str]:
    return {finding.rule for finding in inspect(content.encode(), name, RULES, KNOWN).findings}


PLANTED = {
    "whole": (f"case,n\n{ONE},120\nB,44\n", "t.csv"),
    "in capitals": (f"case,n\n{ONE.upper()},120\nB,44\n", "t.csv"),
    "cut to eight characters": (f"case,n\n{ONE[:8]},120\nB,44\n", "t.csv"),
    "with hyphens": (f"case,n\n{ONE[:8]}-{ONE[8:20]}-{ONE[20:]},120\nB,44\n", "t.csv"),
    "in a sentence": (f"The outlier was patient {ONE}.\n", "t.txt"),
    "in full width": ("case,n\n" + "".join(chr(ord(c) + 0xFEE0) for c in ONE) + ",120\nB,44\n", "t.csv"),
    "cut in two": (f"The outlier was {ONE[:15]} {ONE[15:]}.\n", "t.txt"),
    "as a column": (f"visit,{ONE}\nA,120\nB,44\n", "t.csv"),
    "in json": (f'{{"who": "{ONE}", "n": 120}}', "t.json"),
}


@pytest.mark.parametrize(("content", "name"), PLANTED.values(), ids=PLANTED.keys())
def test_a_pseudonym_of_the_snapshot_is_stopped_wherever_it_stands(content: str, name: str) -> None:
    assert "id.known-pseudonym" in rules_of(content, name)


def test_another_value_of_the_same_form_and_ordinary_counts_are_none_of_them() -> None:
    other = hashlib.sha256(b"somebody else").hexdigest()[:32]
    assert "id.known-pseudonym" not in rules_of(f"commit {other} of the code\n", "t.txt")
    assert rules_of("region,n\nA,120\nB,4410\n") == set()


@pytest.mark.parametrize("text", ["작성: 김민지가 분석함", "author Mina Kim", "user mina-k ran this"])
def test_the_projects_people_are_pointed_at(text: str) -> None:
    report = inspect(f"{text}\n".encode(), "t.txt", RULES, KNOWN)
    assert "id.known-person" in {finding.rule for finding in report.findings}


def test_the_sample_shows_no_pseudonym() -> None:
    report = inspect(f"a {ONE} b\n".encode(), "t.txt", RULES, KNOWN)
    (finding,) = [each for each in report.findings if each.rule == "id.known-pseudonym"]
    assert finding.sample == f"{ONE[0]}***"


def test_what_is_handed_over_holds_no_value_and_means_nothing_without_the_key() -> None:
    descriptor = KNOWN.descriptor()
    try:
        told = os.pread(descriptor, 1 << 22, 0)
        again, stranger = read(descriptor, KEY), read(descriptor, b"x" * 32)
        assert again.has_pseudonym(ONE)
        assert not stranger.has_pseudonym(ONE)
    finally:
        os.close(descriptor)
    assert ONE.encode() not in told
    assert hashlib.blake2b(ONE.encode(), digest_size=8).digest()[::-1] not in told


def test_an_honest_text_of_many_words_meets_no_mark_by_chance() -> None:
    rnd = random.Random(5)
    words = " ".join(f"{rnd.getrandbits(64):x}" for _ in range(20_000))
    assert not any(KNOWN.has_pseudonym(word) for word in words.split())


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


def test_the_sealed_child_recognises_them_too(pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(f"The outlier was {ONE[:8]}.\n")
    found = check(tmp_path / "t.txt", "t.txt", RULES, known=KNOWN, pool=pool)
    assert ({each.rule for each in found.findings}, found.verdict) == ({"id.known-pseudonym"}, Verdict.BLOCK)
    assert check_content(b"region,n\nA,120\n", "t.csv", RULES, known=KNOWN, pool=pool).verdict is Verdict.PASS


def test_nothing_stays_open(pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("words\n")
    check(tmp_path / "t.txt", "t.txt", RULES, known=KNOWN, pool=pool)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        check(tmp_path / "t.txt", "t.txt", RULES, known=KNOWN, pool=pool)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
