"""Surrogates that look like what they stand for (형태보존 대체값): injective, and undone by the key holder alone.

Korea's guideline calls this two-way encryption (양방향 암호화). Each kind turns a value into a number of a domain and
back; the number is permuted by FF1 under the key of data set, domain and project. Resident numbers get a month from
81 to 92 and telephones begin with 09, which the numbering plan reserves: neither can ever be a real person's.
"""

from __future__ import annotations

import hashlib
import math
import re
import string
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deid.transform.ff1 import SMALLEST_DOMAIN, Permutation

ALPHABETS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
RRN = re.compile(r"(\d{2})(\d{2})(\d{2})([- ]?)(\d{7})", re.ASCII)
PHONE = re.compile(r"(0\d\d)([-. ]?)(\d{3,4})([-. ]?)(\d{4})", re.ASCII)
PREFIXES = ("010", "011", "016", "017", "018", "019", "070")
MONTHS, DAYS, MOVED, TAIL = 12, 31, 80, 10**7
# A value without a surrogate: of another form, or of too small a domain to be safe.
Misfit = Literal["form", "short"]


@dataclass(frozen=True)
class Placed:
    """A value as a number in [0, `size`) of the domain of its `form`; equal forms share one permutation."""

    form: str
    size: int
    number: int


class Kind(ABC):
    """One kind of surrogate: between values of its form and numbers, for the plain side and for the surrogates."""

    @abstractmethod
    def place(self, value: str, *, surrogate: bool) -> Placed | None:
        """Give a value (or a surrogate) its number, None if it has not this form."""

    @abstractmethod
    def spell(self, placed: Placed, *, surrogate: bool) -> str:
        """Write a number of a form as a surrogate (or as a value)."""


@dataclass(frozen=True)
class Characters(Kind):
    """Each ASCII digit becomes a digit, each letter a letter of the same case; every other character stays."""

    letters: bool

    def place(self, value: str, *, surrogate: bool) -> Placed | None:  # noqa: ARG002 - both sides look alike
        """See `Kind.place`."""
        if value.isascii() and value.isdigit():
            return Placed("0" * len(value), 10 ** len(value), int(value))
        form, size, number = [], 1, 0
        for character in value:
            alphabet = next((each for each in ALPHABETS if character in each), "")
            if alphabet:
                number, size = number * len(alphabet) + alphabet.index(character), size * len(alphabet)
            if character.isalnum() and (not alphabet or (alphabet is not string.digits and not self.letters)):
                return None
            form.append(alphabet[0] if alphabet else character)
        return Placed("".join(form), size, number)

    def spell(self, placed: Placed, *, surrogate: bool) -> str:  # noqa: ARG002 - both sides look alike
        """See `Kind.spell`."""
        if placed.form.isdigit():
            return f"{placed.number:0{len(placed.form)}d}"
        number, written = placed.number, []
        for mark in reversed(placed.form):
            alphabet = next((each for each in ALPHABETS if mark == each[0]), "")
            if alphabet:
                number, place = divmod(number, len(alphabet))
            written.append(alphabet[place] if alphabet else mark)
        return "".join(reversed(written))


class ResidentNumber(Kind):
    """Resident and alien registration numbers, with or without hyphen; surrogates have months 81 to 92."""

    def place(self, value: str, *, surrogate: bool) -> Placed | None:
        """See `Kind.place`."""
        match = RRN.fullmatch(value)
        if not match:
            return None
        year, month, day, tail = (int(match[group]) for group in (1, 2, 3, 5))
        month -= MOVED if surrogate else 0
        if not (1 <= month <= MONTHS and 1 <= day <= DAYS):
            return None
        number = ((year * MONTHS + month - 1) * DAYS + day - 1) * TAIL + tail
        return Placed(match[4], 100 * MONTHS * DAYS * TAIL, number)

    def spell(self, placed: Placed, *, surrogate: bool) -> str:
        """See `Kind.spell`."""
        rest, tail = divmod(placed.number, TAIL)
        rest, day = divmod(rest, DAYS)
        year, month = divmod(rest, MONTHS)
        return f"{year:02d}{month + 1 + (MOVED if surrogate else 0):02d}{day + 1:02d}{placed.form}{tail:07d}"


class Telephone(Kind):
    """Mobile and internet telephones (010, 011, 016 to 019, 070); surrogates begin with 09.

    A number with an area code has none: there are more of them than numbers that begin with 09. Drop such a column.
    """

    def place(self, value: str, *, surrogate: bool) -> Placed | None:
        """See `Kind.place`."""
        match = PHONE.fullmatch(value)
        if not match:
            return None
        prefix, _, middle, _, last = match.groups()
        if surrogate:
            kind = int(prefix[2]) if prefix.startswith("09") else len(PREFIXES)
        else:
            kind = PREFIXES.index(prefix) if prefix in PREFIXES else len(PREFIXES)
        if kind >= len(PREFIXES):
            return None
        local = 10 ** (len(middle) + len(last))
        form = f"{match[2]},{len(middle)},{match[4]}"
        return Placed(form, len(PREFIXES) * local, kind * local + int(middle + last))

    def spell(self, placed: Placed, *, surrogate: bool) -> str:
        """See `Kind.spell`."""
        first, width, second = placed.form.split(",")
        kind, local = divmod(placed.number, placed.size // len(PREFIXES))
        digits = f"{local:0{int(width) + 4}d}"
        prefix = f"09{kind}" if surrogate else PREFIXES[kind]
        return f"{prefix}{first}{digits[:-4]}{second}{digits[-4:]}"


KINDS: dict[str, Kind] = {
    "digits": Characters(letters=False),
    "chart": Characters(letters=True),
    "rrn": ResidentNumber(),
    "phone": Telephone(),
}


def surrogates(values: Sequence[str], kind: str, key: bytes, *, inverse: bool = False) -> list[str | None]:
    """Replace values of one of `KINDS` by surrogates (or back, when `inverse`), in their order; None where none fits.

    `key` is 32 bytes. Which of the two reasons it is tells `misfit`.
    """
    placed = [KINDS[kind].place(value, surrogate=inverse) for value in values]
    groups: dict[tuple[str, int], list[int]] = {}
    for place, each in enumerate(placed):
        if each is not None and each.size >= SMALLEST_DOMAIN:
            groups.setdefault((each.form, each.size), []).append(place)
    written: list[str | None] = [None] * len(values)
    for (form, size), places in groups.items():
        cipher = Permutation(key, size, hashlib.sha256(f"{kind} {form}".encode()).digest()[:8])
        numbers = [each.number for place in places if (each := placed[place]) is not None]
        found = cipher.decrypt(numbers) if inverse else cipher.encrypt(numbers)
        for place, number in zip(places, found, strict=True):
            written[place] = KINDS[kind].spell(Placed(form, size, number), surrogate=not inverse)
    return written


def misfit(value: str, kind: str) -> Misfit | None:
    """Say why a value has no surrogate: its form, or a domain that is too small; None if it has one."""
    placed = KINDS[kind].place(value, surrogate=False)
    if placed is None:
        return "form"
    return None if placed.size >= SMALLEST_DOMAIN else "short"


def fewest_characters(kind: str) -> int:
    """Return how many digits (or, at best, letters) a value needs for its domain to be large enough."""
    alphabet = 10 if kind == "digits" else 26
    return math.ceil(math.log(SMALLEST_DOMAIN, alphabet))
