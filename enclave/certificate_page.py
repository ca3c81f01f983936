"""A certificate as a page to print, in Korean and English: one HTML file without anything active. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from enclave.certificate import CertificateFile

TITLES = {
    "destruction": ("파기확인서", "Certificate of destruction"),
    "usage": ("이용확인서", "Certificate of use"),
}
# field -> (한국어, English); in this order. What a certificate does not have is left out.
LABELS = {
    "id": ("확인서 번호", "Certificate"),
    "enclave": ("안심구역", "Enclave"),
    "issued_at": ("발급 시각(UTC)", "Issued (UTC)"),
    "project": ("과제", "Project"),
    "title": ("과제명", "Title"),
    "workspace": ("작업공간", "Workspace"),
    "account": ("계정", "Account"),
    "login": ("로그인 이름", "Login"),
    "name": ("이름", "Name"),
    "organisation": ("기관", "Organisation"),
    "visit": ("이용 번호", "Visit"),
    "seat": ("자리", "Seat"),
    "started_at": ("입실(UTC)", "In (UTC)"),
    "ended_at": ("퇴실(UTC)", "Out (UTC)"),
    "gpu_seconds": ("GPU 사용(초)", "GPU use (seconds)"),
    "data": ("데이터셋과 스냅샷", "Data sets and snapshots"),
    "volumes": ("파기한 볼륨과 키 이름", "Destroyed volumes and names of their keys"),
    "method": ("파기 방법", "Method"),
    "cause": ("사유", "Cause"),
    "operator": ("수행", "Done by"),
    "requested_at": ("파기 요청(UTC)", "Requested (UTC)"),
    "keys_destroyed_at": ("키 파기(UTC)", "Keys destroyed (UTC)"),
    "volumes_removed_at": ("볼륨 제거(UTC)", "Volumes removed (UTC)"),
    "plan_sha256": ("작업공간 계획", "Workspace plan"),
}
STYLE = (
    "body{font:11pt/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}h1{font-size:18pt}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.35em .6em;text-align:left;"
    "vertical-align:top}th,td,p{overflow-wrap:anywhere}th{width:32%;font-weight:600}small{color:#444}"
)


def page(found: CertificateFile) -> str:
    """Return the page; every value is escaped, whoever wrote it."""
    fields = found.fields
    ko, en = TITLES[fields["kind"]]
    rows = "".join(_row(LABELS[name], fields[name]) for name in LABELS if fields.get(name) not in (None, ""))
    witnesses = "".join(_row(("입회", "Witness"), _witness(each)) for each in found.witness_fields)
    return (
        f'<!doctype html>\n<html lang="ko"><head><meta charset="utf-8"><title>{ko} {escape(fields["id"])}</title>'
        f"<style>{STYLE}</style></head><body><h1>{ko} <small>{en}</small></h1><table>{rows}{witnesses}</table>"
        f"<p>이 쪽은 읽기 위한 것이며 효력은 같은 이름의 JSON 파일에 있는 전자서명에 있습니다. 확인: "
        f"<code>ansim certificate verify {escape(fields['id'])}.json --key certificate.pub</code></p>"
        "<p>This page is for reading; what counts is the signature in the JSON file of the same name.</p>"
        f"<p><small>SHA-256 {found.sha256}<br>Ed25519 {escape(found.certificate.signature.hex())}</small></p>"
        "</body></html>\n"
    )


def lines(found: CertificateFile, language: str) -> list[str]:
    """Return the certificate as lines of text, `label: value`."""
    which = 0 if language == "ko" else 1
    fields = found.fields
    said = [f"{LABELS[name][which]}: {_text(fields[name])}" for name in LABELS if fields.get(name) not in (None, "")]
    return said + [f"{('입회', 'Witness')[which]}: {_witness(each)}" for each in found.witness_fields]


def _row(label: tuple[str, str], value: object) -> str:
    return f"<tr><th>{label[0]}<br><small>{label[1]}</small></th><td>{escape(_text(value))}</td></tr>"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return _joined(value.values())
    if isinstance(value, list):
        return " · ".join(_joined(each.values()) for each in value)
    return str(value)


def _joined(values: Iterable[Any]) -> str:
    return " / ".join(map(str, values))


def _witness(fields: Mapping[str, Any]) -> str:
    return _joined(fields.get(name, "") for name in ("login", "organisation", "role", "at"))
