"""The command line: exit codes, stable codes, both languages, and nothing published on failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deid import cli
from deid.refusal import EXIT_CODES
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, visits

TEXT = HEAD + gates(k=2) + PEOPLE
GOOD = visits([(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(20)])


def run(clinic: Hospital, text: str = TEXT, data: str = GOOD) -> Result:
    clinic.write("visits.csv", data)
    (clinic.root / "recipe.yaml").write_text(text, encoding="utf-8")
    key = clinic.root / "keys"
    return CliRunner().invoke(
        cli.deid,
        ["run", str(clinic.root / "recipe.yaml"), "--source", str(clinic.source), "--out", str(clinic.out),
         "--keys", str(key), "--signing-key", str(key / "sign.pem")],
    )  # fmt: skip


def test_a_run_publishes_and_prints_the_folder_and_the_others_read_it(clinic: Hospital) -> None:
    result = run(clinic)
    assert result.exit_code == 0, result.output
    folder = Path(result.stdout.strip())
    assert folder.parent == clinic.out
    key = ["--key", str(clinic.root / "keys/sign.pem.pub")]
    verified = CliRunner().invoke(cli.deid, ["verify", str(folder), *key])
    assert (verified.exit_code, verified.stdout.split()[:2]) == (0, ["ok", folder.name])
    report = CliRunner().invoke(cli.deid, ["report", str(folder), *key])
    assert report.stdout.strip().endswith("report.html")
    assert "20 → 20" in report.output
    plain = CliRunner().invoke(cli.deid, ["report", str(folder), *key, "--json"])
    assert '"rows_after": 20' in plain.stdout


@pytest.mark.parametrize(
    ("text", "data", "exit_code", "code"),
    [
        (TEXT.replace("keep", "kepp"), GOOD, 3, "deid.recipe-word"),
        (TEXT, GOOD + "a,b\n", 4, "deid.source-broken-fields"),
        (TEXT.replace("k: 2", "k: 21").replace("share: 1.0", "share: 0.5"), GOOD, 5, "deid.gate-k"),
    ],
)
def test_a_failure_says_its_code_and_what_to_do_in_both_languages(
    clinic: Hospital, text: str, data: str, exit_code: int, code: str
) -> None:
    result = run(clinic, text, data)
    assert result.exit_code == exit_code
    lines = result.stderr.splitlines()
    assert [line.startswith(f"[{code}] ") for line in lines] == [True, False, True, False]
    assert re.search("[가-힣]", lines[0])
    assert re.search("[가-힣]", lines[1])
    assert lines[1].startswith("  → ")
    assert lines[3].startswith("  → ")
    assert clinic.left_behind() == []


def test_a_damaged_snapshot_is_refused_by_verify_and_report(clinic: Hospital) -> None:
    folder = Path(run(clinic).stdout.strip())
    page = folder / "report.html"
    page.chmod(0o644)
    page.write_bytes(page.read_bytes() + b" ")
    for command in ("verify", "report"):
        result = CliRunner().invoke(cli.deid, [command, str(folder), "--key", str(clinic.root / "keys/sign.pem.pub")])
        assert (result.exit_code, "report.html" in result.stderr) == (6, True)
    only = ["verify", str(folder), "--signature-only", "--key", str(clinic.root / "keys/sign.pem.pub")]
    assert CliRunner().invoke(cli.deid, only).exit_code == 0


def test_a_missing_key_is_refused_before_any_file_is_read(clinic: Hospital) -> None:
    (clinic.root / "keys/master.key").unlink()
    result = run(clinic, data="")
    assert result.exit_code == 7
    assert "deid.key-missing" in result.stderr


def test_every_kind_of_error_has_an_exit_code_of_its_own_and_the_help_names_it() -> None:
    from deid.errors import DeidError

    kinds = {kind for kind, _ in EXIT_CODES}
    assert kinds == set(DeidError.__subclasses__())
    codes = [code for _, code in EXIT_CODES]
    assert len(set(codes)) == len(codes)
    assert all(re.search(rf"\b{code}\b", cli.__doc__ or "") for code in codes)
