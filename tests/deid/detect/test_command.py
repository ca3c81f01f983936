"""`ansim deid detect`: JSON Lines in and out; a bad line leaves the earlier answer as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deid.detect.command import detect


def test_spans_are_written_per_line_with_offsets_into_the_unmodified_text(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    records = [{"id": "a", "text": "환자 김\u200b철수님"}, {"id": 2, "text": "이상 없음"}]
    source.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n\n")
    result = CliRunner().invoke(detect, [str(source), str(target)])
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        {"id": "a", "spans": [{"start": 3, "end": 7, "type": "NAME"}]},
        {"id": 2, "spans": []},
    ]


@pytest.mark.parametrize("line", ["{", '{"id": 1}', "[]", "3"])
def test_a_bad_line_is_named_and_the_target_is_kept(tmp_path: Path, line: str) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "가"}\n' + line + "\n")
    target.write_text("earlier")
    result = CliRunner().invoke(detect, [str(source), str(target)])
    assert result.exit_code == 1
    assert "2번째 줄" in result.output
    assert "line 2" in result.output
    assert target.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
