"""NIfTI in two files, `.hdr` and `.img`: written together under one new name.

Analyze 7.5, which looks the same but has a patient's number in its header and no mark, is not NIfTI and is not read.
"""

from __future__ import annotations

from pathlib import Path

from deid.folder.format import Context, Outcome
from deid.signal.cursor import truncated
from deid.signal.nifti import FACE, ONE, TWO, header
from deid.signal.one_file import Cleaned, outcome, read
from deid.signal.person import Taken, number_in, person


class NiftiPair:
    """NIfTI with its data in another file (see `Format`)."""

    name = "nifti"
    section = "signal"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        return name.lower().endswith(".hdr") and any(
            head[each.magic[0] :].startswith(each.magic[2]) for each in (ONE, TWO)
        )

    def deidentify(self, source: Path, target_folder: Path, context: Context) -> Outcome:
        """See `Format.deidentify`."""
        found = header(read(source))
        image = source.with_suffix(".img" if source.suffix == ".hdr" else ".IMG")
        if image.is_symlink() or not image.is_file():
            raise truncated("NIfTI")
        data = read(image)
        body = memoryview(data)[found.start : found.start + found.data]
        if len(body) < found.data:
            raise truncated("NIfTI")
        taken = Taken()
        for text in found.told():
            taken.words(text)
        who = person(context, next(filter(None, map(number_in, found.told())), ""))
        names = tuple(context.people.file_name(context.name, ending) for ending in (".hdr", ".img"))
        (target_folder / names[0]).write_bytes(found.blanked(pair=True) + bytes(4))
        (target_folder / names[1]).write_bytes(body)
        bulk = ((names[1], 0, len(body)),)
        return outcome(names, Cleaned((), who, taken, {}, (FACE,)), (image,), bulk=bulk)
