"""Linking information of identity services: CI (연계정보) and DI (중복가입확인정보).

Source: 정보통신망법 제23조의5 (연계정보: derived one-way from the resident number, the same everywhere, so a direct
identifier); TTAK.KO-12.0096: CI is 64 bytes, 88 base64 characters with two signs of padding; DI is 64 or 66
characters. Base64 of that length may be any key or hash, so a label is needed; they count as record numbers.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_LEAST, _MOST = 62, 90


def _long_enough(value: str) -> bool:
    return _LEAST <= len(value.replace("\n", "")) <= _MOST


class LinkingInformationRecogniser(RuleRecogniser):
    """Base64 of 64 to 90 characters behind a label; a printer may have broken it once."""

    ENTITIES = ("MRN",)
    RULES = (
        Rule(
            "MRN",
            re.compile(
                r"(?:(?<![A-Za-z])(?:CI|DI)(?![A-Za-z])|연계\s?정보|확인\s?정보)[^A-Za-z0-9+/\n]{0,8}"
                r"(?P<v>[A-Za-z0-9+/]{8,88}(?:\n[A-Za-z0-9+/]{8,80})?={0,2})(?![A-Za-z0-9+/=])"
            ),
            0.95,
            _long_enough,
            needs=("CI", "DI", "연계", "확인"),
        ),
    )
