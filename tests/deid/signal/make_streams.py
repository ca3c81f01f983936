"""One file for each of the programme's sources, as its devices write it, with identifiers wherever text fits.

Names, registration numbers, serial numbers and places are in preambles, columns, cells and remarks; measurements are
drawn at random and returned apart, as they are spelled.
"""

# ruff: noqa: E501 - tables are read by the line
from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.deid.signal.planted import Planted

ROWS = 40


@dataclass
class Source:
    """A file of one source: its bytes, and the measured values by published name, as they must come out."""

    name: str
    data: bytes
    values: dict[str, list[str]] = field(default_factory=dict)


def _numbers(seed: str, names: list[str], decimals: int = 4) -> dict[str, list[str]]:
    dice = random.Random(seed)
    return {name: [f"{dice.uniform(-900, 900):.{decimals}f}" for _ in range(ROWS)] for name in names}


def _lines(values: dict[str, list[str]], others: dict[str, Callable[[int], str]], separator: str = ",") -> list[str]:
    names = [*others, *values]
    rows = [[*(make(n) for make in others.values()), *(column[n] for column in values.values())] for n in range(ROWS)]
    return [separator.join(row) for row in (names, *rows)]


def _at(who: Planted, n: int, hertz: float = 1) -> dt.datetime:
    return who.start + dt.timedelta(seconds=n / hertz)


def emg(who: Planted) -> Source:
    values = _numbers("emg", ["EMG1", "EMG2", "EMG3"], 6)
    preamble = [f"환자명: {who.korean}", f"등록번호: {who.number}", f"생년월일,{who.birth}", f"측정자: {who.doctor}",
                f"장비: {who.serial} {who.mac}", f"연락처: {who.phone}", ""]  # fmt: skip
    others = {
        "Time": lambda n: f"{_at(who, n, 1000):%Y-%m-%d %H:%M:%S.%f}"[:-3],
        "비고": lambda n: who.note if n == 3 else "",
    }
    lines = [*preamble, *_lines(values, others), f"# 끝 {who.doctor} {who.hospital}"]
    return Source(f"{who.korean}_EMG.csv", "\r\n".join(lines).encode("cp949", "replace"), values)


def gait(who: Planted) -> Source:
    values = _numbers("gait", ["LKneeAngle", "RKneeAngle", "LHipAngle", "Fx", "Fy", "Fz"])
    others = {"Frame": lambda n: str(n + 1), "Time": lambda n: f"{n / 100:.2f}", "Subject": lambda _: who.latin}
    lines = [f"Subject:\t{who.latin}", f"Patient ID:\t{who.number}", *_lines(values, others, "\t")]
    return Source(
        f"{who.number}_gait.tsv", "\n".join(lines).encode(), {**values, "Frame": [str(n + 1) for n in range(ROWS)]}
    )


def balance(who: Planted) -> Source:
    values = _numbers("balance", ["CoPx", "CoPy", "Fz"])
    others = {
        "눈": lambda n: "눈뜸" if n % 2 else "눈감음",
        "이름": lambda _: who.korean,
        "Time": lambda n: str(n / 50),
    }
    return Source("balance.csv", "\n".join(_lines(values, others)).encode("utf-8-sig"), values)


def reaction(who: Planted) -> Source:
    values = _numbers("reaction", ["반응시간", "정확도"], 2)
    others = {
        "등록번호": lambda _: who.number, "성명": lambda _: who.korean, "주민번호": lambda _: who.resident,
        "측정일시": lambda n: f"{_at(who, n):%Y. %m. %d. %H:%M:%S}", "자극": lambda n: ("빛", "소리", who.note)[n % 3],
    }  # fmt: skip
    return Source(f"{who.mail}.csv", "\n".join(_lines(values, others)).encode("cp949", "replace"), values)


def body(who: Planted) -> Source:
    values = _numbers("body", ["골격근량", "체지방률", "악력(kg)"], 1)
    others = {
        "등록번호": lambda _: who.number, "이름": lambda _: who.korean, "전화": lambda _: who.phone,
        "측정일": lambda _: who.start.strftime("%Y.%m.%d"), "나이": lambda _: "67", "주소": lambda _: who.address,
    }  # fmt: skip
    return Source("체성분.csv", "\n".join(_lines(values, others)).encode("utf-16"), values)


def cardiopulmonary(who: Planted) -> Source:
    values = _numbers("cpx", ["VO2", "VCO2", "VE", "HR"])
    others = {
        "Patient ID": lambda _: who.number,
        "Operator": lambda _: who.doctor,
        "Time": lambda n: f"{_at(who, n):%H:%M:%S}",
    }
    lines = [f'"Name","{who.latin}"', f'"Serial","{who.serial}"', *_lines(values, others)]
    return Source("CPX.csv", "\n".join(lines).encode(), values)


def eeg(who: Planted) -> Source:
    values = _numbers("eeg", ["Fp1", "Fp2", "C3", "C4"])
    others = {"Time": lambda n: str(int(_at(who, n, 250).timestamp() * 1000)), "Annotation": lambda _: who.note}
    return Source("eeg.txt", "\n".join(_lines(values, others, ";")).encode(), values)


def cognitive(who: Planted) -> Source:
    values = _numbers("cognitive", ["점수", "하위점수1"], 0)
    others = {"등록번호": lambda _: who.number, "검사": lambda n: ("MMSE", "MoCA", who.doctor)[n % 3], "검사일": lambda _: who.day,
              "소견": lambda _: who.note}  # fmt: skip
    return Source("인지.csv", "\n".join(_lines(values, others)).encode(), values)


def ambulance(who: Planted) -> Source:
    values = _numbers("ambulance", ["HR", "SpO2", "SBP"], 1)
    others = {
        "시각": lambda n: f"{_at(who, n):%Y-%m-%dT%H:%M:%S}+09:00", "lat": lambda n: f"{35.160234 + n / 1e5:.6f}",
        "lon": lambda n: f"{126.851338 + n / 1e5:.6f}", "차량": lambda _: who.vehicle, "구급대원": lambda _: who.doctor,
        "장비번호": lambda _: who.serial, "KTAS": lambda n: str(n % 5 + 1), "AVPU": lambda n: who.korean if n == 9 else "A",
        "신고번호": lambda _: who.phone, "이송병원": lambda _: who.hospital,
    }  # fmt: skip
    names = [*others, *values]
    rows = [
        {name: (others[name](n) if name in others else float(values[name][n])) for name in names} for n in range(ROWS)
    ]
    lines = [json.dumps(row, ensure_ascii=n % 2 == 0) for n, row in enumerate(rows)]
    shown = {name: [repr(float(each)) for each in column] for name, column in values.items()}
    return Source(f"{who.vehicle}.jsonl", "\n".join(lines).encode(), shown)


def wearable(who: Planted) -> Source:
    values = _numbers("wearable", ["heartRate", "steps", "spo2"], 0)
    samples = [
        {
            "ts": int(_at(who, n).timestamp()), "heartRate": int(values["heartRate"][n]), "steps": int(values["steps"][n]),
            "spo2": int(values["spo2"][n]), "sleepStage": "rem" if n else who.note, "place": {"lat": 35.1, "memo": who.address},
        }
        for n in range(ROWS)
    ]  # fmt: skip
    document = {
        "userId": who.number, "name": who.korean, "email": who.mail, who.phone: 3,
        "device": {"serial": who.serial, "mac": who.mac, "imei": "35" + who.number},
        "samples": samples, "consent": {"signed": who.latin, "heartRate": who.birth},
    }  # fmt: skip
    return Source("lifelog.json", json.dumps(document, ensure_ascii=False, indent=1).encode(), values)


def vitals(who: Planted) -> Source:
    values = _numbers("vitals", ["VS_RSLT"], 1)
    others = {"PATID": lambda _: who.number, "VSDT": lambda n: f"{_at(who, n * 60):%Y%m%d%H%M%S}",
              "VS_GBN": lambda n: ("HR", "SBP", who.korean)[n % 3], "DEATHDT": lambda _: who.day}  # fmt: skip
    return Source("KHTH_VITAL.csv", "\n".join(_lines(values, others, "|")).encode("cp949", "replace"), values)


def ecg(who: Planted) -> Source:
    values = _numbers("ecg", ["I", "II", "V1", "V6"])
    others = {"Sample": str, f"Note {who.latin}": lambda _: who.note}
    lines = [f"{who.hospital},{who.phone}", f"MRN,{who.number}", *_lines(values, others)]
    return Source("ecg.csv", "\n".join(lines).encode("cp949", "replace"), values)


SOURCES: dict[str, Callable[[Planted], Source]] = {
    each.__name__: each
    for each in (emg, gait, balance, reaction, body, cardiopulmonary, eeg, cognitive, ambulance, wearable, vitals, ecg)
}
