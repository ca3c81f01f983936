"""The first block of `recipes/README.md` runs as it is written, in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from deid import cli

README = Path(__file__).parents[2] / "recipes/README.md"
CANARY = "독고영재"


def steps() -> list[list[str]]:
    block = re.search(r"```sh\n(ansim deid keys create.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return [shlex.split(line, comments=True) for line in block[1].splitlines()]


def test_a_newcomer_gets_from_a_file_to_a_snapshot_and_its_twin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clinic").mkdir()
    rows = [f"{31000000 + n},{CANARY},{'남여'[n % 2]},{30 + n % 30},환자 {CANARY} 안정" for n in range(300)]
    Path("clinic/visits.csv").write_text(
        "\n".join(["환자번호,성명,성별,나이,특이사항", *rows]) + "\n", encoding="utf-8"
    )
    snapshot = ""
    for words in steps():
        assert words[:2] == ["ansim", "deid"]
        given = [snapshot if word == "SNAPSHOT" else word for word in words[2:]]
        done = CliRunner().invoke(cli.deid, given)
        assert done.exit_code == 0, (given, done.output)
        if given[0] == "run":
            snapshot = done.stdout.strip().splitlines()[-1]
    assert [path.suffix for path in Path("twin/data").rglob("*") if path.is_file()] == [".parquet"]
    assert not Path("private").exists()
    seen = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "clinic" not in path.parts)
    assert CANARY.encode() not in seen
    again = CliRunner().invoke(cli.deid, ["keys", "create", "--keys", "other", "--signing-key", "keys/sign.pem"])
    assert (again.exit_code, "deid.key-exists" in again.stderr) == (7, True), "a key that is there is never replaced"
