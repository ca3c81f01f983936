"""`ansim deid detect`: identifiers in a JSON Lines file of texts."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("source", metavar="IN.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(dir_okay=False, path_type=Path))
def detect(source: Path, target: Path) -> None:
    """글에서 식별정보를 찾습니다 (find identifiers in texts, JSON Lines in and out).

    In: {"id","text"} per line. Out: {"id","spans":[{"start","end","type"}]} per line. Offsets are into the unmodified
    text. A line that is not such an object stops the run with its number, and OUT.jsonl is left as it was.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        with source.open(encoding="utf-8") as lines, unfinished.open("w", encoding="utf-8") as out:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    out.write(json.dumps(_answer(line, number, source), ensure_ascii=False) + "\n")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _answer(line: str, number: int, source: Path) -> dict[str, object]:
    from deid.detect.scan import scan  # noqa: PLC0415 - Presidio takes seconds to load, and `--help` needs none

    try:
        record = json.loads(line)
        identity, text = record["id"], record["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{source.name} {number}번째 줄: id와 text가 있는 JSON 객체가 아닙니다. 줄을 고치고 다시 실행하세요. "
            f"/ line {number} is no JSON object with id and text; correct it and run again."
        ) from error
    spans = [{"start": found.start, "end": found.end, "type": found.type} for found in scan(str(text))]
    return {"id": identity, "spans": spans}
