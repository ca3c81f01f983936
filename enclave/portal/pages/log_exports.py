"""Taking entries out as a file, and the list of what was taken: filter, checkpoint, number and SHA-256 of each."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from audit.reader import LogReader
from enclave import clock
from enclave.commands import log_export as commands
from enclave.commands.anchoring import as_refusal, evidence_source
from enclave.errors import EnclaveError
from enclave.logbook.export_words import FORMS, MEDIA, REASONS, ExportForm, ExportReason
from enclave.logbook.files import manifest, name_of
from enclave.logbook.question import Question
from enclave.portal.acting import actor_of, one_of, tried
from enclave.portal.log_lines import address
from enclave.portal.pages.log import question_of, show
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import logbook

router = APIRouter()


@router.post("/log/export")
def export(visit: Here, form: OwnForm) -> Response:
    """Take out what a question finds; the reason is asked for, and the entry comes first."""
    question = question_of(dict(form.fields))

    def act() -> Response:
        chosen, why = one_of(ExportForm, form.text("form")), one_of(ExportReason, form.text("reason_code"))
        return stream(visit, question, chosen, why, form.text("why"))

    def again(error: EnclaveError) -> Response:
        return show(visit, question, error)

    return tried(act, again)


def stream(visit: Visit, question: Question, form: ExportForm, why: ExportReason, reason: str) -> Response:
    """Return the answer that reads and hashes the entries while they are sent."""
    settings = visit.portal.settings
    with as_refusal():
        source = evidence_source(settings)
        log = LogReader(settings.log, source.vkey)
    begun = commands.begin(
        visit.portal.store,
        actor_of(visit),
        log,
        question=question,
        form=form,
        reason_code=why,
        reason=reason,
        now=visit.now,
        clock=clock.now,
        source=source,
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{name_of(begun.view)}"',
        "X-Ansim-Export": begun.view.id,
    }
    return StreamingResponse(iter(begun), media_type=MEDIA[form], headers=headers)


@router.get("/log/exports")
def exports(visit: Here) -> Response:
    """Show what was taken out, by whom and why, newest first."""
    found = logbook.exports(visit.portal.store, actor_of(visit))
    return visit.page(
        "log_exports.html",
        here="log",
        exports=[(each, address(each.question)) for each in found],
        forms={form.value: words for form, words in FORMS.items()},
        reasons={reason.value: words for reason, words in REASONS.items()},
    )


@router.get("/log/exports/{export_id}.json")
def export_manifest(visit: Here, export_id: str) -> Response:
    """Give the manifest of an export: what a receiver holds the file against."""
    found = logbook.export(visit.portal.store, actor_of(visit), export_id)
    data = json.dumps(manifest(found, found.login or "console"), ensure_ascii=False, indent=2) + "\n"
    headers = {"Content-Disposition": f'attachment; filename="{name_of(found)}.manifest.json"'}
    return Response(data, media_type="application/json", headers=headers)
