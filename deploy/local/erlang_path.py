"""Where a RabbitMQ server looks for compiled modules: first where they are, and never among plugins that nobody uses.

The server loads a thousand modules at its start and has some seventy folders to look in, those of plugins first:
without this it asks for fifty thousand files that do not exist, which is more than half of the work of its start.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

# In the order of how many of their modules a start loads; those of others are found as ever, only later.
SERVER = "rabbit"
OF_ERLANG = ("kernel", "stdlib", "ssl", "inets", "compiler", "xmerl", "mnesia", "sasl", "tools", "public_key")
OF_THE_SERVER = ("rabbit_common", "ra", "cuttlefish", "rabbitmq_prelaunch", "ranch", "osiris")


def first_folders(server_home: Path, path: str) -> list[Path]:
    """The folders of modules to look in first, most used first; none with a space, which the start script cannot take.

    `server_home` is the folder of the installed RabbitMQ, `path` the folders of programs, as in PATH.
    """
    plugins = server_home / "plugins"
    libraries = [*_only(plugins, (SERVER,)), *_of_erlang(path), *_only(plugins, OF_THE_SERVER)]
    folders = [library / "ebin" for library in libraries]
    return [folder for folder in folders if folder.is_dir() and not any(map(str.isspace, str(folder)))]


def plugins_folder(server_home: Path, folder: Path) -> Path:
    """The folder to name to the server as that of its plugins: `folder`, with a link to the application `rabbit` alone.

    The server reads the schema of its settings from there. Where that is not found, or something else is in `folder`,
    the folder that the server came with: it only starts more slowly. Nothing but links of an earlier call is removed.
    """
    server = _only(server_home / "plugins", (SERVER,))
    if not server or folder.is_symlink() or (folder.exists() and not _has_only_our_links(folder)):
        return server_home / "plugins"
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():  # of another version, perhaps
        old.unlink()
    (folder / server[0].name).symlink_to(server[0])
    return folder


def _has_only_our_links(folder: Path) -> bool:
    return folder.is_dir() and all(
        path.is_symlink() and path.name.startswith(f"{SERVER}-") and path.readlink().name == path.name
        for path in folder.iterdir()
    )


def _of_erlang(path: str) -> list[Path]:
    program = shutil.which("erl", path=path)
    return _only(Path(program).resolve().parents[1] / "lib", OF_ERLANG) if program else []


def _only(folder: Path, names: Sequence[str]) -> list[Path]:
    """`name-1.2` of each name; nothing of one that is there twice, or not at all."""
    found = [list(folder.glob(f"{name}-[0-9]*/")) for name in names]
    return [one[0] for one in found if len(one) == 1]
