"""The seal in each page of a workspace: one style and one script of the gate's own, before anything of the page.

A second fence only. It lies on the workspace's origin, so script from a kernel can undo it; the watermark that counts
lies in the portal's desk page around the frame.
"""

from __future__ import annotations

import html
import json
import re

from enclave.gate.door.visit import Visit

HEAD = re.compile(rb"<head(\s[^>]*)?>", re.IGNORECASE)
DOCTYPE = b"<!doctype html>"


def seal(visit: Visit, document: bytes) -> bytes:
    """Put style and script at the beginning of the document's head; one is made where there is none."""
    found = HEAD.search(document)
    tags = seal_tags(visit)
    if found is None:
        return DOCTYPE + b"<head>" + tags + b"</head>" + document
    return document[: found.end()] + tags + document[found.end() :]


def seal_tags(visit: Visit) -> bytes:
    """Return the two tags, with what the script must know: who, where, which project, how much may be copied."""
    plan = visit.doorway.plan
    facts = {
        "login": plan.login,
        "project": plan.project_id,
        "seat": visit.doorway.screens.of(plan.workspace_id).seat,
        "clipboard": plan.clipboard_chars,
        "desk": visit.doorway.addresses.portal_origin,
    }
    base = f"/user/{plan.login}/ansim"
    data = html.escape(json.dumps(facts), quote=True)
    style = f'<link rel="stylesheet" href="{base}/seal.css">'
    return f'{style}<script src="{base}/seal.js" data-facts="{data}"></script>'.encode()
