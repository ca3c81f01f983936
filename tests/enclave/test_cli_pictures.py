"""`ansim snapshot receive` takes a snapshot of images, decrypts every file of it, and refuses what was put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from deid.folder.run_command import load_signed
from deid.folder.snapshot import run_folder
from deid.snapshot import Sealed, publish, unfinished
from deid.versions.keystore import FileKey
from deid.versions.tables import encryption, open_table
from enclave.keys import create_signing_key, load_signing_key
from tests.deid.folder.clinic import NOW, Clinic
from tests.enclave.encrypting import key_store
from tests.enclave.test_cli import staffed

__all__ = ["staffed"]


def test_pictures_are_received_and_an_index_that_leaves_one_out_is_not(
    staffed: Callable[..., Any], own_home: Path, tmp_path: Path
) -> None:
    create_signing_key(own_home / "keys/snapshot.key")
    clinic, signer = Clinic(tmp_path / "clinic"), load_signing_key(own_home / "keys/snapshot.key")
    clinic.recipe.write_text(clinic.recipe.read_text().replace("provider: testhospital", "provider: zone"))
    clinic.slice_of("A-0001", "one.dcm")
    clinic.slice_of("A-0001", "two.dcm")
    store, out = key_store(own_home / "snapshot-keys", own_home / "keys/snapshot-seal.key"), own_home / "snapshots"
    keys = replace(clinic.keys, signing=signer, store=store)
    made = run_folder(load_signed(clinic.recipe), clinic.source, out, keys, now=NOW, jobs=1)
    words = ("dataset", "register", "imaging", "--provider", "zone", "--title", "영상", "--description", "CT")
    assert staffed(*words).code == 0
    done = staffed("snapshot", "receive", str(made.snapshot))
    assert (done.code, "2행, 1명" in done.out) == (0, True), done.err

    manifest, own = made.manifest, store.of(made.manifest)
    index = open_table(made.snapshot, manifest, own, "index").collect()
    with unfinished(out) as folder:
        for name, entry in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((made.snapshot / name).read_bytes())
            if entry.rows is not None:
                pl.DataFrame(index[1:]).write_parquet(folder / name, encryption=encryption(own.keys[entry.dek or ""]))
        about = {name: replace(entry, sha256="", bytes=0) for name, entry in manifest.files.items() if entry.dek}
        sealed = Sealed(store, about, tuple(FileKey(name, key) for name, key in own.keys.items()))
        forged, _ = publish(folder, out, manifest, signer, sealed)
    refused = staffed("snapshot", "receive", str(forged))
    assert (refused.code, refused.err.startswith("[snapshot.damaged]")) == (3, True), refused.err
