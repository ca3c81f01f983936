"""A report as one HTML file without anything active: it styles itself, loads nothing, and prints. Pure."""

from __future__ import annotations

import base64
from html import escape

from audit.paper import Sheet
from enclave.reports.document import Column, Document, Pair, Section, Table

NUMBER = ' class="n"'
STYLE = (
    "@page{size:A4;margin:14mm;@bottom-right{content:counter(page) ' / ' counter(pages);font-size:8pt;color:#444}}"
    "body{font:10pt/1.5 NanumGothic,'Noto Sans KR',sans-serif;max-width:52em;margin:2em auto;padding:0 1em;color:#111}"
    "h1{font-size:18pt;margin:0 0 .4em}h2{font-size:12pt;margin:1.6em 0 .4em;border-bottom:1px solid #888}"
    "small{color:#444;font-weight:400}table{border-collapse:collapse;width:100%;margin:.4em 0}"
    "th,td{border:1px solid #888;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{background:#eef1f4}td.n{text-align:right;font-variant-numeric:tabular-nums}tr{break-inside:avoid}"
    ".note{border:2px solid #a40000;padding:.5em .8em;color:#7a0000}.boxes td{height:4.5em}"
    "footer{display:flex;gap:1em;align-items:center;border-top:1px solid #888;margin-top:2em;padding-top:.6em}"
    "footer pre{font:7pt/1.4 NanumGothicCoding,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:0}"
    "footer img{flex:none;image-rendering:pixelated;width:30mm;height:30mm}"
    # What stands in a table's foot is printed on every page, by every browser; a fixed box is not.
    ".page,.page>*>tr>td{border:0;padding:0;margin:0}@media print{body{margin:0;max-width:none}}"
)


def page(found: Document) -> bytes:
    """Return the file, UTF-8; every value is escaped, whoever wrote it."""
    title = _both(found.title)
    boxes = _boxes(found.boxes) if found.boxes else ""
    text = (
        f'<!doctype html>\n<html lang="ko"><head><meta charset="utf-8"><title>{escape(found.title[0])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f'<body><table class="page" role="presentation"><tfoot><tr><td>{_footer(found)}</td></tr></tfoot>'
        f"<tbody><tr><td><main><h1>{title}</h1>\n{_facts(found.about)}{boxes}{''.join(map(_section, found.sections))}"
        "</main></td></tr></tbody></table></body></html>\n"
    )
    return text.encode()


def _section(found: Section) -> str:
    note = f'<p class="note">{_both(found.note)}</p>' if found.note else ""
    text = "".join(f"<p>{_both(each)}</p>" for each in found.text)
    table = _table(found.table) if found.table else ""
    return f"<section><h2>{_both(found.title)}</h2>{note}{text}{_facts(found.facts)}{table}</section>\n"


def _table(found: Table) -> str:
    heads = "".join(f'<th scope="col">{_both(each.head)}</th>' for each in found.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, zip(row, found.columns, strict=True)))}</tr>\n" for row in found.rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: tuple[str, Column]) -> str:
    text, column = cell
    return f"<td{NUMBER if column.number else ''}>{_lines(text)}</td>"


def _facts(found: tuple[tuple[Pair, str], ...]) -> str:
    rows = "".join(f'<tr><th scope="row">{_both(label)}</th><td>{_lines(value)}</td></tr>' for label, value in found)
    return f"<table><tbody>{rows}</tbody></table>\n" if rows else ""


def _boxes(found: tuple[Pair, ...]) -> str:
    heads = "".join(f'<th scope="col">{_both(each)}</th>' for each in found)
    cells = "<td></td>" * len(found)
    return f'<table class="boxes"><thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody></table>'


def _footer(found: Document) -> str:
    lines = [*(found.sheet.lines if found.sheet else ()), f"SHA-256 {found.source}"]
    code = _code(found.sheet) if found.sheet else ""
    return f"<footer>{code}<pre>{escape(chr(10).join(lines))}</pre></footer>"


def _code(sheet: Sheet) -> str:
    # A picture: browsers paint an inline drawing in a table's foot on the first page only.
    data = base64.b64encode(sheet.png(module_px=4)).decode()
    return f'<img alt="확인점의 QR 코드 (the checkpoint as a QR code)" src="data:image/png;base64,{data}">'


def _both(pair: Pair) -> str:
    return f"{escape(pair[0])} <small>{escape(pair[1])}</small>" if pair[1] else escape(pair[0])


def _lines(text: str) -> str:
    return "<br>".join(escape(each) for each in text.splitlines()) or "–"
