"""A private RabbitMQ node as a child process: own ports, own data, own login, no trace on the machine.

The server's own start script is called, not the wrapper that distributions put on PATH, which insists on the system's
user and folders. Queues belong to the node's name, so that name is the same at every start while ports may change.
"""

import importlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

from deploy.local.erlang_path import first_folders, plugins_folder
from deploy.local.errors import LocalSystemError
from deploy.local.processes import Child, free_ports, listens, spawn
from deploy.local.secrets_file import credentials, private_folder, write_private
from deploy.local.system_packages import rabbitmq_homes

NODE_NAME = "lectern@localhost"
ROOM_BYTES = 64 << 20  # twice the log of the queues: what it holds is written a second time when it is full
MORE_PROGRAM_FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin")  # where brew puts `erl`, should PATH not say so
NOT_INSTALLED = (
    "RabbitMQ is not installed: install the package rabbitmq-server (apt) or rabbitmq (brew), name its folder in "
    "RABBITMQ_SERVER_HOME, or name a running broker in LECTERN_AMQP_URL."
)
UNSAFE_IN_PATHS = set(
    "'\"`$\\\n"
)  # the node asks a shell how much room its disk has, and waits for ever when that fails
SETTINGS = {
    "loopback_users": "none",
    "log.console": "true",
    "log.console.level": "info",
    "log.file": "false",
    "num_acceptors.tcp": "2",
    # A laptop has other things to do. Messages carry references, so a queue of thousands is a few megabytes.
    "vm_memory_high_watermark.absolute": "768MB",
    "disk_free_limit.absolute": "100MB",
    "raft.wal_max_size_bytes": "33554432",  # by default 512 MiB of write-ahead log, kept in memory as well
}
# Room for the write-ahead log is taken when the log begins: a disk that fills in between does not end it. The disk's
# alarm has stopped those who publish long before this room is used up.
ADVANCED_SETTINGS = "[{ra, [{wal_pre_allocate, true}]}].\n"


def server_script() -> Path:
    """The start script of the installed server; raises LocalSystemError when there is none."""
    for home in rabbitmq_homes():
        return home / "sbin" / "rabbitmq-server"
    raise LocalSystemError(NOT_INSTALLED)


def usable_folder(folder: Path) -> Path:
    """The folder's whole path; raises LocalSystemError when RabbitMQ cannot live with a character in it."""
    whole = folder.resolve()
    if unsafe := "".join(sorted(UNSAFE_IN_PATHS.intersection(str(whole)))):
        raise LocalSystemError(
            f"RabbitMQ cannot keep its data in {whole} because of {unsafe!r} in the name: choose another LECTERN_HOME."
        )
    return whole


class RabbitNode:
    """A private broker whose data live in `folder`; a `Program`."""

    name = "rabbitmq"

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self.folder = usable_folder(folder)
        self.log = log or self.folder / "rabbitmq.log"
        self.port, self._distribution_port = free_ports(2)
        private_folder(self.folder)
        self._login = credentials(self.folder / "credentials.json")
        self._script = server_script()
        self._home = self._script.parents[1]
        self._plugins = self._home / "plugins"

    @property
    def url(self) -> str:
        """Where the node answers, with its login."""
        return f"amqp://{self._login.user}:{self._login.password}@127.0.0.1:{self.port}/"

    def spawn(self) -> Child:
        """Write the configuration and start the node."""
        self._forget_last_run()
        self._configure()
        return spawn(self.name, [self._script], log=self.log, environment=self._environment(), folder=self.folder)

    async def is_ready(self) -> bool:
        """Whether the login works: handshake, authentication and virtual host."""
        return listens(self.port) and bool(await _client().answers(self.url))

    async def is_live(self) -> bool:
        """Whether its queues take work."""
        return bool(await _client().takes_work(self.url))

    def has_room(self) -> bool:
        """Whether its disk has the room that a start takes."""
        return shutil.disk_usage(self.folder).free >= ROOM_BYTES

    def failure(self) -> str:
        """What to do when the node does not start."""
        return (
            f"RabbitMQ did not start: read {self.log}, and if its data are damaged, move {self.folder} away "
            "(jobs under way start again from what is stored)."
        )

    def control(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run one `rabbitmqctl` command against the running node and return what it printed.

        Raises subprocess.CalledProcessError when the command fails.
        """
        command: list[str | Path] = [self._script.with_name("rabbitmqctl"), "--quiet", "--node", NODE_NAME, *arguments]
        environment = self._environment()
        del environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
        environment["ERL_FLAGS"] = f"-start_epmd false -erl_epmd_port {self._distribution_port} -dist_listen false"
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=timeout_s, check=True
        )
        return done.stdout

    def _forget_last_run(self) -> None:
        """Remove what a killed node leaves and the next would stumble over; none of it is data."""
        (self.folder / "pid").unlink(missing_ok=True)
        for generated in ("plugins-expand", "config", "schema"):
            shutil.rmtree(self.folder / generated, ignore_errors=True)

    def _configure(self) -> None:
        settings = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "default_user": self._login.user,
            "default_pass": self._login.password,
            **SETTINGS,
        }
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        write_private(self.folder / "rabbitmq.conf", lines)
        write_private(self.folder / "advanced.config", ADVANCED_SETTINGS)
        write_private(self.folder / "enabled_plugins", "[].\n")
        self._plugins = plugins_folder(self._home, self.folder / "plugins")
        write_private(self.folder / "rabbitmq-env.conf", "")
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(20))

    def _environment(self) -> dict[str, str]:
        """The launcher's environment without anything meant for another node, plus all that makes this one private."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        path = os.pathsep.join([inherited.get("PATH", os.defpath), *MORE_PROGRAM_FOLDERS])
        folder = self.folder
        first = " ".join(f"-pa {found}" for found in reversed(first_folders(self._home, path)))
        return inherited | {
            "PATH": path,
            "HOME": str(folder),  # where the cookie is
            "RABBITMQ_NODENAME": NODE_NAME,
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),  # hides the machine's own
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
            "RABBITMQ_PLUGINS_DIR": str(self._plugins),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "plugins-expand"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_ALLOW_INPUT": "1",  # the script becomes the Erlang machine: our child, no shell in between
            "ERL_CRASH_DUMP": os.devnull,
            # Only in the environment does this reach the helpers that the node starts a minute later.
            "ERL_FLAGS": "-start_epmd false",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-noinput +Bi -sname {NODE_NAME} -erl_epmd_port {self._distribution_port}"
                f" -kernel inet_dist_use_interface {{127,0,0,1}} {first}"
            ),
        }


def _client() -> ModuleType:
    """The driver's part, imported late: by now every program is starting, and the second it takes holds up none."""
    return importlib.import_module("deploy.local.broker_client")
