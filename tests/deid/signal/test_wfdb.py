"""WFDB records: header, signals and annotations together; the reference library reads the same samples."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.person import Taken
from deid.signal.wfdb import Wfdb
from deid.signal.wfdb_annotations import renewed
from tests.deid.signal.make_wfdb import record
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.reference_wfdb import wfdb
from tests.deid.signal.running import Done, Runner

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _run(run: Runner, who: object, **options: object) -> Done:
    path = record(who, run.source / "심전도", **options)  # type: ignore[arg-type]
    return run(Wfdb(), f"심전도/{path.name}")


@pytest.mark.parametrize("form", ["16", "212", "24", "32", "80"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_nothing_that_was_planted_is_left_and_every_sample_is(run: Runner, form: str, encoding: str) -> None:
    who = person(int(form))
    done = _run(run, who, form=form, encoding=encoding, behind=f"{who.korean} {who.phone}".encode(encoding) * 9)
    assert leaks(who, done.folder) == []
    old = run.source / "심전도" / who.number
    new = done.file.with_suffix("")
    (old.with_suffix(".hea")).write_bytes(old.with_suffix(".hea").read_bytes().decode(encoding).encode("utf-8"))
    before, after = (wfdb.rdrecord(str(path), physical=False) for path in (old, new))
    assert np.array_equal(before.d_signal, after.d_signal)
    assert (after.fs, after.units, after.sig_name) == (250, ["mV", "mV"], ["II", "V5"])
    assert after.comments == [f"patient: {run.people.pseudonym(who.number)}"]
    assert (after.base_date - who.start.date()).days == run.people.days(who.number)
    assert after.base_time.isoformat() == "00:00:00"


def test_files_that_belong_to_the_record_are_told(run: Runner) -> None:
    who = person(5)
    done = _run(run, who)
    assert {path.name for path in done.outcome.companions} == {f"{who.number}.dat", f"{who.number}.atr"}
    assert len({Path(name).stem for name in done.outcome.files}) == 1


def test_annotations_keep_times_codes_and_rhythms(run: Runner) -> None:
    done = _run(run, person(6))
    found = wfdb.rdann(str(done.file.with_suffix("")), "atr")
    assert found.sample.tolist() == [10, 200, 450, 900]
    assert found.symbol == ["N", "+", '"', "V"]
    assert [note.rstrip("\0") for note in found.aux_note] == ["", "(AFIB", "", ""]


def test_a_prolog_is_blanked_unless_it_is_matlabs(run: Runner) -> None:
    header = b"r1 1 100 4\nr1.mat 16+24 1000/mV 16 0 0 0 0 I\n"
    samples = np.arange(4, dtype="<i2").tobytes()
    for prolog, kept in (
        (np.array([30, 1, 4, 0, 4], "<i4").tobytes() + b"val\0", True),
        ("홍길동 01012345678 !".encode("cp949").ljust(24), False),
    ):
        (run.source).mkdir(exist_ok=True)
        (run.source / "r1.mat").write_bytes(prolog + samples + b"behind")
        done = run(Wfdb(), "r1.hea", header)
        body = (done.folder / done.outcome.files[1]).read_bytes()
        assert body == (prolog if kept else bytes(24)) + samples


def test_segments_are_renamed_as_their_own_headers_are(run: Runner) -> None:
    run.source.mkdir()
    (run.source / "m_1.dat").write_bytes(np.arange(8, dtype="<i2").tobytes())
    (run.source / "m_2.dat").write_bytes(np.arange(8, 16, dtype="<i2").tobytes())
    parts = {
        "m.hea": b"m/2 1 100 16\nm_1 8\nm_2 8\n",
        "m_1.hea": b"m_1 1 100 8\nm_1.dat 16 200/mV 16 0 0 0 0 II\n",
        "m_2.hea": b"m_2 1 100 8\nm_2.dat 16 200/mV 16 0 0 0 0 II\n",
    }
    whole = run.base / "whole"
    whole.mkdir()
    for name, data in parts.items():
        done = run(Wfdb(), name, data)
        for file in done.outcome.files:
            (done.folder / file).rename(whole / file)
        if name == "m.hea":
            main = whole / done.outcome.files[0]
    assert wfdb.rdrecord(str(main.with_suffix("")), physical=False).d_signal.ravel().tolist() == list(range(16))


def test_the_day_of_a_segment_moves_as_its_record_does(run: Runner) -> None:
    run.source.mkdir()
    (run.source / "m.hea").write_bytes(
        "m/2 1 100 16 10:00:00 02/03/2021\nm_1 8\nm_2 8\n# 환자번호: 00123456\n".encode()
    )
    (run.source / "m_1.dat").write_bytes(bytes(16))
    done = run(Wfdb(), "m_1.hea", b"m_1 1 100 8 10:00:00 02/03/2021\nm_1.dat 16 200/mV 16 0 0 0 0 II\n")
    day = dt.date(2021, 3, 2) + dt.timedelta(days=run.people.days("00123456"))
    assert done.outcome.patient == run.people.pseudonym("00123456")
    assert f"00:00:00 {day:%d/%m/%Y}" in done.data.decode()


@pytest.mark.parametrize(
    "comment",
    [
        "# MRN: 00123456",
        "# Patient: Hong Gildong, MRN: 00123456, 63 y",
        "# Name: 홍길동 ID 00123456",
        "#등록번호 00123456 홍길동 1958-01-02",
        "# subject 00123456",
        "# Patient Hong\n# birth 19580102, chart no. 00123456",
        "# Patient 홍길동 580102-1234567\n# patient 010-1234-5678\n# MRN 00123456",
    ],
)
def test_the_number_is_found_in_comments_of_any_manner(run: Runner, comment: str) -> None:
    run.source.mkdir()
    (run.source / "r.dat").write_bytes(bytes(8))
    done = run(Wfdb(), "rec.hea", f"rec 1 360 4\nr.dat 16 200\n{comment}\n".encode())
    assert done.outcome.patient == run.people.pseudonym("00123456")


@pytest.mark.parametrize("name", ["00123456", "ecg_00123456", "w16_00123456", "00123456_2", "ecg_00123456_20210302"])
def test_the_number_is_found_in_the_records_name(run: Runner, name: str) -> None:
    run.source.mkdir()
    (run.source / f"{name}.dat").write_bytes(bytes(8))
    done = run(Wfdb(), f"{name}.hea", f"{name} 1 360 4\n{name}.dat 16 200\n".encode())
    assert done.outcome.patient == run.people.pseudonym("00123456")
    assert done.data.decode().endswith(f"# patient: {done.outcome.patient}\n"), "as in EDF, the file itself tells it"


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_record_in_hangul_is_renamed(run: Runner, encoding: str) -> None:
    run.source.mkdir()
    (run.source / "홍길동.dat").write_bytes(np.arange(4, dtype="<i2").tobytes())
    done = run(Wfdb(), "홍길동.hea", "홍길동 1 360 4\n홍길동.dat 16 200\n".encode(encoding))
    record = wfdb.rdrecord(str(done.file.with_suffix("")), physical=False)
    assert record.d_signal.ravel().tolist() == [0, 1, 2, 3]
    assert "홍".encode(encoding) not in done.data


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"100 1 360 99\nr.dat 16 200\n", "signal.truncated"),
        (b"100 1 360\n", "signal.wfdb-header"),
        (b"100 2 360 4\nr.dat 16 200\n", "signal.wfdb-header"),
        (b"100 1 360 4\nmissing.dat 16 200\n", "signal.wfdb-file"),
        (b"100 1 360 4\n../r.dat 16 200\n", "signal.wfdb-header"),
        (b"100 1 360 4\nr.dat 516 200\n", "signal.wfdb-format"),
        (b"100 1 360 4\nr.dat 16x0 200\n", "signal.truncated"),
        (b"100 2 360 4\nr.dat 16 200\nr.dat 8 200\n", "signal.wfdb-format"),
        (b"100 1 360 4\nr.dat 16+999999999 200\n", "signal.truncated"),
        (b"100/3 1 360 4\nr 4\n", "signal.wfdb-header"),
        (b"100 1 360 99999999999999999\nr.dat 16 200\n", "signal.wfdb-header"),
        (b"100 1 360 999999999999999\nr.dat 16x999999 200\n", "signal.truncated"),
    ],
    ids=range(12),
)
def test_what_lies_is_refused(run: Runner, header: bytes, code: str) -> None:
    run.source.mkdir()
    (run.source / "r.dat").write_bytes(bytes(8))
    assert run.refused(Wfdb(), "100.hea", header) == code


def test_a_link_out_of_the_folder_is_no_signal_file(run: Runner, tmp_path: Path) -> None:
    run.source.mkdir()
    (tmp_path / "secret").write_bytes(bytes(100))
    (run.source / "r.dat").symlink_to(tmp_path / "secret")
    assert run.refused(Wfdb(), "100.hea", b"100 1 360 4\nr.dat 16 200\n") == "signal.wfdb-file"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_annotations_or_are_not(data: bytes) -> None:
    new = renewed(data, Taken())
    assert new is None or len(new) <= len(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(person(9), tmp_path_factory.mktemp("wfdb"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_header_is_read_or_refused(people, made, tmp_path_factory, data) -> None:
    whole = bytearray(made.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place : place + 3] = data.draw(st.binary(min_size=1, max_size=8))
    path, target = made.with_name("damaged.hea"), tmp_path_factory.mktemp("out")
    path.write_bytes(whole)
    try:
        outcome = Wfdb().deidentify(path, target, Context(people, None, path.name))
    except Refused:
        assert list(target.iterdir()) == []
        return
    for name in outcome.files:
        assert hits(person(9), (target / name).read_bytes()) == []
