"""What a scientist imports: ``ansim.egress``, ``ansim.data()``, ``ansim.table()``, ``ansim.model()`` and others.

No secrets, no rules: it copies files, asks the portal, and shows the answer. Standard library only, but for tables and
models, which load pandas and statsmodels when they are made.
"""

from __future__ import annotations

from . import egress
from .modelling import logit, model, ols, poisson, probit
from .pictures import pictures
from .screen import budget
from .tables import data
from .tabulating import crosstab, hist, pivot_table, table
from .turns import gpu
from .words import language

__all__ = [
    "budget", "crosstab", "data", "egress", "gpu", "hist", "language", "logit", "model", "ols", "pictures",
    "pivot_table", "poisson", "probit", "table",
]  # fmt: skip
