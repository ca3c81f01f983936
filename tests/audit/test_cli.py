"""The command line: Korean by default, English on request, exit status 0, 1 or 2."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from audit import verify
from audit.cli import audit
from audit.verify import verify_bundle
from tests.audit.logs import VKEY, entries, publish


def run(*arguments: object):
    return CliRunner().invoke(audit, [str(item) for item in arguments])


def bundle(log, target, *arguments: object):
    return run("bundle", target, "--log", log, "--key", VKEY, *arguments)


@pytest.mark.parametrize(("lang", "words"), [("ko", "결과: 이상 없음"), ("en", "Result: everything holds")])
def test_a_sound_log_verifies_with_status_0(log_of_600, lang, words) -> None:
    done = run("verify", log_of_600, "--key", VKEY, "--lang", lang)
    assert done.exit_code == 0
    assert words in done.output
    assert done.output.count("✓") == 4


def test_a_damaged_log_is_refused_with_status_1_and_its_place(log) -> None:
    path = log / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b"done", b"dune", 1))
    done = run("verify", log, "--key", VKEY, "--patience", 0)
    assert done.exit_code == 1
    assert "✗ 256번 기록이 해시 타일과 맞지 않습니다 (tile/entries/001)" in done.output


def test_the_key_may_be_in_a_file(log_of_600, tmp_path) -> None:
    (tmp_path / "log+1.pub").write_text(f"{VKEY}\n")
    assert run("verify", log_of_600, "--key", tmp_path / "log+1.pub").exit_code == 0


def test_a_log_without_a_key_is_a_wrong_call(log_of_600) -> None:
    done = run("verify", log_of_600)
    assert done.exit_code == 2
    assert "--key" in done.output


def test_a_key_file_that_is_not_there_is_a_wrong_call(log_of_600) -> None:
    done = run("verify", log_of_600, "--key", "no-such-file.pub")
    assert done.exit_code == 2
    assert "no-such-file.pub" in done.output


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ((), 600),
        (("--first", 10, "--last", 19), 10),
        (("--actor", "u-3"), 86),
        (("--action", "thing.add", "--project", "P-1"), 600),
        (("--since", "2026-01-01", "--until", "2026-01-01 00:00:01"), 600),
    ],
)
def test_a_bundle_holds_what_was_asked_for_and_verifies(log_of_600, tmp_path, arguments, count) -> None:
    done = bundle(log_of_600, tmp_path / "bundle", *arguments)
    assert done.exit_code == 0, done.output
    assert f"기록 {count}건" in done.output
    manifest = json.loads((tmp_path / "bundle/manifest.json").read_text())
    assert sorted(manifest["selection"]) == sorted(name.strip("-") for name in arguments[::2])
    assert verify_bundle(tmp_path / "bundle", VKEY).ok
    assert run("verify", tmp_path / "bundle").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--actor", "nobody"),
        ("--since", "2027-01-01"),
        ("--until", "2025-01-01"),
        ("--project", "P-2"),
        ("--first", 600),
    ],
)
def test_nothing_found_is_said_and_nothing_written(log_of_600, tmp_path, arguments) -> None:
    done = bundle(log_of_600, tmp_path / "bundle", *arguments, "--lang", "en")
    assert done.exit_code == 1
    assert "No published entry matches" in done.output
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_entry_can_be_chosen_by_index_only(tmp_path) -> None:
    publish(tmp_path / "log", [b'"text"', b'{"actor":"x"}', *entries(3)])
    done = bundle(tmp_path / "log", tmp_path / "bundle", "--actor", "u-1")
    assert "기록 1건" in done.output


def test_a_bundle_is_not_written_from_a_log_of_another_key(log_of_600, tmp_path) -> None:
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    done = run("bundle", tmp_path / "bundle", "--log", log_of_600, "--key", other)
    assert done.exit_code == 1
    assert "믿는 키의 서명이 확인점에 없습니다" in done.output


def test_the_status_is_shown_in_words_and_as_json(log_of_600) -> None:
    assert "기록 수: 600" in run("status", log_of_600).output
    assert "entries: 600" in run("status", log_of_600, "--lang", "en").output
    state = json.loads(run("status", log_of_600, "--json").output)
    assert (state["origin"], state["size"]) == (VKEY.name, 600)


def test_the_status_of_no_log_is_said(tmp_path) -> None:
    done = run("status", tmp_path)
    assert done.exit_code == 1
    assert "게시된 로그가 없습니다" in done.output


def test_the_verifier_also_runs_as_a_module(log_of_600, capsys) -> None:
    assert verify.main([str(log_of_600), "--key", str(VKEY), "--lang", "en"]) == 0
    assert "everything holds" in capsys.readouterr().out
    for wrong in ([], ["--key", "no-such-file.pub"]):
        with pytest.raises(SystemExit) as caught:
            verify.main([str(log_of_600), *wrong])
        assert caught.value.code == 2
        assert "key" in capsys.readouterr().err


def test_the_module_refuses_a_damaged_bundle_with_status_1(log_of_600, tmp_path, capsys) -> None:
    bundle(log_of_600, tmp_path / "bundle", "--first", 7)
    assert verify.main([str(tmp_path / "bundle")]) == 0
    (tmp_path / "bundle/README.txt").write_text("x")
    assert verify.main([str(tmp_path / "bundle")]) == 1
    assert "README.txt" in capsys.readouterr().out
