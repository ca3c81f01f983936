"""Files of the image, answered by the gate: none of these bytes comes from the workspace."""

from __future__ import annotations

import asyncio

import h11

from enclave.gate.assets import Asset, Assets
from enclave.gate.door import headers
from enclave.gate.door.passing import say
from enclave.gate.door.refused import explain
from enclave.gate.door.visit import Visit
from enclave.gate.exchange import CLOSE

OK, NOT_MODIFIED, NOT_FOUND = 200, 304, 404
# The address of a file names its content only where JupyterLab appended a version; the others are asked for again.
FOR_GOOD, AGAIN = b"private, max-age=604800, immutable", b"private, no-cache"


async def give(visit: Visit, assets: Assets) -> None:
    """Answer one request for a file of the workspace's image."""
    asset = assets.find(visit.doorway.plan.image_id, visit.target.path)
    if asset is None:
        await say(visit, explain(visit, NOT_FOUND, "missing"))
    else:
        await _send(visit, asset)


async def _send(visit: Visit, asset: Asset) -> None:
    etag = f'"{asset.sha256[:32]}"'
    fresh = visit.header(b"if-none-match") == etag
    body = b"" if fresh else await asyncio.to_thread(asset.path.read_bytes)
    versioned = any(name == "v" for name, _ in visit.target.query)
    kept = [
        *headers.of_answer([(b"content-type", asset.content_type.encode())], framed=visit.framed),
        (b"etag", etag.encode()),
        (b"cache-control", FOR_GOOD if versioned else AGAIN),
        *([] if fresh else [(b"content-length", str(len(body)).encode())]),
        *CLOSE,
    ]
    await visit.browser.send(h11.Response(status_code=NOT_MODIFIED if fresh else OK, headers=kept))
    if body:
        await visit.browser.send(h11.Data(data=body))
    await visit.browser.send(h11.EndOfMessage())
