"""Settings of the notebook server inside a workspace; mounted read-only at /etc/jupyter.

The server runs as the person's own user, so these settings make the interface honest and protect the server from
its kernels; what must hold holds in the gate. Source: jupyter_server's configuration reference.
"""

import ctypes
import os
from urllib.parse import unquote

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints

PR_SET_DUMPABLE = 4
# /proc/<server>/mem and ptrace are closed to the person's kernels; kernels are new programs and stay as they are.
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

WORK = "/home/analyst/work"
REFUSED = ("files", "view", "nbconvert", "api/nbconvert", "proxy", "lsp", "api/shutdown")


class SealedAuthorizer(Authorizer):
    """Refuses the ways on which files leave a notebook server."""

    def is_authorized(self, handler, user, action, resource):  # noqa: ANN001, ANN201, ARG002 - Jupyter's signature
        """Answer whether this request may be served."""
        path = handler.request.path.removeprefix(handler.base_url.rstrip("/")).strip("/")
        if any(path == route or path.startswith(f"{route}/") for route in REFUSED):
            return False
        wanted = handler.request.query_arguments
        if path.startswith("api/contents"):
            plain = wanted.get("format") != [b"base64"] and "download" not in wanted
            return plain and stays_at_home(unquote(path.removeprefix("api/contents").strip("/")))
        return True


def stays_at_home(name):  # noqa: ANN001, ANN201 - this file runs in the image, like Jupyter's own configuration
    """Say whether a file below the work folder really lies there: a link may lead anywhere."""
    root = os.path.realpath(WORK)
    return os.path.commonpath([root, os.path.realpath(os.path.join(root, name))]) == root  # noqa: PTH118


class Checkpoints(AsyncFileCheckpoints):
    """Knows that a file may get another name between the look for its checkpoint and the question for its time.

    jupyter_server 2.21 answers 500 then; JupyterLab asks so whenever a new file gets its name at its first saving.
    """

    async def list_checkpoints(self, path):  # noqa: ANN001, ANN201 - Jupyter's signature
        """Return the one checkpoint of a file, or none."""
        try:
            return await super().list_checkpoints(path)
        except FileNotFoundError:
            return []


# JupyterLab needs 'unsafe-inline' and 'unsafe-eval': this stops beacons, not script.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self' blob:; "
    "worker-src 'self' blob:; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'"
)

c = get_config()
c.ServerApp.authorizer_class = SealedAuthorizer
c.AsyncContentsManager.checkpoints_class = Checkpoints
c.ServerApp.allow_unauthenticated_access = False
c.ServerApp.quit_button = False
# What is typed is recorded and what is printed is counted on the way, in the gate.
c.ServerApp.terminals_enabled = True
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
c.ServerApp.root_dir = WORK
c.ServerApp.jpserver_extensions = {
    "jupyterlab": True,
    "ansim.lab": True,
    "jupyter_lsp": False,
    "jupyter_server_terminals": True,
    "notebook_shim": False,
    "nbclassic": False,
}
c.ServerApp.tornado_settings = {
    "headers": {
        "Content-Security-Policy": CSP,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
}
c.KernelManager.transport = "ipc"
c.LabApp.extension_manager = "readonly"
c.LabApp.check_for_updates_class = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
c.LabApp.news_url = None
