"""Keyed pseudonyms and date shifts: every distinct identifier is hashed once, then joined (RFC 2104, FIPS 180-4).

Hashing each row costs nine times as much. Never an unkeyed hash: all resident registration numbers can be tried in
minutes.
"""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from deid.keys import Derives
from deid.transform.lengths import HEX_FOR_SHIFT, HEX_OF_16_BYTES


def pseudonym(column: str, keys: Derives, scope: str, domain: str) -> pl.Expr:
    """HMAC-SHA256 of a text column under the key of (scope, domain), cut to 16 bytes, as 32 hex digits."""
    return _tag(column, keys.derive("pseudonym", scope, domain)).str.slice(0, HEX_OF_16_BYTES)


def shift_days(column: str, keys: Derives, scope: str, domain: str, *, max_days: int) -> pl.Expr:
    """Days from -max_days to +max_days without 0, by a second key, so that a pseudonym says nothing about the shift."""
    tag = _tag(column, keys.derive("date-shift", scope, domain))
    step = tag.str.slice(0, HEX_FOR_SHIFT).str.to_integer(base=16, dtype=pl.Int64) % (2 * max_days)
    # Looked up, for what is mentioned several times is hashed several times.
    before, after = (pl.int_range(*ends, dtype=pl.Int32, eager=True) for ends in ((-max_days, 0), (1, max_days + 1)))
    return pl.lit(before.append(after)).gather(step)


def seed(column: str, keys: Derives, scope: str, domain: str) -> pl.Expr:
    """Give each patient a secret to draw noise from: HMAC-SHA256 under a third key, 64 hex digits."""
    return _tag(column, keys.derive("noise", scope, domain))


def _tag(column: str, key: bytes) -> pl.Expr:
    # The plugin takes its key as text: 64 hex digits, which fill one block of SHA-256 exactly.
    return plh.col(column).chash.hmac_sha256(key=key.hex())
