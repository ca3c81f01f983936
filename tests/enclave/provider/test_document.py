"""A policy file is read strictly or refused by name; its version id is the hash of its one spelling."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.rules import CheckRules
from enclave.errors import Invalid
from enclave.policy.airlock.reviewers import ReviewerRules
from enclave.policy.provider.document import FORMAT, PolicyDocument, default, named, parse
from enclave.policy.provider.fields import FIELDS, WARNINGS
from tests.enclave.provider.policies import policies, policy

ROOT = Path(__file__).parents[3]
TEXT = default().canonical()


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "code", "names"),
    [
        ("a = = 1", "policy.syntax", "line 1"),
        ("[[" * 5000, "policy.syntax", ""),
        (f"a = {'9' * 5000}", "policy.syntax", "ValueError"),
        ("#" * 20_001, "policy.too-long", "20,000"),
        ("", "policy.format", FORMAT),
        (changed("ansim-policy-v1", "ansim-policy-v2"), "policy.format", FORMAT),
        (changed("min_cell = 10", "min_cel = 10"), "policy.unknown-key", "checks.min_cel"),
        (changed("[clock]", "[clocks]"), "policy.unknown-key", "clocks"),
        (TEXT + "same_organisation = true\n", "policy.unknown-key", "clock.same_organisation"),
        (TEXT + "[members]\nmay_review = true\n", "policy.unknown-key", "members"),
        (changed("committee = 3", "committee = 3\nmin_cell = 10"), "policy.unknown-key", "reviewers.min_cell"),
        (changed("p_percent = 10\n", ""), "policy.missing-key", "checks.p_percent"),
        (changed("block = []", 'block = "x"'), "policy.kind", "block"),
        (changed("block = []", "block = [1]"), "policy.kind", "block"),
        (changed("min_cell = 10", "min_cell = 10.0"), "policy.kind", "min_cell"),
        (changed("min_cell = 10", "min_cell = true"), "policy.kind", "min_cell"),
        (changed("min_cell = 10", 'min_cell = "10"'), "policy.kind", "min_cell"),
        (changed("block = []", 'block = ["cell.smal"]'), "policy.warning", "cell.smal"),
        (changed("committee = 3", "committee = 4"), "policy.reviewers", "3, 5"),
        (changed("recomputed = 1", "recomputed = 3"), "policy.reviewers", "committee"),
        (changed("standard = 2", "standard = 5"), "policy.reviewers", "standard"),
    ],
)
def test_a_file_that_is_not_a_policy_is_refused_by_name(text: str, code: str, names: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert refused.value.code == code
    assert names in refused.value.en


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_cell", 4),
        ("min_cell", 0),
        ("min_cell", -10),
        ("recomputed", 0),
        ("standard", 1),
        ("committee", 1),
        ("committee", 9),
        ("dominance_percent", 100),
        ("p_percent", 0),
        ("min_freedom", 0),
        ("max_rows", 10**9),
        ("working_days", 31),
        ("release_days", 0),
    ],
)
def test_nothing_goes_below_the_floor_of_the_house(name: str, value: int) -> None:
    with pytest.raises(Invalid) as refused:
        parse(changed(f"\n{name} = {getattr(default(), name)}\n", f"\n{name} = {value}\n"))
    assert refused.value.code == "policy.floor"
    assert FIELDS[name].en in refused.value.en
    with pytest.raises(Invalid, match=r"(?s)정책"):
        policy(**{name: value})


@given(policies())
def test_every_policy_is_read_back_from_its_own_spelling(document: PolicyDocument) -> None:
    text = document.canonical()
    assert parse(text) == document
    assert parse(text).canonical() == text
    assert document.sha256 == sha256(text.encode()).hexdigest()


@given(policies(), st.randoms(use_true_random=False))
def test_order_comments_and_blanks_do_not_change_the_version(document: PolicyDocument, random: object) -> None:
    head, *sections = re.split(r"\n(?=\[)", document.canonical())
    random.shuffle(sections)  # type: ignore[attr-defined]
    shuffled = "\n# 이유\n".join([head, *sections]).replace(" = ", "   =  ")
    assert parse(shuffled).sha256 == document.sha256


LINES = st.sampled_from([*TEXT.splitlines(), "min_cell = 4", "x = 1", "[checks]", "[x]", "block = [[]]", "format = 1"])


@given(st.one_of(st.text(), st.lists(LINES, max_size=40).map("\n".join), st.integers().map(lambda n: f"{TEXT}n = {n}")))
def test_any_file_is_refused_with_a_code_or_keeps_its_hash(text: str) -> None:
    try:
        document = parse(text)
    except Invalid as error:
        refused: Invalid | None = error
    else:
        refused = None
        assert parse(document.canonical()).sha256 == document.sha256
    assert refused is None or (refused.code.startswith("policy.") and refused.remedy_ko)


@given(policies(), policies())
def test_a_text_under_another_versions_name_is_refused(one: PolicyDocument, other: PolicyDocument) -> None:
    assert named(one.canonical(), one.sha256) == one
    if one != other:
        with pytest.raises(Invalid) as refused:
            named(other.canonical(), one.sha256)
        assert refused.value.code == "policy.forged"


def test_a_kept_text_with_a_comment_is_not_the_version_it_reads_as() -> None:
    with pytest.raises(Invalid) as refused:
        named(TEXT + "# x\n", default().sha256)
    assert refused.value.code == "policy.forged"


@given(policies())
def test_what_a_policy_allows_the_checker_and_the_reviewers_take(document: PolicyDocument) -> None:
    rules = document.check_rules(id_columns=("patient",), subjects=40, max_bytes=1 << 20)
    assert (rules.min_cell, rules.subjects, rules.max_bytes) == (document.min_cell, 40, 1 << 20)
    assert document.reviewer_rules.committee == document.committee


def test_the_policy_of_the_house_is_what_the_code_says_without_one() -> None:
    assert default().check_rules(id_columns=(), subjects=None, max_bytes=10**9) == CheckRules()
    assert default().reviewer_rules == ReviewerRules()


def test_the_warnings_a_policy_may_stop_are_the_warnings_on_the_page_of_rules() -> None:
    """But those of what comes in, whose checks no provider sets, and those that are sometimes blocks by themselves."""
    page = (ROOT / "docs/reference/airlock.md").read_text().splitlines()
    rows = [line.split("|") for line in page if line.startswith("| `")]
    told = {
        rule for row in rows if row[2].strip().startswith("WARN") for rule in re.findall(r"`([a-z]+\.[a-z-]+)`", row[1])
    }
    incoming = {rule for rule in told if rule.startswith(("import.", "packages."))}
    others = incoming | {"encoded.invisible", "pdf.text", "parquet.unused"}
    assert told - others == WARNINGS


def test_every_field_with_its_bounds_is_on_the_page_of_checks() -> None:
    page = (ROOT / "docs/reference/airlock.md").read_text()
    for name, field in FIELDS.items():
        bounds = "–" if field.is_list else f"{field.low}–{field.high}"
        value = "none" if field.is_list else getattr(default(), name)
        assert f"| `{name}` | {field.en} · {field.ko} | {value} | {bounds} | {field.stricter.value} |" in page
