"""Signing in through an identity provider, by configuration alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub_config.conftest import HubWorld, make_hub
from tests.hub_config.core_book import refusal
from tests.hub_config.oidc_provider import Provider
from tests.ports import free_port

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def oidc_hub(provider: Provider) -> Iterator[HubWorld]:
    port = free_port()
    callback = f"http://ansim.localhost:{port}/hub/oauth_callback"
    with make_hub(public_port=port, oidc=provider.settings(callback)) as made:
        yield made


def test_the_claim_names_the_account_and_no_password_is_asked(oidc_hub: HubWorld, provider: Provider) -> None:
    provider.subject = "kim"
    answer = oidc_hub.session("kim").http.get(f"{oidc_hub.public}/hub/login")
    assert answer.status_code == 200, answer.text
    assert answer.text == "recorded"  # the portal's own page
    ((path, told),) = [each for each in oidc_hub.core.told if each[1].get("subject") == "kim"]
    assert (path, told["ip"]) == ("/login/oidc", "127.0.0.1")
    assert len(told["browser"]) == 32  # which browser, for the account's one seat


def test_somebody_the_provider_knows_but_the_enclave_does_not_is_refused_with_the_reason(
    oidc_hub: HubWorld, provider: Provider
) -> None:
    provider.subject = "stranger"
    oidc_hub.core.refusals["oidc"] = refusal("account.wrong")
    answer = oidc_hub.session("stranger").http.get(f"{oidc_hub.public}/hub/login")
    del oidc_hub.core.refusals["oidc"]
    assert answer.status_code == 403
    assert "account.wrong" in answer.text
    assert "이렇게 하세요" in answer.text
