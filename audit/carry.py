"""The log's side of the file drop: questions for a witness go out, its cosignatures come in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit.anchors import Anchors, merged
from audit.asking import Question, read_answers, write_questions
from audit.errors import Text, WitnessError
from audit.note import decode_note, split_note
from audit.policy import Policy
from audit.reader import LogReader

# So many earlier checkpoints a witness may have missed the answer to.
_STANDING = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """Cosignatures that came in for the checkpoint of `size`: names in the policy, and whether it has its quorum."""

    size: int
    names: tuple[str, ...]
    quorum: bool


def hand_out(reader: LogReader, anchors: Anchors, drop: Path) -> int:
    """Keep the log's newest checkpoint and write into `drop` what a witness needs to cosign it; return its size.

    Raises `LogConflictError` (`audit.two-views`), `WitnessError`.
    """
    olds = {0, *anchors.sizes()[-_STANDING:], *read_answers(drop)[1]}
    anchors.keep(reader.note)
    note = decode_note(reader.note)
    questions = [Question(old, tuple(reader.consistency(old)), note) for old in sorted(olds) if old <= reader.size]
    write_questions(drop, questions)
    return reader.size


def take_in(anchors: Anchors, policy: Policy, drop: Path) -> list[Taken]:
    """Check the answers in `drop` and add the cosignatures of the policy's witnesses to the kept checkpoints.

    What was taken in before is not taken again. Raises `WitnessError` (`witness.no-answer`, `.no-checkpoint`,
    `.not-ours`) and `NoteError` when a signature does not hold; then nothing of that answer is kept.
    """
    answers = read_answers(drop)[0]
    if not answers:
        raise WitnessError("witness.no-answer", _no_answer(drop))
    done = []
    for size, lines in answers:
        if size not in anchors.sizes():
            raise WitnessError("witness.no-checkpoint", _no_checkpoint(size))
        note = anchors.note(size)
        before = policy.open(note)
        known = _of_witnesses(lines, policy)
        after = policy.open(merged(note, known)) if known else before
        names = tuple(name for name in after.cosigned if name not in before.cosigned)
        if not known:
            raise WitnessError("witness.not-ours", _not_ours(size))
        if names:
            anchors.keep(merged(note, known))
            done.append(Taken(size, names, after.quorum))
    return done


def _of_witnesses(lines: str, policy: Policy) -> str:
    """Return the lines that name a witness of the policy; C2SP tlog-witness: others are ignored."""
    known = {(key.name, key.key_id) for key in policy.witnesses.values()}
    signatures = split_note(decode_note(merged(b"x\n\n", lines)))[1]
    return "".join(f"{each.line}\n" for each in signatures if (each.name, each.key_id) in known)


def _no_answer(drop: Path) -> Text:
    return Text(
        f"{drop}에 증인의 답(answer/*.cosignature)이 없습니다.",
        f"There is no answer of a witness (answer/*.cosignature) in {drop}.",
        "증인의 컴퓨터에서 서명한 폴더를 그대로 주세요.",
        "Give the folder as it came from the witness's machine.",
    )


def _no_checkpoint(size: int) -> Text:
    return Text(
        f"{size:,}건의 확인점을 내보낸 적이 없습니다.",
        f"No checkpoint of {size:,} entries was ever handed out.",
        "이 안심구역에서 내보낸 폴더의 답인지 확인하세요.",
        "Check that the answer belongs to a folder of this enclave.",
    )


def _not_ours(size: int) -> Text:
    return Text(
        f"{size:,}건의 답에 정책 파일의 증인이 서명한 것이 없습니다.",
        f"The answer for {size:,} entries has no signature of a witness of the policy file.",
        "증인의 키 줄을 정책 파일에 먼저 넣으세요(witness show).",
        "Put the witness's key lines into the policy file first (witness show).",
    )
