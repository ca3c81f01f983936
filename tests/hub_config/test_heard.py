"""What the hub tells of the requests it finished: real handlers and rows of JupyterHub's own, without a running hub."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from jupyterhub import orm
from jupyterhub.apihandlers.auth import OAuthTokenHandler
from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.objects import Hub
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from hub_config.closed import ClosedHandler
from hub_config.heard import Heard, heard_of


class Line:
    """What tornado needs of a connection."""

    def set_close_callback(self, _call: object) -> None:
        pass


@pytest.fixture
def db() -> Any:
    session = orm.new_session_factory("sqlite:///:memory:")()
    orm.Base.metadata.create_all(session.get_bind())
    for name in ("mina", "jiwoo"):
        session.add(orm.User(name=name))
    session.add(orm.Service(name="drill"))
    for client in ("service-portal", "jupyterhub-user-mina"):
        session.add(orm.OAuthClient(identifier=client))
    session.commit()
    yield session
    session.close()


def finished(
    db: Any, kind: type, path: str, status: int, *, user: Any = None, form: dict[str, str] | None = None
) -> Any:
    request = HTTPServerRequest(
        start_line=RequestStartLine("POST", path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "127.0.0.1"}),
        body=urlencode(form or {}).encode(),
        connection=Line(),  # type: ignore[arg-type]
    )
    request.body_arguments = {name: [value.encode()] for name, value in (form or {}).items()}
    request.arguments = dict(request.body_arguments)
    handler = kind(Application([], db=db, hub=Hub()), request)
    handler.set_status(status)
    handler._jupyterhub_user = user  # what its `prepare` finds out from the cookie or token
    return handler


def token(db: Any, login: str, client: str) -> Any:
    user = orm.User.find(db, login)
    user.new_api_token(generated=True) if not client else db.add(
        orm.APIToken(prefix=login, hashed=f"{login}{client}", user=user, client_id=client)
    )
    db.commit()
    return finished(db, OAuthTokenHandler, "/hub/api/oauth2/token", 200, form={"client_id": client})


TOKENS = {
    "for the portal": ("mina", "service-portal", Heard("token-issued", "mina", "portal")),
    "for one's own workspace": ("mina", "jupyterhub-user-mina", Heard("token-issued", "mina", "workspace")),
    "for somebody else's": ("jiwoo", "jupyterhub-user-mina", Heard("admin-access", "jiwoo", "workspace")),
}


@pytest.mark.parametrize("case", TOKENS)
def test_a_token_is_told_with_whose_it_is_and_for_which_door(db: Any, case: str) -> None:
    login, client, told = TOKENS[case]
    assert heard_of(token(db, login, client)) == told


def test_a_code_that_was_refused_gives_no_token_to_tell(db: Any) -> None:
    form = {"client_id": "service-portal"}
    assert heard_of(finished(db, OAuthTokenHandler, "/hub/api/oauth2/token", 401, form=form)) is None
    assert heard_of(finished(db, OAuthTokenHandler, "/hub/api/oauth2/token", 200, form=form)) is None


REQUESTS = {
    "somebody else's server": (UserServerAPIHandler, "/hub/api/users/jiwoo/server", 404, "mina", "api/users"),
    "a spawn page of another": (SpawnHandler, "/hub/spawn/jiwoo", 403, "mina", "spawn"),
    "one's own": (UserServerAPIHandler, "/hub/api/users/mina/server", 201, "mina", None),
    "hidden as not found": (SpawnHandler, "/hub/spawn-pending/jiwoo", 404, "mina", "spawn-pending"),
    "a page that is not there": (SpawnHandler, "/hub/home/x", 404, "mina", None),
    "nobody": (SpawnHandler, "/hub/spawn/jiwoo", 403, None, None),
    "told by the closed door itself": (ClosedHandler, "/hub/user/x", 403, "mina", None),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_a_refusal_of_a_signed_in_person_is_told_without_what_they_asked_for(db: Any, case: str) -> None:
    kind, path, status, login, route = REQUESTS[case]
    user = orm.User.find(db, login) if login else None
    heard = heard_of(finished(db, kind, path, status, user=user))
    assert (heard and (heard.event, heard.login, heard.route)) == (route and ("access-refused", login, route))
    assert heard is None or "jiwoo" not in repr(heard)


SERVERS = {
    "started": (UserServerAPIHandler, "POST", "/hub/api/users/jiwoo/server", 201, "admin-start"),
    "stopped": (UserServerAPIHandler, "DELETE", "/hub/api/users/jiwoo/server", 204, "admin-stop"),
    "started from the page": (SpawnHandler, "GET", "/hub/spawn/jiwoo", 302, "admin-start"),
    "refused": (UserServerAPIHandler, "POST", "/hub/api/users/jiwoo/server", 403, "access-refused"),
    "one's own": (UserServerAPIHandler, "POST", "/hub/api/users/mina/server", 201, None),
    "one's own, spelt otherwise": (UserServerAPIHandler, "POST", "/hub/api/users/m%69na/server", 201, None),
    "only looked at": (SpawnHandler, "GET", "/hub/spawn-pending/jiwoo", 200, None),
}


@pytest.mark.parametrize("case", SERVERS)
def test_who_starts_or_stops_somebody_elses_server_is_told_as_an_administrator(db: Any, case: str) -> None:
    kind, method, path, status, event = SERVERS[case]
    handler = finished(db, kind, path, status, user=orm.User.find(db, "mina"))
    handler.request.method = method
    heard = heard_of(handler)
    assert (heard and heard.event) == event


def test_a_service_is_no_person(db: Any) -> None:
    service = orm.Service.find(db, "drill")
    assert heard_of(finished(db, UserServerAPIHandler, "/hub/api/users/x/server", 403, user=service)) is None
