"""Two projects cannot join what they were given: no pseudonym, shift or order is shared; nor after a rotation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deid import engine, keys
from deid.cli import deid
from deid.engine import RunResult
from deid.errors import KeyFileError
from deid.generations import destroy, generations, rotate
from deid.keys import Keys, load
from tests.deid.factory import HEAD, NOW, Hospital, gates, table

SIGNING = Ed25519PrivateKey.generate()
PEOPLE = 400
TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      chart: {treatment: pseudonym, domain: chart}
      day: {treatment: date_shift, max_days: 180}
      truth: {treatment: keep}
"""


@pytest.fixture
def asked(clinic: Hospital) -> Hospital:
    """A hospital with many patients of one visit each; `truth` lets the test, not the attacker, know who is who."""
    rows = "".join(f"n{n:04d},c{n:04d},2020-{n % 12 + 1:02d}-{n % 28 + 1:02d},t{n:04d}\n" for n in range(PEOPLE))
    clinic.write("visits.csv", "no,chart,day,truth\n" + rows)
    return clinic


def given_to(clinic: Hospital, project: str, generation: int | None = None) -> RunResult:
    own = load(clinic.root / "keys", clinic.root / "keys/sign.pem", generation)
    own = replace(own.for_project(project) if project else own, store=clinic.keys.storage)
    out = clinic.root / f"out-{len(list(clinic.root.glob('out-*')))}"
    return engine.run(clinic.recipe(HEAD + gates(k=1) + TABLE), clinic.source, out, own, now=NOW)


@pytest.mark.parametrize(("one", "two"), [("P-1", "P-2"), ("", "P-1")], ids=["two projects", "catalogue and project"])
def test_what_two_projects_hold_has_no_identifier_shift_or_order_in_common(asked: Hospital, one: str, two: str) -> None:
    first, second = (table(given_to(asked, project), "visits") for project in (one, two))
    values = [set(frame["patient"]) | set(frame["chart"]) for frame in (first, second)]
    assert values[0].isdisjoint(values[1])
    both = first.join(second, on="truth")
    assert both.height == PEOPLE
    # A shift of one project tells nothing of the other's: equal as often as two draws of 360 days are.
    same = both.filter(pl.col("day") == pl.col("day_right")).height
    assert same <= 8
    apart = (both["day_right"] - both["day"]).dt.total_days()
    assert apart.n_unique() > PEOPLE / 2
    # Rows stand in the order of pseudonyms: the n-th row here is not the n-th row there.
    assert (first["truth"] == second["truth"]).sum() <= 8


def test_the_same_project_holds_the_same_people_again_and_the_manifest_names_key_and_project(asked: Hospital) -> None:
    first, second = given_to(asked, "P-1"), given_to(asked, "P-1")
    assert table(first, "visits").equals(table(second, "visits"))
    named = first.manifest.lineage["keys"]
    assert named == {"id": asked.keys.id, "generation": 1, "project": "P-1"}
    published = b"".join(path.read_bytes() for path in first.snapshot.rglob("*") if path.is_file())
    for secret in (asked.keys.master, asked.keys.for_project("P-1").derive("pseudonym", "visits", "patient")):
        assert secret not in published
        assert secret.hex().encode() not in published


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "Nd"]), max_size=6), min_size=4, max_size=4),
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "Nd"]), max_size=6), min_size=4, max_size=4),
)
def test_no_two_of_purpose_data_set_domain_and_project_meet(one: list[str], two: list[str]) -> None:
    first, second = (replace(Keys(b"\1" * 32, SIGNING), project=parts[3]).derive(*parts[:3]) for parts in (one, two))
    assert (first == second) == (one == two)


@pytest.mark.parametrize("project", ["", "a b", "../x", "가", "x" * 65])
def test_what_is_no_project_id_is_refused(clinic: Hospital, project: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        clinic.keys.for_project(project)
    assert caught.value.code == "deid.key-project"


def test_after_a_rotation_nobody_is_followed_and_old_snapshots_can_be_made_again(asked: Hospital) -> None:
    before = table(given_to(asked, ""), "visits")
    assert rotate(asked.root / "keys").number == 2
    after = given_to(asked, "")
    assert set(before["patient"]).isdisjoint(table(after, "visits")["patient"])
    assert after.manifest.lineage["keys"]["generation"] == 2
    assert table(given_to(asked, "", generation=1), "visits").equals(before)


def test_a_destroyed_generation_is_gone_from_its_file_and_its_number_stays_taken(clinic: Hospital) -> None:
    folder, signing = clinic.root / "keys", clinic.root / "keys/sign.pem"
    secret = clinic.keys.master
    with pytest.raises(KeyFileError) as refused:
        destroy(folder, 1)
    assert refused.value.code == "deid.key-current"
    rotate(folder)
    destroy(folder, 1)
    assert secret not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert [(each.number, bool(each.id), each.current) for each in generations(folder)] == [
        (1, False, False),
        (2, True, True),
    ]
    for again in (lambda: load(folder, signing, 1), lambda: destroy(folder, 1)):
        with pytest.raises(KeyFileError) as caught:
            again()
        assert caught.value.code == "deid.key-destroyed"
    with pytest.raises(FileExistsError):
        keys.create_master(folder)
    assert load(folder, signing).generation == 2


def test_the_command_rotates_destroys_and_never_prints_a_key(clinic: Hospital) -> None:
    folder = str(clinic.root / "keys")
    told = [
        CliRunner().invoke(deid, ["keys", *words, "--keys", folder])
        for words in (["list"], ["rotate"], ["destroy", "--generation", "1", "--yes"], ["create"])
    ]
    assert [result.exit_code for result in told] == [0, 0, 0, 7]
    assert "파기" in told[2].output
    assert "deid.key-exists" in told[3].output
    assert CliRunner().invoke(deid, ["keys", "rotate", "--keys", folder, "--destroy-old"]).output.count("파기") == 2
    newest = load(Path(folder), clinic.root / "keys/sign.pem")
    assert all(newest.master.hex() not in result.output for result in told)


STAND_INS = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      claim: {treatment: surrogate, kind: digits, domain: claim}
      amount: {treatment: noise, within: 1000, type: integer}
      day: {treatment: date_shift, max_days: 180}
      note: {treatment: free_text, names: surrogate, numbers: surrogate, dates: shift}
      truth: {treatment: keep}
"""


def test_nor_have_surrogates_noise_and_stand_ins_in_texts(clinic: Hospital) -> None:
    """Every value that is drawn for a project is another one in another, so that none of them joins two projects."""
    names = [
        f"{family}{given}" for family in "김이박최정강조윤장임" for given in ("철수", "영희", "민준", "서연", "지훈")
    ]
    rows = [
        f"n{n:04d},{70000000 + n},{5000 + n},2020-{n % 12 + 1:02d}-{n % 28 + 1:02d},"
        f"환자 {names[n % 50]}님 010-{2345 + n}-{5678 + n} 2020-03-{n % 28 + 1:02d} 내원,t{n:04d}"
        for n in range(200)
    ]
    clinic.write("visits.csv", "\n".join(["no,claim,amount,day,note,truth", *rows]) + "\n")
    text = HEAD + gates(k=1, more=", no_direct_identifier_left: {sample: 50, min_score: 0.6}") + STAND_INS
    first, second = (table(clinic.run(text, project=project), "visits").sort("truth") for project in ("P-1", "P-2"))
    assert set(first["claim"]).isdisjoint(second["claim"])
    assert (first["amount"] == second["amount"]).sum() <= 4
    assert (first["note"] == second["note"]).sum() <= 2
    # And in the notes: the number's and the name's stand-in by themselves, each drawn from many.
    for pattern, most in ((r"(01\d-\S+|09\d*-\S+)", 2), (r"환자 (\S+?)님", 20), (r"(20\d\d-\d\d-\d\d)", 8)):
        found = [frame["note"].str.extract(pattern) for frame in (first, second)]
        assert found[0].null_count() < 20, pattern
        assert int((found[0] == found[1]).sum() or 0) <= most, pattern
