"""A table's figures in `risk.json` as pictures with their numbers beside them, before and after, in both languages.

Shown by the signed report and by the portal. What was not measured (a table without `privacy` has no task, one without
quasi-identifiers no risk, a snapshot of an earlier form) has no picture. Every figure is a count or a share; none is
a value of a patient. Risks are those of El Emam (`risk/measures.py`), costs those of `risk/loss.py`, `query_error.py`,
`task.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deid.plot import grouped_bars, paired_bars, share_bars
from deid.risk.measures import BINS
from deid.text_types import LABELS

Words = tuple[str, str]
Risk = Mapping[str, Any]

SIZE_LABELS = [f"{low}" if low == high else f"{low}+" if high is None else f"{low}-{high}" for low, high in BINS]
STATES = ("source", "generalised", "published")
STATE_WORDS: tuple[Words, ...] = (("원본 값", "source values"), ("일반화 뒤", "generalised"), ("공개본", "published"))
RISKS: tuple[tuple[str, Words], ...] = (
    ("unique_share", ("혼자뿐인 환자의 비율", "patients alone in class")),
    ("prosecutor_max", ("최대 위험 · 검사", "highest · prosecutor")),
    ("journalist_max", ("최대 위험 · 기자", "highest · journalist")),
    ("marketer", ("평균 위험 · 마케터", "average · marketer")),
)
COUNTS: tuple[tuple[str, Words], ...] = (
    ("smallest", ("가장 작은 집단(명)", "smallest class (patients)")),
    ("classes", ("집단 수", "classes")),
    ("records", ("환자-집단 쌍", "patient-class pairs")),
)
COSTS: tuple[tuple[str, Words], ...] = (
    ("ncp", ("정규화 손실(NCP)", "certainty penalty (NCP)")),
    ("entropy", ("엔트로피 손실", "non-uniform entropy")),
    ("discernibility", ("구별도 손실", "discernibility")),
)


@dataclass(frozen=True)
class Figure:
    """One picture: `svg` in Korean and English, and the same numbers as a table (`head`, then label and cells)."""

    name: str
    title: Words
    note: Words
    svg: Words
    head: tuple[Words, ...]
    rows: tuple[tuple[Words, tuple[str, ...]], ...]


def figures_of(risk: Risk) -> list[Figure]:
    """Draw what one table's `risk.json` holds, in the order of reading."""
    return [made for maker in MAKERS for made in maker(risk)]


def _kept(risk: Risk) -> Iterator[Figure]:
    counts = [
        (("행", "rows"), risk["rows_before"], risk["rows_after"]),
        (("환자", "patients"), risk["subjects_before"], risk["subjects_after"]),
    ]
    bars = [(words, after / (before or 1), f"{before:,} → {after:,}") for words, before, after in counts]
    title = ("남은 행과 환자", "Rows and patients that stayed")

    def draw(at: int) -> str:
        return share_bars([(words[at], share, f"{share:.1%}") for words, share, _ in bars], title=title[at])

    yield Figure(
        "kept",
        title,
        ("작은 집단의 행은 제외됩니다.", "Rows of classes that are too small are removed."),
        _both(draw),
        (("처리 전", "before"), ("처리 후", "after"), ("제외", "removed")),
        tuple((words, (f"{a:,}", f"{b:,}", f"{a - b:,}")) for words, a, b in counts),
    )


def _sizes(risk: Risk) -> Iterator[Figure]:
    if not risk.get("published"):
        return
    shares = [_shares(risk[state]) for state in STATES]
    title = (
        "같은 준식별자 조합을 가진 환자 수(k)별 환자의 비율",
        "Share of patients by how many share their quasi-identifiers (k)",
    )

    def draw(at: int) -> str:
        series = [(words[at], share) for words, share in zip(STATE_WORDS, shares, strict=True)]
        return grouped_bars(SIZE_LABELS, series, title=title[at], told=_told_k(risk)[at])

    names = ", ".join(risk["quasi_identifiers"])
    rows = tuple(
        ((f"{label}명", f"{label} patients"), tuple(f"{share[at]:.1%}" for share in shares))
        for at, label in enumerate(SIZE_LABELS)
    )
    note = (
        f"준식별자: {names}. 가로축은 집단의 환자 수.",
        f"Quasi-identifiers: {names}. Across: patients in the class.",
    )
    yield Figure("sizes", title, note, _both(draw), STATE_WORDS, rows)


def _risks(risk: Risk) -> Iterator[Figure]:
    if not risk.get("published"):
        return
    title = ("재식별 위험, 처리 전과 후", "Risk of re-identification, before and after")

    def draw(at: int) -> str:
        rows = [
            (words[at], [(risk[state][key], _percent(risk[state][key])) for state in STATES]) for key, words in RISKS
        ]
        return paired_bars(rows, [words[at] for words in STATE_WORDS], title=title[at], told=_told_k(risk)[at])

    note = (
        (
            "검사: 그 사람이 자료에 있음을 아는 공격자. 기자: 원본의 모든 환자 가운데 누군가를 찾는 공격자. 마케터: "
            "되도록 많이 맞히려는 공격자(맞히는 비율의 기댓값)."
        ),
        (
            "Prosecutor: knows that the person is in the data. Journalist: looks for somebody among all patients of "
            "the source. Marketer: as many as possible (expected share of correct matches)."
        ),
    )
    counts = tuple((words, tuple(f"{risk[state][key]:,}" for state in STATES)) for key, words in COUNTS)
    shares = tuple((words, tuple(_percent(risk[state][key]) for state in STATES)) for key, words in RISKS)
    yield Figure("risks", title, note, _both(draw), STATE_WORDS, counts + shares)


def _cost(risk: Risk) -> Iterator[Figure]:
    measured = next((found for found in (risk.get("privacy"), risk.get("costs")) if found and found.get("loss")), None)
    if measured is None:
        return
    loss, rows_seen = measured["loss"], measured.get("rows", risk["rows_before"])
    bars = [(words, loss[key]) for key, words in COSTS if key in loss]
    bars.append((("개수 질의 오차(중앙값)", "counting queries (median)"), measured["query_error"]))
    title = ("정보 손실과 질의 오차", "Information lost, and error of queries")

    def draw(at: int) -> str:
        return share_bars([(words[at], share, _percent(share)) for words, share in bars], title=title[at])

    note = (
        (
            "준식별자의 손실로, 0%면 원본과 같고 100%면 남은 것이 없습니다. 질의 오차는 무작위 개수 질의의 상대 오차. "
            f"잰 행: {rows_seen:,}."
        ),
        (
            "Of the quasi-identifiers: 0 % is the source, 100 % is nothing left. Queries: relative error of random "
            f"counts. Rows measured: {rows_seen:,}."
        ),
    )
    rows = [(words, (_percent(share),)) for words, share in bars]
    if loss["aecs"] is not None:
        rows.append((("평균 집단 크기 / k", "mean class size over k"), (f"{loss['aecs']:.2f}",)))
    yield Figure("cost", title, note, _both(draw), (("손실", "loss"),), tuple(rows))


def _task(risk: Risk) -> Iterator[Figure]:
    task = (risk.get("privacy") or {}).get("task")
    if not task:
        return
    bars = (
        (("가장 흔한 값만", "commonest value only"), task["baseline"]),
        (("원본으로 배움", "learned from the source"), task["before"]),
        (("공개본으로 배움", "learned from the published"), task["after"]),
    )
    title = (f"모델 정확도, 처리 전과 후: {task['target']}", f"Accuracy of a model, before and after: {task['target']}")

    def draw(at: int) -> str:
        return share_bars([(words[at], share, _percent(share)) for words, share in bars], title=title[at])

    note = (
        "준식별자로 이 열을 맞히는 나이브 베이즈의 교차검증 정확도.",
        "Naive Bayes predicts this column from the quasi-identifiers, cross-validated.",
    )
    rows = tuple((words, (_percent(share),)) for words, share in bars)
    yield Figure("task", title, note, _both(draw), (("정확도", "accuracy"),), rows)


def _utility(risk: Risk) -> Iterator[Figure]:
    columns: Sequence[Mapping[str, Any]] = risk.get("utility") or ()
    if not columns:
        return
    title = ("열별 남은 정보량", "Information kept by column")

    def draw(at: int) -> str:
        return share_bars([(one["column"], one["kept"], f"{one['kept']:.0%}") for one in columns], title=title[at])

    note = (
        "원본 열의 정보량 가운데 공개된 열이 알려 주는 몫(상호정보량, 환자 표본). 제외된 행은 알려 주는 것이 없습니다.",
        (
            "Share of the source column's entropy that the published column still tells (mutual information, sample of "
            "patients). A removed row tells nothing."
        ),
    )
    head = (
        ("남음", "kept"),
        ("채워짐", "filled"),
        ("원본의 비트", "bits of the source"),
        ("알려진 비트", "bits told"),
        ("평균 전", "mean before"),
        ("후", "after"),
        ("바뀐 글", "texts changed"),
    )
    yield Figure("utility", title, note, _both(draw), head, tuple(map(_column, columns)))


def _column(one: Mapping[str, Any]) -> tuple[Words, tuple[str, ...]]:
    means = tuple("" if one[name] is None else f"{one[name]:,}" for name in ("mean_before", "mean_after"))
    changed = "" if one["changed"] is None else _percent(one["changed"])
    bits = (f"{one['entropy_before']:.2f}", f"{one['entropy_after']:.2f}")
    name = one["column"]
    return (name, name), (_percent(one["kept"]), _percent(one["filled"]), *bits, *means, changed)


def _texts(risk: Risk) -> Iterator[Figure]:
    for report in risk.get("texts") or ():
        found: Mapping[str, int] = report["found"]
        if found:
            yield _text(report, sorted(found, key=lambda kind: (-found[kind], kind)))


def _text(report: Mapping[str, Any], kinds: Sequence[str]) -> Figure:
    most = max(report["found"].values()) or 1
    title = (
        f"자유 글에서 찾고 가린 식별정보: {report['column']}",
        f"Identifiers found and replaced in free text: {report['column']}",
    )
    counted = [(kind, [report[name].get(kind, 0) for name in ("found", "masked", "known")]) for kind in kinds]

    def draw(at: int) -> str:
        rows = [(_kind(kind)[at], [(count / most, f"{count:,}") for count in counts[:2]]) for kind, counts in counted]
        return paired_bars(rows, (("찾음", "가림"), ("found", "replaced"))[at], title=title[at])

    note = (
        f"서로 다른 글 {report['texts']:,}건. ‘등록 자료로만’은 병원의 표, 직원 명단, 기관 프로필만이 찾은 것입니다.",
        (
            f"Distinct texts: {report['texts']:,}. “By known values only” are those that no recogniser saw but the "
            "hospital's tables, staff lists or profile did."
        ),
    )
    head = (("찾음", "found"), ("가림", "replaced"), ("등록 자료로만", "by known values only"))
    rows = tuple((_kind(kind), tuple(f"{count:,}" for count in counts)) for kind, counts in counted)
    return Figure(f"texts-{report['column']}", title, note, _both(draw), head, rows)


def _kind(kind: str) -> Words:
    return LABELS.get(kind, (kind, kind))


def _told_k(risk: Risk) -> Words:
    before, after = risk["source"], risk["published"]
    return (
        (
            f"가장 작은 집단은 {before['smallest']:,}명에서 {after['smallest']:,}명으로, 혼자뿐인 환자는 "
            f"{_percent(before['unique_share'])}에서 {_percent(after['unique_share'])}로 바뀌었습니다."
        ),
        (
            f"The smallest class went from {before['smallest']:,} to {after['smallest']:,} patients, those alone from "
            f"{_percent(before['unique_share'])} to {_percent(after['unique_share'])}."
        ),
    )


def _shares(state: Mapping[str, Any]) -> list[float]:
    total = state["records"] or 1
    return [count / total for count in state["patients_by_size"]]


def _percent(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 0.1 else f"{share:.1%}"  # noqa: PLR2004 - small risks need two digits


def _both(draw: Callable[[int], str]) -> Words:
    return draw(0), draw(1)


MAKERS: tuple[Callable[[Risk], Iterator[Figure]], ...] = (_kept, _sizes, _risks, _cost, _task, _utility, _texts)
