"""What only describes looks (style sheets, classes, names of elements), and what stands there and describes none.

Such places are in no view and in no check of their own; so what is odd in them is read as text with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A long number that is no colour, a letter of another script, a remark.
ODD = re.compile(r"(?<![#.\w])\d{6}|\d{5,}-\d|(?<!#)[A-Za-z_]\d{6}|[^\x00-\x7f]|/\*")
CSS_TEXT = re.compile(r"/\*.*?(?:\*/|$)|\"[^\"]*\"|'[^']*'|[^\s:;{}]*\d{6}[^\s:;{}]*", re.DOTALL)


def odd_looks(*values: str) -> Iterator[str]:
    """Yield those of the texts that are too odd to describe how a thing looks."""
    yield from (value for value in values if ODD.search(value))


def css_texts(style: str) -> Iterator[str]:
    """Yield what a style sheet says beside rules: remarks, quoted texts, long numbers."""
    yield from (found.group() for found in CSS_TEXT.finditer(style))
