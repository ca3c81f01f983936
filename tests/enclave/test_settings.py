"""Settings: every value has a default, and nothing misspelt becomes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.errors import Invalid
from enclave.settings import DEFAULT_HOME, Settings
from hub_config.proxy import command


def test_without_a_file_every_value_has_its_default(tmp_path):
    settings = Settings.load(tmp_path)
    assert settings == Settings(home=tmp_path)
    assert settings.url == f"sqlite:///{tmp_path}/db/ansim.sqlite"
    assert (settings.public_url, settings.core_socket) == ("http://ansim.localhost:8000", Path("/run/ansim/core.sock"))


def test_the_home_comes_from_the_environment_or_is_the_usual_one(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIM_HOME", str(tmp_path))
    assert Settings.load().home == tmp_path
    monkeypatch.delenv("ANSIM_HOME")
    assert Settings.load().home == DEFAULT_HOME


def test_values_of_the_file_count(tmp_path):
    (tmp_path / "config.toml").write_text(
        'public_port = 80\nrun_folder = "/tmp/run"\ndatabase_url = "postgresql+psycopg://x@/y"\n'
        '[oidc]\nclient_id = "a"\n'
    )
    settings = Settings.load(tmp_path)
    assert (settings.public_url, settings.gate_socket) == ("http://ansim.localhost", Path("/tmp/run/gate.sock"))
    assert (settings.url, settings.oidc) == ("postgresql+psycopg://x@/y", {"client_id": "a"})


def test_behind_a_tls_proxy_ours_listens_on_a_port_that_is_in_no_address(tmp_path):
    (tmp_path / "config.toml").write_text('public_scheme = "https"\npublic_port = 443\nproxy_port = 8000\n')
    settings = Settings.load(tmp_path)
    assert (settings.public_url, settings.front_port) == ("https://ansim.localhost", 8000)
    assert command(settings, tmp_path)[4:6] == ["--port", "8000"]
    assert Settings().front_port == Settings().public_port


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("min_sell = 5", "min_sell"),
        ("home = '/elsewhere'", "home"),
        ("hub_port = 'eight'", "hub_port"),
        ("max_files = true", "max_files"),
        ("max_files = \n", "line 1"),
        ("image = 5", "image"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, text, says):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(Invalid) as refused:
        Settings.load(tmp_path)
    assert (refused.value.code, says in refused.value.en) == ("settings.invalid", True)
