"""Start-up refuses settings that are missing, malformed or unknown, in one line that names them."""

import os
from pathlib import Path

import pytest

from services.chassis import server
from services.chassis.settings import DatabaseSettings, ServiceSettings, load

TOPOLOGY = str(Path(__file__).parents[3] / "deploy" / "topology.yaml")


class BothSettings(ServiceSettings, DatabaseSettings): ...


GOOD = {
    "HEMLINE_REGION": "eu-central-1",
    "HEMLINE_TOPOLOGY_FILE": TOPOLOGY,
    "HEMLINE_ADDRESS": "127.0.0.1:0",
    "HEMLINE_IDENTITY_ADDRESSES": '["127.0.0.1:1"]',
    "HEMLINE_DATABASE_URLS": '{"eu-central-1": "postgresql://a:secret@h/d"}',
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("HEMLINE_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_reads_the_environment_and_hides_secrets() -> None:
    settings = load(BothSettings)
    assert settings.identity_addresses == ("127.0.0.1:1",)
    assert "secret" not in repr(settings)


def test_names_a_missing_setting(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("HEMLINE_REGION")
    with pytest.raises(SystemExit, match="setting HEMLINE_REGION: missing"):
        load(BothSettings)


def test_names_an_unknown_setting(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HEMLINE_REGOIN", "eu-central-1")
    with pytest.raises(SystemExit, match="unknown setting HEMLINE_REGOIN"):
        load(BothSettings)


@pytest.mark.parametrize("value", ["x", "-1", "2"])
def test_names_a_malformed_setting(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("HEMLINE_TRACE_RATIO", value)
    with pytest.raises(SystemExit, match="setting HEMLINE_TRACE_RATIO") as refusal:
        load(BothSettings)
    assert "\n" not in str(refusal.value)


def test_malformed_json_is_one_line_without_the_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HEMLINE_DATABASE_URLS", "postgresql://a:secret@h/d")
    with pytest.raises(SystemExit, match="HEMLINE_DATABASE_URLS") as refusal:
        load(BothSettings)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_unknown_region_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HEMLINE_REGION", "eu-north-1")
    with pytest.raises(SystemExit, match="HEMLINE_REGION: unknown region eu-north-1"):
        server.run("test", load(BothSettings), lambda _: None)


@pytest.mark.parametrize("setting", ["HEMLINE_DATABASE_URLS", "HEMLINE_REPLICA_URLS"])
def test_a_database_outside_the_jurisdiction_is_refused(
    environment: pytest.MonkeyPatch, setting: str
) -> None:
    environment.setenv(setting, '{"us-east-1": "postgresql://a:secret@h/d"}')
    with pytest.raises(SystemExit, match=f"{setting}: us-east-1 is not in EU") as refusal:
        server.run("test", load(BothSettings), lambda _: None)
    assert "secret" not in str(refusal.value)
