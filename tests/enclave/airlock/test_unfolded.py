"""R57: an identifier in another spelling is found where it stands; what only looks like one is left alone."""

from __future__ import annotations

import base64

import pytest

from enclave.airlock.report import FileReport, Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

PERSON, PHONE = "900101-1234568", "010-2345-6789"


def look(text: str, name: str = "note.txt") -> FileReport:
    return inspect(text.encode(), name, CheckRules())


SPELLED = {
    "hexadecimal": PERSON.encode().hex(),
    "base64": base64.b64encode(PERSON.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"대상 {PERSON}".encode()).decode().rstrip("="),
    "base32": base64.b32encode(PERSON.encode()).decode(),
    "percent": "".join(f"%{ord(sign):02X}" for sign in PERSON),
    "entities": "".join(f"&#{ord(sign)};" for sign in PERSON),
    "hexadecimal entities": "".join(f"&#x{ord(sign):x};" for sign in PERSON),
    "letters apart": " ".join(PERSON),
    "dots between": ".".join(PERSON),
    "turned around": PERSON[::-1],
    "Chinese digits": PERSON.translate(str.maketrans("0123456789", "〇一二三四五六七八九")),
    "circled digits": PERSON.translate(str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")),
}


@pytest.mark.parametrize("case", SPELLED)
@pytest.mark.parametrize("name", ["note.txt", "fit.py"])
def test_an_identifier_in_another_spelling_is_found_at_its_line(case: str, name: str) -> None:
    report = look(f"# 결과\nx = '{SPELLED[case]}'\n끝\n", name)
    assert ("id.rrn", "L2") in {(finding.rule, finding.place) for finding in report.findings}
    assert SPELLED[case] not in report.to_json()


def test_other_certain_kinds_are_found_as_well() -> None:
    assert "id.phone" in {f.rule for f in look(f"token {PHONE.encode().hex()} end\n").findings}
    mail = base64.b64encode(b"kim.minji@hospital.or.kr").decode()
    assert "id.email" in {f.rule for f in look(f"region,n,note\nA,120,{mail}\n", "a.csv").findings}


HONEST = [
    "SHA-256 of the model: " + "0123456789abcdef" * 4,
    "commit 3d1c95c0f4e2a1b7c8d9e0f1a2b3c4d5e6f70819",
    "see https://example.ac.kr/%EA%B2%B0%EA%B3%BC/%ED%91%9C.html for the protocol",
    "ratings 1 2 3 4 5 4 3 2 1 2 3 4 5 4 3 2 1",
    "제1형, 제2형, 三三五五 모였다",
    "①첫째 ②둘째 ③셋째",
    "ISBN 978-89-12345-67-8, doi 10.1000/182",
    "a &lt; b &amp;&amp; c &#8805; d",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_runs_of_letters_and_digits_do_not_stop_a_text(text: str) -> None:
    assert look(f"결과\n{text}\n").verdict is not Verdict.BLOCK
