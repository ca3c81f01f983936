"""Format-preserving encryption FF1 (NIST SP 800-38G and its Rev. 1 draft of 2025) on numbers, many at a time.

FF1 sees a string of `length` numerals in `radix` only as the numbers its halves spell, so that values here are
integers in [0, radix^length). FF3 and FF3-1 are not offered: Rev. 1 withdraws them (Beyne 2021, eprint 2021/815). No
library of the language is well kept and does FF1, hence this page over AES-256; it is held to NIST's nine samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

# SP 800-38G Rev. 1 requires it of FF1: smaller domains can be attacked whatever the key.
SMALLEST_DOMAIN = 10**6
ROUNDS, BLOCK = 10, 16
# Halves of at most 32 bits: sums stay in 64 bits, and one AES block holds a round's whole input.
FAST_BITS, FAST_TWEAK = 64, 8
Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Ff1:
    """FF1 over strings of `length` numerals in `radix` (2 … 2^16) under an AES key and a public tweak."""

    key: bytes
    radix: int
    length: int
    tweak: bytes = b""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a domain that is too small."""
        if self.radix**self.length < SMALLEST_DOMAIN:
            raise ValueError(f"a domain of {self.radix**self.length} values; FF1 needs {SMALLEST_DOMAIN} or more")

    def encrypt(self, values: Sequence[int]) -> list[int]:
        """Encrypt numbers in [0, radix^length); same order."""
        if self._fast:
            return [int(value) for value in self._many(np.array(values, np.uint64), inverse=False)]
        return [self._one(value, inverse=False) for value in values]

    def decrypt(self, values: Sequence[int]) -> list[int]:
        """Undo `encrypt`."""
        if self._fast:
            return [int(value) for value in self._many(np.array(values, np.uint64), inverse=True)]
        return [self._one(value, inverse=True) for value in values]

    @property
    def _fast(self) -> bool:
        low = self.length - self.length // 2
        return 2 * (self.radix**low - 1).bit_length() <= FAST_BITS and len(self.tweak) <= FAST_TWEAK

    @cached_property
    def _halves(self) -> tuple[int, int]:
        """How many values each half has: the left of floor(length / 2) numerals, the right of the others."""
        left = self.length // 2
        return self.radix**left, self.radix ** (self.length - left)

    @cached_property
    def _bytes(self) -> int:
        return -(-(self._halves[1] - 1).bit_length() // 8)

    @cached_property
    def _first(self) -> bytes:
        """Step 5 of the standard, P, already encrypted: the same for every value."""
        sizes = self.radix.to_bytes(3, "big") + bytes([10, self.length // 2 % 256])
        block = b"\x01\x02\x01" + sizes + self.length.to_bytes(4, "big") + len(self.tweak).to_bytes(4, "big")
        return self._aes(block)

    def _aes(self, blocks: bytes) -> bytes:
        return Cipher(AES(self.key), ECB()).encryptor().update(blocks)  # noqa: S305 - the standard's block function

    def _one(self, value: int, *, inverse: bool) -> int:
        """Follow steps 6 and 7 of algorithms 7 (encrypt) and 8 (decrypt), for a number of any size."""
        left, right = divmod(value, self._halves[1])
        for step in reversed(range(ROUNDS)) if inverse else range(ROUNDS):
            modulus = self._halves[step % 2]
            if inverse:
                left, right = (right - self._round(step, left)) % modulus, left
            else:
                left, right = right, (left + self._round(step, right)) % modulus
        return left * self._halves[1] + right

    def _round(self, step: int, half: int) -> int:
        padding = bytes((-len(self.tweak) - self._bytes - 1) % BLOCK)
        text = self.tweak + padding + bytes([step]) + half.to_bytes(self._bytes, "big")
        state = self._first
        for start in range(0, len(text), BLOCK):
            state = self._aes(_xor(state, text[start : start + BLOCK]))
        width = 4 * -(-self._bytes // 4) + 4
        stream = state
        for number in range(1, -(-width // BLOCK)):
            stream += self._aes(_xor(state, number.to_bytes(BLOCK, "big")))
        return int.from_bytes(stream[:width], "big")

    def _many(self, values: Numbers, *, inverse: bool) -> Numbers:
        left, right = np.divmod(values, np.uint64(self._halves[1]))
        for step in reversed(range(ROUNDS)) if inverse else range(ROUNDS):
            modulus = np.uint64(self._halves[step % 2])
            if inverse:
                left, right = (right + modulus - self._rounds(step, left) % modulus) % modulus, left
            else:
                left, right = right, (left + self._rounds(step, right) % modulus) % modulus
        return left * np.uint64(self._halves[1]) + right

    def _rounds(self, step: int, halves: Numbers) -> Numbers:
        blocks = np.zeros((halves.size, BLOCK), np.uint8)
        blocks[:, : len(self.tweak)] = np.frombuffer(self.tweak, np.uint8)
        blocks[:, BLOCK - self._bytes - 1] = step
        blocks[:, BLOCK - self._bytes :] = halves.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - self._bytes :]
        encrypted = self._aes((blocks ^ np.frombuffer(self._first, np.uint8)).tobytes())
        return np.frombuffer(encrypted, ">u8")[::2].astype(np.uint64)


@dataclass(frozen=True)
class Permutation:
    """A keyed permutation of [0, `size`): FF1 on bits, walked until the number lies in the range (Black, Rogaway 2002).

    Less than two rounds of encryption per number on average. Raises `ValueError` below `SMALLEST_DOMAIN`.
    """

    key: bytes
    size: int
    tweak: bytes = b""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a domain that is too small."""
        if self.size < SMALLEST_DOMAIN:
            raise ValueError(f"a domain of {self.size} values; FF1 needs {SMALLEST_DOMAIN} or more")

    def encrypt(self, values: Sequence[int]) -> list[int]:
        """Encrypt numbers in [0, size); same order."""
        return self._walk(values, inverse=False)

    def decrypt(self, values: Sequence[int]) -> list[int]:
        """Undo `encrypt`."""
        return self._walk(values, inverse=True)

    def _walk(self, values: Sequence[int], *, inverse: bool) -> list[int]:
        cipher = Ff1(self.key, 2, (self.size - 1).bit_length(), self.tweak)
        step = cipher.decrypt if inverse else cipher.encrypt
        found = step(values)
        while outside := [place for place, value in enumerate(found) if value >= self.size]:
            for place, value in zip(outside, step([found[place] for place in outside]), strict=True):
                found[place] = value
        return found


def _xor(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))
