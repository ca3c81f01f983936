"""Surrogates of the same form (형태보존 대체, 양방향 암호화): computed in `transform/surrogates.py` and joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deid.recipe_yaml import Node
from deid.transform.surrogates import KINDS, fewest_characters
from deid.treatments.treatment import Treatment, common_fields

MOST_CHARACTERS = 64


@dataclass(frozen=True)
class Surrogate(Treatment):
    """FF1 (NIST SP 800-38G) with a key of project, data set and `domain`: injective, undone by the key holder alone.

    `length` characters are asked of every value where it is given; a value of another form stops the run, or becomes
    empty where `lenient`.
    """

    kind: str
    domain: str
    length: int | None
    lenient: bool

    @property
    def joined(self) -> bool:
        """See `Treatment.joined`."""
        return True

    @property
    def keyed(self) -> bool:
        """See `Treatment.keyed`."""
        return True

    def words(self) -> str:
        """See `Treatment.words`."""
        return f"surrogate({self.kind}, {self.domain})"


def parse_surrogate(_: Node, fields: Mapping[str, Node]) -> Surrogate:
    """Read `surrogate`. Raises `RecipeError`."""
    kind = fields["kind"].one_of(tuple(KINDS))
    length = fields["length"].integer(1, MOST_CHARACTERS) if "length" in fields else None
    fewest = fewest_characters(kind)
    if length is not None and length < fewest:
        fields["length"].fail(
            "length",
            f"{length}글자로는 값이 백만 가지가 되지 않아 대체값이 안전하지 않습니다.",
            f"{length} characters make fewer than a million values: such surrogates are not safe.",
            remedy=(
                f"{fewest}글자 이상인 열에만 쓰고, 짧은 열은 pseudonym으로 처리하세요.",
                f"Use it for columns of {fewest} characters or more, and pseudonym for short ones.",
            ),
        )
    lenient = "invalid" in fields and fields["invalid"].one_of(("fail", "empty")) == "empty"
    common = common_fields(fields, default="text", allowed=("text",))
    return Surrogate(kind, fields["domain"].text(), length, lenient, **common)
