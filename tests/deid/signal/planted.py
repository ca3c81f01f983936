"""Identifiers to plant in files, different for each seed, and the search for them in every byte of what came out."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import random
import struct
import zlib
from dataclasses import dataclass, fields
from pathlib import Path

SURNAMES = ("김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "선우", "황보")
GIVEN = ("서연", "도현", "하은", "지후", "예린", "태윤", "소율", "은찬", "나래", "봄")
LATIN = ("Hong Gildong", "Seonwoo Taeyang", "Hwangbo Narae", "Müller Jörg", "Castaneda Rosalia", "Okonkwo Chidera")
CITIES = ("광주광역시 북구 첨단과기로", "전라남도 목포시 영산로", "광주광역시 동구 필문대로", "전남 여수시 좌수영로")
HOSPITALS = ("무등새봄병원", "빛고을온누리의원", "Yeongsan Riverside Clinic", "첨단하늘재활센터")
ENCODINGS = ("utf-8", "cp949", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1", "iso2022_kr", "johab")


@dataclass(frozen=True)
class Planted:
    """One person and everything around him or her that names somebody. All texts; every one must be gone."""

    number: str
    korean: str
    latin: str
    resident: str
    phone: str
    address: str
    mail: str
    birth: str  # ISO; files spell it in their own way
    day: str  # of the recording, ISO
    clock: str  # HH:MM:SS
    doctor: str
    hospital: str
    serial: str
    mac: str
    note: str
    vehicle: str

    @property
    def born(self) -> dt.date:
        return dt.date.fromisoformat(self.birth)

    @property
    def start(self) -> dt.datetime:
        return dt.datetime.fromisoformat(f"{self.day}T{self.clock}")


def person(seed: int) -> Planted:
    dice = random.Random(seed)
    birth = dt.date(1930, 1, 1) + dt.timedelta(days=dice.randrange(25_000))
    day = dt.date(2019, 2, 1) + dt.timedelta(days=dice.randrange(2_000))
    korean = dice.choice(SURNAMES) + dice.choice(GIVEN)
    doctor = dice.choice(SURNAMES) + dice.choice(GIVEN) + "수"
    number = f"{dice.randrange(10_000_000, 99_999_999)}"
    return Planted(
        number=number,
        korean=korean,
        latin=dice.choice(LATIN),
        resident=f"{birth:%y%m%d}-{dice.randrange(1, 3)}{dice.randrange(10**6):06}",
        phone=f"010-{dice.randrange(2000, 9999)}-{dice.randrange(1000, 9999)}",
        address=f"{dice.choice(CITIES)} {dice.randrange(1, 400)}-{dice.randrange(1, 30)}",
        mail=f"u{dice.randrange(10**6)}@{dice.choice(('hospital', 'naver'))}.example",
        birth=birth.isoformat(),
        day=day.isoformat(),
        clock=f"{dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}",
        doctor=doctor,
        hospital=dice.choice(HOSPITALS),
        serial=f"SN{dice.randrange(10**8):08}",
        mac=":".join(f"{dice.randrange(256):02X}" for _ in range(6)),
        note=f"{korean} 님 보호자 {doctor} 연락 {dice.randrange(10**6):06}",
        vehicle=f"{dice.randrange(100, 999)}{dice.choice('가나다라')}{dice.randrange(1000, 9999)}",
    )


def values(who: Planted) -> dict[str, str]:
    """Every planted text by kind, in every spelling that the generators use."""
    found = {field.name: str(getattr(who, field.name)) for field in fields(who) if field.name != "clock"}
    for kind, day in (("birth", who.born), ("day", who.start.date())):
        for number, form in enumerate(
            ("%Y%m%d", "%d.%m.%y", "%d-%b-%Y", "%d/%m/%Y", "%Y.%m.%d", "%Y/%m/%d", "%Y년 %m월 %d일")
        ):
            found[f"{kind} {number}"] = day.strftime(form)
        found[f"{kind} upper"] = day.strftime("%d-%b-%Y").upper()
    found["clock"] = who.clock
    found["clock dots"] = who.clock.replace(":", ".")
    found["clock plain"] = who.clock.replace(":", "")
    for kind in ("latin", "note", "address"):
        found[f"{kind} joined"] = found[kind].replace(" ", "_")
    for kind in ("resident", "phone"):
        found[f"{kind} plain"] = found[kind].replace("-", "")
    found["mac plain"] = who.mac.replace(":", "")
    found["epoch"] = str(int(who.start.replace(tzinfo=dt.timezone(dt.timedelta(hours=9))).timestamp()))
    found["epoch utc"] = str(int(who.start.replace(tzinfo=dt.UTC).timestamp()))
    return found


def leaks(who: Planted, folder: Path, *, but: tuple[str, ...] = ()) -> list[str]:
    """Find planted values in names and bytes of a folder: as text in many encodings, in base64, in packed forms."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for what, data in ((f"{path.name} name", str(path).encode("utf-8")), *_layers(path)):
            found += [f"{what}: {kind}" for kind in hits(who, data) if kind not in but]
    return found


def hits(who: Planted, data: bytes) -> list[str]:
    """Name the kinds of planted values in some bytes."""
    small = data.lower()
    return [
        kind
        for kind, value in values(who).items()
        if any(form in data or form.lower() in small for form in _forms(value))
    ] + [kind for kind, raw in _packed(who).items() if raw in data]


def _forms(value: str) -> set[bytes]:
    forms = set()
    for encoding in ENCODINGS:
        try:
            raw = value.encode(encoding)
        except UnicodeEncodeError:
            continue
        forms.add(raw)
        if encoding == "utf-8" and len(raw) >= 6:
            # In base64 a text has three spellings, by where it stands; the ends depend on its neighbours.
            forms |= {base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)}
    forms.add(value.encode("ascii", "backslashreplace"))
    forms.add(value.encode("ascii", "xmlcharrefreplace"))
    forms.add(value[::-1].encode("utf-8"))
    return {form for form in forms if len(form) >= 5}


def _packed(who: Planted) -> dict[str, bytes]:
    """Dates and numbers as binary formats write them."""
    born, start = who.born, who.start
    return {
        "birth scp": struct.pack("<HBB", born.year, born.month, born.day),
        "birth mfer": struct.pack(">HBB", born.year, born.month, born.day),
        "day scp": struct.pack("<HBB", start.year, start.month, start.day),
        "day mfer": struct.pack(">HBB", start.year, start.month, start.day),
    }


def _layers(path: Path) -> list[tuple[str, bytes]]:
    data = path.read_bytes()
    layers = [(path.name, data)]
    if data[:2] == b"\x1f\x8b":
        layers.append((f"{path.name} unzipped", gzip.decompress(data)))
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        at = 8
        while at + 8 <= len(data):
            length, kind = struct.unpack(">I4s", data[at : at + 8])
            if kind in {b"zTXt", b"iTXt", b"iCCP"}:
                packed = data[at + 8 : at + 8 + length].partition(b"\0")[2]
                for skip in range(6):
                    try:
                        layers.append((f"{path.name} {kind!r}", zlib.decompress(packed[skip:])))
                    except zlib.error:
                        continue
            at += 12 + length
    return layers
