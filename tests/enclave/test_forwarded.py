"""Nobody can write themselves another address: what a browser sends stands before what our own proxies add."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.forwarded import client_address, plain

SEEN = "203.0.113.7"
SENT = st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40), max_size=4)


@given(SENT)
def test_whatever_a_browser_sends_the_address_our_proxy_saw_counts(sent: list[str]) -> None:
    through_the_proxy = ",".join([*sent, SEEN])
    assert client_address([through_the_proxy], "127.0.0.1", 0) == SEEN
    assert client_address([*sent, SEEN], "127.0.0.1", 0) == SEEN


@given(SENT)
def test_behind_a_proxy_for_tls_the_address_that_one_saw_counts(sent: list[str]) -> None:
    assert client_address([",".join([*sent, SEEN, "10.0.0.2"])], "127.0.0.1", 1) == SEEN


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        ([], 0, "127.0.0.1"),
        ([], 2, "127.0.0.1"),
        (["203.0.113.7"], 1, ""),
        (["203.0.113.7:4711"], 0, ""),
        (["unknown"], 0, ""),
        ([""], 0, ""),
        (["::ffff:203.0.113.7"], 0, SEEN),
        (["2001:DB8::0:1"], 0, "2001:db8::1"),
        (["fe80::1%eth0"], 0, ""),
    ],
)
def test_an_address_has_one_spelling_and_a_missing_one_is_nobodys(
    forwarded: list[str], hops: int, address: str
) -> None:
    assert client_address(forwarded, "127.0.0.1", hops) == address


def test_a_name_is_no_address() -> None:
    assert plain("console") == ""
