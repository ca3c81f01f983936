"""The witness's program, for another machine: `ansim audit witness`, or the one file `witness.py` by itself.

    witness.py init HOME --name NAME --log LINE|FILE    make the keys; trust the log's published key
    witness.py sign HOME FOLDER                         look at what came from the enclave, put the answer beside it
    witness.py show HOME                                what was seen last, and the lines for the policy file
    witness.py trust HOME --log LINE|FILE               the log's key was handed over to this one

A cosignature states when it was made: this program is one of the few places that read the clock.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from audit.asking import COSIGNATURE, SIZE, read_questions, write_answer
from audit.cosignature import MLDSA44
from audit.errors import AuditError, WitnessError
from audit.keyline import key_from
from audit.note import Checkpoint, split_note
from audit.witness import Witness


def main(arguments: list[str] | None = None) -> int:
    """Run the program; return 0, 1 for a refusal, or 2 for wrong use."""
    given = _parser().parse_args(arguments)
    home = Path(given.home)
    try:
        _RUN[given.what](home, given)
    except AuditError as error:
        what, remedy = (error.ko, error.remedy_ko) if given.lang == "ko" else (error.en, error.remedy_en)
        sys.stderr.write(f"✗ [{error.code}] {what} {remedy}\n")
        return 1
    except FileExistsError:
        _say(given, f"✗ {home}에 이미 증인 키가 있습니다", f"✗ {home} holds a witness's key already")
        return 1
    except FileNotFoundError as error:
        _say(given, f"✗ 파일이 없습니다: {error.filename}", f"✗ No such file: {error.filename}")
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="witness", description="Ansim: witness of an audit log / 감사 로그의 증인")
    parser.add_argument("what", choices=sorted(_RUN), help="만들기, 서명, 보기, 키 교체 / what to do")
    parser.add_argument("home", help="증인의 폴더 / the witness's folder")
    parser.add_argument("folder", nargs="?", help="안심구역에서 온 폴더 / the folder that came from the enclave")
    parser.add_argument("--name", help="증인의 이름(빈칸과 + 없이) / the witness's name, e.g. audit.example.kr/w1")
    parser.add_argument("--log", help="게시된 로그 키 한 줄 또는 그 파일 / the log's published key line, or its file")
    parser.add_argument("--lang", choices=["ko", "en"], default="ko")
    return parser


def _init(home: Path, given: Namespace) -> None:
    if not given.name or not given.log:
        _parser().error("init: --name, --log")
    witness = Witness.create(home, given.name, [key_from(given.log)])
    if not any(each.kind == MLDSA44 for each in witness.cosigners):
        _say(
            given,
            "△ 이 컴퓨터의 cryptography에 ML-DSA-44가 없어 Ed25519 키만 만들었습니다",
            "△ No ML-DSA-44 in this machine's cryptography: an Ed25519 key only",
        )
    _show(home, given)


def _trust(home: Path, given: Namespace) -> None:
    if not given.log:
        _parser().error("trust: --log")
    vkey = key_from(given.log)
    Witness(home).trust(vkey)
    _say(given, f"✓ 이제 이 키를 믿습니다: {vkey}", f"✓ Trusted from now on: {vkey}")


def _show(home: Path, given: Namespace) -> None:
    witness = Witness(home)
    _say(given, "# 안심구역의 정책 파일에 넣을 줄", "# lines for the enclave's policy file")
    names = []
    for number, each in enumerate(witness.cosigners, 1):
        names.append(f"witness-{number}")
        sys.stdout.write(f"witness {names[-1]} {each.vkey}\n")
    sys.stdout.write(f"group witness all {' '.join(names)}\nquorum witness\n")
    for key in witness.trusted:
        last = witness.last(key.name)
        _say(
            given,
            f"# 로그 {key.name}: {last.size:,}건까지 확인함",
            f"# log {key.name}: seen up to {last.size:,} entries",
        )


def _sign(home: Path, given: Namespace) -> None:
    if not given.folder:
        _parser().error("sign HOME FOLDER")
    witness, drop = Witness(home), Path(given.folder)
    questions = read_questions(drop)
    mark = witness.cosigners[0].vkey.key_id.hex()
    try:
        done = witness.consider(questions, time=int(time.time()))
    except WitnessError as error:
        if error.code == "witness.no-proof":
            origin = Checkpoint.parse(split_note(questions[0].note)[0]).origin
            write_answer(drop, f"{mark}{SIZE}", f"{witness.last(origin).size}\n")
        raise
    path = write_answer(drop, f"{done.size}.{mark}{COSIGNATURE}", done.lines)
    _say(
        given,
        f"✓ {done.before:,}건에서 {done.size:,}건으로 이어짐을 확인하고 서명했습니다: {path}",
        f"✓ Extends {done.before:,} to {done.size:,} entries; cosigned: {path}",
    )


def _say(given: Namespace, ko: str, en: str) -> None:
    sys.stdout.write((ko if given.lang == "ko" else en) + "\n")


_RUN = {"init": _init, "sign": _sign, "show": _show, "trust": _trust}

if __name__ == "__main__":
    sys.exit(main())
