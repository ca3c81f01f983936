"""The sequencer as a process: starts, publishes, stops on SIGTERM, says why it cannot start."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text

from audit import keys, serve
from audit.reader import LogReader
from audit.verify import verify_log


@pytest.fixture
def key(tmp_path):
    keys.create(tmp_path / "log.key", name="ansim.test/log")
    return tmp_path / "log.key"


def wait_for(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("did not happen within 30 s")


def test_the_process_publishes_and_stops_when_told(engine, add, database_url, log_folder, key) -> None:
    add(3)
    command = [sys.executable, "-m", "audit.serve", database_url, log_folder, key, "--interval", "0.05"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: (log_folder / "checkpoint").exists() and LogReader(log_folder).size == 3)
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "audit.log-busy" in second.stderr
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.wait()
    assert verify_log(log_folder, keys.load(key).vkey).ok


@pytest.fixture
def signals():
    """Put the handlers back that `serve.main` replaces in this process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_wrong_key_or_origin_is_said_and_nothing_is_signed(engine, database_url, log_folder, key, capsys) -> None:
    assert serve.main([database_url, str(log_folder), str(key), "--origin", "other.test/log"]) == 1
    assert "audit.origin" in capsys.readouterr().err
    key.chmod(0o644)
    assert serve.main([database_url, str(log_folder), str(key)]) == 1
    assert "audit.bad-key-file" in capsys.readouterr().err
    assert not (log_folder / "checkpoint").exists()


@pytest.mark.usefixtures("signals")
def test_a_signal_ends_it_within_this_process_too(engine, add, database_url, log_folder, key) -> None:
    add(1)

    def end() -> None:
        wait_for((log_folder / "checkpoint").exists)
        signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    assert serve.main([database_url, str(log_folder), str(key), "--interval", "0.01"]) == 0
    thread.join()
    assert LogReader(log_folder).size == 1


def test_on_sqlite_it_waits_for_others_and_syncs_fully(sqlite_url) -> None:
    engine = serve.open_engine(sqlite_url)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA busy_timeout")) == 10_000
        assert connection.scalar(text("PRAGMA synchronous")) == 2
    engine.dispose()
