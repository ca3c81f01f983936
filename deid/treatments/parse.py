"""From a column of the recipe to its treatment: the table of words, and what each may be written with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from deid.recipe_yaml import Node
from deid.treatments.bands import parse_band
from deid.treatments.dates import parse_date_part, parse_date_shift
from deid.treatments.free_text import parse_free_text
from deid.treatments.levels import parse_level
from deid.treatments.micro import parse_micro_aggregate
from deid.treatments.noise import parse_noise
from deid.treatments.numbers import parse_round
from deid.treatments.percentile import parse_bottom_code, parse_top_code
from deid.treatments.plain import parse_drop, parse_keep
from deid.treatments.pseudonym import parse_pseudonym
from deid.treatments.rare import parse_rare, parse_suppress_rare
from deid.treatments.surrogate import parse_surrogate
from deid.treatments.treatment import Treatment
from deid.treatments.values import parse_map, parse_prefix

Parser = Callable[[Node, Mapping[str, Node]], Treatment]
WAYS: dict[str, Callable[[Mapping[str, Node]], Treatment]] = {
    "band": parse_band,
    "prefix": parse_prefix,
    "map": parse_map,
    "date": parse_date_part,
    "hierarchy": parse_level,
}

WITH_RARE = ("keep", "generalise", "round", "top_code", "bottom_code")
# What goes with which of them.
ALONG = {"age_at": ("band", "hierarchy"), "other": ("map", "hierarchy"), "level": ("hierarchy",)}


def parse_treatment(node: Node, fields: Mapping[str, Node], keys: Mapping[str, tuple[Node, Node]]) -> Treatment:
    """Read one treatment; `fields` are the column's own without label and name. Raises `RecipeError`."""
    if "treatment" not in fields:
        node.fail("missing", "'treatment' 항목이 빠졌습니다.", "'treatment' is missing.")
    word = fields["treatment"].one_of(tuple(PARSERS))
    required, optional, parser = PARSERS[word]
    for name, (key, _) in keys.items():
        if name not in {"treatment", "type", "format", "rare", *required, *optional}:
            key.fail("unknown", f"{word}에는 '{name}' 항목이 없습니다.", f"{word} has no '{name}'.")
    for name in required:
        if name not in fields:
            node.fail("missing", f"{word}에는 '{name}'이(가) 필요합니다.", f"{word} needs '{name}'.")
    treatment = parser(node, fields)
    if "rare" not in fields:
        return treatment
    if treatment.keyed or treatment.learner or word not in WITH_RARE:
        words = ", ".join(WITH_RARE)
        fields["rare"].fail("rare", f"rare는 {words}와 함께 씁니다.", f"'rare' goes with {words}.")
    return replace(treatment, rare=parse_rare(fields["rare"], treatment.dtype))


def parse_generalise(node: Node, fields: Mapping[str, Node]) -> Treatment:
    """Read `generalise`: exactly one way of doing it. Raises `RecipeError`."""
    chosen = [name for name in WAYS if name in fields]
    if len(chosen) != 1:
        words = ", ".join(WAYS)
        node.fail("missing", f"{words} 중 하나가 필요합니다.", f"one of {words} is needed.")
    for name, ways in ALONG.items():
        if name in fields and chosen[0] not in ways:
            words = ", ".join(ways)
            fields[name].fail("unknown", f"{name}은(는) {words}와 함께 씁니다.", f"{name} goes with {words}.")
    return WAYS[chosen[0]](fields)


# word: (required fields, optional fields, parser)
PARSERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Parser]] = {
    "drop": ((), (), parse_drop),
    "keep": ((), (), parse_keep),
    "pseudonym": (("domain",), (), parse_pseudonym),
    "date_shift": (("max_days",), (), parse_date_shift),
    "generalise": ((), (*WAYS, *ALONG), parse_generalise),
    "top_code": ((), ("at", "percentile"), parse_top_code),
    "bottom_code": ((), ("at", "percentile"), parse_bottom_code),
    "noise": ((), ("within", "percent", "shape", "to", "bottom", "top", "keep_sign"), parse_noise),
    "micro_aggregate": ((), ("min_patients",), parse_micro_aggregate),
    "suppress_rare": ((), ("min_patients", "other"), parse_suppress_rare),
    "free_text": ((), ("names", "numbers", "dates", "known", "model"), parse_free_text),
    "round": (("to",), (), parse_round),
    "surrogate": (("kind", "domain"), ("length", "invalid"), parse_surrogate),
}
