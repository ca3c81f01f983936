"""An export as an evidence bundle: the folder of `audit.bundle` in one ZIP file, the same bytes for the same folder."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from audit import bundle
from audit.bundle import Source
from enclave.logbook.line import Line

PIECE = 1 << 20
# ZIP's own beginning of time: when a file was made is not for the archive to say.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def writer(source: Source, name: str, selection: Mapping[str, str]) -> Callable[[Iterable[Line]], Iterator[bytes]]:
    """Return what writes lines as a bundle; `name` is the folder in the archive, `selection` what was asked for.

    The bundle is on disk, in a temporary folder, before its first byte leaves. Raises `AuditError`.
    """

    def chunks(lines: Iterable[Line]) -> Iterator[bytes]:
        with tempfile.TemporaryDirectory(prefix="ansim-evidence-") as place:
            folder = Path(place) / name
            bundle.write(folder, source, indexes=(line.leaf_index for line in lines), selection=selection)
            yield from zipped(folder)

    return chunks


def zipped(folder: Path) -> Iterator[bytes]:
    """Yield a folder as a ZIP archive, piece by piece."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with path.open("rb") as file, archive.open(info, "w", force_zip64=True) as member:
                while piece := file.read(PIECE):
                    member.write(piece)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What an archive is written to, taken away again as it grows; it cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: object) -> int:
        """Keep the bytes until they are taken."""
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Return what was written since."""
        found, self._pieces = b"".join(self._pieces), []
        return found
