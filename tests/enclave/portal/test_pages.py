"""Every page, for everybody it is meant for, in both languages."""

from __future__ import annotations

import pytest

from tests.enclave.portal.world import ROOT, SMALL, TABLE, World, picture

WATCHED = ["/code", "/code/{code}", "/code/{code}/text", "/findings", "/findings/{finding}",
           "/findings/{finding}/samples"]  # fmt: skip
PAGES = {
    "jiwoo": [
        "/",
        "/gpu",
        "/password",
        "/apply",
        "/projects/{project}",
        "/datasets",
        "/snapshots/{snapshot}",
        "/snapshots/{snapshot}/figures",
        "/releases",
        "/projects/{project}/imports",
        "/projects/{project}/packages",
    ],
    "suyeon": [
        "/",
        "/snapshots/{snapshot}",
        "/snapshots/{snapshot}/figures",
        "/snapshots/{snapshot}/releases",
        "/snapshots/{snapshot}/record",
        "/metrics",
        "/policies",
        "/columns",
        "/columns/{project}",
        "/projects/{project}",
    ],
    "dahye": ["/", "/metrics", "/review", "/review/{request}", "/projects/{project}"],
    "mina": ["/", "/gpu", "/review/{request}"],
    "operator": ["/", "/incidents", "/gpu", "/accounts", "/accounts/mina"],
    "sora": [
        "/",
        "/metrics?days=365",
        "/periods",
        "/limits",
        "/reports",
        "/explain",
        "/code",
        "/code/{code}",
        "/findings",
        "/findings/{finding}",
    ],
    "haneul": [
        "/",
        "/policies",
        "/gpu",
        "/log",
        "/log/0",
        "/log/activity",
        "/log/exports",
        "/accounts",
        "/review/{request}",
        "/projects/{project}",
        *WATCHED,
    ],
}


@pytest.mark.parametrize("login", PAGES)
def test_every_page_opens_in_both_languages(world: World, login: str) -> None:
    request = world.submit({"표2.csv": TABLE.encode(), "작은칸.csv": SMALL.encode(), "그림.png": picture()})
    seen = world.watched()
    world.publish_log()
    browser = world.browser(login)
    for pattern in PAGES[login]:
        path = ROOT + pattern.format(project=world.project_id, snapshot=world.snapshot_id, request=request, **seen)
        for language in ("ko", "en"):
            answer = browser.get(path, params={"lang": language})
            assert answer.status_code == 200, (path, answer.text[-1500:])
            assert f'<html lang="{language}">' in answer.text
