"""Removing decrypted views that no workspace in force mounts, every minute."""

from __future__ import annotations

from datetime import timedelta

from enclave import clock
from enclave.portal.parts import Portal
from enclave.queries import workspace
from enclave.settings import Settings
from enclave.workspace.forgetting import forget_views


def forget(portal: Portal) -> list[str]:
    """Remove them; returns their names."""
    mounted = workspace.views_in_force(portal.store)
    return forget_views(portal.settings.views, mounted, now=clock.now(), kept_for=kept_for(portal.settings))


def kept_for(settings: Settings) -> timedelta:
    """Return how long a view stays that nothing mounts: as long as a plan may still start, or code be run again."""
    return timedelta(minutes=settings.plan_minutes, seconds=2 * settings.rerun_seconds) + timedelta(minutes=5)
