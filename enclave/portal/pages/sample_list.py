"""What the pages of both samples share: the list without any original, its end, and the numbers of a form of marks."""

from __future__ import annotations

from starlette.responses import Response

from enclave.commands.frame_drawing import FRAMES
from enclave.commands.samples import close_sample
from enclave.commands.text_drawing import TEXTS
from enclave.errors import EnclaveError, Invalid
from enclave.policy.publication import check_governs
from enclave.portal.acting import actor_of, done, tried
from enclave.portal.forms import Form
from enclave.portal.visit import Visit
from enclave.queries import dataset

PREFIX = "m_"


def show(visit: Visit, snapshot_id: str, error: EnclaveError | None = None, *, frames: bool = False) -> Response:
    """Return the list of the sample of texts, or of frames."""
    actor, store = actor_of(visit), visit.portal.store
    found = dataset.snapshot(store, actor, snapshot_id)
    about = dataset.dataset(store, actor, found.dataset_id)
    check_governs(actor, about.provider_id)
    way = dataset.dossier(store, actor, snapshot_id, now=visit.now)
    return visit.page(
        "sample.html",
        here="datasets",
        status=error.status if error else 200,
        error=error,
        snapshot=found,
        dataset=about,
        way=way,
        sample=way.frames if frames else way.sample,
        frames=frames,
    )


def close(visit: Visit, form: Form, snapshot_id: str, *, frames: bool = False) -> Response:
    """Close the review and show the snapshot, or the list with what is missing."""

    def act() -> str:
        store, actor = visit.portal.store, actor_of(visit)
        if frames:
            close_sample(store, FRAMES, actor, snapshot_id=snapshot_id, now=visit.now)
        else:
            close_sample(store, TEXTS, actor, snapshot_id=snapshot_id, now=visit.now)
        return f"/snapshots/{snapshot_id}"

    return tried(
        lambda: done(visit, form, act, "sample.closed"),
        lambda error: show(visit, snapshot_id, error, frames=frames),
    )


def next_of(visit: Visit, snapshot_id: str, number: int, *, frames: bool = False) -> str:
    """Return the path of the case after this one, or of the list after the last."""
    way = dataset.dossier(visit.portal.store, actor_of(visit), snapshot_id, now=visit.now)
    found, path = (way.frames, "frames") if frames else (way.sample, "sample")
    more = found is not None and number < found.size
    return f"/snapshots/{snapshot_id}/{path}/{number + 1}" if more else f"/snapshots/{snapshot_id}/{path}"


def marks_of(form: Form) -> dict[str, int]:
    """Read how many of each type were missed. Raises `Invalid` (`sample.marks`)."""
    marks = {}
    for kind, value in form.starting(PREFIX).items():
        if (value and not value.isascii()) or (value and not value.isdigit()):
            raise Invalid(
                "sample.marks",
                ko="개수는 0 이상의 수로 적으세요.",
                en="Write numbers from 0.",
                remedy_ko="놓친 것의 개수를 종류별로 적으세요.",
                remedy_en="Write how many of each type were missed.",
            )
        if value and int(value[:6]):
            marks[kind] = int(value[:6])
    return marks
