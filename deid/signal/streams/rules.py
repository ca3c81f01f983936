"""The `signal:` section of a folder's recipe: the schemas of its sources, and what counts where no schema fits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deid.recipe_yaml import Node
from deid.signal.streams.schema import KINDS, Column, Rules, Stream, plain

MOST_DECIMALS = 2
PATTERN_LENGTH = 200


def parse_signal(node: Node) -> Rules:
    """Read the section. Raises `RecipeError` naming line and column."""
    fields = node.fields((), ("technical_names", "record_number", "columns", "streams"))
    return Rules(
        streams=tuple(_stream(name, each) for name, (_, each) in _pairs(fields, "streams").items()),
        technical=fields["technical_names"].flag() if "technical_names" in fields else True,
        record_number=_pattern(fields["record_number"]) if "record_number" in fields else None,
        others=_columns(fields["columns"]) if "columns" in fields else {},
    )


def _pairs(fields: Mapping[str, Node], name: str) -> dict[str, tuple[Node, Node]]:
    return fields[name].pairs() if name in fields else {}


def _stream(name: str, node: Node) -> Stream:
    fields = node.fields(("has", "columns"), ("label", "devices"))
    has = frozenset(plain(each.text()) for each in fields["has"].items())
    if not has:
        fields["has"].fail("empty", "열 이름이 하나는 있어야 합니다.", "at least one column's name is needed.")
    return Stream(name, has, _columns(fields["columns"]))


def _columns(node: Node) -> dict[str, Column]:
    """Read columns by kind: `number: [hr, spo2]`, or one by one: `ktas: {category: ["1", "2"]}`."""
    found: dict[str, Column] = {}
    for key, (place, value) in node.pairs().items():
        kind = next((each for each in KINDS if each == key), None)
        if kind and not value.is_mapping():
            if kind in {"category", "coarse", "band"}:
                place.fail("kind", f"'{kind}'은(는) 열마다 씁니다.", f"'{kind}' is said column by column.")
            found |= {plain(each.text()): Column(kind) for each in value.items()}
        else:
            found[plain(key)] = _one(value)
    return found


def _one(node: Node) -> Column:
    fields = node.fields((), ("category", "coarse", "band"))
    if len(fields) != 1:
        node.fail("kind", "category, coarse, band 가운데 하나입니다.", "one of category, coarse and band.")
    if "category" in fields:
        return Column("category", values=frozenset(each.text() for each in fields["category"].items()))
    if "coarse" in fields:
        # R108: coordinates with more than three decimals are refused anywhere; two are a kilometre.
        return Column("coarse", size=fields["coarse"].integer(0, MOST_DECIMALS))
    return Column("band", size=fields["band"].integer(2, 100))


def _pattern(node: Node) -> re.Pattern[str]:
    text = node.text()
    # Patterns come from a recipe that people review; bounded all the same, and without what can run away.
    if len(text) > PATTERN_LENGTH or re.search(r"[+*}]\)?[+*{]", text):
        node.fail("pattern", "정규식이 너무 길거나 복잡합니다.", "the pattern is too long or too complex.")
    try:
        return re.compile(text)
    except re.error:
        node.fail("pattern", "정규식이 아닙니다.", "is no regular expression.")
