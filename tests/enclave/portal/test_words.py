"""Both languages say the same things, and every text that exists is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from enclave.commands.ballot import REASON_CODES
from enclave.model.people import OrganisationKind
from enclave.model.project import LegalBasis
from enclave.policy.emergency import Act
from enclave.policy.log_health import Trouble
from enclave.portal import words
from enclave.portal.places import PLACES
from enclave.portal.words import Language

PORTAL = Path(words.__file__).parent
HANGUL = re.compile("[가-힣]")
SOURCES = [*PORTAL.rglob("*.html"), *PORTAL.rglob("*.py")]
# Texts whose names are put together at run time: kinds, reasons, the menu.
COMPUTED = ("accounts.kind_", "legal.", "errors.title_", "log.outcome_", "reasons.", "treatments.", "kinds.", "base.",
            "code.source_", "display.", "drills.outcome_", "frozen.outbox", "frozen.home",
            "imports.how_", "packages.is_", "policies.flip_", "policies.method_",
            "viewer.kind_", "viewer.showing_", "viewer.state_", "viewer.mark_", "viewer.file_",
            "review.need_", "review.details_", "review.evidence_", "review.rerun_", "review.recompute_",
            "review.glance_", "review.how_", "review.head_", "review.what_",
            "publication.level_", "incidents.kind_", "retention.state_", "sample.stratum_",
            "frames.stratum_", "frames.kind_", "frames.doubt_",
            "reports.kind_", "things.", "log.witness_", "log.asked_", "logplot.", "trouble.",
            "emergency.act_", "codes.", "refusals.")  # fmt: skip


def test_every_text_is_korean_in_korean_and_has_no_hangul_in_english() -> None:
    wrong = [
        key
        for key, (korean, english) in words.catalogue().items()
        if HANGUL.search(english) or not HANGUL.search(korean)
    ]
    assert wrong == []


def test_both_languages_take_the_same_values() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    assert [key for key, (ko, en) in words.catalogue().items() if names(ko) != names(en)] == []


def test_every_text_that_a_page_names_exists() -> None:
    named = {
        key
        for path in SOURCES
        for key in re.findall(r"""\b(?:t|say|flash)\(\s*['"]([a-z_]+\.[a-z_0-9]+)['"](?!\s*~)""", path.read_text())
    }
    assert named, "the pattern finds nothing any more: mend this test"
    assert sorted(key for key in named if not words.has(key)) == []


def test_every_reason_kind_and_basis_has_its_words() -> None:
    wanted = [f"reasons.{code}" for code in REASON_CODES]
    wanted += [f"accounts.kind_{kind.value}" for kind in OrganisationKind]
    wanted += [f"legal.{basis.name.lower()}" for basis in LegalBasis]
    wanted += [f"base.{place.name}" for place in PLACES]
    wanted += [f"trouble.{trouble}" for trouble in Trouble] + [f"emergency.act_{act}" for act in Act]
    assert [key for key in wanted if not words.has(key)] == []


def test_no_text_lies_about_unused() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    unused = [key for key in words.catalogue() if key not in text and not key.startswith(COMPUTED)]
    assert unused == []


def test_a_text_in_one_language_only_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.toml").write_text('hello = ["안녕하세요", ""]\n')
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    words.catalogue.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"page\.hello"):
            words.catalogue()
    finally:
        words.catalogue.cache_clear()


def test_a_missing_text_is_an_error_and_not_its_own_name() -> None:
    with pytest.raises(KeyError):
        words.say(Language.KO, "base.no_such_text")
