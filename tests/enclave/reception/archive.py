"""A hospital's archive as the tests play it, and the hall where it is received: store, book and what was said."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pynetdicom import AE, evt
from sqlalchemy import create_engine, select

from audit.tables import audit_entry
from enclave.reception.book import Book
from enclave.reception.receiver import Place, receiving
from enclave.reception.sealed import Kept, SealedStore
from enclave.settings import Settings

NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")


def file_of(name: str) -> Path:
    """One of pydicom's own files."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path)


@contextmanager
def sending(port: int, *, title: str = "PACS", called: str = "ANSIM", tls: Any = None) -> Iterator[Any]:
    """Ask to send as `title`; gives the association, whatever became of it."""
    archive = AE(ae_title=title)
    archive.maximum_pdu_size = 0
    for name in NAMES:
        data = pydicom.dcmread(file_of(name), stop_before_pixels=True)
        archive.add_requested_context(data.SOPClassUID, data.file_meta.TransferSyntaxUID)
    archive.add_requested_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    lines: list[socket.socket] = []
    seen: Any = [(evt.EVT_CONN_OPEN, lambda event: lines.append(event.assoc.dul.socket.socket))]
    association = archive.associate(
        "127.0.0.1", port, ae_title=called, tls_args=tls and (tls, "ansim"), evt_handlers=seen
    )
    try:
        yield association
        if association.is_established:
            association.release()
    finally:
        # pynetdicom leaves a connection open that the other side has closed.
        for line in lines:
            line.close()


@dataclass
class Hall:
    """A receiver that listens at `port`; `heard` is what it said of each object."""

    home: Path
    store: SealedStore
    book: Book
    heard: list[tuple[str, Kept | None]] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def another(self, place: Place | None = None) -> Iterator[int]:
        """Listen at one more port."""
        place = place or Place(("127.0.0.1", 0))
        with receiving(self.store, self.book, place, lambda *each: self.heard.append(each)) as port:
            yield port

    def kept(self) -> list[Path]:
        """The objects that were kept."""
        return self.kept_in(self.store)

    @staticmethod
    def kept_in(store: SealedStore) -> list[Path]:
        """The objects in a store."""
        return sorted(store.folder.glob("[0-9a-f][0-9a-f]/*.dcm"))

    def files(self) -> list[Path]:
        """Every file of the store but those that say which receptions are open."""
        return [path for path in self.store.folder.rglob("*") if path.is_file() and path.parent != self.store.open]

    def entries(self) -> list[dict[str, Any]]:
        """The log's entries of this home."""
        return self.entries_of(self.home)

    @staticmethod
    def entries_of(home: Path) -> list[dict[str, Any]]:
        """All entries of a home, oldest first."""
        engine = create_engine(Settings.load(home).url)
        with engine.connect() as connection:
            query = select(audit_entry.c.bytes).order_by(audit_entry.c.position)
            found = [json.loads(data) for (data,) in connection.execute(query)]
        engine.dispose()
        return found

    @staticmethod
    def stays_on_one_disk(monkeypatch: pytest.MonkeyPatch) -> None:
        """Have files renamed between disks, as a mount on one of the store's folders makes two of it."""
        monkeypatch.setattr(Path, "replace", lambda path, target: shutil.move(os.fspath(path), os.fspath(target)))
