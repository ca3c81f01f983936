"""Notebooks, code, Parquet, DOCX and HWPX that may leave: the honest counterparts of `carriers`."""

from __future__ import annotations

import base64
import io
import json

import pandas as pd

from tests.enclave.airlock.office import W, docx, grid, hwpx, paragraph
from tests.enclave.airlock.suites.carriers import _book, _code, _parquet, _shown
from tests.enclave.airlock.suites.case import Family, Rng
from tests.enclave.airlock.suites.honest import bar_figure
from tests.enclave.airlock.suites.people import common, people

Made = tuple[str, bytes]
FIT = '''"""Cox model of five-year survival (안심 과제 12)."""
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

BINS = [0, 40, 50, 60, 70, 80, 120]
COLORS = ["#1f77b4", "#ff7f0e", "#2ca02c"]
SEED = {seed}


def prepare(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep adults with at least one year of follow-up."""
    kept = frame[(frame["age"] >= 20) & (frame["years"] >= 1.0)]
    return kept.assign(band=pd.cut(kept["age"], BINS, right=False))


if __name__ == "__main__":
    frame = prepare(pd.read_parquet("cohort.parquet"))
    print(CoxPHFitter(penalizer=0.1).fit(frame, "years", "died").summary.round(3))
'''


def _counts(rng: Rng, column: str = "city") -> pd.DataFrame:
    frame = common(people(rng), column)
    return frame.groupby(column).agg(n=("patient", "size"), mean_age=("age", "mean")).round(1).reset_index()


def book_of_code_alone(rng: Rng) -> Made:
    words = {"cell_type": "markdown", "metadata": {}, "source": "# 생존 분석\n\n5년 생존율을 병기별로 비교한다."}
    return ".ipynb", _book(words, _code(FIT.format(seed=int(rng.integers(99))), execution_count=None))


def book_with_a_table(rng: Rng) -> Made:
    frame = _counts(rng)
    style = "<style scoped>.dataframe tbody tr th {vertical-align: top;}</style>\n"
    table = frame.to_html(index=False)
    return ".ipynb", _book(
        _code("table", _shown(text=frame.to_string(index=False), html=f"<div>\n{style}{table}\n</div>"))
    )


def book_with_a_figure(rng: Rng) -> Made:
    picture = base64.b64encode(bar_figure(rng)[1]).decode()
    return ".ipynb", _book(_code("ax.bar(x, y)", _shown(text="<Figure size 400x300 with 1 Axes>", png=picture)))


def book_with_a_printed_model(rng: Rng) -> Made:
    lines = [f"epoch {n:2d}  loss {0.8 * 0.9**n + float(rng.random()) / 100:.4f}" for n in range(15)]
    return ".ipynb", _book(_code("fit()", {"output_type": "stream", "name": "stdout", "text": "\n".join(lines)}))


def book_as_jupyterlab_saves_it(rng: Rng) -> Made:
    about = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
             "language_info": {"codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py",
                               "mimetype": "text/x-python", "name": "python", "nbconvert_exporter": "python",
                               "pygments_lexer": "ipython3", "version": "3.13.1"}}  # fmt: skip
    cell = _code(f"np.random.seed({int(rng.integers(99))})", id="5f2b1c9e-0a7d-4c56-9d0b-2f9a4be1a001")
    return ".ipynb", _book(cell, metadata=about)


def code_in_python(rng: Rng) -> Made:
    return ".py", FIT.format(seed=int(rng.integers(99))).encode()


def code_in_r(rng: Rng) -> Made:
    return (".R", ".r")[int(rng.integers(2))], (
        "library(survival)\nlibrary(dplyr)\n\n# 병기별 생존분석\ncohort <- readRDS('cohort.rds') %>%\n"
        "  filter(age >= 20, !is.na(stage)) %>%\n  mutate(band = cut(age, c(0, 40, 50, 60, 70, 80, Inf)))\n\n"
        f"set.seed({int(rng.integers(9999))})\nfit <- coxph(Surv(years, died) ~ age + sex + stage, data = cohort)\n"
        "summary(fit)\nggsave('km.png', width = 6, height = 4, dpi = 300)\n"
    ).encode()  # fmt: skip


def code_in_sql(rng: Rng) -> Made:
    return ".sql", (
        "WITH first_visit AS (\n  SELECT person_id, min(visit_start_date) AS day0\n  FROM visit_occurrence\n"
        f"  WHERE visit_concept_id IN (9201, 9202, 9203)\n  GROUP BY person_id\n)\nSELECT year(day0), count(*) AS n\n"
        f"FROM first_visit\nGROUP BY 1\nHAVING count(*) >= {int(rng.integers(10, 30))};\n"
    ).encode()


def code_of_settings(rng: Rng) -> Made:
    return ".yaml", (
        f"model:\n  name: xgboost\n  max_depth: {int(rng.integers(3, 9))}\n  eta: 0.05\ndata:\n  years: [2016, 2017, 2018]\n"
        "  exclude: [E10, E11, C34]\n"
    ).encode()


def code_with_lists_of_codes(rng: Rng) -> Made:
    codes = ", ".join(f'"E{n}"' for n in range(10, 10 + int(rng.integers(8, 30))))
    return ".py", f"DIABETES = [{codes}]\nQUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]\n".encode()


def parquet_of_results(rng: Rng) -> Made:
    return ".parquet", _parquet(_counts(rng))


def parquet_of_pandas(rng: Rng) -> Made:
    out = io.BytesIO()
    _counts(rng, "region").set_index("region").to_parquet(out)
    return ".parquet", out.getvalue()


def parquet_of_a_model(rng: Rng) -> Made:
    terms = ["const", "age", "sex", "bmi"]
    frame = pd.DataFrame(
        {"term": pd.Categorical(terms), "coef": rng.normal(0, 1, 4).round(3), "se": rng.random(4).round(3)}
    )
    return ".parquet", _parquet(frame)


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    return [list(map(str, frame.columns)), *[[str(value) for value in row] for row in frame.itertuples(index=False)]]


def word_report(rng: Rng) -> Made:
    body = paragraph("3. 결과") + paragraph("지역별 대상자 분포는 표 1과 같다.") + grid(_cells(_counts(rng)))
    more = {"docProps/app.xml": "<P><Application>LibreOffice</Application><Pages>2</Pages></P>",
            "word/styles.xml": f'<w:styles xmlns:w="{W}"><w:style w:styleId="a3"><w:name w:val="Table Grid"/></w:style></w:styles>'}  # fmt: skip
    return ".docx", docx(body, more)


def word_with_bookmarks_and_fonts(rng: Rng) -> Made:
    del rng
    body = (
        '<w:p w:rsidR="00A77B3E" w14:paraId="1A2B3C4D" xmlns:w14="x"><w:bookmarkStart w:id="0" w:name="_Toc123456"/>'
        '<w:r><w:rPr><w:rFonts w:ascii="맑은 고딕" w:eastAsia="함초롬바탕"/><w:color w:val="1F4E79"/><w:sz w:val="22"/></w:rPr>'
        "<w:t>대상자의 평균 나이는 61.3세였다.</w:t></w:r></w:p>"
    )
    return ".docx", docx(body)


def hangul_report(rng: Rng) -> Made:
    table = grid(_cells(_counts(rng, "region")), "hp", "run")
    text = "<hp:p id='2147483648' paraPrIDRef='3'><hp:run charPrIDRef='7'><hp:t>연구 결과 요약</hp:t>"
    return ".hwpx", hwpx(
        f"{text}{table}</hp:run></hp:p>", {"Preview/PrvText.txt": "연구 결과 요약".encode("utf-16-le")}
    )


def json_of_results(rng: Rng) -> Made:
    rows = json.loads(_counts(rng).to_json(orient="records"))
    return ".json", json.dumps({"table 1": rows, "method": "group means"}, indent=1).encode()


HONEST_CARRIED: dict[str, Family] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
