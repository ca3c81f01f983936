"""The notebook client, against a real HTTP server that speaks the workspace API's form."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from enclave.state_words import LABELS

CLIENT = Path(__file__).parents[3] / "enclave" / "notebook"


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    sys.path.insert(0, str(CLIENT))
    yield
    sys.path.remove(str(CLIENT))


@dataclass
class Portal:
    """What the server was asked, and what it answers."""

    outbox: Path
    asked: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    headers: list[str | None] = field(default_factory=list)
    status: int = 200
    answer: dict[str, object] | bytes = field(default_factory=dict)


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "work").mkdir()
    state = Portal(tmp_path / "outbox")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            named = body.get("files", [body["file"]] if "file" in body else [])
            state.taken += [(state.outbox / name).read_bytes() for name in named]
            self.reply(body)

        def do_GET(self) -> None:
            self.reply({})

        def reply(self, body: dict[str, object]) -> None:
            state.asked.append((self.command, self.path, body))
            state.headers.append(self.headers["Authorization"])
            answer = state.answer
            if isinstance(answer, dict):
                answer = json.dumps(answer).replace("$0", body.get("files", [""])[0]).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("ANSIM_API", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ANSIM_OUTBOX", str(state.outbox))
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret-token")
    monkeypatch.chdir(tmp_path / "work")
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def korean() -> Iterator[None]:
    import ansim

    yield
    ansim.language("ko")


BLOCKED = {
    "files": [
        {
            "name": "$0",
            "verdict": "BLOCK",
            "findings": [
                {
                    "rule": "cell.small",
                    "severity": "BLOCK",
                    "ko": "빈도가 기준 미만",
                    "en": "A small count",
                    "place": "R3 C2 (<b>n</b>)",
                    "sample": "***",
                }
            ],
        }
    ]
}
PASSED = {"files": [{"name": "$0", "verdict": "PASS", "findings": []}]}


def write(name: str, content: str = "n\n100\n") -> str:
    Path(name).write_text(content)
    return name


def test_preflight_copies_the_file_asks_and_leaves_the_outbox_empty(portal: Portal) -> None:
    from ansim import egress

    portal.answer = BLOCKED
    result = egress.preflight(write("table.csv", "n\n4\n"))
    ((method, path, body),) = portal.asked
    assert (method, path) == ("POST", "/api/workspace/v1/egress/preflight")
    assert portal.taken == [b"n\n4\n"]
    assert portal.headers == ["token secret-token"]
    assert [name.split("/")[1] for name in body.get("files", [body.get("file")])] == ["table.csv"]
    assert list(portal.outbox.iterdir()) == []
    assert not result.ok
    assert result.files[0].name == "table.csv"
    assert "차단" in repr(result)
    assert "cell.small" in repr(result)
    assert "고쳐야" in repr(result)


def test_a_repaired_copy_is_written_beside_the_original(portal: Portal) -> None:
    from ansim import egress

    portal.answer = {"name": "../../t.repaired.csv", "content": "bgoqCg==", "verdict": "PASS", "findings": []}
    path = egress.repair(write("table.csv", "n\n4\n"), how="suppress")
    ((method, asked, body),) = portal.asked
    assert (method, asked) == ("POST", "/api/workspace/v1/egress/repair")
    assert (body["file"].split("/")[1], body["repair"]) == ("table.csv", "suppress")
    assert path == Path("table.repaired.csv")
    assert (path.read_bytes(), Path("table.csv").read_text()) == (b"n\n*\n", "n\n4\n")
    assert list(portal.outbox.iterdir()) == []


def test_what_the_portal_answers_is_escaped_in_the_notebook(portal: Portal) -> None:
    from ansim import egress

    portal.answer = BLOCKED
    html = egress.preflight(write("table.csv"))._repr_html_()
    assert "&lt;b&gt;n&lt;/b&gt;" in html
    assert "<b>n</b>" not in html


def test_the_tables_are_in_english_when_asked(portal: Portal, korean: None) -> None:
    import ansim

    portal.answer = PASSED
    assert ansim.language("en") == "en"
    shown = repr(ansim.egress.preflight(write("table.csv")))
    assert "pass" in shown
    assert "Reviewers decide" in shown
    with pytest.raises(ValueError, match="언어"):
        ansim.language("fr")


def test_the_same_submission_twice_carries_the_same_key_and_another_one_does_not(portal: Portal) -> None:
    from ansim import egress

    portal.answer = {"id": "r-1", "state": "submitted", **PASSED}
    write("table.csv")
    request = egress.submit("table.csv", purpose="논문", context="표 2")
    egress.submit(["table.csv"], purpose="논문 ", context="표 2")
    egress.submit("table.csv", purpose="논문", context="표 3")
    write("table.csv", "n\n200\n")
    egress.submit("table.csv", purpose="논문", context="표 2")
    egress.submit("table.csv", purpose="논문", context="표 2", again=True)
    keys = [body["key"] for _, _, body in portal.asked]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert portal.asked[0][2]["purpose"] == "논문"
    assert not {"receiver", "request_id"} & set(portal.asked[0][2])
    egress.submit("table.csv", purpose="논문", context="표 2", receiver="lead", redo="r-0")
    assert (portal.asked[-1][2]["receiver"], portal.asked[-1][2]["request_id"]) == ("lead", "r-0")
    assert (request.id, request.state) == ("r-1", "submitted")
    assert "심사 중" in repr(request)
    assert "r-1" in request._repr_html_()


def test_files_are_asked_for_in_groups_with_what_was_done_to_protect_people(portal: Portal) -> None:
    from ansim import egress
    from ansim.failure import AnsimError

    portal.answer = {"id": "r-1", "state": "submitted", **PASSED}
    for name in ("a.csv", "b.csv", "plot.py"):
        write(name)
    said = {
        "표": {"files": ["a.csv", "b.csv"], "context": "지역별", "controls": "10명 미만 가림"},
        "코드": {"files": "plot.py", "context": "b의 코드", "controls": "자료 없음"},
    }
    asked = {"purpose": "논문", "context": "표", "code": {"b.csv": "plot.py"}}
    egress.submit(["a.csv", "b.csv", "plot.py"], **asked, groups=said, details={"retention": "3년"})
    egress.submit(["a.csv", "b.csv", "plot.py"], **asked, groups=said, details={"retention": "5년"})
    (_, _, first), (_, _, second) = portal.asked
    assert first["groups"] == [
        {"name": "표", "context": "지역별", "controls": "10명 미만 가림"},
        {"name": "코드", "context": "b의 코드", "controls": "자료 없음"},
    ]
    a, b, plot = first["files"]
    assert first["about"] == {a: {"group": "표"}, b: {"group": "표", "code": plot}, plot: {"group": "코드"}}
    assert first["details"] == {"retention": "3년"}
    assert first["key"] != second["key"], "another retention is another request"
    for flaw in (
        {"표": {"files": ["a.csv"], "context": "지역별", "controls": " "}},
        {"표": {"files": ["c.csv"], "context": "지역별", "controls": "가림"}},
        {"표": said["표"] | {"files": ["a.csv"]}},
        {"표": said["표"], "또": said["표"]},
    ):
        with pytest.raises(AnsimError) as refused:
            egress.submit(["a.csv", "b.csv", "plot.py"], **asked, groups=flaw)
        assert refused.value.code == "client.groups"
    assert len(portal.asked) == 2


def test_what_only_supports_the_results_is_named_and_read_and_does_not_leave(portal: Portal) -> None:
    from ansim import egress
    from ansim.failure import AnsimError

    portal.answer = {"id": "r-1", "state": "submitted", **PASSED}
    for name in ("a.csv", "codebook.md"):
        write(name)
    egress.submit(["a.csv", "codebook.md"], purpose="논문", context="표", supporting=["codebook.md"])
    egress.submit(["a.csv", "codebook.md"], purpose="논문", context="표")
    (_, _, first), (_, _, second) = portal.asked
    assert first["about"] == {first["files"][1]: {"role": "supporting"}}
    assert "about" not in second
    assert first["key"] != second["key"]
    for strange in (["other.md"], "codebook.md"):
        with pytest.raises(AnsimError) as refused:
            egress.submit(["a.csv", "codebook.md"], purpose="논문", context="표", supporting=strange)
        assert refused.value.code == "client.supporting"


def test_the_status_of_a_request_is_asked_by_its_id(portal: Portal) -> None:
    from ansim import egress

    portal.answer = {"id": "r-1", "state": "returned", "files": [], "decided_reason": "표 제목을 적어 주세요."}
    assert repr(egress.status("r-1")) == "반출 신청 r-1: 보완 요청\n표 제목을 적어 주세요."
    assert "표 제목을" in egress.status("r-1")._repr_html_()
    portal.asked.pop()
    assert portal.asked == [("GET", "/api/workspace/v1/egress/r-1", {})]
    with pytest.raises(Exception, match=r"client\.request-id"):
        egress.status("../../secrets")


WAITS = {
    "id": "e-1",
    "state": "submitted",
    "round": 2,
    "reviews_in": 1,
    "reviewers_needed": 2,
    "queue_position": 3,
    "due_on": "2026-12-01",
    "purpose": "논문 표 2",
    "reruns": [{"code": "run.py", "state": "waiting"}, {"code": "plot.py", "state": "done"}],
    "comments": [
        {"round": 1, "from_author": False, "text": "지난 회차"},
        {"round": 2, "from_author": False, "text": "분모를 적어 주세요. <b>"},
    ],
    "allowed": ["comment", "reassign", "withdraw"],
}


def test_a_request_says_where_it_waits_until_when_what_was_said_and_what_to_do(portal: Portal) -> None:
    from ansim import egress

    portal.answer = dict(WAITS)
    shown = repr(egress.status("e-1"))
    for part in ("2회차 · 심사 1/2 · 대기 순서 3 · 처리 기한 2026-12-01", "run.py", "분모를 적어", 'withdraw("e-1")'):
        assert part in shown
    assert not [part for part in ("plot.py", "지난 회차", "redo=") if part in shown]
    assert egress.status("e-1").allowed == ("comment", "reassign", "withdraw")
    assert "<b>e-1</b>" in egress.status("e-1")._repr_html_()
    assert "&lt;b&gt;" in egress.status("e-1")._repr_html_()


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (
            {"state": "done", "receiver_login": "lead", "expires_at": "2026-12-08T20:00:00+00:00"},
            "lead이(가) 2026-12-09 05:00까지",
        ),
        ({"state": "handed_over", "receiver_login": "lead"}, "lead에게 전달"),
        ({"state": "recalled", "recall_reason": "오류"}, "회수되었습니다(오류)"),
        ({"state": "failed"}, "다시 시도하세요"),
        ({"state": "cancelled"}, ""),
    ],
    ids=lambda case: case["state"] if isinstance(case, dict) else "",
)
def test_a_request_says_what_became_of_its_release(portal: Portal, release: dict[str, str], said: str) -> None:
    from ansim import egress

    portal.answer = {"id": "e-1", "state": "released", "release": release}
    shown = repr(egress.status("e-1"))
    assert (said in shown) if said else (shown.count("\n") == 0)


def test_my_requests_are_a_table_with_purpose_place_and_day(portal: Portal) -> None:
    from ansim import egress

    portal.answer = {"requests": []}
    assert repr(egress.requests()) == "아직 신청이 없습니다."
    portal.answer = {"requests": [WAITS, {"id": "e-2", "state": "draft", "purpose": "<i>"}]}
    first, second = repr(egress.requests()).splitlines()[1:]
    assert first.split() == ["e-1", "심사", "중", "2", "3", "2026-12-01", "논문", "표", "2"]
    assert second.split() == ["e-2", "초안", "<i>"]
    assert "&lt;i&gt;" in egress.requests()._repr_html_()


def test_a_request_is_taken_back_and_answered_from_the_notebook(portal: Portal) -> None:
    from ansim import egress

    portal.answer = {"id": "e-1", "state": "withdrawn"}
    assert egress.withdraw("e-1").state == "withdrawn"
    egress.comment("e-1", "분모는 120명입니다.")
    assert [each[1:] for each in portal.asked] == [
        ("/api/workspace/v1/egress/withdraw/e-1", {}),
        ("/api/workspace/v1/egress/comment/e-1", {"text": "분모는 120명입니다."}),
    ]
    for act in (egress.withdraw, lambda name: egress.comment(name, "x")):
        with pytest.raises(Exception, match=r"client\.request-id"):
            act("../x")


def test_states_and_reasons_are_called_as_the_portal_calls_them(importable: None) -> None:
    from ansim import show, standing

    reasons = tomllib.loads((CLIENT.parent / "portal/words/reasons.toml").read_text())
    assert {name: list(words) for name, words in standing.REASONS.items()} == reasons
    assert LABELS["RequestState"] == show.STATES
    script = (CLIENT / "ansim/labextension/static/remoteEntry.js").read_text()
    states = re.search(r"const STATES = \{(.*?)\};", script, re.DOTALL)
    told = re.findall(r"(\w+): \[\"(.*?)\", \"(.*?)\"\]", states[1])
    assert {name: words for name, *words in told} == {name: list(words) for name, words in show.STATES.items()}


def a_link() -> list[str]:
    Path("link.csv").symlink_to("/etc/passwd")
    return ["link.csv"]


def a_folder() -> list[str]:
    Path("folder").mkdir()
    return ["folder"]


def a_name_with_a_newline() -> list[str]:
    return [write("a\nb.csv")]


def a_hidden_name() -> list[str]:
    return [write(".hidden.csv")]


def a_missing_file() -> list[str]:
    return [write("fine.csv"), "missing.csv"]


def five_gigabytes() -> list[str]:
    with Path("big.csv").open("wb") as stream:
        stream.truncate(5 << 30)
    return ["big.csv"]


def an_empty_file() -> list[str]:
    return [write("empty.csv", "")]


def a_pipe() -> list[str]:
    os.mkfifo("pipe.csv")
    return ["pipe.csv"]


def the_same_name_twice() -> list[str]:
    Path("a").mkdir()
    return [write("x.csv"), write("a/x.csv")]


def too_many() -> list[str]:
    return [write(f"{number}.csv") for number in range(51)]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (a_link, "client.link"),
        (a_folder, "client.folder"),
        (a_name_with_a_newline, "client.name"),
        (a_hidden_name, "client.name"),
        (a_missing_file, "client.missing"),
        (five_gigabytes, "client.too-large"),
        (an_empty_file, "client.empty"),
        (a_pipe, "client.not-a-file"),
        (the_same_name_twice, "client.same-name"),
        (too_many, "client.too-many"),
        (list, "client.no-files"),
    ],
)
def test_bad_files_are_refused_before_anything_is_copied_or_sent(portal: Portal, files, code: str) -> None:
    from ansim import egress
    from ansim.failure import AnsimError

    with pytest.raises(AnsimError) as caught:
        egress.preflight(files())
    assert caught.value.code == code
    assert caught.value.ko
    assert caught.value.en
    assert "\n" not in str(caught.value)
    assert portal.asked == []
    assert list(portal.outbox.iterdir()) == []


@pytest.mark.parametrize("missing", ["purpose", "context"])
def test_a_submission_without_its_texts_is_refused(portal: Portal, missing: str) -> None:
    from ansim import egress

    with pytest.raises(Exception, match=f"client.{missing}"):
        egress.submit(write("a.csv"), **{"purpose": "p", "context": "c", missing: " "})
    assert portal.asked == []


def test_a_refusal_of_the_portal_is_shown_with_its_own_code_and_without_a_traceback(portal: Portal) -> None:
    from ansim import egress

    portal.status = 403
    portal.answer = {"code": "project.expired", "ko": "과제가 끝났습니다.", "en": "Over.", "remedy_ko": "연장하세요."}
    with pytest.raises(Exception, match="연장하세요") as caught:
        egress.preflight(write("a.csv"))
    assert caught.value._render_traceback_() == ["AnsimError: 과제가 끝났습니다. 연장하세요. [project.expired]"]
    assert list(portal.outbox.iterdir()) == []


@pytest.mark.parametrize("answer", [b"<html>gateway</html>", b"[]", b""])
def test_an_answer_that_is_no_object_is_an_error(portal: Portal, answer: bytes) -> None:
    from ansim import egress

    portal.status, portal.answer = 502, answer
    with pytest.raises(Exception, match=r"client\.answer"):
        egress.preflight(write("a.csv"))


def test_a_portal_that_is_not_there_is_an_error_that_says_so(portal: Portal, monkeypatch) -> None:
    from ansim import egress

    monkeypatch.setenv("ANSIM_API", "http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"client\.unreachable"):
        egress.preflight(write("a.csv"))
    assert list(portal.outbox.iterdir()) == []


def test_outside_a_workspace_nothing_works_and_the_message_says_why(portal: Portal, monkeypatch) -> None:
    from ansim import egress

    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with pytest.raises(Exception, match=r"client\.no-workspace"):
        egress.preflight(write("a.csv"))


def test_a_full_or_missing_outbox_is_an_error_that_says_so(portal: Portal, monkeypatch) -> None:
    from ansim import egress

    monkeypatch.setenv("ANSIM_OUTBOX", "/proc/nowhere")
    with pytest.raises(Exception, match=r"client\.outbox"):
        egress.preflight(write("a.csv"))


def test_the_approved_tables_are_listed_with_their_columns(tmp_path: Path, monkeypatch) -> None:
    import ansim
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "nafld" / "labs").mkdir(parents=True)
    pq.write_table(pa.table({"pid": ["a"], "age": [50]}), tmp_path / "nafld" / "patients.parquet")
    pq.write_table(pa.table({"pid": ["a"], "value": [1.5]}), tmp_path / "nafld" / "labs" / "0.parquet")
    monkeypatch.setenv("ANSIM_DATA", str(tmp_path))
    tables = ansim.data()
    assert [(table.name, table.columns) for table in tables.tables] == [
        ("nafld/labs", ("pid", "value")),
        ("nafld/patients", ("pid", "age")),
    ]
    assert "nafld/patients" in repr(tables)
    assert "pid, age" in tables._repr_html_()
    assert list(tables["nafld/patients"].read()["age"]) == [50]
    with pytest.raises(Exception, match="nafld/labs"):
        tables["nafld/other"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Exception, match=r"client\.no-pandas"):
        tables["nafld/patients"].read()


def test_without_data_the_list_says_so(tmp_path: Path, monkeypatch) -> None:
    import ansim

    monkeypatch.setenv("ANSIM_DATA", str(tmp_path / "none"))
    assert "승인된 자료가 없습니다" in repr(ansim.data())


SHOWN = {
    "lines": [
        {"window": "hour", "kind": "bytes", "used": 3 << 20, "left": 29 << 20, "limit": 32 << 20},
        {"window": "day", "kind": "pictures", "used": 200, "left": 0, "limit": 200},
    ],
    "message_bytes": 1 << 20,
    "content_bytes": 512 << 10,
}


def test_a_person_sees_what_is_used_and_left_before_it_is_spent(portal: Portal, korean: None) -> None:
    import ansim

    portal.answer = SHOWN
    budget = ansim.budget()
    assert portal.asked == [("GET", "/api/workspace/v1/display", {})]
    assert [(each.window, each.kind, each.left) for each in budget.lines] == [
        ("hour", "bytes", 29 << 20),
        ("day", "pictures", 0),
    ]
    assert all(text in repr(budget) for text in ("이번 시간", "3.0 MiB", "29.0 MiB", "그림", "출력 하나는 1.0 MiB"))
    assert budget._repr_html_().count("#fde2e1") == 1, "what is used up is marked"
    ansim.language("en")
    assert all(text in repr(budget) for text in ("this hour", "pictures", "Larger results leave by an egress request"))


@pytest.mark.parametrize("answer", [{}, {"lines": [{}]}, {"lines": 5, "message_bytes": 1, "content_bytes": 1}])
def test_a_budget_that_cannot_be_read_is_an_error_that_says_so(portal: Portal, answer: dict[str, object]) -> None:
    import ansim
    from ansim.failure import AnsimError

    portal.answer = answer
    with pytest.raises(AnsimError, match="한도를 읽을 수 없습니다"):
        ansim.budget()


def test_the_client_needs_nothing_but_the_standard_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(CLIENT)!r}); import ansim; print(ansim.egress.preflight)"
    # -S: no installed package can be found
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True)
