"""`ansim dataset …` and `ansim snapshot …`: entering data sets into the catalogue, from the machine itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deid import snapshot as snapshots
from deid.errors import KeyFileError, SnapshotDamaged
from deid.marks import Mark
from deid.texts import FILE
from deid.versions.keystore import keys_of
from deid.versions.recalls import recalls as left_word
from enclave.actor import Actor
from enclave.clock import now
from enclave.commands import dataset as commands
from enclave.commands.recall import recall_snapshot
from enclave.commands.text_drawing import SealedTexts
from enclave.commands.text_marks import hand_over
from enclave.console.acting import opened, say
from enclave.console.borrowed import as_owner_of, as_root
from enclave.console.frames_given import given_frames
from enclave.console.missed import add_marks
from enclave.console.private_texts import FRAMES, TEXTS, end_private
from enclave.keys import load_public_key
from enclave.queries import dataset as queries
from enclave.queries import holders, lineage, recalls
from enclave.settings import Settings
from enclave.snapshot_keys import store_of, unreadable
from enclave.states import SnapshotState, label
from enclave.store import Store
from enclave.vault import Vault

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def dataset() -> None:
    """데이터셋을 등록합니다 (data sets)."""


@dataset.command("register")
@click.argument("dataset_id")
@click.option("--provider", required=True, help="제공기관 (providing organisation)")
@click.option("--title", required=True, help="한국어 이름 (Korean title)")
@click.option("--title-en", default="", help="영어 이름 (English title)")
@click.option("--description", required=True, help="설명 (description)")
def register(dataset_id: str, provider: str, title: str, title_en: str, description: str) -> None:
    """데이터셋을 등록합니다 (register a data set)."""
    with opened(Settings.load()) as store:
        commands.register_dataset(
            store,
            Actor.console(),
            dataset_id=dataset_id,
            organisation_id=provider,
            title_ko=title,
            title_en=title_en,
            description=description,
            now=now(),
        )
    say(f"데이터셋 {dataset_id}을(를) 등록했습니다.", f"Registered the data set {dataset_id}.")


@click.group()
def snapshot() -> None:
    """서명된 스냅샷을 접수하거나 철회합니다 (snapshots)."""


@snapshot.command("receive")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--texts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="ansim deid run에 --private로 준 폴더, 표본 검토용 (the run's private folder of texts)",
)
@click.option("--frames", type=FOLDER, help="영상 수행에 --private로 준 폴더 (private folder of a run of images)")
@click.option("--source", type=FOLDER, help="그 수행의 원본 폴더, 표본을 보여 줄 때만 씀 (its source folder)")
def receive(folder: Path, texts: Path | None, frames: Path | None, source: Path | None) -> None:
    """스냅샷을 검증하고 접수합니다; 공개는 검토와 의결 뒤 포털에서 (verify a snapshot and put it on record).

    접수가 끝나면 --texts, --frames 폴더의 내용은 지워집니다: 표본만 봉인되어 남습니다. --source는 읽기만 합니다.
    """
    settings = Settings.load()
    key = load_public_key(settings.snapshot_public_key)
    place = _settled(folder.resolve(), settings)
    _check_keys(place, key, settings)
    # The seed of the sample is drawn here, after the run is over: nobody could have built a snapshot to fit it.
    sealed = _sealed(texts, settings) if texts else None
    shown = given_frames(frames, source, place, key, settings) if frames and source else None
    # Root for its own folder before and after, the service for its database.
    with as_owner_of(settings.db), opened(settings) as store:
        made = commands.receive_snapshot(
            store,
            Actor.console(),
            folder=place,
            public_key=key,
            now=now(),
            texts=sealed,
            frames=shown,
            key_store=store_of(settings),
        )
    rows, people = f"{made.rows:,}", f"{made.subjects:,}"
    lineage = snapshots.read_manifest(place, key).lineage
    for private, kind in ((texts, TEXTS), (frames, FRAMES)):
        if private and (said := end_private(private, lineage, kind)):
            say(*said)
    say(
        f"{made.dataset_id}의 스냅샷 {made.id[:12]}을(를) 접수했습니다({rows}행, {people}명). 상태: "
        f"{label(made.state)[0]}.",
        f"Received snapshot {made.id[:12]} of {made.dataset_id} ({rows} rows, {people} people): "
        f"{label(made.state)[1]}.",
    )


@snapshot.command("withdraw")
@click.argument("snapshot_id")
@click.option("--reason", required=True, help="사유 (reason)")
@click.option("--next-start", is_flag=True, help="열린 작업공간은 다음에 열 때부터 (open ones end at their next start)")
def withdraw(snapshot_id: str, reason: str, *, next_start: bool) -> None:
    """스냅샷을 철회합니다; 열려 있는 작업공간은 바로 닫힙니다 (withdraw a snapshot)."""
    with opened(Settings.load()) as store:
        _withdraw(store, snapshot_id, reason, next_start=next_start)


@snapshot.command("end-running")
@click.argument("snapshot_id")
@click.option("--reason", required=True, help="사유 (reason)")
def end_running(snapshot_id: str, reason: str) -> None:
    """철회한 스냅샷으로 아직 열려 있는 작업공간을 지금 닫습니다 (close what still runs with a withdrawn one)."""
    with opened(Settings.load()) as store:
        commands.end_running(store, Actor.console(), snapshot_id=snapshot_id, reason=reason, now=now())
    say(f"스냅샷 {snapshot_id[:12]}의 작업공간을 닫습니다.", f"Closing what runs with snapshot {snapshot_id[:12]}.")


@snapshot.command("holders")
@click.argument("snapshot_id")
@click.pass_context
def holders_of(ctx: click.Context, snapshot_id: str) -> None:
    """이 버전을 가진 과제와 작업공간 (projects and workspaces that hold a version)."""
    with opened(Settings.load()) as store:
        for each in holders.holders(store, Actor.console(), snapshot_id):
            _tell(each, 1 if ctx.obj == "en" else 0)


@snapshot.command("missed")
@click.argument("snapshot_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="원본 폴더의 missed.csv")
def hand_over_missed(snapshot_id: str, out: Path) -> None:
    """표본 검토에서 놓쳤다고 표시한 값을 다음 수행의 파일에 더하고 여기서는 지웁니다 (hand over missed values)."""
    settings = Settings.load()
    vault = Vault.load(settings.vault_key)

    def keep(marks: Sequence[Mark]) -> None:
        with as_root():
            add_marks(out, marks)

    with as_owner_of(settings.db), opened(settings) as store:
        count = hand_over(store, vault, Actor.console(), snapshot_id=snapshot_id, keep=keep, now=now())
    say(
        f"놓친 값 {count}개를 {out}에 더했습니다. 계획에 missed: {out.name} 을 적고 다시 수행하세요. "
        f"기관 프로필에 더할 것은 ansim deid profile {out} --profile 프로필 이 제안합니다.",
        f"Added {count} missed values to {out}. Name it in the recipe (missed: {out.name}) and run again. "
        f"ansim deid profile {out} --profile FILE proposes what the provider's profile lacks.",
    )


@snapshot.command("recalls")
@click.pass_context
def take_recalls(ctx: click.Context) -> None:
    """정보주체 철회로 끝내야 할 버전을 지금 끝내고, 가진 과제를 알려 줍니다 (end versions in which people withdrew).

    포털이 15초마다 스스로 하므로, 포털이 꺼져 있을 때만 필요합니다.
    """
    settings, console = Settings.load(), Actor.console()
    with opened(settings) as store:
        for each in recalls.due(store, left_word(settings.snapshot_keys)):
            recall_snapshot(store, console, recall=each, now=now())
            for holder in holders.holders(store, console, each.snapshot):
                _tell(holder, 1 if ctx.obj == "en" else 0)


@dataset.command("withdraw")
@click.argument("dataset_id")
@click.option("--reason", required=True, help="사유 (reason)")
@click.option("--keep", help="남길 스냅샷, 기본은 가장 나중에 공개한 것 (snapshot to keep; the newest)")
@click.option("--next-start", is_flag=True, help="열린 작업공간은 다음에 열 때부터 (open ones end at their next start)")
@click.pass_context
def withdraw_older(ctx: click.Context, dataset_id: str, reason: str, keep: str | None, *, next_start: bool) -> None:
    """정보주체가 철회했을 때: 이전 버전을 모두 철회하고, 가진 과제를 알려 줍니다 (withdraw older versions)."""
    with opened(Settings.load()) as store:
        found = queries.dataset(store, Actor.console(), dataset_id).snapshots
        published = [each for each in found if each.state is SnapshotState.PUBLISHED]
        kept = keep or (published[-1].id if published else "")
        for each in published:
            if each.id != kept:
                _withdraw(store, each.id, reason, next_start=next_start)
                for holder in holders.holders(store, Actor.console(), each.id):
                    _tell(holder, 1 if ctx.obj == "en" else 0)


def _withdraw(store: Store, snapshot_id: str, reason: str, *, next_start: bool) -> None:
    commands.withdraw_snapshot(
        store, Actor.console(), snapshot_id=snapshot_id, reason=reason, running_stay=next_start, now=now()
    )
    say(f"스냅샷 {snapshot_id[:12]}을(를) 철회했습니다.", f"Withdrew snapshot {snapshot_id[:12]}.")


def _tell(holder: holders.Holder, language: int) -> None:
    held = (f"{one.workspace_id}({one.login}, {label(one.state)[language]})" for one in holder.workspaces)
    parts = (holder.snapshot_id[:12], holder.project_id, label(holder.state)[language], ", ".join(held) or "-")
    click.echo("\t".join(parts))


@snapshot.command("releases")
@click.argument("snapshot_id")
@click.pass_context
def releases(ctx: click.Context, snapshot_id: str) -> None:
    """이 스냅샷에서 나간 반출물 목록: 확실한 것과 가능한 것 (what left that came from a snapshot)."""
    with opened(Settings.load()) as store:
        for each in lineage.releases_from(store, Actor.console(), snapshot_id, now=now()):
            click.echo(_line(each, 1 if ctx.obj == "en" else 0))


def _line(each: lineage.TracedRelease, language: int) -> str:
    words = (("확실", "certain") if each.certain else ("가능", "possible"))[language]
    names = ", ".join(sorted(file.name for file in each.files))
    parts = (each.release_id, words, label(each.state)[language], each.project_id, each.receiver_login, names)
    return "\t".join("".join(c if c.isprintable() else "?" for c in part) for part in parts)


def _sealed(texts: Path, settings: Settings) -> SealedTexts:
    """Open the run's texts while this process is root: their folder is closed to the service."""
    path = texts / FILE
    held = path.open("rb") if path.is_file() else None
    return SealedTexts(texts, Vault.load(settings.vault_key), token_hex(16), held)


def _check_keys(folder: Path, key: Ed25519PublicKey, settings: Settings) -> None:
    """Raise `Unavailable` (`keys.unreadable`) for a snapshot that no workspace here could open: its keys are elsewhere.

    What is damaged is refused, and recorded, by the command itself.
    """
    try:
        keys_of(snapshots.read_manifest(folder, key), store_of(settings))
    except SnapshotDamaged:
        return
    except KeyFileError as error:
        raise unreadable(error) from error


def _settled(folder: Path, settings: Settings) -> Path:
    """Return the snapshot's folder under `snapshots/`, copied there whole or not at all if it lies elsewhere.

    A damaged one is not copied: the command then refuses it where it lies, and the refusal is recorded.
    """
    root = settings.snapshots.resolve()
    if folder.parent == root or (root / folder.name).exists():
        return root / folder.name
    try:
        snapshots.verify(folder, load_public_key(settings.snapshot_public_key))
    except SnapshotDamaged:
        return folder
    root.mkdir(parents=True, exist_ok=True)
    half = Path(mkdtemp(dir=root, prefix=".copying-"))
    try:
        copy = Path(shutil.copytree(folder, half / folder.name))
        copy.chmod(0o755)
        copy.rename(root / folder.name)
    finally:
        shutil.rmtree(half)
    return root / folder.name
