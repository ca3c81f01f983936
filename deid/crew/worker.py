"""The worker's side, on any machine: `dask worker ADDRESS --preload deid.crew.worker --keys FOLDER`.

The master stays where the worker's own administrator put it; nobody sends it. A worker takes an order only when its
master is the one the run names, and its versions and code are the run's. What goes wrong with a part's data is never
told in words, as Dask writes them to its logs: the run does such a part again itself, and finds the line.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import click
import cloudpickle
from cryptography.exceptions import InvalidTag
from distributed import Worker, get_worker
from polars.exceptions import PanicException

from deid.crew.agree import differences
from deid.crew.frames import packed, unpacked
from deid.crew.order import DONE, FAILED, KEY_NAME, REFUSED, Job, Order, Terms, Word
from deid.crew.sealing import get, put, unseal
from deid.errors import KeyFileError
from deid.keys import WorkerKeys, find_generation, key_id, read_master
from deid.many.parts import LaidOut

EXTENSION = "ansim-deid-keys"
PROBE = "probe"


class Refuses(Exception):  # noqa: N818 - what a worker does
    """This worker does not take the order: a code, and names of what differs."""

    def __init__(self, why: str, what: str = "") -> None:
        super().__init__(why)
        self.why, self.what = why, what


@click.command()
@click.option("--keys", type=click.Path(path_type=Path), required=True, help="folder of this worker's master.key")
def dask_setup(worker: Worker, keys: Path) -> None:
    """Tell a worker at its start where its keys are (`--preload`); they are read when the first order comes."""
    worker.extensions[EXTENSION] = keys


def greet(terms: Terms, dask_worker: Worker) -> Word:
    """Say whether this worker could work for a run: keys, versions, and whether it sees the run's folder."""
    try:
        _, key = _admitted(terms, dask_worker)
        get(Path(terms.folder) / PROBE, key)
    except Refuses as refusal:
        return Word(REFUSED, refusal.why, refusal.what)
    except (OSError, InvalidTag):
        return Word(REFUSED, "folder")
    return Word(DONE)


def work(order: Order) -> Word:
    """Work on one part and put the answer into the shared folder."""
    try:
        _work(order)
    except Refuses as refusal:
        return Word(REFUSED, refusal.why, refusal.what)
    except (Exception, PanicException) as error:  # noqa: BLE001 - its words may quote a patient's value and would be logged
        return Word(FAILED, type(error).__name__)
    return Word(DONE)


def _work(order: Order) -> None:
    keys, key = _admitted(order.terms, get_worker())
    folder = Path(order.terms.folder)
    job = _job(folder / order.job, key)
    people = unpacked(get(folder / order.people, key))
    part = LaidOut(job.spool, job.recipe, keys).part(job.table, people, order.part)
    put(folder / order.answer, key, packed(job.kernel(part)))


def _admitted(terms: Terms, worker: Worker) -> tuple[WorkerKeys, bytes]:
    """Return this worker's keys and the run's key. Raises `Refuses`."""
    different = differences(terms.versions)
    if different:
        raise Refuses("versions", ", ".join(different))
    folder = worker.extensions.get(EXTENSION)
    if folder is None:
        raise Refuses("no-keys")
    try:
        master = read_master(find_generation(folder, terms.generation)[1])
    except KeyFileError as error:
        raise Refuses("no-keys", error.code) from None
    if key_id(master) != terms.key_id:
        raise Refuses("keys")
    keys = WorkerKeys(master, terms.project)
    try:
        return keys, unseal(keys.derive("dask", terms.dataset, terms.run), KEY_NAME, terms.sealed)
    except InvalidTag:
        raise Refuses("keys") from None


@lru_cache(maxsize=1)
def _job(path: Path, key: bytes) -> Job:
    # A job holds code, as every task of Dask does; this one is sealed by whoever has the master.
    found: Job = cloudpickle.loads(get(path, key))
    return found


def forget() -> None:
    """Forget what was kept of a run that ended."""
    _job.cache_clear()
