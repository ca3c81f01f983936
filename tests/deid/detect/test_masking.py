"""Masking many texts: placeholders, order, keyed stand-ins, child processes."""

from __future__ import annotations

import subprocess

import pytest

from deid.detect import masking
from deid.detect.masking import mask_texts, treat_all
from deid.detect.style import Style
from deid.detect.treat import Person, Setup, Task

KEY = b"k" * 16


def test_identifiers_become_typed_korean_placeholders() -> None:
    text = "환자 김철수님(900101-1234568) 보호자 이영희 010-1234-5678, 2024-01-05 통화"
    assert mask_texts([text], keys=None) == ["환자 <이름>님(<주민등록번호>) 보호자 <이름> <전화번호>, <날짜> 통화"]


def test_order_length_and_harmless_texts_are_kept() -> None:
    texts = ["특이사항 없음", "", "보호자 박서준 통화", "특이사항 없음", "보호자 박서준 통화"]
    assert mask_texts(texts, keys=None) == [
        "특이사항 없음",
        "",
        "보호자 <이름> 통화",
        "특이사항 없음",
        "보호자 <이름> 통화",
    ]
    assert mask_texts([], keys=None) == []


def test_with_a_key_the_same_person_gets_the_same_stand_in_however_written() -> None:
    one, other, stranger = mask_texts(["환자 김철수님", "환자 김\u200b철수님", "환자 김영희님"], keys={"NAME": KEY})
    assert one == other != stranger
    assert one.startswith("환자 <이름:")
    assert mask_texts(["환자 김철수님"], keys={"NAME": b"q" * 16}) != [one]


@pytest.mark.parametrize("keys", [{"NAME": b"short"}, {"NOT_A_TYPE": KEY}])
def test_a_bad_key_is_refused_before_any_work(keys: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        mask_texts(["환자 김철수님"], keys=keys)


def test_several_processes_give_the_same_answer_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_WORTH_A_PROCESS", 500)
    texts = [f"{i}번 침상 김철수님 010-2{i // 10:03d}-{i:04d} 통화" for i in range(1001)]
    keys = {"PHONE": KEY}
    masked = mask_texts(texts, keys=keys, processes=2)
    assert masked[::250] == mask_texts(texts[::250], keys=keys)
    assert len(set(masked)) == len(texts)
    assert not any("김철수" in text for text in masked)


def test_a_child_that_fails_tells_kind_and_place_and_no_text(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from deid.detect import worker

    # A setup the child cannot follow: its own message would quote the value.
    monkeypatch.setattr(worker, "_plain_setup", lambda _: {"style": {"keys": {"NAME": "김철수"}}})
    with pytest.raises(subprocess.CalledProcessError):
        worker.treat_in_processes([Task("환자 김철수님")], Setup(), 1)
    said = capfd.readouterr().err
    assert "ValueError at worker.py:" in said
    assert "김철수" not in said


def test_every_answer_of_processes_is_that_of_one_process_spans_and_stand_ins_too() -> None:
    people = tuple(Person((("name", name),), bytes([seed]) * 16, seed) for seed, name in ((1, "한결"), (2, "김솔")))
    setup = Setup(Style("surrogate", "surrogate", "shift"), staff=(("name", "달밤"),))
    tasks = [
        Task(f"{i}번 김솔님 한결 나아짐, 달밤 선생 010-2{i % 10:03d}-1234, 2024-03-05", people) for i in range(200)
    ]
    from deid.detect.worker import treat_in_processes

    assert treat_in_processes(tasks, setup, 2) == treat_all(tasks, setup)
