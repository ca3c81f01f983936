from __future__ import annotations

from pathlib import Path

import pytest

from tests.deid.factory import Hospital, hospital


@pytest.fixture
def clinic(tmp_path: Path) -> Hospital:
    """An empty hospital."""
    return hospital(tmp_path / "clinic")
