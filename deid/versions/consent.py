"""Consent as a recipe states it, and who withdrew it (개인정보 보호법 제37조; korea.md R97).

Where people's consent is the legal basis, a recipe names its version, what it covers and until when it holds; after
that nothing is built from it, and the enclave ends what was mounted. `withdrawals:` names the feed: whoever is in it is
in no later version, whatever the basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from deid.errors import GateFailed
from deid.recipe_yaml import Node
from deid.versions.alike import ALIKE, SPELLINGS
from deid.versions.recalls import ENDS, NOW

SEOUL = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Consent:
    """Version of the consent form, what it covers (Korean, English), and the last day on which it holds (Seoul)."""

    version: str
    scope_ko: str
    scope_en: str
    expires: date

    def plain(self) -> dict[str, str]:
        """Give it in plain values, for the manifest."""
        return {
            "version": self.version,
            "scope_ko": self.scope_ko,
            "scope_en": self.scope_en,
            "expires": self.expires.isoformat(),
        }


@dataclass(frozen=True)
class Feed:
    """Where withdrawals are listed: a CSV file beside the tables (never in a snapshot), ids of which domain.

    `mounts_end`: what runs with an older version that holds one of them ends `now`, or at its `next-start`.
    `spellings`: whether an id in another spelling is the same person (`spellings.py`).
    """

    file: str
    domain: str
    mounts_end: str = NOW
    spellings: str = ALIKE


@dataclass(frozen=True)
class Terms:
    """What a recipe says of consent and withdrawal; each may be absent."""

    consent: Consent | None = None
    feed: Feed | None = None


def parse_terms(consent: Node | None, feed: Node | None, domains: tuple[str, ...]) -> Terms:
    """Read `consent:` and `withdrawals:`; `domains` are those of the tables' patients. Raises `RecipeError`."""
    if consent is not None and feed is None:
        consent.fail(
            "consent",
            "동의에 근거한 자료에는 withdrawals(철회 목록)가 있어야 합니다.",
            "consent needs `withdrawals`, the list of those who withdrew it.",
            remedy=("withdrawals: 파일이름.csv 를 더하세요.", "Add `withdrawals: file.csv`."),
        )
    return Terms(_consent(consent) if consent else None, _feed(feed, domains) if feed else None)


def check_consent(consent: Consent | None, dataset: str, now: datetime) -> None:
    """Raise `GateFailed` (`deid.gate-consent`) after the last day on which the consent holds."""
    if consent is None or now.astimezone(SEOUL).date() <= consent.expires:
        return
    day = consent.expires.isoformat()
    raise GateFailed(
        "consent",
        (dataset, ""),
        0,
        (
            f"동의({consent.version})가 {day}에 끝났습니다.",
            f"the consent ({consent.version}) ended on {day}.",
        ),
        remedy=(
            "동의를 새로 받은 사람만 담은 원본과 새 판, 기한을 계획에 쓰세요.",
            "Name a new version and expiry, with a source of the people who consented anew.",
        ),
    )


def _consent(node: Node) -> Consent:
    fields = node.fields(("version", "scope", "expires"))
    scope = fields["scope"]
    if scope.is_mapping():
        words = scope.fields(("ko", "en"))
        ko, en = words["ko"].text(), words["en"].text()
    else:
        ko = en = scope.text()
    return Consent(fields["version"].text(), ko, en, _day(fields["expires"]))


def _feed(node: Node, domains: tuple[str, ...]) -> Feed:
    fields = node.fields(("file",), ("domain", "mounts_end", "spellings")) if node.is_mapping() else {"file": node}
    name = fields["file"].text()
    if Path(name).name != name or name.startswith("."):
        fields["file"].fail("file", "폴더 없이 파일 이름만 쓰세요.", "a plain file name without folders is expected.")
    ends = fields["mounts_end"].one_of(ENDS) if "mounts_end" in fields else NOW
    spellings = fields["spellings"].one_of(SPELLINGS) if "spellings" in fields else ALIKE
    if "domain" in fields:
        return Feed(name, fields["domain"].one_of(domains), ends, spellings)
    if len(domains) > 1:
        node.fail("domain", "어느 번호인지 domain으로 정하세요.", f"say in `domain` whose ids: {', '.join(domains)}.")
    return Feed(name, domains[0], ends, spellings)


def _day(node: Node) -> date:
    try:
        return date.fromisoformat(node.text())
    except ValueError:
        node.fail("date", "날짜는 2027-12-31처럼 씁니다.", "a date is written like 2027-12-31.")
