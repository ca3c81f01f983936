"""The portal's public face: pages, REST and the workspaces' API in one ASGI application.

Start reading here; each page is one file in `pages/`, each door one file beside this one. None of them holds a rule:
they read with `enclave.queries`, act with `enclave.commands` and show what those refuse.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from enclave.portal import (
    failures,
    rest,
    rest_ends,
    rest_frames,
    rest_imports,
    rest_incidents,
    rest_log,
    rest_policies,
    rest_requests,
    rest_samples,
    rest_snapshots,
    rest_view,
    rest_watch,
    workspace_api,
    workspace_gpu,
    workspace_repair,
)
from enclave.portal.doors import OneHost
from enclave.portal.forms import BodyLimit
from enclave.portal.headers import SafeHeaders
from enclave.portal.pages import (
    accounts,
    apply,
    certificates,
    code,
    columns,
    datasets,
    desk,
    display,
    drills,
    emergency,
    ends,
    frame_sample,
    frozen,
    gpu,
    home,
    imports,
    incidents,
    log,
    log_entry,
    log_exports,
    log_plots,
    logreview,
    metrics,
    packages,
    password,
    policies,
    project,
    publication,
    releases,
    retention,
    review,
    review_forms,
    review_limits,
    seat,
    sign_in,
    text_sample,
    viewer,
)
from enclave.portal.parts import Portal
from enclave.portal.render import FOLDER

PAGES = (
    home,
    desk,
    seat,
    sign_in,
    password,
    apply,
    project,
    columns,
    review,
    review_forms,
    viewer,
    metrics,
    releases,
    datasets,
    publication,
    frame_sample,
    text_sample,
    log,
    logreview,
    review_limits,
    retention,
    log_plots,
    log_exports,
    log_entry,  # last: any other name below /log is an entry's
    accounts,
    code,
    display,
    gpu,
    ends,
    emergency,
    frozen,
    certificates,
    drills,
    imports,
    packages,
    policies,
    incidents,
)


def create(portal: Portal) -> ASGIApp:
    """Return the application with its wrappers: headers outermost, so that refusals carry them too."""
    root = portal.root
    app = FastAPI(
        title="Ansim",
        version="1",
        openapi_url=f"{root}/api/v1/openapi.json",
        docs_url=None,  # the usual documentation pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.portal = portal
    for page in PAGES:
        app.include_router(page.router, prefix=root, include_in_schema=False)
    app.include_router(rest.router, prefix=f"{root}/api/v1")
    app.include_router(rest_log.router, prefix=f"{root}/api/v1")
    app.include_router(rest_requests.router, prefix=f"{root}/api/v1")
    app.include_router(rest_ends.router, prefix=f"{root}/api/v1")
    app.include_router(rest_view.router, prefix=f"{root}/api/v1")
    app.include_router(rest_watch.router, prefix=f"{root}/api/v1")
    app.include_router(rest_imports.router, prefix=f"{root}/api/v1")
    app.include_router(rest_policies.router, prefix=f"{root}/api/v1")
    app.include_router(rest_incidents.router, prefix=f"{root}/api/v1")
    app.include_router(rest_snapshots.router, prefix=f"{root}/api/v1")
    app.include_router(rest_samples.router, prefix=f"{root}/api/v1")
    app.include_router(rest_frames.router, prefix=f"{root}/api/v1")
    app.include_router(workspace_api.router, prefix="/api/workspace/v1")
    app.include_router(workspace_gpu.router, prefix="/api/workspace/v1")
    app.include_router(workspace_repair.router, prefix="/api/workspace/v1")
    app.add_api_route(f"{root}/health", health, include_in_schema=False)
    app.mount(f"{root}/static", StaticFiles(directory=FOLDER.parent / "static"))
    failures.install(app)
    free = frozenset({f"{root}/health"})
    return SafeHeaders(BodyLimit(OneHost(app, root=root, host=portal.host, free=free)), https=portal.https)


def health() -> PlainTextResponse:
    """Say that the process answers; nothing about what is inside."""
    return PlainTextResponse("ok\n")
