"""Short names in recipes: of data sets, providers, tables, domains. They stand in paths, keys and addresses."""

from __future__ import annotations

import re

from deid.recipe_yaml import Node

SLUG = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def read_slug(node: Node) -> str:
    """Read one. Raises `RecipeError`."""
    value = node.text()
    if not SLUG.fullmatch(value):
        ko = "영문 소문자로 시작해 소문자, 숫자, -, _ 로 41자까지 쓸 수 있습니다."
        node.fail("name", ko, "must begin with a-z and have at most 41 of a-z, 0-9, - and _.")
    return value
