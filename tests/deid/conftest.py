from __future__ import annotations

from pathlib import Path

# First of all: SimpleITK's tables of types (SWIG), when they come before, hide those of ezc3d, which then crashes.
import ezc3d  # noqa: F401
import pytest

from tests.deid.factory import Hospital, hospital


@pytest.fixture
def clinic(tmp_path: Path) -> Hospital:
    """An empty hospital."""
    return hospital(tmp_path / "clinic")
