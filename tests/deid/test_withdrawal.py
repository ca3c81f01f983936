"""Whoever withdraws is in no later version, and in no older one can a byte of theirs be read any more."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from deid import cli, engine
from deid.errors import GateFailed, RecipeError, SnapshotShredded, SourceError
from deid.generations import rotate
from deid.keys import SEAL, STORE
from deid.snapshot import read_manifest, verify
from deid.versions import buckets
from deid.versions.before import load
from deid.versions.feed import Withdrawn, add_entries, read_entries
from deid.versions.keystore import KeyStore, open_store
from deid.versions.recalls import Recall, leave, recalls
from deid.versions.tables import DataFile, open_table
from tests.deid.factory import HEAD, NOW, Hospital, gates, table

CANARY = "Q87CANARY"
TABLES = """\
withdrawals: withdrawn.csv
tables:
  people:
    file: people.csv
    label: {ko: 환자, en: People}
    subject: no
    unique: [no]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      mother: {treatment: pseudonym, domain: patient}
      sex: {treatment: keep}
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      code: {treatment: keep}
links:
  - {from: visits, to: people, orphans: fail}
"""
RECIPE = HEAD + gates(k=1) + TABLES
PEOPLE = 400


@pytest.fixture
def ward(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """Four hundred people with three visits each; n007 has a diagnosis of their own, and is n300's mother."""
    monkeypatch.setattr(buckets, "LEAST_ROWS", 50)
    people = [f"n{n:03d},{'n007' if n == 300 else ''},{'FM'[n % 2]}" for n in range(PEOPLE)]
    visits = [f"n{n:03d},{CANARY if n == 7 else f'I10.{n % 9}'}" for n in range(PEOPLE) for _ in range(3)]
    clinic.write("people.csv", "\n".join(["no,mother,sex", *people]) + "\n")
    clinic.write("visits.csv", "\n".join(["no,code", *visits]) + "\n")
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    (clinic.root / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return clinic


def build(ward: Hospital, before: Path | None = None) -> engine.RunResult:
    parent = load(before, ward.public_key, ward.keys.store) if before else None
    return engine.run(ward.recipe(RECIPE), ward.source, ward.out, ward.keys, now=NOW, before=parent)


def command(ward: Hospital, name: str, *more: str) -> Result:
    folder = ward.root / "keys"
    given = ["--source", str(ward.source), "--out", str(ward.out), "--keys", str(folder)]
    return CliRunner().invoke(
        cli.deid, [name, str(ward.root / "recipe.yaml"), *given, "--signing-key", str(folder / "sign.pem"), *more]
    )


def withdraw(ward: Hospital, *ids: str) -> Result:
    (ward.root / "ids.txt").write_text("".join(f"{each}\n" for each in ids))
    return command(ward, "withdraw", "--subjects", str(ward.root / "ids.txt"))


def readable(ward: Hospital) -> bytes:
    """All that an attacker with every file but the hospital's source and master key can read of any version.

    Every byte as it lies there, and every data file decrypted with every key that the store still gives.
    """
    store = open_store(ward.root / "keys" / STORE, ward.root / "keys" / SEAL)
    keys = {key for snapshot in store.known() for key in store.open(snapshot).keys.values()}
    seen = [path.read_bytes() for folder in (ward.out, store.folder) for path in folder.rglob("*") if path.is_file()]
    for path in ward.out.rglob("*.parquet"):
        for key in keys:
            try:
                seen.append(DataFile("", path, key).scan().collect().write_csv().encode())
            except pl.exceptions.PolarsError:
                continue
    return b"\n".join(seen)


def test_who_withdraws_is_in_no_version_any_more(ward: Hospital) -> None:
    first = build(ward)
    second = build(ward, first.snapshot)
    copied = ward.root / "copied"
    shutil.copytree(first.snapshot, copied)
    own = table(first, "visits").filter(pl.col("code") == CANARY)["patient"][0]
    assert CANARY.encode() in readable(ward), "the attack reads what is there"
    assert own.encode() in readable(ward)
    result = withdraw(ward, "n007")
    assert result.exit_code == 0, result.output
    shutil.copytree(copied, ward.out / "stolen")
    seen = readable(ward)
    assert CANARY.encode() not in seen
    assert own.encode() not in seen, "nor where they are somebody's mother"
    assert b"I10.3" in seen, "and the attack still reads the others"
    third = read_manifest(Path(result.stdout.strip().splitlines()[-1]), ward.public_key)
    assert (third.parent, third.withdrawn, third.lineage["withdrawn_rows"]) == (
        second.manifest.id, 1, {"people": 1, "visits": 3},
    )  # fmt: skip
    assert "n007" not in (ward.out / third.id / "manifest.json").read_text()
    whole = open_table(ward.out / third.id, third, ward.keys.storage.of(third), "people").collect()
    assert (whole.height, whole["mother"].null_count()) == (PEOPLE - 1, PEOPLE - 1)


def test_the_other_buckets_of_an_older_version_stay_readable_and_the_state_is_clear(ward: Hospital) -> None:
    first = build(ward)
    result = withdraw(ward, "n007")
    # Theirs, n300's (by luck the same), and that of the visits.
    assert re.search(rf"shredded {first.manifest.id} ([23]) now, \1 in all", result.stdout)
    verify(first.snapshot, ward.public_key)
    with pytest.raises(SnapshotShredded):
        table(first, "visits")
    keys = ward.keys.storage.of(first.manifest)
    left = [name for name in first.manifest.tables["visits"].files if name not in keys.missing(first.manifest)]
    assert len(left) == len(first.manifest.tables["visits"].files) - 1
    rows = sum(
        DataFile(name, first.snapshot / name, keys.of(name, first.manifest.files[name])).scan().collect().height
        for name in left
    )
    assert 0 < rows < 3 * PEOPLE


def test_ten_people_cost_their_buckets_and_no_more(ward: Hospital) -> None:
    first = build(ward)
    result = withdraw(ward, "n007")
    third = read_manifest(Path(result.stdout.strip().splitlines()[-1]), ward.public_key)
    same = [
        name
        for name in third.tables["visits"].files
        if (ward.out / third.id / name).stat().st_ino == (first.snapshot / name).stat().st_ino
    ]
    assert len(same) == len(third.tables["visits"].files) - 1
    figures = third.difference["tables"]["visits"]
    assert (figures["rows_in"], figures["rows_out"], figures["patients_in"], figures["patients_out"]) == (0, 3, 0, 1)
    assert (figures["files_kept"], figures["files_written"]) == (len(same), 1)


def test_doing_it_again_changes_nothing_and_a_later_version_may_be_shredded_too(ward: Hospital) -> None:
    build(ward)
    assert withdraw(ward, "n007").exit_code == 0
    again = command(ward, "shred")
    assert (again.exit_code, " 0 now" in again.stdout) == (0, True)
    assert withdraw(ward, "n007", "n008", " n008 ", "").exit_code == 0
    assert read_entries(ward.source / "withdrawn.csv") == [
        ("n007", read_entries(ward.source / "withdrawn.csv")[0][1]),
        ("n008", read_entries(ward.source / "withdrawn.csv")[1][1]),
    ]
    assert len(command(ward, "shred").stdout.splitlines()) == 2, "the first two versions; the third is whole"


def test_a_build_that_fails_its_gate_leaves_the_feed_and_shred_still_works(ward: Hospital) -> None:
    first = build(ward)
    (ward.root / "recipe.yaml").write_text(RECIPE.replace("k: 1", "k: 1, min_rows: 400"), encoding="utf-8")
    failed = withdraw(ward, "n007")
    assert (failed.exit_code, ward.left_behind()) == (5, [first.manifest.id])
    assert table(first, "visits").height == 3 * PEOPLE
    assert command(ward, "shred").exit_code == 0
    with pytest.raises(SnapshotShredded):
        table(first, "visits")


@pytest.mark.parametrize("step", ["add_entries", "publish", "_put"])
def test_a_kill_at_any_step_leaves_each_thing_whole_and_the_next_run_finishes_it(ward: Hospital, step: str) -> None:
    first = build(ward)
    (ward.root / "ids.txt").write_text("n007\n")
    code = f"""
import os, signal, sys
from deid import engine
from deid.versions import buckets, commands, keystore
buckets.LEAST_ROWS = 50
def dies_after(module, name):
    real = getattr(module, name)
    def then_die(*given, **named):
        real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, then_die)
step = {step!r}
dies_after({{"add_entries": commands, "publish": engine, "_put": keystore.KeyStore}}[step], step)
commands.withdraw()
"""
    folder = ward.root / "keys"
    given = {
        "source": ward.source, "out": ward.out, "keys": folder, "signing-key": folder / "sign.pem",
        "subjects": ward.root / "ids.txt",
    }  # fmt: skip
    words = [str(ward.root / "recipe.yaml"), *(f"--{name}={path}" for name, path in given.items())]
    done = subprocess.run([sys.executable, "-c", code, *words], check=False, capture_output=True, cwd=Path.cwd())
    assert done.returncode == -signal.SIGKILL, done.stderr
    for name in (path.name for path in ward.out.glob("[0-9a-f]*")):
        manifest = verify(ward.out / name, ward.public_key)
        keys = ward.keys.storage.of(manifest)
        assert not keys.missing(manifest)
    assert table(first, "visits").height == 3 * PEOPLE
    assert withdraw(ward, "n007").exit_code == 0
    assert CANARY.encode() not in readable(ward)
    assert not list(ward.out.glob(".*"))


def test_versions_of_another_generation_or_project_are_looked_through_with_their_own_keys(ward: Hospital) -> None:
    own = replace(ward.keys.for_project("P-1"), store=ward.keys.storage)
    old = build(ward)
    theirs = engine.run(ward.recipe(RECIPE), ward.source, ward.out, own, now=NOW)
    rotate(ward.root / "keys")
    assert withdraw(ward, "n007").exit_code == 0
    for each in (old, theirs):
        with pytest.raises(SnapshotShredded):
            table(each, "visits")


def test_the_next_version_of_a_project_is_made_with_its_own_keys(ward: Hospital) -> None:
    own = replace(ward.keys.for_project("P-1"), store=ward.keys.storage)
    theirs = engine.run(ward.recipe(RECIPE), ward.source, ward.out, own, now=NOW)
    (ward.root / "ids.txt").write_text("n007\n")
    result = command(ward, "withdraw", "--subjects", str(ward.root / "ids.txt"), "--project", "P-1")
    made = read_manifest(Path(result.stdout.strip().splitlines()[-1]), ward.public_key)
    assert (made.parent, made.lineage["keys"]["project"], made.withdrawn) == (theirs.manifest.id, "P-1", 1)
    with pytest.raises(SnapshotShredded):
        table(theirs, "visits")


def test_a_version_whose_master_is_gone_is_told_and_fails(ward: Hospital) -> None:
    build(ward)
    rotate(ward.root / "keys")
    (ward.root / "keys/master.key").write_bytes(b"")
    result = withdraw(ward, "n007")
    assert (result.exit_code, "unknown" in result.stdout) == (9, True)


def test_a_version_that_is_not_encrypted_is_told_and_fails(ward: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    from deid.snapshot import publish, unfinished

    made = build(ward)
    with unfinished(ward.out) as folder:
        for name in made.manifest.tables:
            (folder / "data" / name).mkdir(parents=True)
            table(made, name).write_parquet(folder / f"data/{name}/part-000.parquet")
        tables = {
            name: replace(each, files=(f"data/{name}/part-000.parquet",)) for name, each in made.manifest.tables.items()
        }
        publish(folder, ward.out, replace(made.manifest, tables=tables, files={}), ward.keys.signing)
    result = withdraw(ward, "n007")
    assert (result.exit_code, result.stdout.count("plain ")) == (9, 1)


def test_who_withdraws_later_is_still_in_and_a_person_who_was_never_there_changes_nothing(ward: Hospital) -> None:
    first = build(ward)
    tomorrow = (NOW + timedelta(days=1)).date().isoformat()
    ward.write("withdrawn.csv", f"subject,withdrawn_on\nn007,{tomorrow}\nn999,2020-01-01\n")
    second = build(ward, first.snapshot)
    assert (second.manifest.withdrawn, second.manifest.difference["tables"]["visits"]["rows_out"]) == (0, 0)
    assert table(second, "visits").equals(table(first, "visits"))


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept", "streamed"])
def test_lines_named_in_errors_are_those_of_the_file(
    ward: Hospital, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    ward.write("withdrawn.csv", "subject,withdrawn_on\nn001,2020-01-01\n")
    (ward.root / "bad.yaml").write_text("")
    ward.write("people.csv", "no,mother,sex\nn001,,F\nn001,,F\nn002,,F\nn003,,M\nn003,,M\n")
    with pytest.raises(SourceError) as caught:
        build(ward)
    assert (caught.value.code, caught.value.line) == ("deid.source-duplicate-key", 6)


@pytest.mark.parametrize(
    ("feed", "code", "line"),
    [
        (None, "missing", -1),
        ("no,day\n", "header", 1),
        ("subject,withdrawn_on\nn001\n", "fields", 2),
        ("subject,withdrawn_on\n,2020-01-01\n", "fields", 2),
        ("subject,withdrawn_on\nn001,2020-01-01\nn002,01.02.2020\n", "date", 3),
        ('subject,withdrawn_on\n"n001,2020-01-01\n', "quotes", -1),
        (b"subject,withdrawn_on\n\xff,2020-01-01\n", "encoding", -1),
    ],
)
def test_no_build_goes_on_without_its_feed(ward: Hospital, feed: str | bytes | None, code: str, line: int) -> None:
    (ward.source / "withdrawn.csv").unlink()
    if feed is not None:
        ward.write("withdrawn.csv", feed)
    with pytest.raises(SourceError) as caught:
        build(ward)
    assert caught.value.code == f"deid.source-withdrawals-{code}"
    assert line in {caught.value.line, -1}
    assert "n001" not in caught.value.ko + caught.value.en
    assert ward.left_behind() == []


@pytest.mark.parametrize("kept", [True, False], ids=["in memory", "in parts"])
def test_from_numbers_and_from_parts_they_are_gone_as_from_texts(
    ward: Hospital, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    (ward.source / "withdrawn.csv").write_text("subject,withdrawn_on\nn007,2026-11-01\nn008,2026-11-01\n")
    from_texts = build(ward)
    for name in ("people", "visits"):
        pl.read_csv(ward.source / f"{name}.csv").write_parquet(ward.source / f"{name}.parquet")
    if not kept:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
        monkeypatch.setattr("deid.many.spool.BATCH_ROWS", 70)
        monkeypatch.setattr("deid.readers.csv_file.STRETCH_BYTES", 500)
    recipe = ward.recipe(RECIPE.replace("visits.csv", "visits.parquet"))
    found = engine.run(recipe, ward.source, ward.out, ward.keys, now=NOW)
    for name, rows in (("people", PEOPLE - 2), ("visits", 3 * (PEOPLE - 2))):
        assert table(found, name).height == rows
        assert table(found, name).equals(table(from_texts, name))
    # n300's mother has gone, and is referred to by nobody.
    assert table(found, "people")["mother"].null_count() == PEOPLE - 2
    assert CANARY not in "".join(table(found, "visits")["code"])


def test_people_are_never_shown(tmp_path: Path) -> None:
    assert "n007" not in repr(Withdrawn(frozenset({"n007"}), "patient"))
    assert add_entries(tmp_path / "feed.csv", ["n007", "n008"], date(2026, 11, 29)) == 2
    assert add_entries(tmp_path / "feed.csv", ["n008"], date(2026, 11, 30)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["feed.csv"]
    assert (tmp_path / "feed.csv").stat().st_mode & 0o077 == 0


CONSENT = "consent: {version: v3, scope: {ko: 간질환 연구, en: Liver disease}, expires: 2026-11-24}\n"


def test_consent_is_carried_and_nothing_is_built_after_it(ward: Hospital) -> None:
    text = CONSENT + RECIPE
    result = engine.run(ward.recipe(text), ward.source, ward.out, ward.keys, now=NOW)
    assert result.manifest.consent == {
        "version": "v3", "scope_ko": "간질환 연구", "scope_en": "Liver disease", "expires": "2026-11-24",
    }  # fmt: skip
    last = datetime(2026, 11, 24, 14, 59, 59, tzinfo=NOW.tzinfo)
    engine.run(ward.recipe(text), ward.source, ward.out, ward.keys, now=last)
    with pytest.raises(GateFailed) as caught:
        engine.run(ward.recipe(text), ward.source, ward.out, ward.keys, now=last + timedelta(seconds=1))
    assert caught.value.code == "deid.gate-consent"
    assert "2026-11-24" in caught.value.ko


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CONSENT + RECIPE.replace("withdrawals: withdrawn.csv\n", ""), "deid.recipe-consent"),
        (CONSENT.replace("2026-11-24", "soon") + RECIPE, "deid.recipe-date"),
        (RECIPE.replace("withdrawn.csv", "../withdrawn.csv"), "deid.recipe-file"),
        (RECIPE.replace("withdrawals: withdrawn.csv", "withdrawals: {file: w, domain: doctor}"), "deid.recipe-word"),
        (RECIPE.replace("no: {treatment: pseudonym, domain: patient, as: patient, direct: true}\n      code",
                        "no: {treatment: pseudonym, domain: other, as: patient, direct: true}\n      code")
         .replace("links:\n  - {from: visits, to: people, orphans: fail}\n", ""), "deid.recipe-domain"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_followed_are_named(ward: Hospital, text: str, code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        ward.recipe(text)
    assert caught.value.code == code


def test_withdraw_asks_for_a_recipe_that_names_a_feed(ward: Hospital) -> None:
    build(ward)
    (ward.root / "recipe.yaml").write_text(RECIPE.replace("withdrawals: withdrawn.csv\n", ""), encoding="utf-8")
    result = withdraw(ward, "n007")
    assert (result.exit_code, "deid.withdrawals-not-named" in result.stderr) == (8, True)


def test_the_difference_says_columns_treatments_and_risk_and_never_a_value(ward: Hospital) -> None:
    first = build(ward)
    changed = RECIPE.replace("sex: {treatment: keep}", "sex: {treatment: generalise, map: {F: a, M: b}, as: gender}")
    changed = changed.replace("code: {treatment: keep}", "code: {treatment: generalise, prefix: 3}")
    parent = load(first.snapshot, ward.public_key, ward.keys.store)
    second = engine.run(ward.recipe(changed), ward.source, ward.out, ward.keys, now=NOW, before=parent)
    tables = second.manifest.difference["tables"]
    assert (tables["people"]["columns_added"], tables["people"]["columns_removed"]) == (["gender"], ["sex"])
    assert tables["people"]["rows_in"] is None, "other columns cannot be compared row by row"
    assert (tables["people"]["patients_in"], tables["people"]["patients_out"]) == (0, 0)
    assert tables["visits"]["treatment_changed"] == {"code": ["keep", "generalise(prefix 3)"]}
    assert tables["visits"]["risk"]["rows_after"] == [1200, 1200]
    assert CANARY not in json.dumps(second.manifest.difference)
    key = ["--key", str(ward.root / "keys/sign.pem.pub")]
    told = CliRunner().invoke(cli.deid, ["diff", str(second.snapshot), *key])
    assert f"{first.manifest.id[:12]} → {second.manifest.id[:12]}" in told.stdout
    assert "+ gender" in told.stdout
    assert "code: keep → generalise(prefix 3)" in told.stdout
    assert "첫 버전" in CliRunner().invoke(cli.deid, ["diff", str(first.snapshot), *key]).stdout
    plain = CliRunner().invoke(cli.deid, ["diff", str(second.snapshot), *key, "--json"])
    assert json.loads(plain.stdout)["parent"] == first.manifest.id


def test_after_a_rotation_nobody_is_said_to_have_come_or_gone(ward: Hospital) -> None:
    first = build(ward)
    rotate(ward.root / "keys")
    figures = build(ward, first.snapshot).manifest.difference
    assert not figures["same_keys"]
    assert figures["tables"]["visits"]["patients_in"] is figures["tables"]["visits"]["rows_in"] is None


def word(ward: Hospital) -> list[Recall]:
    return list(recalls(ward.root / "keys" / STORE))


def test_word_is_left_for_each_version_that_held_them_and_says_nothing_of_them(ward: Hospital) -> None:
    first = build(ward)
    own = table(first, "visits").filter(pl.col("code") == CANARY)["patient"][0]
    assert withdraw(ward, "n007").exit_code == 0
    (left,) = word(ward)
    gone = ward.keys.storage.of(first.manifest).missing(first.manifest)
    assert left == Recall(first.manifest.id, left.day, len(gone), "now", plain=False)
    (path,) = (ward.root / "keys" / STORE).glob("*.recall.json")
    assert path.stat().st_mode & 0o777 == 0o640
    assert not [secret for secret in ("n007", CANARY, own) if secret in path.read_text()]
    before = path.read_bytes()
    assert command(ward, "shred").exit_code == 0
    assert path.read_bytes() == before


def test_the_recipe_says_when_mounts_end_and_now_is_not_put_off_again(ward: Hospital) -> None:
    build(ward)
    feed = "withdrawals: {file: withdrawn.csv, mounts_end: next-start}"
    (ward.root / "recipe.yaml").write_text(RECIPE.replace("withdrawals: withdrawn.csv", feed), encoding="utf-8")
    assert withdraw(ward, "n007").exit_code == 0
    assert [each.mounts_end for each in word(ward)] == ["next-start"]
    (ward.root / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    assert command(ward, "shred").exit_code == 0
    assert [each.mounts_end for each in word(ward)] == ["now"]
    (ward.root / "recipe.yaml").write_text(RECIPE.replace("withdrawals: withdrawn.csv", feed), encoding="utf-8")
    assert command(ward, "shred").exit_code == 0
    assert [each.mounts_end for each in word(ward)] == ["now"]


def test_word_is_left_before_the_first_key_is_destroyed(ward: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(ward)
    seen: list[list[str]] = []
    real = KeyStore.shred

    def watched(store: KeyStore, snapshot: str, ids: Iterable[str], *, day: str) -> tuple[str, ...]:
        seen.append([each.snapshot for each in word(ward)])
        return real(store, snapshot, ids, day=day)

    monkeypatch.setattr(KeyStore, "shred", watched)
    assert withdraw(ward, "n007").exit_code == 0
    assert seen == [[first.manifest.id]]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": "ansim-recall/1"}', '{"format": "ansim-recall/2", "snapshot": "x"}', "\x00"]
)
def test_a_file_that_is_no_word_is_passed_over(tmp_path: Path, text: str) -> None:
    leave(tmp_path, Recall("a" * 64, "2026-11-29", 1))
    (tmp_path / f"{'b' * 64}.recall.json").write_text(text)
    (tmp_path / f"{'c' * 64}.recall.json").write_bytes((tmp_path / f"{'a' * 64}.recall.json").read_bytes())
    assert list(recalls(tmp_path)) == [Recall("a" * 64, "2026-11-29", 1)]
    assert list(recalls(tmp_path / "nowhere")) == []
