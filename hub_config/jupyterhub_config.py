"""JupyterHub's configuration: assigns and wires, decides nothing. Values come from `Settings` (config.toml)."""

from importlib.resources import files

from enclave.reserved import LOGINS
from enclave.settings import Settings
from hub_config import heard
from hub_config.authenticator import AnsimAuthenticator, AnsimOidcAuthenticator
from hub_config.own_name import keep_to_own_name
from hub_config.spawner import SealedSpawner

settings = Settings.load()
portal_origin = settings.public_url.replace("://", "://portal--service.", 1)
portal_url = f"{portal_origin}/services/portal/"
c = get_config()  # type: ignore[name-defined] # JupyterHub puts it there

# Addresses: one origin for the hub, one for the portal, one for each workspace. A page that a person's kernel
# serves can never act as an output checker.
c.JupyterHub.bind_url = f"http://127.0.0.1:{settings.front_port}"
c.JupyterHub.subdomain_host = settings.public_url
keep_to_own_name(settings.public_url, settings.hub_port)
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = settings.hub_port
c.JupyterHub.default_url = portal_url
c.JupyterHub.cookie_host_prefix_enabled = settings.public_scheme == "https"

# The proxy is a process of its own: a restart of the hub cuts nobody off.
c.ConfigurableHTTPProxy.should_start = False
# The hub gives a proxy that was restarted its routes back at this beat; by default nobody is reached for five minutes.
c.JupyterHub.last_activity_interval = 15
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
c.ConfigurableHTTPProxy.auth_token = (settings.keys / "proxy.token").read_text().strip()

# State of the hub alone.
c.JupyterHub.db_url = f"sqlite:///{settings.hub / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(settings.hub / "cookie_secret")
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = False

# People.
c.JupyterHub.authenticator_class = AnsimOidcAuthenticator if settings.oidc else AnsimAuthenticator
for name, value in (settings.oidc or {}).items():
    c.AnsimOidcAuthenticator[name] = value
c.Authenticator.allow_all = True  # the enclave's account store has decided
c.Authenticator.admin_users = set()
c.Authenticator.request_otp = not settings.oidc
c.Authenticator.otp_prompt = "2차 인증 번호 · second factor"
c.Authenticator.auto_login = bool(settings.oidc)
c.JupyterHub.template_paths = [str(files("hub_config").joinpath("templates"))]
c.JupyterHub.allow_named_servers = False
c.JupyterHub.oauth_require_pkce = True

# Workspaces.
c.JupyterHub.spawner_class = SealedSpawner
c.DockerSpawner.client_kwargs = {"base_url": f"unix://{settings.engine_socket}", "version": "1.41"}
c.DockerSpawner.pull_policy = "skip"  # the plan names an image id; the gate knows whether it is there
c.Spawner.hub_connect_url = "http://127.0.0.1:8081"  # inside the workspace: the gate's filtered relay
c.Spawner.ip = "127.0.0.1"
c.Spawner.port = 8888
c.Spawner.disable_user_config = True
c.Spawner.notebook_dir = "/home/analyst/work"
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 60
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 30, "log_function": heard.log}

# The portal: a service that the hub signs people in to.
c.JupyterHub.services = [
    {
        "name": "portal",
        "url": f"http://127.0.0.1:{settings.portal_port}",
        "api_token": (settings.keys / "portal.token").read_text().strip(),
        "oauth_client_id": "service-portal",
        "oauth_redirect_uri": f"{portal_url}oauth_callback",
        "oauth_no_confirm": True,
    },
    # The attack drill: may start, stop and enter the two workspaces that are its own, and nothing else.
    {"name": "drill", "api_token": (settings.keys / "drill.token").read_text().strip()},
]
# Not `self`, which holds `tokens`: a person needs no token of the hub's, and one that is lost opens their workspace.
c.JupyterHub.load_roles = [
    {
        "name": "user",
        "scopes": [
            "read:users:name!user",
            "read:users:groups!user",
            "servers!user",  # start and stop
            "access:servers!user",
            "users:activity!user",  # what the own server says of itself
            "access:services!service=portal",
        ],
    },
    {"name": "drilled", "users": sorted(LOGINS), "scopes": []},  # makes the two users known to the hub
    {
        "name": "drill",
        "services": ["drill"],
        "scopes": [f"{what}!user={login}" for login in sorted(LOGINS) for what in ("servers", "access:servers")],
    },
]
