"""How a console command reaches the database: with the settings of this home, as the user who owns it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from enclave.settings import Settings
from enclave.store import Store


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Give the store, after `step_down`; what is written then belongs to the service and not to root."""
    step_down(settings.db)
    with _store(settings, settings.url) as store:
        yield store


@contextmanager
def opened_as_owner(settings: Settings) -> Iterator[Store]:
    """Give the store as the owner of the tables where the installation has one, for what no service's role may do.

    Then root stays root: the owner's way in is root's.
    """
    if not settings.database_owner_url:
        step_down(settings.db)
    with _store(settings, settings.owner_url) as store:
        yield store


@contextmanager
def _store(settings: Settings, url: str) -> Iterator[Store]:
    store = Store(url, observer="console", wait_s=settings.database_wait_s)
    try:
        yield store
    finally:
        store.close()


def step_down(folder: Path) -> None:
    """As root, become the owner of `folder` for good; otherwise, or if root owns it, do nothing.

    Files that root makes beside a SQLite database (its journal) would lock the service out.
    """
    if os.geteuid() != 0 or not folder.exists():
        return
    owner, group = folder.stat().st_uid, folder.stat().st_gid
    if owner == 0:
        return
    os.setgroups(groups_of(owner, group))
    os.setgid(group)
    os.setuid(owner)
    # The sequencer is in the folder's group and reads and numbers entries.
    os.umask(0o007)


def groups_of(owner: int, group: int) -> list[int]:
    """Return the groups of a service's user, its own among them (snapshots are readable for that one), and `group`."""
    user = pwd.getpwuid(owner)
    return sorted({*os.getgrouplist(user.pw_name, user.pw_gid), group})


def say(ko: str, en: str) -> None:
    """Print one sentence in the language that was asked for."""
    lang = click.get_current_context().find_root().obj
    click.echo(en if lang == "en" else ko)
