"""A small cast on a real database: two hospitals, a start-up, three review bodies, one account per part.

Accounts are written directly (hashing fifteen passwords would take seconds); everything else goes through commands.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from audit.tables import audit_entry
from deid.manifest import Column, Manifest, Table
from deid.snapshot import publish, unfinished
from enclave import keys, pledge
from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.quarantine import Quarantine
from enclave.airlock.report import FileReport, Finding, Severity
from enclave.airlock.rerun.same import Same
from enclave.commands import dataset, egress, project, rerun, reviewing
from enclave.commands.acting import intent
from enclave.commands.application import Application
from enclave.commands.ballot import Ballot, Judgements
from enclave.commands.content import Checked, CollectedFile
from enclave.commands.release import Depot
from enclave.commands.rerun import Ran, Wrote
from enclave.commands.sighting import record_shown
from enclave.commands.submission import Submission
from enclave.commands.workspace import Means
from enclave.ids import new_id
from enclave.migrations import run
from enclave.model.people import Account, AccountRole, Organisation, OrganisationKind
from enclave.model.project import LegalBasis
from enclave.model.rerun import RerunState, RerunStep
from enclave.policy.airlock.who import check_is_checker
from enclave.policy.allows import allows
from enclave.queries import people as who
from enclave.queries import rerun as reruns
from enclave.queries.airlock_facts import facts, load_request, present_files
from enclave.queries.rerun import RerunView
from enclave.queries.sighting import seen_whole
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import Decision
from enclave.store import Store
from enclave.vault import Vault
from tests.enclave.publishing import offered

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PURPOSE = "방문 자료로 만성질환 환자의 연령대별 방문 횟수 차이를 기술하여 보건 사업의 근거로 삼고자 합니다. " * 3
ORGANISATIONS = {
    "zone": OrganisationKind.OPERATOR,
    "hospital-a": OrganisationKind.PROVIDER,
    "hospital-b": OrganisationKind.PROVIDER,
    "startup": OrganisationKind.STARTUP,
    "review-a": OrganisationKind.REVIEWER,
    "review-b": OrganisationKind.REVIEWER,
    "review-c": OrganisationKind.REVIEWER,
}
CAST: dict[str, tuple[str, tuple[Role, ...]]] = {
    "lead": ("startup", (Role.PROJECT_LEAD, Role.SCIENTIST)),
    "scientist": ("startup", (Role.SCIENTIST,)),
    "colleague": ("startup", (Role.SCIENTIST,)),
    "other-lead": ("review-c", (Role.PROJECT_LEAD,)),
    "steward-a": ("hospital-a", (Role.DATA_STEWARD,)),
    "steward-b": ("hospital-b", (Role.DATA_STEWARD,)),
    "steward-own": ("startup", (Role.DATA_STEWARD,)),
    "checker-a": ("review-a", (Role.OUTPUT_CHECKER,)),
    "checker-a2": ("review-a", (Role.OUTPUT_CHECKER,)),
    "checker-b": ("review-b", (Role.OUTPUT_CHECKER,)),
    "checker-c": ("review-c", (Role.OUTPUT_CHECKER,)),
    "checker-own": ("startup", (Role.OUTPUT_CHECKER,)),
    "owner": ("hospital-a", (Role.ASSET_OWNER,)),
    "operator": ("zone", (Role.OPERATOR,)),
    "reviewer": ("zone", (Role.REVIEWER,)),
    "auditor": ("zone", (Role.AUDITOR,)),
    "nobody": ("zone", ()),
}
COLUMNS = {"patients": ("pid", "sex", "age"), "visits": ("pid", "amount")}
JUDGEMENTS = Judgements("목적에 맞음", "식별 가능성 없음", "안전조치 확인")


@dataclass
class Scene:
    """A seeded enclave: `store` and what commands need besides it."""

    store: Store
    home: Path
    vault: Vault
    depot: Depot
    means: Means
    folders: dict[str, Path]
    _usual: str = ""
    # Who was shown which file here already.
    _shown: set[tuple[str, str]] = field(default_factory=set)

    def actor(self, login: str, *, fresh: bool = True, now: datetime = NOW) -> Actor:
        """Who `login` is at the door, with a second factor of this minute unless told otherwise."""
        at = now if fresh else None
        return who.actor(self.store, login, ip="10.0.0.9", session_id="s-1", now=now, second_factor_at=at)

    def entries(self, after: int = 0) -> list[dict[str, object]]:
        """All entries after a position, oldest first."""
        with self.store.read() as session:
            query = select(audit_entry.c.bytes).where(audit_entry.c.position > after).order_by(audit_entry.c.position)
            return [json.loads(data) for (data,) in session.execute(query)]

    def position(self) -> int:
        """Where the newest entry stands."""
        with self.store.read() as session:
            return session.scalar(select(func.max(audit_entry.c.position))) or 0

    @contextmanager
    def new_entries(self) -> Iterator[list[dict[str, object]]]:
        """Fill the list with the entries written meanwhile."""
        before = self.position()
        found: list[dict[str, object]] = []
        try:
            yield found
        finally:
            found.extend(self.entries(before))

    def application(self, **changes: object) -> Application:
        fields: dict[str, object] = {
            "title": "방문 양상 연구",
            "purpose": PURPOSE,
            "legal_basis": LegalBasis.RESEARCH,
            "data": {"set-a": COLUMNS},
            "people": ("scientist", "colleague"),
            "starts_on": date(2026, 11, 1),
            "ends_on": date(2026, 12, 31),
            "expected_outputs": "빈도표 3개",
            "ethics": "IRB-2026-1 면제",
            "safety_plan": "암호화 저장소에 보관",
        }
        return Application(**{**fields, **changes})  # type: ignore[arg-type]

    def applied(self, **changes: object) -> str:
        return project.apply(self.store, self.actor("lead"), application=self.application(**changes), now=NOW).id

    def approved(self, **changes: object) -> str:
        made = self.applied(**changes)
        project.decide_columns(
            self.store,
            self.actor("steward-a"),
            project_id=made,
            dataset_id="set-a",
            approve=COLUMNS,
            reason="적합",
            now=NOW,
        )
        return made

    def pledged(self, project_id: str, *logins: str) -> None:
        text = pledge.CURRENT
        for login in logins:
            project.sign_pledge(
                self.store,
                self.actor(login),
                project_id=project_id,
                version=text.version,
                text_sha256=text.sha256,
                now=NOW,
            )

    def active(self, **changes: object) -> str:
        made = self.approved(**changes)
        self.pledged(made, "lead", "scientist")
        project.activate(self.store, self.actor("lead"), project_id=made, now=NOW)
        return made

    def usual(self) -> str:
        """One active project for all tests that do not change it."""
        self._usual = self._usual or self.active()
        return self._usual

    def checked(self, text: str = "연령,수\n40대,51\n", name: str = "table.csv", *, block: bool = False) -> Checked:
        """A file in quarantine with a report, as the airlock would hand it over."""
        stored = self.depot.quarantine.put(io.BytesIO(text.encode()))
        findings = (Finding(rule="min-cell", severity=Severity.BLOCK, ko="작은 칸", en="small cell"),) if block else ()
        report = FileReport(name=name, sha256=stored.sha256, kind="csv", findings=findings, rows=1, columns=2)
        return Checked(CollectedFile(name, stored.sha256, stored.size), report)

    def submission(self, project_id: str, *files: Checked, **changes: object) -> Submission:
        fields: dict[str, object] = {
            "project_id": project_id,
            "files": files or (self.checked(),),
            "purpose": "논문 표 2",
            "context": "연령대별 환자 수",
            "idempotency_key": new_id("k"),
        }
        return Submission(**{**fields, **changes})  # type: ignore[arg-type]

    def submitted(self, project_id: str, *files: Checked, **changes: object) -> str:
        form = self.submission(project_id, *files, **changes)
        made = egress.submit(self.store, self.actor("scientist"), submission=form, now=NOW).id
        self.looked(made)
        return made

    def run_code_again(self, request_id: str) -> None:
        """Let the code of the present round have made its files again, as the service would report of each run."""
        while waiting := [each for each in reruns.of_request(self.store, request_id) if each.state != RerunState.DONE]:
            for each in waiting:
                rerun.conclude(self.store, Actor.system(), rerun_id=each.id, ran=reproduced(each), blocks=True, now=NOW)

    def ballot(
        self, request_id: str, decision: Decision = Decision.APPROVE, *, look: bool = True, **changes: object
    ) -> Ballot:
        """A vote on what the request is at this moment; unless told otherwise, by somebody who has seen all of it."""
        if look:
            self.looked(request_id)
        with self.store.read() as session:
            found = load_request(session, request_id)
            said = "" if decision is Decision.APPROVE else "범주를 합쳐 다시 제출하세요."
            ballot = Ballot(decision, found.round, found.content_sha256, "output-checked", JUDGEMENTS, said)
        return replace(ballot, **changes)  # type: ignore[arg-type]

    def looked(self, request_id: str) -> None:
        """Every checker who may judge the request has all its files on the screen, as the review page would record."""
        with self.store.read() as session:
            found = load_request(session, request_id)
            about, files = facts(found, NOW), [file.id for file in present_files(found)]
        for login, (_, roles) in CAST.items():
            pairs = {(login, file_id) for file_id in files}
            if Role.OUTPUT_CHECKER not in roles or pairs <= self._shown:
                continue
            if not allows(check_is_checker, actor := self.actor(login), about):
                continue
            for file_id in sorted({*files} - seen_whole(self.store, actor, request_id)):
                record_shown(self.store, actor, request_id=request_id, file_id=file_id, units=1, now=NOW)
            self._shown |= pairs

    def vote(self, login: str, request_id: str, decision: Decision = Decision.APPROVE, **changes: object) -> object:
        actor, ballot = self.actor(login), self.ballot(request_id, decision, **changes)
        return reviewing.decide(self.store, actor, request_id=request_id, vote=ballot, now=NOW)

    def approved_request(self, project_id: str) -> str:
        made = self.submitted(project_id)
        self.vote("checker-a", made)
        self.vote("checker-b", made)
        return made


def reproduced(run: RerunView) -> Ran:
    """What a run reports that wrote on the same data what was submitted, and on half of it something else."""
    other = "" if run.step is RerunStep.SAME else "0" * 64
    return Ran(0, "", {name: Wrote(other or sha256, Same("bytes")) for name, sha256 in run.outputs})


def build(url: str, home: Path) -> Scene:
    """Migrate the database at `url` and put the cast and two hospitals' snapshots into it."""
    run.upgrade(url)
    for name in ("keys", "views", "quarantine", "releases", "snapshots"):
        (home / name).mkdir(parents=True, exist_ok=True)
    settings = Settings(home=home, image="sha256:" + "a" * 64)
    keys.create_signing_key(settings.plan_key)
    keys.create_signing_key(settings.certificate_key)
    signer = Ed25519PrivateKey.generate()
    store = Store(url, observer="test", wait_s=10)
    vault = Vault.create(settings.vault_key)
    _people(store)
    folders = {name: _snapshot(settings, signer, name, provider) for name, provider in _SETS.items()}
    for name, provider in _SETS.items():
        dataset.register_dataset(
            store,
            Actor.console(),
            dataset_id=name,
            organisation_id=provider,
            title_ko=name,
            title_en=name,
            description="시험 자료",
            now=NOW,
        )
        steward = {"hospital-a": "steward-a", "hospital-b": "steward-b"}[provider]
        offered(
            store, folders[name], signer.public_key(),
            steward=steward, reviewers=("checker-a", "checker-b", "checker-c"), now=NOW,
        )  # fmt: skip
    means = Means(settings, settings.image, keys.load_signing_key(settings.plan_key), signer.public_key())
    return Scene(store, home, vault, depot_of(settings, vault), means, folders)


def depot_of(settings: Settings, vault: Vault) -> Depot:
    return Depot(Quarantine(settings.quarantine), vault, settings.releases, settings.log)


_SETS = {"set-a": "hospital-a", "set-b": "hospital-b"}


def _people(store: Store) -> None:
    with store.write(intent(Action.ACCOUNT_CREATE, Actor.console(), ("account", "cast"))) as tx:
        for name, kind in ORGANISATIONS.items():
            tx.session.add(Organisation(id=name, name=name, kind=kind, created_at=NOW))
        tx.session.flush()
        for login, (organisation, roles) in CAST.items():
            account = Account(id=f"u-{login}", login=login, name=f"이름 {login}", organisation_id=organisation)
            account.password_hash, account.created_at = _hash(), NOW
            account.grants = [
                AccountRole(id=new_id("g"), role=role, reason="시험", granted_by="console", granted_at=NOW)
                for role in roles
            ]
            tx.session.add(account)


@cache
def _hash() -> str:
    from enclave.credentials import hash_password

    return hash_password("correct horse battery")


def publish_for(scene: Scene, project_id: str, *, now: datetime = NOW) -> str:
    """Publish a snapshot of set-a that was made for one project ("": for the catalogue); returns its id."""
    key = Ed25519PrivateKey.generate()
    folder = _snapshot(scene.means.settings, key, "set-a", "hospital-a", project_id)
    reviewers = ("checker-a", "checker-b", "checker-c")
    return offered(scene.store, folder, key.public_key(), steward="steward-a", reviewers=reviewers, now=now)


def _snapshot(settings: Settings, key: Ed25519PrivateKey, name: str, provider: str, project: str = "") -> Path:
    tables = {
        "patients": pl.DataFrame({"pid": ["a", "b"], "sex": ["F", "M"], "age": [40, 50], "memo": ["x", "y"]}),
        "visits": pl.DataFrame({"pid": ["a", "a", "b"], "amount": [1, 2, 3]}),
    }
    with unfinished(settings.snapshots) as folder:
        for table, frame in tables.items():
            place = folder / "data" / table
            place.mkdir(parents=True)
            frame.write_parquet(place / "part-0.parquet")
        return publish(folder, settings.snapshots, _manifest(name, provider, tables, project), key)[0]


def _manifest(name: str, provider: str, tables: dict[str, pl.DataFrame], project: str) -> Manifest:
    described = {
        table: Table(
            label_ko=table,
            label_en=table,
            columns={c: Column(str(frame[c].dtype), "그대로", c, c, quasi_identifier=False) for c in frame.columns},
            rows=frame.height,
            subjects=2,
            files=(f"data/{table}/part-0.parquet",),
        )
        for table, frame in tables.items()
    }
    return Manifest(
        id="",
        dataset=name,
        title_ko=name,
        title_en=name,
        provider=provider,
        legal_basis="가명_과학적연구",
        recipe_version=1,
        recipe_sha256=hashlib.sha256(b"recipe").hexdigest(),
        created_at="2026-11-24T00:00:00Z",
        tables=described,
        risk={},
        gates=(),
        tool_versions={"ansim-enclave": "0.1.0"},
        lineage={"keys": {"id": "0" * 16, "generation": 1, "project": project}} if project else {},
        files={},
    )


def reopen(url: str, home: Path) -> Scene:
    """The scene that `build` made, from another process: without means and snapshots."""
    settings = Settings(home=home)
    vault = Vault.load(settings.vault_key)
    store = Store(url, observer="again", wait_s=10)
    return Scene(store, home, vault, depot_of(settings, vault), None, {})  # type: ignore[arg-type]
