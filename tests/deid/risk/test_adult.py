"""The exact search against ARX's stored optimum on Adult (docs/adr/0033-privacy-models.md)."""

from __future__ import annotations

import pytest

from deid.risk.lattice import Lattice, Limits, search
from deid.risk.models import KAnonymity
from tests.bench.adult_table import ARX, ladders, records, rows


@pytest.fixture(scope="module")
def lattice() -> Lattice:
    return Lattice(records(rows()), ladders(), [KAnonymity(5)])


@pytest.mark.parametrize(("share", "found"), ARX.items())
def test_the_search_finds_arx_optimum(lattice: Lattice, share: float, found: tuple[float, float]) -> None:
    solution = search(lattice, Limits(share))
    assert solution is not None
    assert solution.exact
    assert (round(solution.suppressed / lattice.total, 4), round(solution.loss, 4)) == found
