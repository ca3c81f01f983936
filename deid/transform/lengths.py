"""How much of a keyed tag is used, in hex digits: one place for tables, notes, images and signals, without Polars."""

from __future__ import annotations

HEX_OF_16_BYTES = 32
# 48 bits of the tag: the modulus of at most 73,000 then favours no shift by more than one in 10^9.
HEX_FOR_SHIFT = 12
