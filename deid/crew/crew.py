"""The run's side of a Dask cluster: parts are given out, answers come back in order, nothing else changes.

Dask only schedules (`deid-tabular.md` §3.4): one task is one part, worked on by the kernel that works on it here, and
no frame of Dask's own is used. A worker that dies leaves its part to another; the answer is the same, because a kernel
knows nothing but its part. Imported only when a run has a scheduler: `distributed` takes a second to load.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, Future, KilledWorker, Security
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from deid.crew import worker
from deid.crew.address import Cluster
from deid.crew.agree import here
from deid.crew.frames import packed, unpacked
from deid.crew.order import DONE, FAILED, KEY_NAME, REFUSED, Elsewhere, Job, Order, Terms, Word
from deid.crew.refusals import refused
from deid.crew.sealing import get, put, seal
from deid.keys import Keys
from deid.many.parts import LaidOut
from deid.prepare import Answer, Prepared
from deid.readers.source import Source
from deid.recipe import Recipe

FOLDER = ".crew"
# So long the scheduler may be silent at the start, or be without any worker while parts are waiting.
PATIENCE_SECONDS = 30
# Parts given out ahead of the one whose answer is next, for each thread: nobody waits, and the folder stays small.
AHEAD = 2


@dataclass(frozen=True)
class Crew:
    """The workers of one run (`Helpers` of `many/parts.py`).

    `redone` counts parts that failed on a worker and were done here, by table and kind of error.
    """

    client: Client
    recipe: Recipe
    folder: Path
    terms: Terms
    key: bytes = field(repr=False)
    threads: int
    numbers: Iterator[int] = field(default_factory=count)
    redone: Counter[tuple[str, str]] = field(default_factory=Counter)

    def each(self, parts: LaidOut, table: Prepared, kernel: Callable[[Prepared], Answer]) -> Iterator[Answer]:
        """See `Parts.each`. Raises `WorkersRefused`, and what the kernel raises on a part that failed elsewhere."""
        job = f"job-{next(self.numbers)}"
        bare = replace(table, source=_bare(table.source), people=table.people.clear(), counts=table.counts.clear())
        bare = replace(bare, index=None, aligned={}, computed=None, laid_out=None)
        put(self.folder / job, self.key, cloudpickle.dumps(Job(kernel, bare, self.recipe, parts.spool)))
        asked: deque[tuple[Order, Future, Callable[[], Answer]]] = deque()
        try:
            for number, people in parts.people_of(table):
                order = Order(self.terms, job, number, f"{job}-{number}-people", f"{job}-{number}-answer")
                put(self.folder / order.people, self.key, packed(people))

                def again(number: int = number, people: Any = people) -> Answer:
                    return kernel(parts.part(table, people, number))

                name = f"{table.rule.name}-{job}-{number}-{self.terms.run}"
                asked.append((order, self.client.submit(worker.work, order, key=name, pure=False), again))
                if len(asked) > AHEAD * self.threads:
                    yield self._answer(table.rule.name, *asked.popleft())
            while asked:
                yield self._answer(table.rule.name, *asked.popleft())
        finally:
            self.client.cancel([future for _, future, _ in asked])

    def _answer(self, table: str, order: Order, future: Future, again: Callable[[], Answer]) -> Answer:
        word = self._word(future)
        if word.how == REFUSED:
            raise refused(word.why, word.what)
        (self.folder / order.people).unlink()
        if word.how == FAILED:
            # What is wrong with the data is found here, where the original is; else the part is done after all.
            self.redone[table, word.why] += 1
            return again()
        path = self.folder / order.answer
        found: Answer = unpacked(get(path, self.key))
        path.unlink()
        return found

    def _word(self, future: Future) -> Word:
        while True:
            try:
                found: Word = future.result(timeout=PATIENCE_SECONDS)
            except TimeoutError:
                if not self.client.scheduler_info(n_workers=-1)["workers"]:
                    raise refused("lost") from None
            except (KilledWorker, FutureCancelledError, CommClosedError, OSError):
                raise refused("lost") from None
            else:
                return found


@contextmanager
def at_work(cluster: Cluster, keys: Keys, recipe: Recipe, folder: Path) -> Iterator[Crew]:
    """Connect, and have every worker say that it can and may work for this run. Raises `WorkersRefused`."""
    cluster.check()
    with _connected(cluster) as client:
        shared = folder.resolve() / FOLDER
        shared.mkdir(parents=True)
        key, run = keys.storage.random(32), keys.storage.random(16).hex()
        sealed = seal(keys.derive("dask", recipe.dataset, run), KEY_NAME, key)
        terms = Terms(str(shared), recipe.dataset, keys.project, keys.generation, keys.id, run, here(), sealed)
        put(shared / worker.PROBE, key, b"")
        threads = _greeted(client, terms)
        try:
            yield Crew(client, recipe, shared, terms, key, threads)
        finally:
            client.run(worker.forget, on_error="ignore")


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Client]:
    secured = Security()
    if cluster.address.startswith("tls://"):
        secured = Security(
            require_encryption=True,
            tls_ca_file=str(cluster.ca),
            tls_client_cert=str(cluster.certificate),
            tls_client_key=str(cluster.key),
        )
    try:
        client = Client(cluster.address, security=secured, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError):
        raise refused("unreachable", cluster.address) from None
    with client:
        yield client


def _greeted(client: Client, terms: Terms) -> int:
    """Return how many threads the workers have together."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except TimeoutError:
        raise refused("nobody") from None
    words = client.run(worker.greet, terms, on_error="return")
    for address, word in words.items():
        if not isinstance(word, Word):
            # It could not even load this module.
            raise refused("versions", f"{address}: {type(word).__name__}")
        if word.how != DONE:
            raise refused(word.why, ", ".join(filter(None, (address, word.what))))
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def _bare(source: Source) -> Source:
    """Say of a source what a part needs of it: no rows, no way to the original."""
    known = {name: value for name, value in vars(source).items() if name in Source.__dataclass_fields__}
    return Source(**{**known, "content": Elsewhere(), "loaded": None})
