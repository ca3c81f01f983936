"""A view holds the approved columns of a verified snapshot, and not a byte of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deid.manifest import Column, Manifest, Table
from deid.snapshot import publish, unfinished
from deid.versions.keystore import KeyStore
from enclave.errors import Denied, Invalid, Unavailable
from enclave.workspace.views import View, project_view
from tests.enclave.encrypting import encrypted, key_store

SECRET = "CANARY-secret-name"
SUPPRESSED = "CANARY-suppressed"


@dataclass(frozen=True)
class Made:
    snapshot: Path
    key: Ed25519PrivateKey
    out: Path
    store: KeyStore | None

    def view(self, **columns: list[str]) -> View:
        return project_view(self.snapshot, columns, self.out, public_key=self.key.public_key(), store=self.store)


@pytest.fixture(params=["plain", "encrypted"])
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Made:
    key = Ed25519PrivateKey.generate()
    store = key_store(tmp_path / "keys", tmp_path / "seal") if request.param == "encrypted" else None
    city = pa.array(["서울", SUPPRESSED, "부산"]).dictionary_encode()
    # Filtered as a careless writer would: the dictionary still holds the suppressed value.
    table = pa.table({"id": ["a", "b", "c"], "city": city, "name": [SECRET] * 3, "value": [1.5, None, 3.0]})
    kept = table.filter(pa.array([True, False, True]))
    with unfinished(tmp_path / "snapshots") as folder:
        (folder / "data" / "labs").mkdir(parents=True)
        for number, part in enumerate((kept.slice(0, 1), kept.slice(1))):
            pq.write_table(part, folder / "data" / "labs" / f"{number}.parquet")
        column = Column("String", "keep", "", "", quasi_identifier=False)
        columns = dict.fromkeys(["id", "city", "name", "value"], column)
        files = ("data/labs/0.parquet", "data/labs/1.parquet")
        manifest = Manifest(
            id="", dataset="nafld", title_ko="간", title_en="liver", provider="a", legal_basis="x", recipe_version=1,
            recipe_sha256="0" * 64, created_at="2026-11-24T00:00:00Z", risk={}, gates=(), tool_versions={}, lineage={},
            files={}, tables={"labs": Table("검사", "labs", columns, rows=2, subjects=2, files=files)},
        )  # fmt: skip
        sealed = encrypted(folder, store) if store else None
        snapshot, _ = publish(folder, tmp_path / "snapshots", manifest, key, sealed)
    return Made(snapshot, key, tmp_path / "views", store)


def test_the_view_has_the_approved_columns_of_all_parts_and_nothing_else(made: Made) -> None:
    view = made.view(labs=["city", "value"])
    assert view.path.name == view.sha256
    assert [path.name for path in view.path.iterdir()] == ["labs.parquet"]
    table = pq.read_table(view.path / "labs.parquet")
    assert table.to_pydict() == {"city": ["서울", "부산"], "value": [1.5, 3.0]}


def test_not_a_byte_of_other_columns_or_suppressed_rows_is_in_the_file(made: Made) -> None:
    data = b"".join(path.read_bytes() for path in (made.snapshot / "data/labs").iterdir())
    # The canaries are where they should not get out of; of the encrypted snapshot only whoever has the key sees them.
    assert (SECRET.encode() in data) is (made.store is None)
    assert (SUPPRESSED.encode() in data) is (made.store is None)
    written = (made.view(labs=["id", "city", "value"]).path / "labs.parquet").read_bytes()
    assert SECRET.encode() not in written
    assert SUPPRESSED.encode() not in written
    assert b"name" not in written.replace(b"parquet-cpp-arrow", b"")


def test_files_cannot_be_changed_and_the_folder_can_be_entered(made: Made) -> None:
    view = made.view(labs=["id"])
    assert (view.path / "labs.parquet").stat().st_mode & 0o777 == 0o444
    assert view.path.stat().st_mode & 0o777 == 0o755


def test_asking_again_in_another_order_gives_the_same_view_untouched(made: Made) -> None:
    view = made.view(labs=["id", "value"])
    before = (view.path / "labs.parquet").stat().st_mtime_ns
    assert made.view(labs=["value", "id"]) == view
    assert (view.path / "labs.parquet").stat().st_mtime_ns == before
    assert made.view(labs=["id"]) != view


def test_a_damaged_view_is_made_anew(made: Made) -> None:
    view = made.view(labs=["id"])
    (view.path / "labs.parquet").chmod(0o644)
    (view.path / "labs.parquet").write_bytes(b"PAR1")
    assert pq.read_table(made.view(labs=["id"]).path / "labs.parquet").num_rows == 2
    assert {path.name for path in made.out.iterdir()} == {view.sha256, f"{view.sha256}.json"}


def test_a_snapshot_with_one_byte_changed_is_refused_by_file_name(made: Made) -> None:
    made.view(labs=["id"])
    part = made.snapshot / "data/labs/0.parquet"
    part.chmod(0o644)
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(Denied, match=r"0\.parquet") as refused:
        made.view(labs=["id"])
    assert refused.value.code == "workspace.snapshot-damaged"


def test_an_encrypted_snapshot_gives_no_view_without_its_keys_or_with_one_destroyed(made: Made) -> None:
    if made.store is None:
        assert made.view(labs=["id"]).path.exists(), "nothing is encrypted: no keys are needed"
        return
    before = made.view(labs=["id"])
    with pytest.raises(Unavailable) as no_keys:
        replace(made, store=None).view(labs=["id"])
    assert no_keys.value.code == "keys.unreadable"
    made.store.shred(made.snapshot.name, [next(iter(made.store.open(made.snapshot.name).keys))], day="2026-11-29")
    with pytest.raises(Denied, match=r"0\.parquet|1\.parquet") as shredded:
        made.view(labs=["id"])
    assert shredded.value.code == "workspace.snapshot-shredded"
    assert before.path.exists(), "a view that is made and mounted is taken away elsewhere"


def test_another_keys_snapshot_is_refused(made: Made) -> None:
    with pytest.raises(Denied, match="서명"):
        project_view(made.snapshot, {"labs": ["id"]}, made.out, public_key=Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("columns", "named"),
    [({"labs": ["id", "nope"]}, "nope"), ({"nope": ["id"]}, "nope: id"), ({"labs": []}, "labs")],
)
def test_a_table_or_column_that_is_not_there_is_named(made: Made, columns: dict[str, list[str]], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        made.view(**columns)
    assert not made.out.exists()


def test_a_place_that_cannot_be_written_says_so_and_leaves_nothing(made: Made) -> None:
    made.out.write_text("a file is in the way")
    with pytest.raises(Unavailable) as refused:
        made.view(labs=["id"])
    assert refused.value.code == "workspace.view-not-written"
