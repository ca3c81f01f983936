"""The treatments a proposal may name, as the recipe's fields, each with what it does in words.

Ladders go from fine to coarse and end in `drop`: the search for a plan that holds its gates walks down them.
"""

from __future__ import annotations

from typing import Any

from deid.planning.profile import Facts
from deid.planning.role import Option, Words

DROP = Option({"treatment": "drop"}, ("공개하지 않음", "not published"))
KEEP_TEXT = Option({"treatment": "keep"}, ("그대로 둠", "kept as it is"))
FREE_TEXT = Option({"treatment": "free_text"}, ("글 안의 식별자를 가림", "identifiers in the text are masked"))
SHIFT_DAYS = 180
OTHER = "기타"


def keep(facts: Facts) -> Option:
    """Keep the column with the type its values have."""
    if facts.kind == "text":
        return KEEP_TEXT
    form = {"format": facts.format} if facts.kind == "date" and facts.format != "%Y-%m-%d" else {}
    return Option({"treatment": "keep", "type": facts.kind, **form}, KEEP_TEXT.words)


def pseudonym(domain: str) -> Option:
    """Replace by a keyed pseudonym: equal values stay equal, nobody can compute them back without the key."""
    return Option(
        {"treatment": "pseudonym", "domain": domain}, ("키로 만든 가명으로 바꿈", "replaced by a keyed pseudonym")
    )


def surrogate(kind: str, domain: str, *, sampled: bool) -> Option:
    """Replace by another number of the same form; what does not fit beyond the rows that were seen becomes empty."""
    more = {"invalid": "empty"} if sampled else {}
    words = ("같은 형태의 다른 번호로 바꿈(형태보존)", "replaced by another number of the same form")
    return Option({"treatment": "surrogate", "kind": kind, "domain": domain, **more}, words)


def date_shift(facts: Facts) -> Option:
    """Shift by the patient's own number of days."""
    form = {"format": facts.format} if facts.format != "%Y-%m-%d" else {}
    words = (f"환자마다 다른 날수(±{SHIFT_DAYS}일)만큼 옮김", f"moved by the patient's own days (±{SHIFT_DAYS})")
    return Option({"treatment": "date_shift", "max_days": SHIFT_DAYS, **form}, words)


def year_only(facts: Facts) -> Option:
    """Keep the year of a date."""
    form = {"format": facts.format} if facts.format != "%Y-%m-%d" else {}
    return Option({"treatment": "generalise", "date": "year", **form}, ("연도만 남김", "the year only"))


def age_bands(facts: Facts, reference: str) -> tuple[Option, ...]:
    """Bands of completed years at `reference` (an ISO date) from a date of birth; 80 or 90 and above are one."""
    form = {"format": facts.format} if facts.format != "%Y-%m-%d" else {}
    return tuple(
        Option(
            {"treatment": "generalise", "age_at": reference, "band": {"width": width, "top": top, "bottom": 0}, **form},
            (
                f"{reference} 기준 나이 {width}세 구간, {top}세 이상은 하나로",
                f"age at {reference} in bands of {width}, {top}+ as one",
            ),
        )
        for width, top in ((5, 90), (10, 80), (20, 80))
    )


def bands(facts: Facts, widths: tuple[int, ...], *, top: int | None = None) -> tuple[Option, ...]:
    """Bands of a number; the ends beyond the 1st of the range are open where `top` is not given."""
    kind = "integer" if facts.kind == "integer" else "number"
    made = []
    for width in widths:
        high = top if top is not None else int(facts.high // width) * width
        low = -(-int(facts.low) // width) * width
        edges: dict[str, Any] = {"width": width, "top": high // width * width}
        if top is None and low < edges["top"]:
            edges["bottom"] = low
        words = (f"{width} 단위 구간, {edges['top']} 이상은 하나로", f"bands of {width}, {edges['top']}+ as one")
        made.append(Option({"treatment": "generalise", "type": kind, "band": edges}, words))
    return tuple(made)


def prefixes(lengths: tuple[int, ...]) -> tuple[Option, ...]:
    """First characters only."""
    return tuple(
        Option({"treatment": "generalise", "prefix": n}, (f"앞 {n}자만 남김", f"the first {n} characters"))
        for n in lengths
    )


def hierarchy(name: str, steps: tuple[tuple[int, Words], ...], *, rare: bool = False) -> tuple[Option, ...]:
    """Labels of a hierarchy that ships, level by level (number, what it is called); with `rare`, suppressed if rare."""
    more = {"rare": {"other": OTHER}} if rare else {}
    tail = (", 드문 값은 하나로", ", rare values as one") if rare else ("", "")
    return tuple(
        Option(
            {"treatment": "generalise", "hierarchy": name, "level": level, "other": OTHER, **more},
            (f"{ko}(으)로 묶음{tail[0]}", f"as {en}{tail[1]}"),
        )
        for level, (ko, en) in steps
    )


KCD8 = ((1, ("세 자리 분류", "three-character category")), (2, ("질병군", "block")), (3, ("장", "chapter")))
ATC = (
    (2, ("약리 군", "pharmacological group")),
    (3, ("치료 군", "therapeutic group")),
    (4, ("기관계", "organ system")),
)
POSTCODE = ((1, ("시군구", "district")), (3, ("시도", "province")))
SIGUNGU = ((1, ("시군", "city or county")), (2, ("시도", "province")), (3, ("권역", "region")))


def top_code(facts: Facts, at: float) -> Option:
    """Cut off the long upper end."""
    value = int(at) if facts.kind == "integer" else at
    fields = {"treatment": "top_code", "type": facts.kind, "at": value}
    return Option(fields, (f"{value:,} 이상은 {value:,}(으)로", f"above {value:,} becomes {value:,}"))
