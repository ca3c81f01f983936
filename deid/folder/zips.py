"""A ZIP as the source of a run: unpacked beside itself, for the run alone, whatever it holds.

Nothing is believed: sizes are added up before a byte is written, members that lie over each other are a bomb, names are
read as Korean systems write them (UTF-8 or CP949 without saying so) and may not lead out of the folder. A member that
cannot be unpacked is refused with a reason and the others go on. The folder is the owner's alone, and what a killed run
left of it goes when the next one begins: it is as secret as the ZIP beside which it lies.
"""

from __future__ import annotations

import calendar
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import pairwise
from pathlib import Path, PurePosixPath

from deid.errors import OutputError, SourceError
from deid.folder.one import POLICY, UNREADABLE, Result

MEMBERS = 1_000_000
TIMES, FREE_OF_SUSPICION = 200, 1 << 30  # unpacked bytes per byte of the ZIP; so many bytes may be of any ratio
SPARE = 1 << 28  # bytes that stay free on the disk
BLOCK = 1 << 20
UTF8, ENCRYPTED = 0x800, 0x1
LINK = 0xA
EARLIEST = (1980, 1, 1, 0, 0, 0)


def opened(source: Path) -> AbstractContextManager[tuple[Path, list[Result]]]:
    """Give the folder to read and what cannot be read of it: the source itself, or what a ZIP holds (`unpacked`)."""
    return nullcontext((source, [])) if source.is_dir() else unpacked(source)


@contextmanager
def unpacked(archive: Path) -> Iterator[tuple[Path, list[Result]]]:
    """Unpack a ZIP for the time of the context; gives the folder and what was refused of it.

    Raises: SourceError (`deid.source-zip-…`) for what is no ZIP or a bomb; OutputError where there is no room for it.
    """
    folder = archive.with_name(f".{archive.name}.unpacked")
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive)
            shutil.rmtree(folder, ignore_errors=True)
            _check_room(archive, sum(each.file_size for each in members))
            folder.mkdir(mode=0o700)
            yield folder, [refused for each in members if (refused := _unpack(opened, each, folder))]
    except zipfile.BadZipFile as error:
        raise _broken(archive, "format", "ZIP 파일이 아니거나 손상되었습니다.", "is no ZIP, or damaged.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def name_of(member: zipfile.ZipInfo) -> str:
    """Read a member's name: UTF-8 if it says so or is, else CP949, else as the standard has it (CP437)."""
    if member.flag_bits & UTF8:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _members(opened: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    members = [each for each in opened.infolist() if not each.is_dir()]
    if len(members) > MEMBERS:
        raise _broken(archive, "many", f"파일이 {MEMBERS:,}개를 넘습니다.", f"holds more than {MEMBERS:,} files.")
    total = sum(each.file_size for each in members)
    if total > max(FREE_OF_SUSPICION, TIMES * archive.stat().st_size):
        raise _broken(archive, "bomb", "풀면 지나치게 커집니다.", "would grow beyond all measure.")
    ordered = sorted(members, key=lambda each: each.header_offset)
    for first, second in pairwise(ordered):
        if first.header_offset + first.compress_size > second.header_offset:
            raise _broken(archive, "bomb", "파일들이 서로 겹쳐 있습니다.", "holds files that lie over each other.")
    return members


def _unpack(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Result | None:
    """Unpack one member; gives why not."""
    name = name_of(member).replace("\\", "/")
    if member.flag_bits & ENCRYPTED:
        return _refused(name, POLICY, "encrypted", "암호가 걸려 있습니다.", "is encrypted.")
    if member.external_attr >> 28 == LINK or not _is_inside(name):
        return _refused(name, POLICY, "path", "폴더 밖을 가리킵니다.", "leads out of its folder.")
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(member) as source, path.open("xb") as target:
            shutil.copyfileobj(source, target, BLOCK)
    except FileExistsError:
        return _refused(name, POLICY, "twice", "같은 이름이 앞에 있습니다.", "has the name of one before it.")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        with suppress(OSError):  # a name too long for the disk is not there, nor can it be looked for
            path.unlink()
        return _refused(name, UNREADABLE, "damaged", "풀 수 없습니다.", "cannot be unpacked.")
    # The ZIP's own time, so that a run that goes on knows an unpacked file again.
    seconds = _seconds(member)
    os.utime(path, (seconds, seconds))
    return None


def _seconds(member: zipfile.ZipInfo) -> int:
    """Give a member's time in seconds; the earliest that a ZIP knows for one that is no time (month 0 or 15)."""
    try:
        return calendar.timegm(max(member.date_time, EARLIEST))
    except ValueError:
        return calendar.timegm(EARLIEST)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    return not path.is_absolute() and ".." not in path.parts and not drive and bool(path.parts)


def _check_room(archive: Path, wanted: int) -> None:
    parent = archive.parent
    mode = parent.stat().st_mode
    free = shutil.disk_usage(parent).free
    if not os.access(parent, os.W_OK) or mode & stat.S_IWOTH:
        ko, en = "ZIP이 있는 폴더에 풀 수 없습니다.", "The ZIP cannot be unpacked where it lies."
        remedy = ("본인만 쓸 수 있는 폴더로 옮기세요.", "Move it into a folder that only you can write to.")
    elif free < wanted + SPARE:
        ko = f"ZIP을 풀 자리가 없습니다({wanted:,}바이트 필요)."
        en = f"There is no room to unpack the ZIP ({wanted:,} bytes)."
        remedy = ("자리를 비우거나 더 큰 디스크로 옮기세요.", "Make room, or move it to a larger disk.")
    else:
        return
    raise OutputError("deid.folder-zip", ko, en, remedy_ko=remedy[0], remedy_en=remedy[1])


def _broken(archive: Path, code: str, ko: str, en: str) -> SourceError:
    remedy = ("ZIP을 다시 만들거나 풀어서 폴더로 주세요.", "Make the ZIP again, or unpack it and give the folder.")
    return SourceError((archive.name, -1, -1), f"zip-{code}", (ko, f"The file {en}"), remedy=remedy)


def _refused(name: str, kind: str, code: str, ko: str, en: str) -> Result:
    return Result(name, "zip", None, None, kind, f"folder.zip-{code}", ko, en)
