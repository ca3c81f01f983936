"""The engine filter against every field and every call of the engine's interface, in every spelling we know of."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.errors import Denied
from enclave.gate.filter import CALLS, approved_body, matched
from enclave.gate.wire import Request
from enclave.workspace.engine import create_body
from enclave.workspace.plan import Mount, MountKind, WorkspacePlan
from enclave.workspace.topology import Topology, network_of
from tests.enclave.gate.hostile import ALLOWED, CONFIG, EVERY_CALL, EVIL, HOST

SEALED = WorkspacePlan(
    workspace_id="w1", project_id="p1", account_id="a1", login="kim", image_id="sha256:" + "1" * 64,
    mounts=(
        Mount(MountKind.VIEW, "/var/lib/ansim/mounted/w1/" + "ab" * 32, "/data/nafld", "ab" * 32),
        Mount(MountKind.HOME, "/var/lib/ansim/volumes/w1/home", "/home/analyst/work"),
        Mount(MountKind.OUTBOX, "/var/lib/ansim/volumes/w1/outbox", "/outbox"),
    ),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
)  # fmt: skip
BRIDGE = WorkspacePlan(**{**SEALED.__dict__, "network": network_of("p1", Topology.BRIDGE)})
PLANS = pytest.mark.parametrize("plan", [SEALED, BRIDGE], ids=["sealed", "bridge"])
TOKENS = {"JUPYTERHUB_API_TOKEN": "t0ken", "JUPYTERHUB_USER": "kim"}
# Letters that Go's reader of JSON takes for k and s (encoding/json folds them), and Python's lower() does not.
FOLDED = str.maketrans({"k": "\u212a", "K": "\u212a", "s": "\u017f", "S": "\u017f"})
SPELLINGS = [str, str.lower, str.upper, str.swapcase, str.capitalize, lambda name: name.translate(FOLDED)]


def sent(text: str, plan: WorkspacePlan) -> Any:
    """What reaches the engine, or None if it was refused."""
    try:
        return json.loads(approved_body(text.encode("utf-8", "surrogatepass"), plan.container_name, lambda *_: plan))
    except Denied:
        return None


def put(plan: WorkspacePlan, place: str, field: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(create_body(plan, TOKENS))
    (body[place] if place else body)[field] = copy.deepcopy(value)
    return body


@PLANS
@pytest.mark.parametrize(("place", "field", "value"), EVIL, ids=[f"{f}={str(v)[:24]}" for _, f, v in EVIL])
def test_no_field_of_the_engine_can_be_given_another_value(
    plan: WorkspacePlan, place: str, field: str, value: Any
) -> None:
    body = put(plan, place, field, value)
    if body == create_body(plan, TOKENS) and json.dumps(body) == json.dumps(create_body(plan, TOKENS)):
        pytest.skip("that is what this plan says")
    assert sent(json.dumps(body), plan) is None


@PLANS
@pytest.mark.parametrize(("place", "field", "value"), EVIL[::3], ids=[f for _, f, _ in EVIL[::3]])
def test_no_spelling_of_a_field_slips_through(plan: WorkspacePlan, place: str, field: str, value: Any) -> None:
    """Beside the right key, before it or after it, in the other place, escaped: never in what the engine gets."""
    ours = create_body(plan, TOKENS)
    right = json.dumps(ours)
    for spell in SPELLINGS:
        name = spell(field)
        pair = f"{json.dumps(name)}: {json.dumps(value)}"
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
        inner = json.dumps(ours["HostConfig"])
        texts = [
            right[:-1] + f", {pair}}}",
            "{" + f"{pair}, " + right[1:],
            right.replace(inner, "{" + f"{pair}, " + inner[1:]),
            right.replace(inner, inner[:-1] + f", {pair}}}"),
            right[:-1] + f', "{escaped}": {json.dumps(value)}}}',
            right[:-1] + f', "HostConfig": {{{pair}}}}}',
            right[:-1] + f', "hostconfig": {{{pair}}}}}',
        ]
        assert {sent(text, plan) is None or sent(text, plan) == ours for text in texts} == {True}
        assert [text for text in texts[:2] if sent(text, plan) is not None] == []


def test_every_field_of_ours_is_on_the_hostile_list() -> None:
    """A field that we begin to use is attacked from that day on."""
    for plan in (SEALED, BRIDGE):
        body = create_body(plan)
        assert set(body) <= set(CONFIG)
        assert set(body["HostConfig"]) <= set(HOST)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "-0", "1E0", "0x10", "01", "١", "true", "null", '"65536"'],
    ids=lambda text: text[:12],
)
def test_no_odd_number_passes_for_a_limit(text: str) -> None:
    ours = json.dumps(create_body(SEALED, TOKENS))
    for field in ("Memory", "MemorySwap", "PidsLimit", "CpuQuota", "ShmSize"):
        changed = re.sub(rf'"{field}": \d+', f'"{field}": {text}', ours)
        assert changed != ours
        assert sent(changed, SEALED) is None


def test_a_whole_number_written_otherwise_is_another_number() -> None:
    ours = json.dumps(create_body(SEALED, TOKENS))
    assert sent(ours.replace(f'"PidsLimit": {SEALED.pids}', f'"PidsLimit": {SEALED.pids}.0'), SEALED) is None
    assert sent(ours.replace('"AutoRemove": false', '"AutoRemove": 0'), SEALED) is None


@pytest.mark.parametrize(("method", "path"), EVERY_CALL, ids=[f"{m} {p}" for m, p in EVERY_CALL])
def test_of_all_calls_of_the_engine_nine_pass(method: str, path: str) -> None:
    for version in ("", "/v1.41", "/v1.12", "/v1.99"):
        request = Request(method, version + path.replace("ID", "ab" * 32), [], b"")
        if (method, path) in ALLOWED:
            assert matched(request)[0] in CALLS
        else:
            with pytest.raises(Denied):
                matched(request)


TRICKS = [
    "/v1.41/v1.41/containers/create", "//containers/create", "/v1.41//containers/create", "/v1.41/containers//create",
    "/v1.41/./containers/create", "/v1.41/x/../containers/create", "/v1.41/containers/create/",
    "/v1.41/containers/create;x", "/v1.41/containers/create%00", "/v1.41/containers/create%20",
    "/V1.41/containers/create",
    "/v1.411/containers/create", "/v1/containers/create", "/v.41/containers/create", "/v-1.41/containers/create",
    "/v1.41/CONTAINERS/create", "/v1.41/containers/cre%61te", "/v1.41/containers%2fcreate",
    "\\v1.41\\containers\\create",
    "http://engine/v1.41/containers/create", "engine/containers/create", "*", "", "/v1.41/containers/create#x",
    "/v1.41/containers/create\t", "/v1.41/containers/\u0441reate",
]  # fmt: skip


@pytest.mark.parametrize("target", TRICKS, ids=ascii)
def test_a_path_has_one_spelling(target: str) -> None:
    with pytest.raises(Denied):
        matched(Request("POST", target, [], b""))


@pytest.mark.parametrize(
    ("method", "target", "kept"),
    [
        ("POST", "/containers/create?name=a&platform=x&name=b", {"name": "b"}),
        ("POST", "/containers/create?NAME=a", {}),
        ("POST", "/containers/x/start?detachKeys=a&checkpoint=c&checkpoint-dir=/", {}),
        ("POST", "/containers/x/stop?t=-1&signal=KILL", {"t": "-1"}),
        ("DELETE", "/containers/x?link=1&v=1&force=1", {"v": "1", "force": "1"}),
        ("GET", "/containers/x/logs?follow=1&stdout=1", {"stdout": "1"}),
        ("GET", "/containers/x/json?size=1", {}),
        ("GET", "/containers/x/json?%00=1&;=2", {}),
    ],
)
def test_only_listed_parameters_go_on(method: str, target: str, kept: dict[str, str]) -> None:
    assert matched(Request(method, target, [], b""))[2] == kept


WORDS = st.sampled_from(
    sorted({word for _, path in EVERY_CALL for word in path.split("/")} | {"..", ".", "%2e%2e", "abc"})
)
PATHS = st.lists(WORDS, max_size=5).map(lambda words: "/" + "/".join(words))
TARGETS = st.builds(
    lambda version, path, query: version + path + query,
    st.sampled_from(["", "/v1.41", "/v1.24", "/v2.0", "/v1.41/v1.41"]),
    PATHS,
    st.sampled_from(["", "?name=x", "?", "?a=b&name=/..", "#", "?x#y"]),
)
SAFE = re.compile(r"/containers/(create|[A-Za-z0-9][A-Za-z0-9_.-]*(/(json|start|stop|wait|logs))?)|/_ping|/version")


@settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "get"]), TARGETS)
def test_whatever_passes_is_one_of_the_nine(method: str, target: str) -> None:
    try:
        call, _, parameters = matched(Request(method, target, [], b""))
    except Denied:
        return
    assert CALLS[call][0] == method
    assert set(parameters) <= CALLS[call][2]
    assert SAFE.fullmatch(re.sub(r"^/v1\.\d\d", "", target).partition("?")[0])


VALUES = (
    st.sampled_from([value for _, _, value in EVIL]) | st.none() | st.booleans() | st.integers() | st.text(max_size=8)
)
NAMES = st.sampled_from([field for _, field, _ in EVIL])


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    st.sampled_from([SEALED, BRIDGE]),
    st.lists(st.tuples(st.sampled_from(["", "HostConfig"]), NAMES, VALUES, st.sampled_from(SPELLINGS)), max_size=4),
)
def test_any_mixture_of_fields_is_the_plan_or_nothing(
    plan: WorkspacePlan, changes: list[tuple[str, str, Any, Any]]
) -> None:
    body = copy.deepcopy(create_body(plan, TOKENS))
    for place, field, value, spell in changes:
        target = body.get(place) if place else body
        if isinstance(target, dict):
            target[spell(field)] = copy.deepcopy(value)
    assert sent(json.dumps(body), plan) in (None, create_body(plan, TOKENS))
