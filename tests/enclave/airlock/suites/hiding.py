"""Files in which something is hidden or named outright: identifiers, codes, metadata, wrong types."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import zipfile
import zlib

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from openpyxl.comments import Comment
from PIL import Image, PngImagePlugin

from tests.enclave.airlock.suites.case import Family, Rng, csv, pipes, written
from tests.enclave.airlock.suites.people import people, rrn

Made = tuple[str, bytes]
SURNAMES, GIVEN = ("김", "이", "박", "최", "정"), ("민준", "서연", "도윤", "지우", "하은", "수빈")
ENCODED = frozenset({"encoded.run", "encoded.dense"})


def rrn_in_a_note(rng: Rng) -> Made:
    return ".txt", f"확인 필요: {rrn(rng)} 환자의 검사값이 이상함.\n".encode()


def rrn_without_hyphen_in_a_cell(rng: Rng) -> Made:
    frame = pd.DataFrame({"비고": [f"{rrn(rng).replace('-', '')}", "없음"], "환자수": [120, 44]})
    return written(rng, frame, ".csv", ".json", ".md", ".xlsx")


def rrn_in_full_width(rng: Rng) -> Made:
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else "-" for c in rrn(rng))
    return ".md", f"# 결과\n\n대상자 {wide}\n".encode()


def rrn_in_the_name_of_a_column(rng: Rng) -> Made:
    return ".csv", f"지역,{rrn(rng)}\n서울,120\n부산,44\n".encode()


def rrn_cut_by_invisible_marks(rng: Rng) -> Made:
    return ".txt", ("대상 " + "\u200b".join(rrn(rng)) + "\n").encode()


def phones(rng: Rng) -> Made:
    number = f"010-{rng.integers(1000, 9999)}-{rng.integers(1000, 9999)}"
    return written(
        rng, pd.DataFrame({"구분": ["문의", "기타"], "내용": [number, "없음"], "n": [50, 40]}), ".csv", ".md", ".json"
    )


def mails(rng: Rng) -> Made:
    return ".json", json.dumps({"contact": f"kim{rng.integers(100)}@hospital.or.kr", "n": 400}).encode()


def names(rng: Rng) -> Made:
    who = SURNAMES[int(rng.integers(5))] + GIVEN[int(rng.integers(6))]
    return ".txt", f"환자명: {who}\n진단: 폐암, 담당의 {who} 교수\n".encode()


def addresses(rng: Rng) -> Made:
    return (
        ".txt",
        f"거주지: 서울특별시 강남구 테헤란로 {rng.integers(10, 400)} 101동 {rng.integers(101, 1500)}호\n".encode(),
    )


def hospital_numbers(rng: Rng) -> Made:
    return ".txt", f"등록번호 {rng.integers(10**7, 10**8 - 1)} 환자 제외\n".encode()


def cards(rng: Rng) -> Made:
    digits = [4, *(int(v) for v in rng.integers(0, 10, 14))]
    check = sum(d if n % 2 else (d * 2 - 9 if d > 4 else d * 2) for n, d in enumerate(digits))
    number = "".join(map(str, [*digits, -check % 10]))
    return ".txt", f"카드번호 {number[:4]}-{number[4:8]}-{number[8:12]}-{number[12:]}\n".encode()


def phone_over_cells(rng: Rng) -> Made:
    return ".csv", f"a,b,c,n\n010,{rng.integers(1000, 9999)},{rng.integers(1000, 9999)},120\n가,나,다,44\n".encode()


def base64_of_records(rng: Rng) -> Made:
    return ".txt", b"appendix\n" + base64.encodebytes(gzip.compress(csv(people(rng, 200))))


def base64_in_short_pieces(rng: Rng) -> Made:
    text = base64.b64encode(zlib.compress(csv(people(rng, 150)[["sex", "age", "bmi", "sbp"]]))).decode()
    pieces = [text[n : n + 24] for n in range(0, len(text), 24)]
    return ".csv", ("label,n\n" + "".join(f"{piece},100\n" for piece in pieces[:900])).encode()


def hexadecimal(rng: Rng) -> Made:
    return ".txt", zlib.compress(csv(people(rng, 120))).hex().encode() + b"\n"


def base85(rng: Rng) -> Made:
    return ".txt", base64.b85encode(zlib.compress(csv(people(rng, 200)))) + b"\n"


def base32(rng: Rng) -> Made:
    text = base64.b32encode(zlib.compress(csv(people(rng, 150)))).decode()
    return ".log", "\n".join(text[n : n + 76] for n in range(0, len(text), 76)).encode()


def decimal_digits(rng: Rng) -> Made:
    number = str(int.from_bytes(zlib.compress(csv(people(rng, 60)[["age", "bmi"]])), "big"))
    return ".txt", "\n".join(number[n : n + 80] for n in range(0, len(number), 80)).encode()


def emoji_bytes(rng: Rng) -> Made:
    packed = zlib.compress(csv(people(rng, 40)[["age", "bmi"]]))
    return ".md", ("# notes\n\n" + "".join(chr(0x1F300 + value) for value in packed) + "\n").encode()


def digits_behind_the_digits(rng: Rng) -> Made:
    values = [f"{mean:.1f}{int(rng.integers(10**11, 10**12))}" for mean in rng.normal(55, 5, 40)]
    return ".csv", ("region,n,mean\n" + "".join(f"r{n},100,{value}\n" for n, value in enumerate(values))).encode()


def invisible_marks(rng: Rng) -> Made:
    secret = "".join("\u200b" if bit else "\u200c" for bit in rng.integers(0, 2, 120))
    return ".md", f"# 결과\n\n평균 나이{secret} 51.2세\n".encode()


def blanks_behind_lines(rng: Rng) -> Made:
    lines = [
        f"epoch {n} loss 0.{n:03d}" + " " * int(k) + "\t" * int(k % 2) for n, k in enumerate(rng.integers(1, 5, 90))
    ]
    return ".log", "\n".join(lines).encode() + b"\n"


def pickle_in_json(rng: Rng) -> Made:
    model = base64.b64encode(pickle.dumps(people(rng, 80).to_dict())).decode()
    return ".json", json.dumps({"model": model, "auc": 0.8}).encode()


def picture_with_metadata(rng: Rng) -> Made:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", f"patient {rng.integers(10**6)}")
    return ".png", _picture(rng, pnginfo=told)


def picture_with_a_tail(rng: Rng) -> Made:
    return ".png", _picture(rng) + zlib.compress(csv(people(rng, 50)))


def photograph_with_a_place(rng: Rng) -> Made:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "ward 7"
    Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(out, "JPEG", exif=exif)
    return ".jpg", out.getvalue()


def archive_as_table(rng: Rng) -> Made:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("records.csv", csv(people(rng, 20)))
    return ".csv", out.getvalue()


def pickle_as_text(rng: Rng) -> Made:
    return ".txt", pickle.dumps(people(rng, 20).to_dict())


def program_as_log(rng: Rng) -> Made:
    return ".log", b"\x7fELF\x02\x01\x01" + rng.bytes(500)


def random_bytes_as_json(rng: Rng) -> Made:
    return ".json", rng.bytes(4000)


def table_as_picture(rng: Rng) -> Made:
    return ".png", csv(people(rng, 30))


def thousands_of_lines(rng: Rng) -> Made:
    return ".txt", "\n".join(f"visit {n} {int(v)} mg" for n, v in enumerate(rng.integers(1, 900, 6000))).encode()


def one_endless_line(rng: Rng) -> Made:
    return ".txt", " ".join(f"{v:.2f}" for v in rng.normal(0, 1, 3000)).encode()


def sheet_of_records_hidden(rng: Rng) -> Made:
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as book:
        pd.DataFrame({"region": ["A", "B"], "n": [120, 44]}).to_excel(book, sheet_name="Table 1", index=False)
        people(rng, 30)[["sex", "age", "bmi"]].to_excel(book, sheet_name="data", index=False)
        book.book["data"].sheet_state = ("hidden", "veryHidden")[int(rng.integers(2))]
    return ".xlsx", out.getvalue()


def sheet_with_a_comment(rng: Rng) -> Made:
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as book:
        pd.DataFrame({"region": ["A", "B"], "n": [120, 44]}).to_excel(book, index=False)
        book.book.active["A2"].comment = Comment(f"확인: {rrn(rng)}", "who")
    return ".xlsx", out.getvalue()


def figure_of_points(rng: Rng) -> Made:
    kind = ("svg", "pdf")[int(rng.integers(2))]
    frame = people(rng, int(rng.integers(60, 300)))
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.scatter(frame["age"], frame["bmi"])
    out = io.BytesIO()
    figure.savefig(out, format=kind)
    plt.close(figure)
    return f".{kind}", out.getvalue()


def page_with_records_inside(rng: Rng) -> Made:
    rows = people(rng, 400)[["age", "bmi", "sbp"]].to_dict("list")
    return ".html", f"<!doctype html><body><h1>plot</h1><script>const d = {json.dumps(rows)};</script></body>".encode()


def report_with_a_case(rng: Rng) -> Made:
    body = pipes(pd.DataFrame({"지역": ["서울", "부산"], "환자수": [120, 44]}), "결과")
    return ".md", body + f"\n특이 사례: {rrn(rng)}\n".encode()


EXPECTED: dict[str, frozenset[str]] = {
    "rrn": frozenset({"id.rrn"}), "phones": frozenset({"id.phone"}), "phone": frozenset({"id.phone"}),
    "mails": frozenset({"id.email"}), "names": frozenset({"id.name"}), "addresses": frozenset({"id.address"}),
    "hospital": frozenset({"id.mrn"}), "cards": frozenset({"id.card"}), "base64": ENCODED | {"row.pseudonym"}, "hexadecimal": ENCODED,
    "base85": ENCODED, "base32": ENCODED, "pickle_in_json": ENCODED, "decimal": ENCODED, "emoji": ENCODED,
    "digits": frozenset({"encoded.precision"}), "invisible": frozenset({"encoded.invisible"}),
    "blanks": frozenset({"encoded.trailing"}), "picture_with_metadata": frozenset({"image.metadata"}),
    "picture_with_a_tail": frozenset({"image.damaged"}), "photograph": frozenset({"image.metadata"}),
    "archive": frozenset({"type."}), "pickle": frozenset({"type."}), "program": frozenset({"type."}),
    "random": frozenset({"type.", "parse."}), "table_as_picture": frozenset({"type."}),
    "sheet_of": frozenset({"office.hidden"}), "sheet_with": frozenset({"id.rrn"}),
    "figure": frozenset({"figure.points", "figure.values"}),
    "page": frozenset({"figure.active", "figure.values", "figure.undrawn", "row.no-counts", "points.individual"}),
    "thousands": frozenset({"text.too-long"}), "one_endless": frozenset({"text.long-line"}), "report": frozenset({"id.rrn"}),
}  # fmt: skip


def _picture(rng: Rng, **more: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (30, 30, 3), dtype=np.uint8)).save(out, "PNG", **more)
    return out.getvalue()


def _expected(name: str) -> frozenset[str]:
    return EXPECTED[max((key for key in EXPECTED if name.startswith(key)), key=len)]


FILES: dict[str, tuple[Family, frozenset[str]]] = {
    name: (made, _expected(name))
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
