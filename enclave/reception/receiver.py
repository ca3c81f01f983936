"""A DICOM receiver (PS3.4 Annex B, C-STORE as SCP): what a hospital's archive sends goes into the sealed store.

Each connection is an entry before anything of it is taken, and another one with counts when it is over; who may send
is decided there (`enclave.policy.reception`). Nothing is decoded or changed here: `ansim deid folder` reads the store.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made at run time

from deid.imaging.refusals import SYNTAXES
from enclave.commands.reception import Came
from enclave.policy.reception import Caller
from enclave.reception.arriving import Arriving, arriving
from enclave.reception.book import Book, NotRecorded
from enclave.reception.lines import certificate_of
from enclave.reception.sealed import Kept, SealedStore

# PS3.7 Annex C, PS3.4 B.2.3.
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND, NOT_AUTHORISED = 0x0000, 0xA700, 0xC000, 0x0124
# PS3.8 9.3.4: result, source, reason. For good, by the service's user; for now, by the provider.
NOT_HEARD, LATER = {"reception.called": (1, 1, 7)}, (2, 3, 2)
NOT_KNOWN = (1, 1, 3)
SECONDS = 30  # without a word from the other side
LARGEST_PIECE = 1 << 20  # bytes of one PDU, which is read whole before anybody knows who sends it
LARGEST = 16 << 30  # bytes of one object

Told = Callable[[str, Kept | None], None]


@dataclass
class Receptions:
    """The connections that are open, by association: what came over each so far."""

    store: SealedStore
    book: Book
    told: Told
    _open: dict[int, tuple[str, Came]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, event: Any) -> None:
        """Have somebody heard who asks to send, or turn them away; before they are answered."""
        association = event.assoc
        asks, line = association.requestor.primitive, association.dul.socket.socket
        caller = Caller(str(asks.calling_ae_title).strip(), str(asks.called_ae_title).strip(), certificate_of(line))
        try:
            made = self.book.begin(caller, association.requestor.address)
        except NotRecorded as refused:
            known = refused.code.startswith("reception.") and refused.code != "reception.no-book"
            association.acse.send_reject(*(NOT_HEARD.get(refused.code, NOT_KNOWN) if known else LATER))
            association.kill()
            return
        with self._turn:
            self._open[id(association)] = (made, Came())

    def take(self, event: Any) -> int:
        """Keep an object; gives what its sender is answered."""
        sender, file = event.assoc.requestor.ae_title, event.request._dataset_file  # noqa: SLF001 - where it was put
        if id(event.assoc) not in self._open:
            file.remove()
            return NOT_AUTHORISED
        kept = self._keep(file)
        self._count(event.assoc, kept)
        self.told(sender, kept)
        if kept is None:
            return OUT_OF_RESOURCES
        return CANNOT_UNDERSTAND if kept.reason else SUCCESS

    def _keep(self, file: Arriving) -> Kept | None:
        file.close()
        try:
            return None if file.failed else self.store.keep(Path(file.name))
        except OSError:
            return None
        finally:
            file.remove()

    def over(self, event: Any) -> None:
        """Record what came over a connection that ended, however it did, and let go of what came in half."""
        message = event.assoc.dimse.message
        half = getattr(message, "_data_set_file", None)
        if isinstance(half, Arriving):
            half.remove()
        self._end(id(event.assoc))

    def all_over(self) -> None:
        """Record of all that are open that they are over: the receiver stops."""
        for each in list(self._open):
            self._end(each)

    def _end(self, association: int) -> None:
        with self._turn:
            made, came = self._open.pop(association, ("", Came()))
        if made:
            try:
                self.book.end(made, came)
            except NotRecorded:
                # It stays open in the book: the next receiver records that nobody knows what came.
                self.told("", None)

    def _count(self, association: Any, kept: Kept | None) -> None:
        with self._turn:
            made, came = self._open[id(association)]
            if kept is None:
                came = replace(came, refused=came.refused + 1)
            elif kept.known:
                came = replace(came, known=came.known + 1)
            elif kept.reason:
                came = replace(came, apart=came.apart + 1)
            else:
                came = replace(came, kept=came.kept + 1)
            self._open[id(association)] = (made, came)


@dataclass(frozen=True)
class Place:
    """Where we listen: address and port, and, for encrypted lines, their context."""

    address: tuple[str, int]
    tls: ssl.SSLContext | None = None


@contextmanager
def receiving(store: SealedStore, book: Book, place: Place, told: Told, *, ours: str = "ANSIM") -> Iterator[int]:
    """Receive while the context lasts; gives the port. `told` hears of each object: by whom, and what became of it.

    None for an object that the disk did not take. Raises OSError where the address cannot be had.
    """
    receptions = Receptions(store, book, told)
    handlers: list[Any] = [
        (evt.EVT_CONN_OPEN, _bound),
        (evt.EVT_REQUESTED, receptions.asked),
        (evt.EVT_C_STORE, receptions.take),
        (evt.EVT_CONN_CLOSE, receptions.over),
    ]
    entity = _entity(ours)
    with arriving(store.incoming, LARGEST):
        server = entity.start_server(place.address, block=False, evt_handlers=handlers, ssl_context=place.tls)
        try:
            assert server is not None  # noqa: S101 - what does not block is given back
            assert server.socket is not None  # noqa: S101
            yield server.socket.getsockname()[1]
        finally:
            entity.shutdown()
            receptions.all_over()


def _entity(ours: str) -> AE:
    made = AE(ae_title=ours)
    made.maximum_pdu_size = LARGEST_PIECE
    made.network_timeout = made.dimse_timeout = made.acse_timeout = SECONDS
    for context in AllStoragePresentationContexts:
        made.add_supported_context(str(context.abstract_syntax), sorted(SYNTAXES))
    made.add_supported_context(Verification)
    return made


def _bound(event: Any) -> None:
    """Bound how long a connection may say nothing, and have it end at the head of a PDU larger than we take.

    pynetdicom would wait for ever for the rest of a PDU, and read all of it.
    """
    line = event.assoc.dul.socket
    line.socket.settimeout(SECONDS)
    read = line.recv

    def within(count: int) -> bytearray:
        if count > LARGEST_PIECE:
            raise OSError("a larger PDU than we take")
        found: bytearray = read(count)
        return found

    line.recv = within
    line._shutdown_socket = lambda: _closed(line.socket)  # noqa: SLF001 - what it does of its own is told below


def _closed(line: socket.socket | None) -> None:
    """Close a connection. pynetdicom leaves one open that the other side has closed already: it fails on its way."""
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
