"""What the supervisor asks of the embedded database, through PyMongo's own asynchronous client."""

import asyncio
import contextlib

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.secrets_file import Credentials

ANSWER_TIMEOUT_MS = 2_000
WORK_TIMEOUT_S = 5.0
USER_EXISTS = 51003


def _open(url: str) -> AsyncMongoClient[dict[str, object]]:
    return AsyncMongoClient(url, serverSelectionTimeoutMS=ANSWER_TIMEOUT_MS)


async def answers(url: str) -> bool:
    """Whether a login and a ping work."""
    try:
        async with _open(url) as client:
            await client.admin.command("ping")
    except PyMongoError:
        return False
    return True


async def takes_work(url: str) -> bool:
    """Whether a document can be written and read back: after a full disk, the server may answer pings alone."""
    try:
        async with asyncio.timeout(WORK_TIMEOUT_S), _open(url) as client:
            checks = client["supervisor"]["checks"]
            await checks.update_one({"_id": 1}, {"$inc": {"count": 1}}, upsert=True)
            return await checks.find_one({"_id": 1}) is not None
    except (PyMongoError, TimeoutError):
        return False


async def create_user(url: str, login: Credentials, database: str | None = None) -> bool:
    """Make a user with every right, or with the right to read and write one database; False when the server refuses.

    One that is there already gets the password and the rights anew.
    """
    roles: list[object] = ["root"] if database is None else [{"role": "readWrite", "db": database}]
    async with AsyncMongoClient[dict[str, object]](url) as client:
        try:
            await client.admin.command("createUser", login.user, pwd=login.password, roles=roles)
        except OperationFailure as error:
            if error.code != USER_EXISTS:  # an earlier first start was cut short
                return False
            await client.admin.command("updateUser", login.user, pwd=login.password, roles=roles)
    return True


async def flush(url: str) -> None:
    """Write what is in memory to disk. Raises PyMongoError when the server does not answer."""
    async with _open(url) as client:
        await client.admin.command("fsync")


async def keep_flushed(url: str, every_s: float) -> None:
    """Flush every `every_s` seconds until cancelled; a server that is away is tried again at the next turn."""
    async with _open(url) as client:
        while True:
            with contextlib.suppress(PyMongoError):
                await client.admin.command("fsync")
            await asyncio.sleep(every_s)
