"""The door to the repairs: a stored file in, a new file and what the checks say about it out; read in sealed children.

The repaired file comes from a child that has read hostile bytes, so it is checked like any submitted one, by another.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from enclave.airlock.checker import check_content, shared_pool
from enclave.airlock.errors import RepairFailed
from enclave.airlock.known import Known
from enclave.airlock.report import MAX_TEXT, FileReport
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

LARGEST = 8 * MEBIBYTE  # what the notebook reads as one answer, in base64
ENDINGS = frozenset({".csv", ".tsv", ".ipynb", ".png"})
CODE_CHARS = 60


@dataclass(frozen=True)
class Repaired:
    """A new file beside the original: its name (``table.repaired.csv``), its bytes, and the report on it."""

    name: str
    content: bytes
    report: FileReport


def repair(  # noqa: PLR0913 - a check's arguments, and which repair
    path: Path,
    name: str,
    repair_id: str,
    rules: CheckRules,
    *,
    known: Known | None = None,
    pool: SealedPool | None = None,
) -> Repaired:
    """Make the repair ``repair_id`` of the file at ``path``, called ``name``, in a sealed child, and check the result.

    Raises `RepairFailed` when the repair does not fit or the child gave no whole answer; `OSError` when the file cannot
    be opened. Nothing is stored.
    """
    pool = pool or shared_pool()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size > rules.max_bytes:
            raise _failed("the file is too large")
        job = {"do": "repair", "name": name, "repair": repair_id, "rules": rules.to_json()}
        limits = Limits(timeout_s=rules.timeout_s, memory_bytes=rules.memory_bytes, answer_bytes=2 * LARGEST)
        ending, content = _read(json.loads(pool.run(job, descriptor, limits).body))
    except SealedFailure as failure:
        raise _failed(failure.why) from None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise _failed("its answer was no file") from None
    finally:
        os.close(descriptor)
    new = f"{PurePosixPath(name).stem}.repaired{ending}"
    return Repaired(new, content, check_content(content, new, rules, known=known, pool=pool))


def _read(answer: Any) -> tuple[str, bytes]:
    if "refused" in answer:
        texts = [answer["refused"][name] for name in ("rule", "ko", "en")]
        if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts):
            raise ValueError("a refusal is three texts")
        raise RepairFailed(texts[0][:CODE_CHARS], ko=texts[1], en=texts[2])
    ending, content = answer["ending"], base64.b64decode(answer["content"], validate=True)
    if ending not in ENDINGS or len(content) > LARGEST:
        raise ValueError("no file of a known kind")
    return ending, content


def _failed(why: str) -> RepairFailed:
    return RepairFailed(
        "repair.failed",
        ko=f"파일을 고치지 못했습니다({why}). 더 작은 표로 나누어 다시 하세요.",
        en=f"The file could not be repaired ({why}). Split it into smaller tables.",
    )
