"""Numbers said in Hangul (speech recognition, dictated notes, evasion): 공일공 삼이삼공 사육팔육.

The replacement keeps the length of the text, so that offsets stay valid.
"""

from __future__ import annotations

import re

_DIGITS = dict(zip("공영일이삼사오육륙칠팔구에의다시", "001234566789--- ", strict=True))
_DIGIT = "[공영일이삼사오육륙칠팔구]"
# Nine and more are surely a number; six to eight only if no word goes on behind them.
# Between the groups people say 에 or 다시 for the dash.
_GAP = "(?:[ .·/-]{0,2}|[ ]?(?:에|의|다시)[ ]?)"
_RUN = re.compile(rf"{_DIGIT}(?:{_GAP}{_DIGIT}){{8,15}}|{_DIGIT}(?:[ .-]{{0,2}}{_DIGIT}){{5,7}}(?![가-힣])")


def with_spoken_digits(text: str) -> str:
    """`text` with runs of at least six Hangul digits written as ASCII digits; same length."""
    return _RUN.sub(lambda match: "".join(_DIGITS.get(c, c) for c in match.group()), text)
