"""Something new is asked for by its kind: whatever else a body says, it does not pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.gate.door.untitled import EXTENSION, KINDS, is_untitled

HERE = "api/contents/a/가"
MORE: dict[str, bytes] = {
    "a text": b'{"type": "file", "path": "a/\xea\xb0\x80", "content": "x"}',
    "its form": b'{"type": "file", "format": "text"}',
    "another kind": b'{"type": "script"}',
    "no kind": b'{"type": null}',
    "another folder": b'{"type": "directory", "path": "b"}',
    "a folder above": b'{"type": "directory", "path": "a/../b"}',
    "an ending that is a way": b'{"type": "file", "ext": ".d/../../x.py"}',
    "an ending that is a text": b'{"type": "file", "ext": ".import os"}',
    "a long ending": b'{"type": "file", "ext": ".%s"}' % (b"x" * 17),
    "a copy and a text": b'{"copy_from": "b.py", "content": "x"}',
    "a copy and a kind": b'{"copy_from": "b.py", "type": "file"}',
    "a copy of nothing": b'{"copy_from": ""}',
    "a copy of much": b'{"copy_from": "%s"}' % (b"x" * 4097),
    "a copy of a list": b'{"copy_from": ["b.py"]}',
    "a name twice": b'{"type": "file", "type": "directory"}',
    "a list": b'["directory"]',
    "nothing": b"null",
    "no JSON": b"import os",
    "two values": b'{"type": "file"} {"content": "x"}',
    "another encoding": '{"type": "file"}'.encode("utf-16"),
}


@pytest.mark.parametrize("case", MORE)
def test_a_body_that_says_more_is_refused(case: str) -> None:
    assert not is_untitled(HERE, MORE[case])


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"type": "directory", "path": "/a/\\uac00/"}'])
def test_a_body_that_says_no_more_is_not(body: bytes) -> None:
    assert is_untitled(HERE, body)


NAMES = st.sampled_from(["type", "path", "ext", "copy_from", "content", "format", "name", "chunk"]) | st.text(
    max_size=5
)
WORDS = st.sampled_from([*KINDS, "a/가", ".py", "", "b.py"]) | st.text(max_size=20)
BODIES = st.dictionaries(NAMES, WORDS | st.none() | st.integers() | st.lists(WORDS, max_size=2), max_size=4)


@given(BODIES)
def test_whatever_passes_is_a_kind_an_ending_and_this_folder_or_a_copy(model: dict[str, Any]) -> None:
    if not is_untitled(HERE, json.dumps(model).encode()):
        return
    if "copy_from" in model:
        assert set(model) == {"copy_from"}
        return
    assert set(model) <= {"type", "path", "ext"}
    assert model.get("type", "file") in KINDS
    assert model.get("path", "a/가").strip("/") == "a/가"
    assert EXTENSION.fullmatch(model.get("ext", ""))
    assert "/" not in model.get("ext", "")


@given(st.binary(max_size=200))
def test_bytes_at_random_never_pass_but_as_json(data: bytes) -> None:
    if data.strip() and is_untitled(HERE, data):
        assert isinstance(json.loads(data), dict)
