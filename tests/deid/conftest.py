from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.deid.factory import Hospital, hospital

# A loaded machine is no defect of the code: no test asserts on time.
settings.register_profile("ansim", deadline=None)
settings.load_profile("ansim")


@pytest.fixture
def clinic(tmp_path: Path) -> Hospital:
    """An empty hospital."""
    return hospital(tmp_path / "clinic")
