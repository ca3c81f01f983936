"""What a scientist imports in a workspace: ``import ansim``, then ``ansim.egress`` and ``ansim.data()``.

Standard library only, no secrets, no rules: it copies files, asks the portal, and shows the answer.
"""

from __future__ import annotations

from . import egress
from .tables import data
from .words import language

__all__ = ["data", "egress", "language"]
