"""What both samples share as JSON: the dossier of who governs the snapshot, and the end of a review."""

from __future__ import annotations

from enclave.commands.samples import K, Kind, S, close_sample
from enclave.policy.publication import check_governs
from enclave.portal.acting import actor_of
from enclave.portal.rest import once
from enclave.portal.visit import Visit
from enclave.queries import dataset
from enclave.queries.publication import DossierView


def governed(visit: Visit, snapshot_id: str) -> DossierView:
    """Return a snapshot's dossier to who governs its data set. Raises `Denied`, `NotFound`."""
    store, actor = visit.portal.store, actor_of(visit)
    about = dataset.dataset(store, actor, dataset.snapshot(store, actor, snapshot_id).dataset_id)
    check_governs(actor, about.provider_id)
    return dataset.dossier(store, actor, snapshot_id, now=visit.now)


def closed(visit: Visit, kind: Kind[S, K], snapshot_id: str, key: str) -> object:
    """Close a review once for a key; as `samples.close_sample`."""

    def act() -> object:
        return close_sample(visit.portal.store, kind, actor_of(visit), snapshot_id=snapshot_id, now=visit.now)

    return once(visit, key, act)
