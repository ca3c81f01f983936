"""Options of the commands that make or read versions: where the keys lie, and which version is followed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from deid.keys import SEAL, STORE, Keys
from deid.versions.before import Before, load, newest
from deid.versions.keystore import KeyStore, create_seal, open_store

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
ANY_PATH = click.Path(path_type=Path)
OPTIONS = (
    click.option(
        "--snapshot-keys", "store", type=ANY_PATH, help="스냅샷 키 보관소, 기본 KEYS/snapshots (key store of snapshots)"
    ),
    click.option("--seal-key", "seal", type=ANY_PATH, help="보관소 키, 기본 KEYS/seal.key (the store's key)"),
    click.option(
        "--parent", type=FOLDER, help="이전 버전, 기본은 OUT에서 가장 새것 (the version before; the newest in OUT)"
    ),
    click.option("--no-parent", is_flag=True, help="이전 버전과 잇지 않음 (follow no version)"),
)


@dataclass(frozen=True)
class Versions:
    """What was given: the key store, its key, the version to follow or that none is."""

    store: Path | None
    seal: Path | None
    parent: Path | None
    no_parent: bool

    def with_store(self, keys: Keys, folder: Path) -> Keys:
        """Give the keys their key store: in `folder`, with a key made now, where none was named and none is there yet.

        Raises `KeyFileError`.
        """
        return replace(keys, store=key_store(folder, self.store, self.seal))

    def before(self, out: Path, dataset: str, keys: Keys) -> Before | None:
        """Open the version that the next one follows. Raises `SnapshotDamaged`, `KeyFileError`."""
        public_key = keys.signing.public_key()
        folder = None if self.no_parent else self.parent or newest(out, dataset, keys.project, public_key)
        return load(folder.resolve(), public_key, keys.store) if folder else None


def version_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets them as one value `versions`."""

    @functools.wraps(command)
    def with_versions(store: Path | None, seal: Path | None, parent: Path | None, no_parent: bool, **rest: Any) -> None:  # noqa: FBT001 - click's
        command(versions=Versions(store, seal, parent, no_parent), **rest)

    return functools.reduce(lambda found, option: option(found), reversed(OPTIONS), with_versions)


def key_store(folder: Path, store: Path | None = None, seal: Path | None = None) -> KeyStore:
    """Open the key store; `folder/snapshots` and `folder/seal.key` where nothing else is said, made on first use.

    Raises `KeyFileError`.
    """
    if seal is None and not (folder / SEAL).exists() and not (folder / STORE).exists():
        create_seal(folder / SEAL)
    return open_store(store or folder / STORE, seal or folder / SEAL)
