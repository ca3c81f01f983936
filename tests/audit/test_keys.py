"""Key files: private, never overwritten, read back only when untouched."""

from __future__ import annotations

import os

import pytest

from audit import keys
from audit.errors import NoteError
from audit.note import VerifierKey


def test_a_new_key_is_private_and_its_line_is_public(tmp_path) -> None:
    previous = os.umask(0o077)
    try:
        signer = keys.create(tmp_path / "log.key", name="ansim.test/log")
    finally:
        os.umask(previous)
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "log.pub").stat().st_mode & 0o777 == 0o644
    assert VerifierKey.parse((tmp_path / "log.pub").read_text().rstrip("\n")) == signer.vkey
    assert keys.load(tmp_path / "log.key").vkey == signer.vkey


def test_a_key_is_never_overwritten(tmp_path) -> None:
    keys.create(tmp_path / "log.key")
    before = (tmp_path / "log.key").read_bytes()
    with pytest.raises(FileExistsError):
        keys.create(tmp_path / "log.key")
    assert (tmp_path / "log.key").read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path) -> None:
    keys.create(tmp_path / "log.key")
    (tmp_path / "log.key").chmod(0o640)
    with pytest.raises(NoteError, match="chmod 600") as caught:
        keys.load(tmp_path / "log.key")
    assert caught.value.code == "audit.bad-key-file"


@pytest.mark.parametrize(
    "damage",
    [lambda line: "", lambda line: line[:-6], lambda line: line.replace("ansim", "anzim"), lambda line: "x" + line],
)
def test_a_damaged_key_file_is_refused(tmp_path, damage) -> None:
    keys.create(tmp_path / "log.key")
    (tmp_path / "log.key").write_text(damage((tmp_path / "log.key").read_text()))
    with pytest.raises(NoteError) as caught:
        keys.load(tmp_path / "log.key")
    assert caught.value.code == "audit.bad-key-file"
