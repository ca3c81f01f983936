"""One entry of the log: the five items of the access record, its proof, what it belongs to, what was done around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from audit.errors import AuditError
from audit.merkle import leaf_hash, root_from_inclusion
from audit.note import VerifierKey
from audit.query import Found
from audit.reader import LogReader
from enclave.commands import logbook as commands
from enclave.logbook.question import Question
from enclave.portal.acting import actor_of
from enclave.portal.log_lines import OUTCOMES, address, in_words, lines_of, page_of, stands_of
from enclave.portal.visit import Here, Visit
from enclave.queries import logbook

router = APIRouter()
NO_ROW = Found(-1, "", "", "", "", "", "", "", "", "", "", "", "", "", 0, "", "")


@dataclass(frozen=True)
class Shown:
    """What the page says about an entry's proof; hashes as hex."""

    look: str
    told: str
    leaf: str = ""
    root: str = ""


@router.get("/log/{entry}")
def one(visit: Here, entry: str) -> Response:
    """Show one entry, named by its number or its id."""
    store, actor = visit.portal.store, actor_of(visit)
    seen = commands.view_entry(store, actor, entry=entry, now=visit.now)
    record, number = seen.entry.record, seen.entry.leaf_index
    row = seen.row or NO_ROW
    line = lines_of(visit, [row])[0]
    return visit.page(
        "log_entry.html",
        here="log",
        number=number,
        entry_id=seen.entry.entry_id,
        readable=bool(record) and seen.row is not None,
        line=line,
        subjects=in_words(visit, f"subjects_{row.subjects_kind}").removeprefix("subjects_"),
        outcomes=OUTCOMES,
        proof=_purged(visit) if seen.purged else prove(visit, number, seen.entry.data),
        thing=page_of(row),
        same_thing=address(Question(thing=row.object_id)) if row.object_id else "",
        same_project=address(Question(project=row.project)) if row.project else "",
        same_session=address(Question(session=row.session)) if row.session else "",
        sha256=_group(record, "object").get("sha256", ""),
        rule=record.get("rule", ""),
        details=sorted(_group(record, "details").items()),
        asked=_asked(visit, record),
        session=[(each, "") for each in lines_of(visit, seen.session)],
        recorded=_pretty(seen.entry.data),
        raw=seen.entry.data.decode("utf-8", "backslashreplace"),
        size=len(seen.entry.data),
    )


def _purged(visit: Visit) -> Shown:
    return Shown("warn", visit.say("log.purged"))


def prove(visit: Visit, number: int | None, data: bytes) -> Shown:
    """Check the entry's bytes, as the database has them, against the signed checkpoint (RFC 6962 §2.1.1)."""
    settings = visit.portal.settings
    key = settings.keys / "log.pub"
    try:
        reader = LogReader(settings.log, VerifierKey.parse(key.read_text().strip()) if key.exists() else None)
        if number is None or number >= reader.size:
            return Shown("warn", visit.say("log.proof_not_yet"))
        leaf = leaf_hash(data)
        root = root_from_inclusion(number, reader.size, leaf, reader.proof(number).hashes)
    except (AuditError, OSError) as error:
        return Shown("stop", f"{visit.say('log.proof_bad')} ({getattr(error, 'code', type(error).__name__)})")
    if root != reader.checkpoint.root:
        return Shown("stop", visit.say("log.proof_bad"), leaf.hex(), reader.checkpoint.root.hex())
    told = visit.say("log.proof_good", size=f"{reader.size:,}")
    if not key.exists():
        return Shown("warn", f"{told} {visit.say('log.proof_unsigned')}", leaf.hex(), root.hex())
    stands = stands_of(visit)
    if stands.covers(number):
        return Shown("ok", f"{told} {visit.say('log.proof_witnessed')}", leaf.hex(), root.hex())
    return Shown("stop" if stands.look == "stop" else "warn", f"{told} {stands.told}", leaf.hex(), root.hex())


def _asked(visit: Visit, record: Mapping[str, Any]) -> dict[str, str]:
    """Return the question that an entry about the log names by its hash, where it is kept."""
    sha256 = _group(record, "details").get("question_sha256", "")
    found = logbook.question_of(visit.portal.store, actor_of(visit), str(sha256)) if sha256 else None
    return found.given() if found else {}


def _group(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _pretty(data: bytes) -> str:
    try:
        text = json.dumps(json.loads(data), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return ascii(data)
    # Half a character, which JSON can spell, no page can hold.
    return text.encode("utf-8", "backslashreplace").decode()
