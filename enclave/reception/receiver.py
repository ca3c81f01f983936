"""A DICOM receiver (PS3.4 Annex B, C-STORE as SCP): what a hospital's archive sends goes into the sealed store.

Only senders on the list are heard, and only if they call us by our title; titles are names and no proof, so the port is
for a closed network or the end of a tunnel. Nothing is decoded or changed here: `ansim deid folder` reads the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made at run time

from deid.imaging.refusals import SYNTAXES
from enclave.reception.sealed import Kept, SealedStore

# PS3.7 Annex C, PS3.4 B.2.3.
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
SECONDS = 30  # without a word from the other side
LARGEST_PIECE = 1 << 20  # bytes of one PDU, which is read whole before anybody knows who sends it


@dataclass(frozen=True)
class Sender:
    """Who may send, by application entity title, and the title by which we are called."""

    titles: tuple[str, ...]
    ours: str = "ANSIM"


@contextmanager
def receiving(
    store: SealedStore, senders: Sender, address: tuple[str, int], told: Callable[[str, Kept | None], None]
) -> Iterator[int]:
    """Receive while the context lasts; gives the port. `told` hears of each object: by whom, and what became of it.

    None for an object that the disk did not take. Raises OSError where the address cannot be had.
    """
    store.prepare()
    ours = AE(ae_title=senders.ours)
    ours.require_called_aet = True
    ours.require_calling_aet = list(senders.titles)
    ours.maximum_pdu_size = LARGEST_PIECE
    ours.network_timeout = ours.dimse_timeout = ours.acse_timeout = SECONDS
    for context in AllStoragePresentationContexts:
        ours.add_supported_context(str(context.abstract_syntax), sorted(SYNTAXES))
    ours.add_supported_context(Verification)

    def take(event: Any) -> int:
        sender = event.assoc.requestor.ae_title
        try:
            kept = store.keep(event.encoded_dataset())
        except OSError:
            told(sender, None)
            return OUT_OF_RESOURCES
        told(sender, kept)
        return CANNOT_UNDERSTAND if kept.reason else SUCCESS

    server = ours.start_server(
        address, block=False, evt_handlers=[(evt.EVT_CONN_OPEN, _bound), (evt.EVT_C_STORE, take)]
    )
    try:
        assert server is not None  # noqa: S101 - what does not block is given back
        assert server.socket is not None  # noqa: S101
        yield server.socket.getsockname()[1]
    finally:
        ours.shutdown()


def _bound(event: Any) -> None:
    """Have a connection end at the head of a PDU that is larger than we said we take: pynetdicom would read it all."""
    line = event.assoc.dul.socket
    read = line.recv

    def within(count: int) -> bytearray:
        if count > LARGEST_PIECE:
            raise OSError("a larger PDU than we take")
        found: bytearray = read(count)
        return found

    line.recv = within
