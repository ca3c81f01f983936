"""A resolved list as reviewers see it: a lock by hash, with licence, age and known advisories of each wheel. Pure."""

from __future__ import annotations

import hashlib
from datetime import date

from enclave.airlock.report import Evidence, FileReport, Finding, Severity, Status
from enclave.packages.advisories import Advisories
from enclave.packages.index import Wheel
from enclave.packages.resolve import Resolved

NAME = "packages.lock"
HEAD = ("package", "version", "licence", "uploaded", "advisories", "bytes", "sha256")
# A release that nobody has had time to look at (attacks on package indexes are mostly found within days).
YOUNG_DAYS = 14
MOST_ROWS = 2_000


def report(resolved: Resolved, advisories: Advisories, today: date) -> FileReport:
    """Return the report on the lock of a resolved list."""
    lock = resolved.lock.encode()
    wheels = sorted(resolved.wheels, key=lambda each: each.name)
    rows = [_row(wheel, advisories) for wheel in wheels[:MOST_ROWS]]
    findings = [finding for wheel in wheels for finding in _findings(wheel, advisories, today)]
    if not advisories.given:
        findings.append(
            _warn(
                "packages.no-advisories",
                "취약점 자료가 없어 대조하지 못했습니다.",
                "No advisories to compare with.",
                "",
            )
        )
    return FileReport(
        name=NAME,
        sha256=hashlib.sha256(lock).hexdigest(),
        kind="packages",
        findings=tuple(findings[:200]),
        rows=len(wheels),
        evidence=(
            Evidence(
                kind="packages",
                title_ko=f"휠 {len(wheels)}개",
                title_en=f"{len(wheels)} wheels",
                status=Status.NONE,
                rows=(HEAD, *rows),
            ),
        ),
    )


def _row(wheel: Wheel, advisories: Advisories) -> tuple[str, ...]:
    known = ", ".join(advisories.of(wheel.name, wheel.version)) or ("-" if advisories.given else "?")
    size = str(wheel.size) if wheel.size else "?"
    return wheel.name, wheel.version, wheel.licence or "?", wheel.uploaded_on or "?", known, size, wheel.sha256


def _findings(wheel: Wheel, advisories: Advisories, today: date) -> list[Finding]:
    found, place = [], f"{wheel.name}=={wheel.version}"
    if known := advisories.of(wheel.name, wheel.version):
        which = ", ".join(known)[:200]
        found.append(_warn("packages.advisory", f"알려진 취약점: {which}", f"Known advisories: {which}", place))
    if not wheel.licence:
        found.append(_warn("packages.licence", "라이선스를 알 수 없습니다.", "Its licence is unknown.", place))
    if wheel.uploaded_on and (today - date.fromisoformat(wheel.uploaded_on)).days < YOUNG_DAYS:
        found.append(
            _warn(
                "packages.young",
                f"{wheel.uploaded_on}에 올라온 새 판입니다.",
                f"Released on {wheel.uploaded_on}.",
                place,
            )
        )
    return found


def _warn(rule: str, ko: str, en: str, place: str) -> Finding:
    return Finding(rule=rule, severity=Severity.WARN, ko=ko, en=en, place=place)
