"""Policies for tests: any that the house allows, and the house's own with something else in it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from enclave.policy.provider.document import PolicyDocument, default
from enclave.policy.provider.fields import FIELDS, WARNINGS


def policy(**other: object) -> PolicyDocument:
    return replace(default(), **other)  # type: ignore[arg-type]


@st.composite
def policies(draw: st.DrawFn) -> PolicyDocument:
    numbers = {
        name: draw(st.integers(field.low, field.high), label=name)
        for name, field in FIELDS.items()
        if not field.is_list and field.section != "reviewers"
    }
    committee = draw(st.sampled_from([3, 5, 7]))
    standard = draw(st.integers(2, committee))
    recomputed = draw(st.integers(1, standard))
    block = tuple(sorted(draw(st.sets(st.sampled_from(sorted(WARNINGS)), max_size=4))))
    return PolicyDocument(**numbers, committee=committee, standard=standard, recomputed=recomputed, block=block)  # type: ignore[arg-type]
