"""Where the private broker looks for its modules: none of a plugin that nobody uses, and nothing that is not there."""

from pathlib import Path
from typing import Any

import pytest

from deploy.local import rabbitmq
from deploy.local.erlang_path import first_folders, plugins_folder
from deploy.local.rabbitmq import RabbitNode


def library(parent: Path, name: str) -> Path:
    (parent / name / "ebin").mkdir(parents=True)
    return parent / name


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A server's folder, as installed."""
    for name in ("rabbit-4.1.0", "rabbit_common-4.1.0", "ra-2.16", "rabbitmq_management-4.1.0"):
        library(tmp_path / "server" / "plugins", name)
    return tmp_path / "server"


def test_the_server_and_what_it_stands_on_come_before_its_plugins(server: Path, tmp_path: Path) -> None:
    erlang = tmp_path / "erlang" / "lib" / "erlang"
    for name in ("kernel-10.3", "stdlib-7.0", "wx-2.5"):
        library(erlang / "lib", name)
    (erlang / "bin").mkdir()
    (erlang / "bin" / "erl").write_text("")
    (erlang / "bin" / "erl").chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "erl").symlink_to(erlang / "bin" / "erl")
    found = [folder.parent.name for folder in first_folders(server, str(tmp_path / "bin"))]
    assert found == ["rabbit-4.1.0", "kernel-10.3", "stdlib-7.0", "rabbit_common-4.1.0", "ra-2.16"]


def test_what_is_there_twice_or_cannot_be_named_to_the_server_is_left_out(server: Path, tmp_path: Path) -> None:
    library(server / "plugins", "ra-2.15")
    assert [folder.parent.name for folder in first_folders(server, "")] == ["rabbit-4.1.0", "rabbit_common-4.1.0"]
    server.rename(tmp_path / "my server")
    assert first_folders(tmp_path / "my server", "") == []


def test_the_private_broker_has_no_plugins_but_its_own_settings_and_those_of_the_version_at_hand(
    server: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "rabbitmq" / "plugins"
    folder.parent.mkdir()
    assert plugins_folder(server, folder) == folder
    assert [path.resolve() for path in folder.iterdir()] == [server / "plugins" / "rabbit-4.1.0"]
    (server / "plugins" / "rabbit-4.1.0").rename(server / "plugins" / "rabbit-4.2.0")
    plugins_folder(server, folder)
    assert [path.name for path in folder.iterdir()] == ["rabbit-4.2.0"]


def test_what_somebody_else_put_into_the_folder_of_plugins_stays_and_the_server_keeps_its_own(
    server: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    plugins_folder(server, folder)
    library(folder, "mine-1.0")
    (folder / "mine-1.0" / "ebin" / "mine.beam").write_text("x")
    (folder / "mine.ez").write_text("x")
    (folder / "elsewhere-1.0").symlink_to(library(tmp_path, "elsewhere"))
    (server / "plugins" / "rabbit-4.1.0").rename(server / "plugins" / "rabbit-4.2.0")
    assert plugins_folder(server, folder) == server / "plugins"
    assert sorted(path.name for path in folder.iterdir()) == ["elsewhere-1.0", "mine-1.0", "mine.ez", "rabbit-4.1.0"]
    assert (folder / "mine-1.0" / "ebin" / "mine.beam").read_text() == "x"


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_has_the_name_of_the_link_is_not_taken_for_it(server: Path, tmp_path: Path, make: Any) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    make(folder / "rabbit-4.1.0")
    assert plugins_folder(server, folder) == server / "plugins"
    assert not (folder / "rabbit-4.1.0").is_symlink()


def test_a_folder_of_plugins_that_is_a_file_or_a_link_is_left_alone(server: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "rabbit-3.0").symlink_to(server)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    for name in ("file", "link"):
        assert plugins_folder(server, tmp_path / name) == server / "plugins"
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["rabbit-3.0"]


def test_a_server_that_is_put_together_otherwise_keeps_its_own_folder(tmp_path: Path) -> None:
    assert plugins_folder(tmp_path / "server", tmp_path / "plugins") == tmp_path / "server" / "plugins"
    assert first_folders(tmp_path / "server", "") == []


def test_the_broker_is_told(server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "server_script", lambda: server / "sbin" / "rabbitmq-server")
    node = RabbitNode(tmp_path / "rabbitmq")
    node._configure()
    environment = node._environment()
    assert environment["RABBITMQ_PLUGINS_DIR"] == str(tmp_path / "rabbitmq" / "plugins")
    assert environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"].endswith(f" -pa {server}/plugins/rabbit-4.1.0/ebin")
