"""Bad input and hostile hands at the running system: each is refused with its reason, and nothing is half done."""

from __future__ import annotations

import json
import subprocess

import httpx
import pytest

from demo.chapters.work import COLUMNS, PURPOSE
from demo.services import VENV
from demo.session import Session
from enclave import clock
from tests.e2e.acts import cell, entries, kernel_of, logged, newcomer, printed, stored, until

APPLICATION = {
    "title": "시험 과제",
    "purpose": PURPOSE,
    "legal_basis": "가명_과학적연구",
    "expected_outputs": "집계표",
    "ethics": "해당 없음",
    "safety_plan": "사내 암호화 저장소에만 둡니다.",
}
HEAD = """
import ansim, ansim.portal, json, os, pathlib, tempfile, threading
os.chdir(tempfile.mkdtemp())
from ansim.failure import AnsimError
box = pathlib.Path('/outbox/attack'); box.mkdir(exist_ok=True)
def told(act):
    try:
        answer = act()
    except AnsimError as error:
        return error.code, str(error)
    except OSError as error:
        return type(error).__name__, str(error)
    return 'took it', repr(answer)
def raw(*names):  # as somebody who does not use our package
    body = {'files': list(names), 'purpose': '시험 목적', 'context': '시험 내용', 'key': os.urandom(8).hex()}
    return ansim.portal.ask('POST', '/egress/submit', body)
"""


@pytest.fixture(scope="module")
def attack(world):
    """A kernel in the scientist's workspace."""
    with kernel_of(world.session("mina")) as kernel:
        cell(kernel, HEAD)
        yield kernel


def _project(world, lead: str, *people: str) -> str:
    """An open project of a lead of its own, whose members have not signed yet; returns its id."""
    session = newcomer(world, lead, "project_lead", "scientist")
    today = clock.korean_date(clock.now()).isoformat()
    body = APPLICATION | {"data": {"nafld": COLUMNS}, "people": list(people), "starts_on": today, "ends_on": today}
    made = session.api("POST", "/projects", body)
    assert made.is_success, made.text
    project = made.json()["id"]
    decision = {"dataset_id": "nafld", "approve": COLUMNS, "reason": "최소한의 항목입니다."}
    world.ask("suyeon", "POST", f"/projects/{project}/columns", decision)
    pledge = session.api("GET", "/pledge").json()
    signed = {"version": pledge["version"], "text_sha256": pledge["text_sha256"]}
    assert session.api("POST", f"/projects/{project}/pledge", signed).is_success
    assert session.api("POST", f"/projects/{project}/activate").is_success
    return project


def _spawn_page(session: Session) -> httpx.Response:
    """What the hub's page shows to somebody who asks for their workspace."""
    return session.http.get(f"{session.hub}/hub/spawn")


def _denied_start(world, login: str) -> set[str]:
    """The codes with which the log says that this person's starts were refused."""
    people = {each["login"]: each["id"] for each in world.ask("haneul", "GET", "/accounts")["accounts"]}

    def codes() -> set[str]:
        return {
            each["reason"]["code"]
            for each in entries(world)
            if (each["action"], each["outcome"]) == ("workspace.requested", "denied")
            and each["actor"]["id"] == people[login]
        }

    return until(f"a refused start of {login} in the log", codes)


def _sql(world, statement: str, *values: str) -> None:
    """What only time, or a hand at the database, can do."""
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2], sys.argv[3:]); c.commit()"
    path = str(world.settings.db / "ansim.sqlite")
    subprocess.run(
        [VENV / "bin/python", "-c", program, path, statement, *values], check=True, capture_output=True,
        user="ansim-app", group="ansim-app", extra_groups=["ansim-db"], umask=0o007, cwd="/",
    )  # fmt: skip


def test_a_member_without_pledge_is_told_so_on_the_hubs_page(world):
    bomi = newcomer(world, "bomi", "scientist")
    _project(world, "seojun", "bomi")
    page = _spawn_page(bomi)
    assert page.status_code == 403
    assert "이 과제의 서약서에 아직 서명하지 않았습니다." in page.text
    assert _denied_start(world, "bomi") == {"workspace.no-pledge"}


def test_a_member_of_a_project_that_is_over_is_told_so_on_the_hubs_page(world):
    project = _project(world, "doyun")
    _sql(world, "update project set starts_on = '2026-01-01', ends_on = '2026-01-02' where id = ?", project)
    page = _spawn_page(world.sessions["doyun"])
    assert page.status_code == 403
    assert "기간" in page.text
    assert _denied_start(world, "doyun") == {"project.expired"}


def test_a_member_of_a_project_that_was_ended_is_told_so_on_the_hubs_page(world):
    project = _project(world, "hana")
    ended = world.sessions["hana"].api("POST", f"/projects/{project}/end", {"reason": "연구 종료"})
    assert ended.is_success
    page = _spawn_page(world.sessions["hana"])
    assert page.status_code == 403
    assert "수행 중인 과제가 아닙니다." in page.text
    assert _denied_start(world, "hana") == {"project.not-active"}


def test_a_snapshot_with_one_byte_changed_is_not_mounted(world):
    path = next((world.settings.snapshots / world.snapshots["nafld"] / "data/labs").glob("*.parquet"))
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[len(sound) // 2] ^= 1
    path.write_bytes(damaged)
    try:
        page = _spawn_page(world.session("jiwoo"))
    finally:
        path.write_bytes(sound)
    assert page.status_code == 403
    assert "workspace.snapshot-damaged" in page.text
    assert path.name in page.text


def test_an_application_for_a_column_that_does_not_exist_is_refused_by_its_name(world):
    before = world.ask("jiwoo", "GET", "/projects")
    today = clock.korean_date(clock.now()).isoformat()
    data = {"nafld": {"patients": ["patient", "shoe_size"]}}
    body = APPLICATION | {"data": data, "people": [], "starts_on": today, "ends_on": today}
    refused = world.session("jiwoo").api("POST", "/projects", body)
    assert refused.status_code == 422
    assert refused.json()["code"] == "project.unknown-column"
    assert "shoe_size" in refused.json()["ko"]
    assert world.ask("jiwoo", "GET", "/projects") == before


FRIENDLY = {
    "a link": (
        "pathlib.Path('link.csv').unlink(missing_ok=True); os.symlink('/etc/passwd', 'link.csv')",
        "link.csv",
        "client.link",
    ),
    "a folder": ("os.makedirs('folder.csv', exist_ok=True)", "folder.csv", "client.folder"),
    "a name with a newline": (r"pathlib.Path('a\nb.csv').write_text('n\n12\n')", r"a\nb.csv", "client.name"),
    "five gigabytes": ("f = open('large.csv', 'wb'); f.truncate(5 << 30); f.close()", "large.csv", "client.too-large"),
    "nothing": ("pass", "missing.csv", "client.missing"),
}


@pytest.mark.parametrize("what", FRIENDLY)
def test_the_notebook_package_refuses_what_is_no_plain_small_file(world, attack, what):
    make, name, expected = FRIENDLY[what]
    before = stored(world)
    cell(attack, make)
    submit = f"ansim.egress.submit([{name!r}], purpose='시험 목적', context='시험 내용')".replace("\\\\", "\\")
    code, text = printed(attack, f"print(json.dumps(told(lambda: {submit})))")
    assert code == expected
    assert code in text
    assert stored(world) == before


HOSTILE = {
    "a link": (
        "(box / 'l.csv').unlink(missing_ok=True); os.symlink('/home/analyst/work/table.csv', box / 'l.csv')",
        "not-a-file",
    ),
    "a link out of the workspace": (
        "(box / 'l.csv').unlink(missing_ok=True); os.symlink('/etc/shadow', box / 'l.csv')",
        "not-a-file",
    ),
    "a folder": ("(box / 'l.csv').unlink(missing_ok=True); (box / 'l.csv').mkdir()", "not-a-file"),
    "a pipe": ("os.mkfifo(box / 'l.csv')", "not-a-file"),
    "a second name": ("(box / 'x.csv').write_text('n\\n12\\n'); os.link(box / 'x.csv', box / 'l.csv')", "linked"),
    "five gigabytes": ("f = open(box / 'l.csv', 'wb'); f.truncate(5 << 30); f.close()", "too-large"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_the_gate_refuses_what_is_no_plain_small_file_in_the_outbox(world, attack, what):
    before, known = stored(world), len(world.ask("mina", "GET", "/requests")["requests"])
    make, expected = HOSTILE[what]
    cell(attack, f"import shutil; shutil.rmtree(box); box.mkdir()\n{make}")
    code, text = printed(attack, "print(json.dumps(told(lambda: raw('attack/l.csv'))))")
    assert code == f"collect.{expected}"
    assert "l.csv" in text
    assert stored(world) == before
    assert len(world.ask("mina", "GET", "/requests")["requests"]) == known


@pytest.mark.parametrize("name", [r"attack/a\nb.csv", "../home/table.csv", "/etc/passwd", "attack/../../x", "-rf", "."])
def test_the_gate_refuses_names_that_are_no_names(world, attack, name):
    before = stored(world)
    code, text = printed(attack, f"print(json.dumps(told(lambda: raw('{name}'))))")
    assert code == "collect.name"
    assert code in text
    assert stored(world) == before


MOVING = """
target = box / 'moving.csv'
with open(target, 'wb') as file:
    file.truncate(60 << 20)  # a hole: nothing that the disk would have to write down first
over, going = threading.Event(), threading.Event()
def write():
    with open(target, 'r+b', buffering=0) as file:
        while not over.wait(0.001):
            file.seek(0); file.write(os.urandom(8)); going.set()
writer = threading.Thread(target=write); writer.start(); going.wait()
try:
    answer = told(lambda: raw('attack/moving.csv'))
finally:
    over.set(); writer.join(); target.unlink()
print(json.dumps(answer))"""


def test_a_file_that_changes_while_it_is_read_is_refused(world, attack):
    for _ in range(5):  # on a busy machine the writer may stand still all the while, and then the file is sound
        before = stored(world)
        code, text = printed(attack, MOVING)
        if code != "took it":
            break
    assert code == "collect.changed"
    assert "바뀌" in text
    assert stored(world) == before


def test_a_workspace_cannot_say_that_it_is_another(world, attack):
    """The gate says whose workspace it is; what the notebook says of itself goes no further than the gate."""
    program = f"""
import urllib.request
def status(**more):
    headers = {{'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN'], **more}}
    url = 'http://127.0.0.1:8085/api/workspace/v1/egress/status/{world.requests["good"]}'
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers)).status
    except urllib.error.HTTPError as error:
        return error.code
lies = {{'X-Ansim-Workspace': 'w-aaaaaaaaaaaaaaaa', 'X-Ansim-Gate': 'guessed'}}
print(json.dumps([status(), status(**lies)]))"""
    assert printed(attack, program) == [200, 200]


@pytest.mark.parametrize("door", ["public", "loopback"])
def test_nobody_outside_can_speak_for_a_workspace(world, attack, door):
    token = cell(attack, "print(os.environ['JUPYTERHUB_API_TOKEN'])")
    workspace = cell(attack, "print(os.environ.get('ANSIM_WORKSPACE', 'w-aaaaaaaaaaaaaaaa'))")
    mina, settings = world.session("mina"), world.settings
    origin = {
        "public": mina.portal.removesuffix("/services/portal"),
        "loopback": f"http://127.0.0.1:{settings.portal_port}",
    }[door]
    headers = {"Authorization": f"token {token}", "X-Ansim-Workspace": workspace, "X-Ansim-Gate": "guessed"}
    for path in ("/api/workspace/v1", "/services/portal/../../api/workspace/v1"):
        answer = mina.http.post(f"{origin}{path}/egress/preflight", json={"files": ["table.csv"]}, headers=headers)
        assert answer.status_code in {403, 404}, answer.text
        assert "verdict" not in answer.text


REACH = """
import json, socket, sys
def ask(path, method, target, body):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(path)
        data = json.dumps(body).encode()
        link.sendall(f'{method} {target} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n'
                     f'Content-Type: application/json\\r\\nContent-Length: {len(data)}\\r\\n\\r\\n'.encode() + data)
        answer = b''
        while piece := link.recv(65536):
            answer += piece
        return answer.decode()
try:
    print(ask(*sys.argv[1:4], json.loads(sys.argv[4])))
except OSError as error:
    print(type(error).__name__)
"""


def _as(user: str, path, method: str, target: str, body: dict) -> str:
    done = subprocess.run(
        [VENV / "bin/python", "-c", REACH, str(path), method, target, json.dumps(body)], check=True,
        capture_output=True, text=True, user=user, group=user if user != "nobody" else "nogroup", extra_groups=[],
        cwd="/",
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("user", ["nobody", "ansim-log"])
def test_only_the_hub_reaches_the_core_api(world, user):
    said = _as(user, world.settings.core_socket, "POST", "/workspaces/mina/plan", {})
    assert said in {"PermissionError", "ConnectionResetError", ""}


def test_the_hub_gets_a_plan_for_nobody_who_may_not_work(world):
    for login in ("suyeon", "operator", "nobody-there"):
        said = _as("ansim-hub", world.settings.core_socket, "POST", f"/workspaces/{login}/plan", {})
        assert said.startswith(("HTTP/1.1 403", "HTTP/1.1 404")), said
        assert "signature" not in said


@pytest.mark.parametrize("target", ["/services/portal/api/v1/log", "/requests", "/releases", "/openapi.json", "/docs"])
def test_the_hub_gets_nothing_else_from_the_core_api(world, target):
    assert _as("ansim-hub", world.settings.core_socket, "GET", target, {}).startswith("HTTP/1.1 404")


def test_the_hub_cannot_register_plans_or_collect_files_at_the_gate(world):
    gate, workspace = world.settings.gate_socket, "w-aaaaaaaaaaaaaaaa"
    for target, body in (
        ("/plans", {"plan": "{}", "signature": ""}),
        (f"/workspaces/{workspace}/collect", {"names": ["table.csv"], "limits": {}}),
        (f"/workspaces/{workspace}/revoke", {}),
    ):
        said = _as("ansim-hub", gate, "POST", target, body)
        assert said.startswith("HTTP/1.1 403"), said


@pytest.mark.parametrize(
    "path", ["db/ansim.sqlite", "keys/vault.key", "keys/plan.key", "keys/gate.secret", "keys/log.key", "source",
             "deid-keys", "snapshot-keys", "keys/snapshot-seal.key", "quarantine", "releases", "volumes", "demo"],
)  # fmt: skip
def test_the_hubs_user_reads_none_of_the_enclaves_secrets(world, path):
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import os, sys; p = sys.argv[1]; os.listdir(p) if os.path.isdir(p) else open(p)",
         str(world.settings.home / path)],
        check=False, capture_output=True, text=True, user="ansim-hub", group="ansim-hub", extra_groups=[], cwd="/",
    )  # fmt: skip
    assert "PermissionError" in done.stderr


@pytest.mark.parametrize(
    "path",
    ["files/table.csv", "files%2ftable.csv", "Files/table.csv", "%66iles/table.csv", "view/table.csv",
     "nbconvert/html/table.csv?download=true", "api/nbconvert", "terminals/1", "terminals/websocket/1",
     "proxy/8085/", "api/contents/table.csv?format=base64", "api/contents/table.csv?download=1",
     "api/../files/table.csv"],
)  # fmt: skip
def test_no_address_of_the_workspace_hands_out_a_file(world, path):
    mina = world.session("mina")
    answer = mina.http.get(f"{mina.workspace}/{path}")
    assert answer.status_code in {403, 404}, answer.text[:300]
    assert "age_band" not in answer.text


def test_a_terminal_is_reached_only_through_the_metered_socket(world):
    mina = world.session("mina")
    answer = mina.http.post(f"{mina.workspace}/api/terminals", headers=mina._xsrf(mina.workspace), json={})
    assert answer.status_code == 200
    name = answer.json()["name"]
    plain = mina.http.get(f"{mina.workspace}/terminals/websocket/{name}")
    assert (plain.status_code, plain.json()["code"]) == (403, "gate.other")
    mina.http.delete(f"{mina.workspace}/api/terminals/{name}", headers=mina._xsrf(mina.workspace))


def test_somebody_elses_workspace_stays_shut(world):
    dahye, mina = world.session("dahye"), world.session("mina")
    answer = dahye.http.get(f"{mina.workspace}/api/contents")
    assert answer.status_code in {403, 404}
    assert "table.csv" not in answer.text


def test_a_wrong_code_lets_nobody_in_and_is_on_record(world):
    taeho = Session(world.session("taeho").person, world.settings.public_url, lambda: "000000")
    with taeho.http, pytest.raises(Exception, match="taeho"):
        taeho.sign_in()
    people = {each["login"]: each["id"] for each in world.ask("haneul", "GET", "/accounts")["accounts"]}
    assert logged(world, "account.log-in", people["taeho"], "denied")
