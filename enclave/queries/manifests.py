"""Signed manifests as the database keeps them, each read once."""

from __future__ import annotations

from functools import lru_cache

from deid import manifest as manifests

# A manifest never changes under its id, and reading one takes as long as a whole page: read each once.
read_manifest = lru_cache(maxsize=256)(manifests.parse)
