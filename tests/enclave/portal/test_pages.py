"""Every page, for everybody it is meant for, in both languages."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.queries import egress
from tests.enclave.portal.world import ROOT, SMALL, TABLE, World, picture

WATCHED = ["/code", "/code/{code}", "/code/{code}/text", "/findings", "/findings/{finding}",
           "/findings/{finding}/samples"]  # fmt: skip
PAGES = {
    "jiwoo": ["/", "/gpu", "/apply", "/projects/{project}", "/datasets", "/snapshots/{snapshot}", "/releases"],
    "suyeon": ["/", "/columns", "/columns/{project}", "/projects/{project}"],
    "dahye": ["/", "/review", "/review/{request}", "/projects/{project}"],
    "mina": ["/", "/gpu", "/review/{request}"],
    "operator": ["/", "/gpu", "/accounts", "/accounts/mina"],
    "sora": ["/", "/code", "/code/{code}", "/findings", "/findings/{finding}"],
    "haneul": ["/", "/gpu", "/log", "/log/0", "/accounts", "/review/{request}", "/projects/{project}", *WATCHED],
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


def test_a_picture_asked_for_by_its_address_alone_leaves_an_entry_too(world: World) -> None:
    request = world.submit({"그림.png": picture()})
    (file,) = egress.request(world.store, world.actor("dahye"), request, now=clock.now()).files
    browser = world.browser("dahye")

    def looks() -> int:
        with world.store.read() as rows:
            return sum(
                b'"egress.view"' in data for data in rows.connection().execute(select(audit_entry.c.bytes)).scalars()
            )

    before = looks()
    assert browser.get(f"{ROOT}/review/{request}/picture/{file.id}").status_code == 200
    assert looks() == before + 1


def test_a_checker_is_told_how_much_of_a_file_the_preview_leaves_out(world: World) -> None:
    lines = "".join(f"결과 {i}번째 문장입니다.\n" for i in range(260)).encode()
    wide = (",".join(f"평균{i}" for i in range(40)) + "\n" + ",".join(["1.5"] * 40) + "\n").encode()
    request = world.submit({"글.txt": lines, "넓은표.csv": wide})
    page = world.browser("dahye").get(f"{ROOT}/review/{request}?lang=en").text
    assert "First 200 of 260 rows" in page
    assert "first 30 of 40 columns" in page
