"""The risk report of a snapshot: one self-contained HTML page, Korean first, English at a click, no script.

Everything on it is a count, a share or a rule; no value of a patient appears. Its last part is fields to be filled and
signed by the review board (데이터심의위원회; 보건의료데이터 활용 가이드라인, R89).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from deid.figures import figures_of
from deid.manifest import Manifest
from deid.report_words import DOUBTS, LEARNED, SAMPLE_FACTS, SIGNED_FACTS, SIGNERS, trust_in
from deid.text_gate import asked_by

Risks = Mapping[str, Mapping[str, Any]]


@cache
def template() -> Template:
    """Give the page's template; the first time it is compiled, which takes longer than filling it in."""
    environment = Environment(
        loader=PackageLoader("deid"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    # The plots escape every label themselves.
    environment.filters["drawn"] = Markup
    return environment.get_template("report.html.jinja")


def render(manifest: Manifest, risks: Risks, *, recipe_file: str) -> str:
    """Render the page from the manifest (without files) and the figures of `risk.json`, by table."""
    return template().render(
        manifest=manifest,
        risks=risks,
        figures={name: figures_of(risk) for name, risk in risks.items()},
        recipe_file=recipe_file,
        doubts=DOUBTS,
        learned=LEARNED,
        signed_facts=SIGNED_FACTS,
        signers=SIGNERS,
        sampled=asked_by(manifest.lineage),
        sample_facts=SAMPLE_FACTS,
        trust_in=trust_in,
    )
