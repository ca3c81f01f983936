"""R62: a file is what its bytes say, its ending must agree, and only plain, passive formats may leave."""

from __future__ import annotations

from dataclasses import dataclass

from enclave.airlock.parsers import registry
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.parsers.registry import Format
from enclave.airlock.parsers.sniff import is_fragment, sniff


@dataclass(frozen=True)
class Refusal:
    """Why a kind of file may not leave, and what to send instead."""

    ko: str
    en: str


PLAIN = ("표는 CSV로, 그림은 PNG로 저장해 제출하세요.", "Save tables as CSV and pictures as PNG.")
REFUSALS = {
    "zip": Refusal("압축 파일은 받지 않습니다. 풀어서 파일 하나하나를 제출하세요.",
                   "Archives are not taken. Unpack it and submit the files themselves."),
    "macros": Refusal("매크로가 든 문서는 받지 않습니다. 매크로 없이 xlsx·docx로 저장해 제출하세요.",
                      "Documents with macros are not taken. Save it without macros as xlsx or docx."),
    "archive": Refusal("압축 파일은 받지 않습니다. 풀어서 파일 하나하나를 제출하세요.",
                       "Archives are not taken. Unpack it and submit the files themselves."),
    "office": Refusal("옛 오피스·HWP 문서이거나 암호가 걸린 문서입니다. 암호 없이 xlsx·docx·hwpx로 저장하세요.",
                      "An old office or HWP file, or encrypted. Save it as xlsx, docx or hwpx without a password."),
    "binary-table": Refusal("이진 데이터 파일은 원자료를 담을 수 있어 받지 않습니다. 집계한 결과를 CSV로 제출하세요.",
                            "Binary data files may hold raw data. Submit an aggregated CSV."),
    "pickle": Refusal("피클·모델 파일은 원자료와 코드를 담을 수 있어 받지 않습니다. 계수표를 CSV로 제출하세요.",
                      "Pickles and models may hold raw data and code. Submit coefficients as CSV."),
    "encrypted": Refusal("암호화된 파일은 점검할 수 없습니다. 암호화하지 않고 제출하세요.",
                         "An encrypted file cannot be checked. Submit it unencrypted."),
    "program": Refusal("실행 파일은 반출할 수 없습니다.", "Programs may not be taken out."),
    "picture": Refusal("그림은 PNG나 JPEG만 받습니다. PNG로 저장해 제출하세요.",
                       "Pictures must be PNG or JPEG. Save it as PNG."),
    "medical": Refusal("의료영상(DICOM, NIfTI)은 반출할 수 없습니다. 집계 결과나 도표를 제출하세요.",
                       "Medical images (DICOM, NIfTI) may not leave. Submit aggregates or charts."),
    "xml": Refusal("XML은 받지 않습니다. " + PLAIN[0], "XML is not taken. " + PLAIN[1]),
    "unknown": Refusal("알 수 없는 형식입니다. " + PLAIN[0], "The format is unknown. " + PLAIN[1]),
}  # fmt: skip


def recognise(content: bytes, name: str) -> Format:
    """Return the format of a file whose bytes and ending agree and may leave. Raises `ParseRefused` with the reason."""
    ending = registry.ending_of(name)
    found = sniff(content)
    form = registry.find(found, name)
    if form is None and found == "text" and is_fragment(content):
        form = registry.find("html", name)
    if form is not None:
        return form
    if found not in registry.SNIFFED:
        raise ParseRefused(f"type.{found}", REFUSALS[found].ko, REFUSALS[found].en)
    if ending not in registry.ENDINGS:
        raise ParseRefused(
            "type.ending",
            f"확장자 {_shown(ending)}은(는) 받지 않습니다. {PLAIN[0]}",
            f"The ending {_shown(ending)} is not taken. {PLAIN[1]}",
        )
    raise ParseRefused(
        "type.mismatch",
        f"확장자는 {ending}인데 내용은 {found}입니다. 내용에 맞는 확장자로 제출하세요.",
        f"The ending says {ending}, the content is {found}. Use the ending of what it is.",
    )


def _shown(ending: str) -> str:
    return ending[:12] if ending.isprintable() and ending else "(없음/none)"
