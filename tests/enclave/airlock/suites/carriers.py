"""What must not leave, in the files that carry other things: notebooks, code, Parquet, DOCX, HWPX."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from tests.enclave.airlock.office import W, docx, grid, hwpx, packed, paragraph
from tests.enclave.airlock.suites.case import Family, Rng, csv
from tests.enclave.airlock.suites.people import people, rrn

Made = tuple[str, bytes]
ROWS = frozenset({"row.pseudonym", "row.id-column", "row.unique-key", "row.too-many"})
ENCODED = frozenset({"encoded.run", "encoded.dense"})
SMALL = [["지역", "환자수"], ["서울", "120"], ["부산", "44"], ["세종", "4"]]


def _book(*cells: dict[str, Any], **more: object) -> bytes:
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}
    return json.dumps(book, ensure_ascii=False).encode()


def _code(source: str, *outputs: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "id": "0123abcd", "metadata": {}, "source": source,
            "outputs": list(outputs), **more}  # fmt: skip


def _shown(**data: object) -> dict[str, Any]:
    kinds = {"text": "text/plain", "html": "text/html", "png": "image/png", "json": "application/json",
             "script": "application/javascript", "widget": "application/vnd.jupyter.widget-view+json"}  # fmt: skip
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[key]: value for key, value in data.items()}}


def _records(rng: Rng, count: int = 25) -> pd.DataFrame:
    frame = people(rng, count)[["patient", "sex", "age", "hba1c"]]
    frame["patient"] = [
        f"{int(rng.integers(1 << 60, 1 << 62)):016x}{int(rng.integers(1 << 60)):016x}" for _ in range(count)
    ]
    return frame


def _noisy_picture(rng: Rng) -> str:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = f"patient {rrn(rng)}"
    Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(out, "PNG", exif=exif)
    return base64.b64encode(out.getvalue()).decode()


def book_with_rows_printed(rng: Rng) -> Made:
    text = _records(rng).head(12).to_string()
    return ".ipynb", _book(_code("df.head(12)", {"output_type": "stream", "name": "stdout", "text": text}))


def book_with_rows_as_html(rng: Rng) -> Made:
    frame = _records(rng)
    return ".ipynb", _book(_code("df", _shown(text="…", html=frame.to_html())))


def book_with_a_picture_attached(rng: Rng) -> Made:
    words = {"cell_type": "markdown", "metadata": {}, "source": "![a](attachment:a.png)",
             "attachments": {"a.png": {"image/png": _noisy_picture(rng)}}}  # fmt: skip
    return ".ipynb", _book(words)


def book_with_notes_in_its_metadata(rng: Rng) -> Made:
    return ".ipynb", _book(_code("1 + 1"), metadata={"notes": {"a": [f"확인 {rrn(rng)}"]}})


def book_with_the_state_of_widgets(rng: Rng) -> Made:
    state = {
        f"{n:032x}": {"model_name": "GridModel", "state": row} for n, row in enumerate(_records(rng).to_dict("records"))
    }
    return ".ipynb", _book(
        _code("grid"), metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}}}
    )


def book_with_a_widget(rng: Rng) -> Made:
    return ".ipynb", _book(_code("grid", _shown(widget={"model_id": f"{int(rng.integers(1 << 60)):032x}"})))


def book_with_a_script(rng: Rng) -> Made:
    return ".ipynb", _book(_code("x", _shown(script=f"element.text({json.dumps(_records(rng).to_dict('list'))})")))


def book_with_a_script_in_html(rng: Rng) -> Made:
    page = f"<div id=a></div><script>const d = {json.dumps(_records(rng).to_dict('list'))};</script>"
    return ".ipynb", _book(_code("x", _shown(html=page)))


def book_with_an_error_that_shows_a_value(rng: Rng) -> Made:
    error = {"output_type": "error", "ename": "KeyError", "evalue": repr(rrn(rng)), "traceback": ["KeyError"]}
    return ".ipynb", _book(_code("df.loc[key]", error))


def book_with_small_counts_as_json(rng: Rng) -> Made:
    rows = [{"region": "A", "n": 120}, {"region": "B", "n": int(rng.integers(1, 10))}]
    return ".ipynb", _book(_code("t", _shown(json=rows)))


def code_with_a_frame_pasted(rng: Rng) -> Made:
    frame = people(rng, 60)[["sex", "age", "bmi", "sbp"]]
    return ".py", f"import pandas as pd\n\nDATA = pd.DataFrame({frame.to_dict('list')!r})\n".encode()


def code_with_a_table_in_a_string(rng: Rng) -> Made:
    body = csv(_records(rng)).decode()
    return ".py", f'import io\nimport pandas as pd\n\ndf = pd.read_csv(io.StringIO("""\n{body}"""))\n'.encode()


def code_with_a_table_in_comments(rng: Rng) -> Made:
    body = "".join(f"# {line}\n" for line in csv(_records(rng)).decode().splitlines())
    return (".R", ".py")[int(rng.integers(2))], f"{body}fit <- 1\n".encode()


def code_with_insert_statements(rng: Rng) -> Made:
    rows = people(rng, 50)[["sex", "age", "bmi"]].itertuples(index=False)
    values = ",\n".join(f"  ('{sex}', {age}, {bmi})" for sex, age, bmi in rows)
    return ".sql", f"INSERT INTO cohort (sex, age, bmi) VALUES\n{values};\n".encode()


def code_with_some_values(rng: Rng) -> Made:
    values = ", ".join(map(str, people(rng, 60)["age"]))
    return ".R", f"age <- c({values})\nmean(age)\n".encode()


def code_with_a_long_constant(rng: Rng) -> Made:
    packed_rows = base64.b64encode(zlib.compress(csv(people(rng, 150)))).decode()
    return ".py", f'BLOB = "{packed_rows}"\n'.encode()


def code_with_a_constant_in_pieces(rng: Rng) -> Made:
    text = base64.b64encode(zlib.compress(csv(people(rng, 150)))).decode()
    pieces = "\n".join(f'    "{text[n : n + 30]}"' for n in range(0, len(text), 30))
    return ".py", f"BLOB = (\n{pieces}\n)\n".encode()


def code_with_a_person_in_a_comment(rng: Rng) -> Made:
    return (".py", ".sh", ".yaml", ".toml")[int(rng.integers(4))], f"# 확인: {rrn(rng)} 제외\nx: 1\n".encode()


def code_with_a_person_in_escapes(rng: Rng) -> Made:
    return ".py", ("NOTE = '" + "".join(f"\\x{ord(letter):02x}" for letter in rrn(rng)) + "'\n").encode()


def _parquet(frame: pd.DataFrame | pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table, out, **options)
    return out.getvalue()


def _results(rng: Rng) -> pa.Table:
    return pa.table({"region": ["A", "B", "C"], "n": [int(v) for v in rng.integers(40, 900, 3)]})


def parquet_of_records(rng: Rng) -> Made:
    return ".parquet", _parquet(_records(rng, int(rng.integers(20, 1500))))


def parquet_with_an_index_of_persons(rng: Rng) -> Made:
    out = io.BytesIO()
    _records(rng).set_index("patient").to_parquet(out)
    return ".parquet", out.getvalue()


def parquet_with_a_person_in_its_metadata(rng: Rng) -> Made:
    return ".parquet", _parquet(_results(rng).replace_schema_metadata({"note": f"확인 {rrn(rng)}"}))


def parquet_with_notes_in_its_metadata(rng: Rng) -> Made:
    return ".parquet", _parquet(_results(rng).replace_schema_metadata({"note": "third floor"}))


def parquet_with_records_in_its_metadata(rng: Rng) -> Made:
    return ".parquet", _parquet(_results(rng).replace_schema_metadata({"x": csv(people(rng, 900))}))


def parquet_with_bytes_between(rng: Rng) -> Made:
    content = _parquet(_results(rng))
    size = int.from_bytes(content[-8:-4], "little")
    return ".parquet", content[: -8 - size] + csv(people(rng, 20)) + content[-8 - size :]


def parquet_of_lists(rng: Rng) -> Made:
    return ".parquet", _parquet(pa.table({"region": ["A"], "ages": [people(rng, 40)["age"].tolist()]}))


def parquet_with_categories_that_no_row_has(rng: Rng) -> Made:
    kinds = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0], pa.int32()), pa.array(["A", f"확인 {rrn(rng)}"]))
    return ".parquet", _parquet(pa.table({"region": kinds, "n": [120, 44, 300]}))


def word_of_records(rng: Rng) -> Made:
    frame = _records(rng).astype(str)
    return ".docx", docx(paragraph("부록") + grid([list(frame.columns), *frame.to_numpy().tolist()]))


def word_with_a_small_count(rng: Rng) -> Made:
    return ".docx", docx(grid([*SMALL[:3], ["세종", str(rng.integers(1, 10))]]))


def word_with_hidden_text(rng: Rng) -> Made:
    hidden = f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{int(rng.integers(900))} 명</w:t></w:r></w:p>"
    return ".docx", docx(paragraph("결과") + hidden)


def word_with_tracked_changes(rng: Rng) -> Made:
    deleted = f"<w:p><w:del><w:r><w:delText>{int(rng.integers(90))}세 남자</w:delText></w:r></w:del></w:p>"
    return ".docx", docx(paragraph("결과") + deleted)


def word_with_a_comment_on_a_person(rng: Rng) -> Made:
    said = f'<w:comments xmlns:w="{W}">{paragraph(f"확인 {rrn(rng)}")}</w:comments>'
    return ".docx", docx(more={"word/comments.xml": said})


def word_with_a_person_in_a_bookmark(rng: Rng) -> Made:
    return ".docx", docx(f'<w:bookmarkStart w:id="0" w:name="{rrn(rng)}"/>' + paragraph("결과"))


def word_with_an_author(rng: Rng) -> Made:
    core = f"<cp><creator>user{int(rng.integers(900))}</creator></cp>"
    return ".docx", docx(more={"docProps/core.xml": core})


def word_with_a_workbook_inside(rng: Rng) -> Made:
    return ".docx", docx(more={"word/embeddings/a.xlsx": packed({"a": csv(people(rng, 20))})})


def word_with_a_picture(rng: Rng) -> Made:
    return ".docx", docx(more={"word/media/image1.png": base64.b64decode(_noisy_picture(rng))})


def word_with_a_template_elsewhere(rng: Rng) -> Made:
    there = f"http://10.0.0.{int(rng.integers(1, 255))}/t.dotm"
    link = f'<R><Relationship Type="x/attachedTemplate" TargetMode="External" Target="{there}"/></R>'
    return ".docx", docx(more={"word/_rels/settings.xml.rels": link})


def _hangul(text: str) -> str:
    return f"<hp:p><hp:run>{text}</hp:run></hp:p>"


def hangul_of_records(rng: Rng) -> Made:
    frame = _records(rng).astype(str)
    return ".hwpx", hwpx(_hangul(grid([list(frame.columns), *frame.to_numpy().tolist()], "hp", "run")))


def hangul_with_a_small_count(rng: Rng) -> Made:
    return ".hwpx", hwpx(_hangul(grid([*SMALL[:3], ["세종", str(rng.integers(1, 10))]], "hp", "run")))


def hangul_with_a_person(rng: Rng) -> Made:
    return ".hwpx", hwpx(_hangul(f"<hp:t>대상 {rrn(rng)}</hp:t>"))


def hangul_with_a_hidden_comment(rng: Rng) -> Made:
    note = f"<hp:hiddenComment><hp:p><hp:run><hp:t>{int(rng.integers(90))}세</hp:t></hp:run></hp:p></hp:hiddenComment>"
    return ".hwpx", hwpx(_hangul(note))


def hangul_with_tracked_changes(rng: Rng) -> Made:
    text = f"<hp:t><hp:deleteBegin/>{int(rng.integers(90))}세 남자<hp:deleteEnd/></hp:t>"
    return ".hwpx", hwpx(_hangul(text), {"Contents/header.xml": '<hh:head xmlns:hh="h"><hh:trackChange/></hh:head>'})


def hangul_with_a_preview_from_before(rng: Rng) -> Made:
    return ".hwpx", hwpx(more={"Preview/PrvText.txt": f"대상 {rrn(rng)}".encode("utf-16-le")})


def hangul_with_a_script(rng: Rng) -> Made:
    script = f"function OnDocument_Open() {{ send({int(rng.integers(900))}); }}"
    return ".hwpx", hwpx(more={"Scripts/sourceScripts": script})


EXPECTED: dict[str, frozenset[str]] = {
    "book_with_rows": ROWS, "book_with_a_picture": frozenset({"image.metadata"}),
    "book_with_notes": frozenset({"id.rrn"}), "book_with_the_state": frozenset({"notebook.metadata"}),
    "book_with_a_widget": frozenset({"notebook.output"}), "book_with_a_script": frozenset({"notebook.output"}),
    "book_with_a_script_in_html": frozenset({"figure.active"}), "book_with_an_error": frozenset({"id.rrn"}),
    "book_with_small": frozenset({"cell.small"}), "code_with_a_frame": frozenset({"code.data"}),
    "code_with_a_table": ROWS, "code_with_insert": frozenset({"code.data"}), "code_with_some": frozenset({"code.values"}),
    "code_with_a_long": ENCODED, "code_with_a_constant": ENCODED, "code_with_a_person": frozenset({"id.rrn"}),
    "parquet_of_records": ROWS, "parquet_with_an_index": ROWS, "parquet_with_a_person": frozenset({"id.rrn"}),
    "parquet_with_notes": frozenset({"parquet.properties"}), "parquet_with_records": frozenset({"parquet.metadata"}),
    "parquet_with_bytes": frozenset({"parquet.gap"}), "parquet_of_lists": frozenset({"parse.nested"}),
    "parquet_with_categories": frozenset({"id.rrn"}), "word_of_records": ROWS,
    "word_with_a_small": frozenset({"cell.small"}), "word_with_hidden": frozenset({"office.hidden"}),
    "word_with_tracked": frozenset({"office.tracked"}), "word_with_a_comment": frozenset({"id.rrn"}),
    "word_with_a_person": frozenset({"id.rrn"}), "word_with_an_author": frozenset({"office.properties"}),
    "word_with_a_workbook": frozenset({"office.embedded"}), "word_with_a_picture": frozenset({"image.metadata"}),
    "word_with_a_template": frozenset({"office.external"}), "hangul_of_records": ROWS,
    "hangul_with_a_small": frozenset({"cell.small"}), "hangul_with_a_person": frozenset({"id.rrn"}),
    "hangul_with_a_hidden": frozenset({"office.hidden"}), "hangul_with_tracked": frozenset({"office.tracked"}),
    "hangul_with_a_preview": frozenset({"id.rrn"}), "hangul_with_a_script": frozenset({"office.macros"}),
}  # fmt: skip


def _expected(name: str) -> frozenset[str]:
    return EXPECTED[max((key for key in EXPECTED if name.startswith(key)), key=len)]


CARRIED: dict[str, tuple[Family, frozenset[str]]] = {
    name: (made, _expected(name))
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
