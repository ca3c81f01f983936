"""What a known schema (OMOP, FHIR) says of a column overrules what its values seem to be.

A proposal may keep no option that the recipe's own check would refuse (`recipe_schema.py`).
"""

from __future__ import annotations

from dataclasses import replace

from deid.planning.role import Option, Proposal, Role
from deid.schemas.kinds import MEANINGS, Kind, proposal

# Treatments, by the recipe's words, that may stand for a kind; for the others all but `keep` may.
ALLOWED = {
    Kind.PERSON: {"pseudonym"},
    Kind.KEY: {"pseudonym", "drop"},
    Kind.DIRECT: {"pseudonym", "drop"},
    Kind.TEXT: {"free_text", "drop"},
    Kind.BIRTH: {"generalise", "drop"},
}
ROLES = {
    Kind.PERSON: Role.KEY,
    Kind.KEY: Role.KEY,
    Kind.DIRECT: Role.DIRECT,
    Kind.TEXT: Role.TEXT,
    Kind.BIRTH: Role.QUASI,
    Kind.DATE: Role.DATE,
    Kind.PLACE: Role.QUASI,
    Kind.SOURCE: Role.SENSITIVE,
}
USUAL = ("이 표준에서 보통 하는 처리", "what is usual for this element")


def held(made: Proposal, known: Kind | None, *, domain: str) -> Proposal:
    """Give the proposal without the options that its schema forbids; the usual treatment where none is left."""
    if known is None:
        return made
    left = tuple(option for option in made.options if _may(known, str(option.fields["treatment"])))
    if left == made.options:
        return made
    meaning = MEANINGS[known]
    why = (f"표준에 따라 {meaning.ko}입니다.", f"By its schema it is {meaning.en}.")
    fields = {name: value for name, value in proposal(known, made.source, domain=domain).items() if name != "as"}
    options = left or (Option(fields, USUAL),)
    return replace(made, role=ROLES[known], options=options, reason=why, chosen=0)


def _may(known: Kind, word: str) -> bool:
    return word in ALLOWED[known] if known in ALLOWED else word != "keep"
