"""An `EnclaveError` as the hub's pages show it: Korean first, English below, the code for whoever is asked for help."""

from __future__ import annotations

from html import escape
from typing import Any, cast

from jupyterhub.spawner import SpawnException
from tornado.web import HTTPError

from enclave.errors import EnclaveError


def as_html(error: EnclaveError) -> str:
    """Return the reason and the remedy in both languages; every text is escaped."""
    return (
        f'<strong lang="ko">{escape(error.ko)}</strong><br><span lang="ko">{escape(error.remedy_ko)}</span>'
        f'<br><br><span lang="en">{escape(error.en)} {escape(error.remedy_en)}</span>'
        f"<br><br><code>{escape(error.code)}</code>"
    )


def spawn_refused(error: EnclaveError) -> SpawnException:
    """Return what ends a start: the hub shows the reason with the error's own status, not a 500."""
    text = f"{error.ko} {error.remedy_ko} ({error.code})".strip()
    refused: Any = SpawnException(text, reason=error.code, message_html=as_html(error), status_code=error.status)
    # The page that waits for a start reads these and no others: a start that fails late would show no reason.
    refused.jupyterhub_message, refused.jupyterhub_html_message = text, as_html(error)
    return cast(SpawnException, refused)


def page_refused(error: EnclaveError) -> HTTPError:
    """Return what ends a page: the hub's error page with the reason."""
    refused: Any = HTTPError(error.status, error.en.replace("%", "%%"))
    refused.jupyterhub_message = f"{error.ko} {error.remedy_ko}"
    refused.jupyterhub_html_message = as_html(error)
    return cast(HTTPError, refused)
