"""A small enclave on a real database, with real keys, a real signed snapshot and real checks of real files.

`build` makes it once for the whole run; each test works on its own copy. People are those of the story: a hospital's
steward, a start-up's lead and scientist, two checkers of two organisations, an operator, an auditor.
"""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import polars as pl
import pyotp
from PIL import Image, ImageDraw

from audit import keys as log_keys
from audit.sequencer import Sequencer
from deid.manifest import Column, Manifest, Table
from deid.snapshot import publish
from deid.twin.pack import twin_zip
from enclave import clock, keys, pledge
from enclave.actor import Actor
from enclave.airlock.checker import check
from enclave.airlock.rules import CheckRules
from enclave.airlock.shown import Found
from enclave.commands import credentials, dataset, egress, people, project, shown, watch, workspace
from enclave.commands.application import Application
from enclave.commands.content import Checked, CollectedFile
from enclave.commands.submission import Submission
from enclave.commands.workspace import Means
from enclave.gate.events import GateEvent
from enclave.ids import new_id
from enclave.migrations.run import upgrade
from enclave.model.people import OrganisationKind
from enclave.model.project import LegalBasis
from enclave.portal.app import create
from enclave.portal.parts import Portal, portal_origin
from enclave.portal.parts import build as build_portal
from enclave.portal.serve import loopback_socket
from enclave.queries import people as who
from enclave.queries import watch as watched
from enclave.roles import Role
from enclave.settings import Settings
from enclave.store import Store, open_engine
from enclave.vault import Vault
from tests.enclave.encrypting import encrypted, key_store
from tests.enclave.portal.hub_peer import HubPeer, Running
from tests.enclave.publishing import offered

ROOT = "/services/portal"
RISK = Path(__file__).with_name("risk.json")  # of a run of 500 made-up patients
REPORT = """<!doctype html><meta charset=utf-8><title>위험 보고서</title><style>h1{color:#17594a}</style>
<h1>위험 보고서</h1><p>k = 5</p><script>document.title = 'ran'</script>"""
ORGANISATIONS = {
    "zone": ("안심구역 운영단", OrganisationKind.OPERATOR),
    "bitgoeul": ("빛고을대학교병원", OrganisationKind.PROVIDER),
    "onsaemi": ("온새미AI", OrganisationKind.STARTUP),
    "review-a": ("호남보건정책연구소", OrganisationKind.REVIEWER),
    "review-b": ("남도통계센터", OrganisationKind.REVIEWER),
}
ACCOUNTS = {
    "operator": ("운영 담당", "zone", (Role.OPERATOR,)),
    "haneul": ("오하늘", "zone", (Role.AUDITOR,)),
    "sora": ("윤소라", "zone", (Role.REVIEWER,)),
    "suyeon": ("이수연", "bitgoeul", (Role.DATA_STEWARD,)),
    "yerin": ("한예린", "bitgoeul", (Role.ASSET_OWNER,)),
    "jiwoo": ("최지우", "onsaemi", (Role.PROJECT_LEAD, Role.SCIENTIST)),
    "mina": ("김민아", "onsaemi", (Role.SCIENTIST,)),
    "dahye": ("정다혜", "review-a", (Role.OUTPUT_CHECKER,)),
    "woojin": ("한우진", "review-b", (Role.OUTPUT_CHECKER,)),
}
GRANTS = sum(len(roles) for _, _, roles in ACCOUNTS.values())
PURPOSE = (
    "지역 병원 방문 자료로 만성질환 환자의 연령대별, 성별 방문 횟수와 진료비의 차이를 기술하고, 재방문이 잦은 집단의 "
    "특성을 밝혀 지역 보건 사업의 대상과 시기를 정하는 근거를 마련하고자 합니다. "
    "개인을 식별하거나 식별하려는 분석은 하지 않습니다."
)
TABLE = "연령대,성별,환자수,평균 진료비\n" + "".join(
    f"{age}대,{sex},{40 + age + i},{1200 + 35 * age + i * 110}\n"
    for age in range(20, 80, 10)
    for i, sex in enumerate("MF")
)
SMALL = "연령대,환자수\n20대,51\n30대,3\n"


class Stage:
    """One server for the whole run; each test puts its own application on it."""

    def __init__(self) -> None:
        self.app: object = None
        self.port = 0

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await self.app(scope, receive, send)  # type: ignore[operator]

    def start(self) -> Running:
        listener = loopback_socket(0)
        self.port = listener.getsockname()[1]
        return Running(self, listener)


STAGE = Stage()


@dataclass
class World:
    home: Path
    settings: Settings
    peer: HubPeer
    secrets: dict[str, str]
    project_id: str
    snapshot_id: str

    def __post_init__(self) -> None:
        self.portal: Portal = build_portal(self.settings, {})
        self.app = create(self.portal)
        self.port = STAGE.port
        STAGE.app = self.app
        self.browsers: list[Browser] = []

    def close(self) -> None:
        for browser in self.browsers:
            browser.close()
        self.portal.close()

    @property
    def store(self) -> Store:
        return self.portal.store

    def actor(self, login: str) -> Actor:
        return who.actor(self.store, login, ip="10.0.0.9", session_id="test", now=clock.now())

    def code(self, login: str) -> str:
        return pyotp.TOTP(self.secrets[login]).at(clock.now())

    def browser(self, login: str = "") -> Browser:
        browser = Browser(self)
        self.browsers.append(browser)
        if login:
            browser.sign_in(login)
        return browser

    def submit(self, files: dict[str, bytes], *, login: str = "mina", key: str = "", **more: str) -> str:
        checked = []
        for name, data in files.items():
            stored = self.portal.quarantine.put(io.BytesIO(data))
            rules = CheckRules(id_columns=("patient",), subjects=40)
            report = check(self.portal.quarantine.path(stored.sha256), name, rules)
            checked.append(Checked(CollectedFile(name, stored.sha256, stored.size), report))
        form = Submission(
            project_id=self.project_id,
            files=checked,
            purpose=more.get("purpose", "논문 표 2: 연령대와 성별에 따른 환자 수"),
            context=more.get("context", "visits 표에서 연령대와 성별로 묶어 세었습니다."),
            idempotency_key=key or f"key-{time.monotonic_ns()}",
            request_id=more.get("request_id"),
        )
        return egress.submit(self.store, self.actor(login), submission=form, now=clock.now()).id

    def workspace(self, login: str = "mina") -> str:
        """A workspace of this person's, with a signed plan; nothing runs."""
        means = Means.load(replace(self.settings, image="sha256:" + "0" * 64))
        return workspace.request_start(self.store, means, self.actor(login), now=clock.now()).workspace.id

    def watched(self, text: str = "print(1)") -> dict[str, str]:
        """One execution and one finding in mina's workspace, as the gate would have told of them: their ids."""
        place, now, vault = self.workspace(), clock.now(), self.portal.vault
        events = [
            GateEvent(f"e-{new_id('e')}", now, place, "code", {"source": "execute"}, text.encode()),
            GateEvent(f"e-{new_id('e')}", now, place, "display", {"bytes": 9}, "전화 010-1234-5678".encode()),
        ]
        watch.take(self.store, vault, events=events, now=now)
        found: dict[str, Found | None] = {events[1].id: Found({"PHONE": 1}, (("PHONE", "0***"),))}
        shown.record_search(self.store, vault, workspace_id=place, found=found, now=now)
        auditor = self.actor("haneul")
        return {
            "code": watched.executed(self.store, auditor)[0].id,
            "finding": watched.findings(self.store, auditor)[0].id,
        }

    def publish_log(self) -> None:
        signer = log_keys.load(self.settings.keys / "log.key")
        engine = open_engine(self.settings.url)
        sequencer = Sequencer(engine.execution_options(ansim_mode="write"), self.settings.log, signer, signer.name)
        try:
            sequencer.step()
        finally:
            sequencer.close()
            engine.dispose()


class Through(httpx.HTTPTransport):
    """Takes every request to one loopback port and keeps the name in the Host header, as the proxy does."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = request.url.copy_with(host="127.0.0.1", port=self.port)
        return super().handle_request(
            httpx.Request(request.method, there, headers=request.headers, stream=request.stream)
        )


class Browser(httpx.Client):
    """A browser at the portal: goes to the hub's peer and back, sends forms with their token."""

    def __init__(self, world: World) -> None:
        super().__init__(base_url=portal_origin(world.settings), transport=Through(world.port), timeout=60)
        self.world = world

    def sign_in(self, login: str, path: str = "/") -> httpx.Response:
        self.world.peer.person = login
        sent = self.get(ROOT + path)
        back = self.at_hub(sent.headers["location"])
        return self.get(urlsplit(back).path + "?" + urlsplit(back).query)

    def at_hub(self, url: str) -> str:
        """Follow the browser's way to the hub, which is the peer, and return where the hub sends it."""
        parts = urlsplit(url)
        answer = httpx.get(f"http://127.0.0.1:{self.world.peer.port}{parts.path}?{parts.query}")
        return answer.headers["location"]

    def csrf(self) -> str:
        return str(self.get(f"{ROOT}/api/v1/me").json()["csrf_token"])

    def form(self, path: str, **fields: object) -> httpx.Response:
        return self.post(ROOT + path, data={"csrf": self.csrf(), **fields})

    def api(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.request(method, f"{ROOT}/api/v1{path}", json=body, headers={"X-CSRF-Token": self.csrf(), **headers})


def picture() -> bytes:
    image = Image.new("RGB", (480, 300), "white")
    draw = ImageDraw.Draw(image)
    for i, height in enumerate((120, 160, 210, 180, 90)):
        draw.rectangle((60 + i * 80, 260 - height, 110 + i * 80, 260), fill=(23, 89, 74))
    draw.line((40, 260, 460, 260), fill="black", width=2)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def application(**changes: object) -> Application:
    today = clock.now().date()
    fields: dict[str, object] = {
        "title": "만성질환 방문 양상 연구",
        "purpose": PURPOSE,
        "legal_basis": LegalBasis.RESEARCH,
        "data": {"visits": {"visits": ("patient", "sex", "age", "amount")}},
        "people": ("mina",),
        "starts_on": today - timedelta(days=1),
        "ends_on": today + timedelta(days=60),
        "expected_outputs": "연령대별 빈도표 3개, 막대 그림 2개",
        "ethics": "IRB-2026-1123 면제",
        "safety_plan": "사내 암호화 저장소에 두고 두 사람만 보며 논문 게재 뒤 1년 안에 지웁니다.",
    }
    return Application(**(fields | changes))


def build(folder: Path, peer: HubPeer) -> World:
    """Make the enclave. Settings name the peer as hub; the database is brought up by the real migrations."""
    (folder / "config.toml").write_text(
        f'hub_port = {peer.port}\nrun_folder = "{folder / "run"}"\ndatabase_wait_s = 1\n'
    )
    settings = Settings.load(folder)
    for path in (settings.db, settings.log, settings.keys, settings.quarantine, settings.releases, settings.views,
                 settings.run_folder):  # fmt: skip
        path.mkdir(parents=True)
    keys.create_signing_key(settings.plan_key)
    keys.create_signing_key(settings.certificate_key)
    log_keys.create(settings.keys / "log.key", name=settings.log_origin)
    vault = Vault.create(settings.vault_key)
    settings.gate_secret.write_text("a-secret-of-the-gate-0123456789abcdef\n")
    (settings.keys / "portal.token").write_text(peer.secret)
    upgrade(settings.url)
    store = Store(settings.url)
    secrets = _people(store, vault)
    snapshot_id = _snapshot(store, settings)
    project_id = _project(store)
    store.close()
    made = World(folder, settings, peer, secrets, project_id, snapshot_id)
    # Its copies live as long as the run: what waited for a signature so long would keep releases from leaving.
    made.publish_log()
    return made


def copy(template: World, folder: Path, *, database_url: str = "") -> World:
    """Return a world of its own with everything the template has; `database_url`: where its rows already are."""
    shutil.copytree(template.home, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("snapshots"))
    (folder / "config.toml").write_text(
        f'hub_port = {template.peer.port}\nrun_folder = "{folder / "run"}"\ndatabase_wait_s = 1\n'
        f'database_url = "{database_url}"\n'
    )
    return World(
        folder, Settings.load(folder), template.peer, template.secrets, template.project_id, template.snapshot_id
    )


def _people(store: Store, vault: Vault) -> dict[str, str]:
    console, now = Actor.console(), clock.now()
    for name, (title, kind) in ORGANISATIONS.items():
        people.create_organisation(store, console, organisation_id=name, name=title, kind=kind, now=now)
    secrets = {}
    for login, (name, organisation, roles) in ACCOUNTS.items():
        password = f"demo-only-{login}-2026"
        people.create_account(
            store, console, login=login, name=name, organisation_id=organisation, password=password, now=now
        )
        for role in roles:
            people.grant_role(store, console, login=login, role=role, reason="시험", now=now)
        secrets[login] = credentials.enrol_totp(store, vault, console, login=login, now=now).secret
    return secrets


def _snapshot(store: Store, settings: Settings) -> str:
    columns = {
        "patient": Column("String", "pseudonym(patient)", "환자 가명번호", "Patient pseudonym", quasi_identifier=False),
        "sex": Column("String", "keep", "성별", "Sex", quasi_identifier=True),
        "age": Column("String", "generalise(band 10, top 80)", "연령대", "Age band", quasi_identifier=True),
        "day": Column("Date", "date_shift(30)", "방문일(이동됨)", "Day (shifted)", quasi_identifier=False),
        "amount": Column("Int64", "keep", "진료비(원)", "Amount (won)", quasi_identifier=False),
    }
    rows = [(f"{n:032x}", "MF"[n % 2], f"{20 + n % 5 * 10}대", date(2020, 1, 1 + n % 28), n * 10) for n in range(40)]
    folder = settings.home / "unsigned"
    (folder / "data/visits").mkdir(parents=True)
    pl.DataFrame(rows, schema=list(columns), orient="row").write_parquet(folder / "data/visits/part-000.parquet")
    (folder / "report.html").write_text(REPORT)
    (folder / "risk.json").write_bytes(RISK.read_bytes())
    table = Table("방문", "Visits", columns, 40, 40, ("data/visits/part-000.parquet",), "patient", 1)
    manifest = Manifest(
        id="", dataset="visits", title_ko="외래 방문", title_en="Visits", provider="bitgoeul",
        legal_basis="개인정보 보호법 제28조의2", recipe_version=1, recipe_sha256="ab" * 32,
        created_at="2026-11-24T09:00:00Z", tables={"visits": table}, risk={}, gates=(),
        tool_versions={"ansim-enclave": "0.1.0"}, lineage={},
        files={},
    )  # fmt: skip
    rows_of = {"visits": pl.scan_parquet(folder / "data/visits/part-000.parquet")}
    (folder / "twin.zip").write_bytes(twin_zip(manifest, rows_of, seed=b"world"))
    keys.create_signing_key(settings.keys / "snapshot.key")
    settings.snapshots.mkdir()
    sealed = encrypted(folder, key_store(settings.snapshot_keys, settings.snapshot_seal))
    signing = keys.load_signing_key(settings.keys / "snapshot.key")
    folder, _ = publish(folder, settings.snapshots, manifest, signing, sealed)
    console, now = Actor.console(), clock.now()
    dataset.register_dataset(
        store, console, dataset_id="visits", organisation_id="bitgoeul", title_ko="외래 방문", title_en="Visits",
        description="2020년 외래 방문 자료입니다.", now=now,
    )  # fmt: skip
    key = keys.load_public_key(settings.snapshot_public_key)
    return offered(store, folder, key, steward="suyeon", reviewers=("dahye", "woojin", "yerin"), now=now)


def _project(store: Store) -> str:
    now = clock.now()

    def actor(login: str) -> Actor:
        return who.actor(store, login, ip="10.0.0.9", session_id="test", now=now)

    made = project.apply(store, actor("jiwoo"), application=application(), now=now)
    everything = {"visits": ("patient", "sex", "age", "amount")}
    project.decide_columns(
        store,
        actor("suyeon"),
        project_id=made.id,
        dataset_id="visits",
        approve=everything,
        reason="목적에 맞음",
        now=now,
    )
    text = pledge.CURRENT
    for login in ("jiwoo", "mina"):
        project.sign_pledge(
            store, actor(login), project_id=made.id, version=text.version, text_sha256=text.sha256, now=now
        )
    project.activate(store, actor("jiwoo"), project_id=made.id, now=now)
    return made.id
