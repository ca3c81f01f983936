"""What a scientist imports: ``ansim.egress``, ``ansim.data()``, ``ansim.budget()`` and ``ansim.gpu()``.

Standard library only, no secrets, no rules: it copies files, asks the portal, and shows the answer.
"""

from __future__ import annotations

from . import egress
from .screen import budget
from .tables import data
from .turns import gpu
from .words import language

__all__ = ["budget", "data", "egress", "gpu", "language"]
