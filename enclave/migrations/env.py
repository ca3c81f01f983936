"""Alembic's entry: runs the migrations on the connection that `enclave.migrations.run` hands over."""

from __future__ import annotations

from alembic import context

from enclave.migrations.run import is_ours
from enclave.model.base import Base


def run() -> None:
    """Migrate inside one transaction: all of a version or nothing of it."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        include_object=is_ours,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
