"""Files of a snapshot that the portal hands out as they were signed: the risk report and the synthetic twin."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from starlette.responses import Response

from deid.twin.pack import NAME as TWIN
from enclave.errors import NotFound
from enclave.portal import refusals
from enclave.queries.dataset import SnapshotView

REPORT, RISK = "report.html", "risk.json"


def signed_file(found: SnapshotView, name: str) -> bytes:
    """Return a file's bytes if they are those the signed manifest names. Raises: Unavailable otherwise."""
    entry = found.manifest.files.get(name)
    try:
        data = (found.path / name).read_bytes()
    except OSError:
        raise refusals.damaged_report() from None
    if entry is None or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise refusals.damaged_report()
    return data


def signed_risks(found: SnapshotView) -> dict[str, dict[str, Any]]:
    """Return the figures of `risk.json` by table; empty where none were signed. Raises: Unavailable when damaged."""
    if RISK not in found.manifest.files:
        return {}
    figures: dict[str, dict[str, Any]] = json.loads(signed_file(found, RISK))
    return {table: risk for table, risk in figures.items() if table in found.manifest.tables}


def has_twin(found: SnapshotView) -> bool:
    """Whether a synthetic twin was made and signed with the snapshot."""
    return TWIN in found.manifest.files


def twin_answer(found: SnapshotView) -> Response:
    """Return the twin as a file to keep: whoever sees the catalogue may have it, no patient is in it (korea.md R42).

    Raises: NotFound (`snapshot.no-twin`), Unavailable when it is not the one that was signed.
    """
    if not has_twin(found):
        raise NotFound(
            "snapshot.no-twin",
            ko=f"스냅샷 {found.id[:12]}에는 합성 쌍둥이가 없습니다.",
            en=f"Snapshot {found.id[:12]} has no synthetic twin.",
            remedy_ko="이전 방식으로 만든 스냅샷입니다. 데이터 관리자가 다시 만들면 함께 생깁니다.",
            remedy_en="It was made in an earlier form. The data steward gets one by building it again.",
        )
    name = f"{found.dataset_id}-{found.id[:12]}-{TWIN}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(signed_file(found, TWIN), media_type="application/zip", headers=headers)
