"""All tables of the enclave's database, ours and the log's: what a migration has to bring about."""

from __future__ import annotations

from audit import tables as audit_tables
from enclave.model import (
    data,
    desk,
    drill,
    egress,
    ends,
    gpu,
    incident,
    incoming,
    ledger,
    logbook,
    logreview,
    people,
    policy,
    project,
    publication,
    release,
    rerun,
    retention,
    review,
    sighting,
    watch,
    workspace,
)
from enclave.model.base import Base

MODULES = (
    people,
    data,
    project,
    workspace,
    egress,
    review,
    release,
    sighting,
    watch,
    ends,
    gpu,
    desk,
    drill,
    ledger,
    incoming,
    rerun,
    policy,
    publication,
    logreview,
    logbook,
    retention,
    incident,
)
METADATA = (Base.metadata, audit_tables.metadata)
