"""What a scientist imports: ``import ansim``, then ``ansim.egress``, ``ansim.data()`` and ``ansim.budget()``.

Standard library only, no secrets, no rules: it copies files, asks the portal, and shows the answer.
"""

from __future__ import annotations

from . import egress
from .screen import budget
from .tables import data
from .words import language

__all__ = ["budget", "data", "egress", "language"]
