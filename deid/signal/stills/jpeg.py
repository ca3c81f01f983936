"""JPEG photographs (fundus, wounds, scenes): metadata dropped, letters wiped block by block, pixels else as they were.

EXIF holds place, time, camera and owner; a second picture may stand behind the first. Only how the picture is turned is
written again, because without it it lies on its side.
"""

from __future__ import annotations

from deid.folder.format import Context
from deid.imaging.letters.look import wiped
from deid.imaging.streams.jpeg import stripped
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import person
from deid.signal.stills.letters import boxes, opened, orientation, pictured

START = b"\xff\xd8"
TURNED = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0\0\0\0\0"
LOOK = "picture-to-look-at"


class Jpeg(OneFile):
    """JPEG stills (see `Format`)."""

    name = "jpeg"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content decides
        """See `Format.recognise`."""
        return head.startswith(b"\xff\xd8\xff")

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".jpg"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        new = stripped(data)
        image = opened(data, "JPEG")
        found = boxes(image)
        new = wiped(new, found) if found else new
        # jpegtran writes a JFIF segment of its own; the stream is cut to what may be once more.
        new = stripped(new)
        turned = orientation(image)
        mark = TURNED % turned if turned > 1 else b""
        notes, pieces = {"letters": len(found)}, (START, mark, new[2:])
        return Cleaned(pieces, person(context), notes=notes, warnings=(LOOK,), samples=0, pictured=pictured(found))
