"""Other display limits for a workspace that runs already: a plan signed anew, in which nothing but these differs.

It gives no right to start anything: the plan in force stays the one the workspace started from, whose hash its
container is labelled with. Kept beside it as `volumes/<workspace>/limits.json`, so that a restarted gate knows.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime

from enclave.errors import Denied
from enclave.gate.plans import Plans
from enclave.workspace.plan import WorkspacePlan


def set_limits(plans: Plans, data: bytes, signature: bytes, now: datetime) -> WorkspacePlan:
    """Keep new limits and return the plan that has them.

    Raises `Denied`: unsigned, damaged, expired, of a workspace without a plan in force, or with anything else in it.
    """
    fresh = plans.verified(data, signature)
    current = plans.in_force(fresh.workspace_id)
    if current is None or not _same_but_limits(fresh, current):
        raise _denied("other-plan", fresh.workspace_id)
    if now >= fresh.expires_at:
        raise _denied("plan-expired", f"{fresh.expires_at:%Y-%m-%dT%H:%M:%SZ}")
    text = {"of": current.sha256, "plan": data.decode(), "signature": base64.b64encode(signature).decode()}
    plans.keep(fresh.workspace_id, "limits.json", json.dumps(text))
    return fresh


def with_newest(plans: Plans, plan: WorkspacePlan) -> WorkspacePlan:
    """Return the plan a container started from, with the limits that were set since, if there are any."""
    try:
        kept = json.loads(plans.kept(plan.workspace_id, "limits.json"))
        fresh = plans.verified(kept["plan"].encode(), base64.b64decode(kept["signature"]))
        return replace(plan, display=fresh.display) if kept["of"] == plan.sha256 else plan
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Denied):
        return plan


def _same_but_limits(fresh: WorkspacePlan, current: WorkspacePlan) -> bool:
    return replace(fresh, display=current.display, expires_at=current.expires_at) == current


def _denied(what: str, which: str) -> Denied:
    return Denied(
        f"gate.{what}",
        ko=f"이 작업공간의 화면 한도를 바꾸는 계획이 아닙니다({what}): {which}",
        en=f"This plan does not change the display limits of that workspace ({what}): {which}",
        remedy_ko="작업공간이 사용 중인지 확인하십시오. 다음에 열 때 새 한도가 적용됩니다.",
        remedy_en="See whether the workspace runs; the new limits count from its next start.",
    )
