from __future__ import annotations

from pathlib import Path

import pytest

from tests.enclave.gpu.libraries import compiled


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("libraries"))
