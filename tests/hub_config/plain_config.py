"""Our hub's configuration with servers that need no engine, and one administrator whom nobody should have made."""

import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

from enclave.settings import Settings

HERE = Path(__file__).parent
load_subconfig(str(HERE.parents[1] / "hub_config/jupyterhub_config.py"))  # type: ignore[name-defined] # noqa: F821 - JupyterHub puts it there
c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub puts it there
settings = Settings.load()
# Nobody is to find a server of the test's afterwards.
c.JupyterHub.cleanup_servers = True
c.JupyterHub.spawner_class = SimpleLocalProcessSpawner
c.SimpleLocalProcessSpawner.home_dir_template = str(settings.hub / "{username}")
c.Spawner.cmd = [sys.executable, str(HERE / "plain_server.py")]
c.Spawner.args = []
c.Spawner.hub_connect_url = f"http://127.0.0.1:{settings.hub_port}"
c.Spawner.port = 0
c.Spawner.notebook_dir = ""
c.Spawner.default_url = "/"
c.JupyterHub.load_roles = [
    *c.JupyterHub.load_roles,
    {"name": "snoop", "users": ["snoop"], "scopes": ["servers", "access:servers", "list:users", "read:users"]},
]
