"""How the private servers are found and configured; what they do is tried in the integration tests."""

import errno
import os
import stat
from pathlib import Path

import pytest

from deploy.local import rabbitmq
from deploy.local.database import EmbeddedDatabase
from deploy.local.errors import LocalSystemError
from deploy.local.rabbitmq import RabbitNode, usable_folder
from deploy.local.secrets_file import credentials, write_private


@pytest.fixture
def node(tmp_path, monkeypatch):
    monkeypatch.setattr(rabbitmq, "server_script", lambda: tmp_path / "sbin" / "rabbitmq-server")
    return RabbitNode(tmp_path / "rabbitmq")


def test_credentials_stay_the_same_and_private(tmp_path):
    first = credentials(tmp_path / "file")
    assert credentials(tmp_path / "file") == first
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert credentials(tmp_path / "other").password != first.password


def test_a_private_file_is_replaced_and_leaves_no_draft(tmp_path):
    write_private(tmp_path / "file", "old")
    write_private(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_file_that_finds_no_room_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_private(tmp_path / "file", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "file", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_the_login_is_not_the_well_known_one(node):
    assert "guest" not in node.url
    assert f"@127.0.0.1:{node.port}/" in node.url


def test_the_login_survives_while_ports_may_change(node, tmp_path):
    again = RabbitNode(tmp_path / "rabbitmq")
    assert again.url.split("@")[0] == node.url.split("@")[0]


def test_no_setting_of_another_node_gets_in(node, monkeypatch):
    monkeypatch.setenv("RABBITMQ_USE_LONGNAME", "true")
    monkeypatch.setenv("ERL_AFLAGS", "-name x")
    environment = node._environment()
    assert not {"RABBITMQ_USE_LONGNAME", "ERL_AFLAGS"} & environment.keys()
    assert environment["ERL_FLAGS"] == "-start_epmd false"


def test_what_a_killed_node_left_is_cleared_and_data_are_not(node):
    data = node.folder / "mnesia"
    data.mkdir()
    (node.folder / "pid").write_text("1")
    (node.folder / "plugins-expand").mkdir()
    node._forget_last_run()
    assert data.exists()
    assert not (node.folder / "pid").exists()
    assert not (node.folder / "plugins-expand").exists()


@pytest.mark.parametrize("name", ["it's", 'a"b', "a$b", "a`b", "a\\b"])
def test_a_folder_that_would_hang_the_node_is_refused(tmp_path, name):
    with pytest.raises(LocalSystemError, match="LECTERN_HOME"):
        usable_folder(tmp_path / name)


@pytest.mark.parametrize("name", ["My lectures", "Vorträge", "講義"])
def test_other_folders_are_fine(tmp_path, name):
    assert usable_folder(tmp_path / name).name == name


def test_a_missing_server_says_what_to_install(monkeypatch):
    monkeypatch.setenv("RABBITMQ_SERVER_HOME", "/gone")
    with pytest.raises(LocalSystemError, match="rabbitmq-server"):
        rabbitmq.server_script()


def test_a_missing_database_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.local.database.find_spec", lambda name: None)
    with pytest.raises(LocalSystemError, match="LECTERN_MONGO_URL"):
        EmbeddedDatabase(tmp_path)


async def test_servers_that_do_not_run_are_not_ready(node, tmp_path):
    assert not await node.is_ready()
    assert not await EmbeddedDatabase(tmp_path / "database").is_ready()
