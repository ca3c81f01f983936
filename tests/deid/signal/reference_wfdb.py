"""PhysioNet's own library, whose import warns about what pandas will change."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb

__all__ = ["wfdb"]
