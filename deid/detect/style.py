"""How what was found is replaced: the choices of a recipe's `free_text`, and the operators they mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from presidio_anonymizer.entities import OperatorConfig

from deid.detect.operators.date_shift import KoreanDateShift
from deid.detect.operators.name import KoreanName
from deid.detect.operators.number import NUMBER_TYPES, KoreanNumber
from deid.detect.operators.placeholder import Placeholder

PLACEHOLDER, SURROGATE, SHIFT = "placeholder", "surrogate", "shift"


@dataclass(frozen=True)
class Style:
    """`names`, `numbers`: `placeholder` or `surrogate`; `dates`: `placeholder` or `shift`.

    `keys` (type to secret) give placeholders of these types a keyed tail, `<이름:3f9a0c12>`.
    """

    names: str = PLACEHOLDER
    numbers: str = PLACEHOLDER
    dates: str = PLACEHOLDER
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def personal(self) -> bool:
        """Whether the same text is replaced in another way for another patient."""
        return (self.names, self.numbers, self.dates) != (PLACEHOLDER, PLACEHOLDER, PLACEHOLDER)

    def operators(self, kinds: set[str], key: bytes, days: int | None) -> dict[str, OperatorConfig]:
        """Give an operator for each type of `kinds`; `key` and `days` are the patient's own (`days` None: no shift)."""
        return {kind: OperatorConfig(*self._operator(kind, key, days)) for kind in kinds}

    def _operator(self, kind: str, key: bytes, days: int | None) -> tuple[str, dict[str, Any]]:
        if kind == "NAME" and self.names == SURROGATE:
            return KoreanName.NAME, {"key": key}
        if kind in NUMBER_TYPES and self.numbers == SURROGATE:
            return KoreanNumber.NAME, {"key": key}
        # A date of birth is never shifted: a shift of some months would tell the age.
        if kind == "DATE" and self.dates == SHIFT and days:
            return KoreanDateShift.NAME, {"days": days}
        own = self.keys.get(kind)
        return Placeholder.NAME, {"key": own} if own else {}
