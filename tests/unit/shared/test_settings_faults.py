"""Faulty settings are all named at once, in words, without their values, and end the process with status 2 (OPS-1)."""

import os
import re

import pytest
from pydantic_settings import BaseSettings

from deploy.settings_classes import SETTINGS_OF, prefix_of, variables
from services.ingest.settings import IngestSettings
from shared.settings import SharedSettings, load, load_service

ALL = {"shared": SharedSettings, **SETTINGS_OF}


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    prefixes = tuple(prefix_of(kind) for kind in ALL.values())
    for name in [name for name in os.environ if name.startswith(prefixes)]:
        monkeypatch.delenv(name)


def complaints(kind: type[BaseSettings], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        load(kind)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_every_fault_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = {
        "LECTERN_STORAGE": "floppy",
        "LECTERN_S3_ENDPOINT": "nowhere",
        "LECTERN_SHUTDOWN_S": "-1",
        "LECTERN_LOG_LEVEL": "loud",
        "LECTERN_MONGO_PREFIX": "Not A Name",
        "LECTERN_RETRY_DELAYS_S": "5,601,0",
    }
    for name, value in faulty.items():
        monkeypatch.setenv(name, value)
    said = complaints(SharedSettings, capsys)
    assert set(re.findall(r"^Setting (LECTERN_\w+)", said, re.MULTILINE)) == set(faulty)
    assert "LECTERN_RETRY_DELAYS_S, value 2: " in said
    assert "LECTERN_RETRY_DELAYS_S, value 3: " in said
    assert "docs/configuration.md" in said


def test_a_faulty_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GATEWAY_BOOTSTRAP_KEY", "hunter2")
    said = complaints(SETTINGS_OF["gateway"], capsys)
    assert "GATEWAY_BOOTSTRAP_KEY" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("value", ["five", "", "5,,6", "nan", "inf", ",".join("1" * 9)])
def test_delays_that_make_no_sense_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("LECTERN_RETRY_DELAYS_S", value)
    assert "Setting LECTERN_RETRY_DELAYS_S" in complaints(SharedSettings, capsys)


def test_delays_are_read_from_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_RETRY_DELAYS_S", "0.5, 2")
    assert load(SharedSettings).retry_delays_s == (0.5, 2.0)


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_defaults_are_valid_and_every_setting_is_described(kind: type[BaseSettings]) -> None:
    load(kind)
    assert all(variable.info.description for variable in variables(kind))


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_AMQP_URL", "amqp://lectern:hunter2@broker/")
    monkeypatch.setenv("LECTERN_MONGO_URL", "mongodb://lectern:hunter2@database/")
    monkeypatch.setenv("LECTERN_S3_SECRET_KEY", "hunter2")
    assert "hunter2" not in repr(load(SharedSettings))


def test_no_two_classes_read_the_same_variable() -> None:
    names = [variable.name for kind in ALL.values() for variable in variables(kind)]
    assert len(names) == len(set(names))


def test_the_faults_of_both_kinds_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LECTERN_SHUTDOWN_S", "0")
    monkeypatch.setenv("INGEST_MAX_PAGES", "none")
    with pytest.raises(SystemExit, match="2"):
        load_service(IngestSettings)
    said = capsys.readouterr().err
    assert "LECTERN_SHUTDOWN_S" in said
    assert "INGEST_MAX_PAGES" in said
