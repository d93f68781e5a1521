"""API keys: who holds one acts for its owner until it expires or is revoked."""

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.gateway.auth.secrets import hashed, new_secret
from shared.database import Collection, Database, Document, translated
from shared.errors import DatabaseError

log = structlog.get_logger()

KEY_PREFIX = "lk_"
LOCAL_OWNER = "local"
_USE_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Identity:
    """Whom a key, a session or a sign-in link speaks for, and whether they may do what concerns everybody's jobs.

    `key_id` names the key behind it; None only for sessions and links that were made before keys had ids.
    """

    owner: str
    administrator: bool = False
    key_id: str | None = None


@dataclass(frozen=True)
class NewKey:
    """What a key is to be."""

    name: str
    owner: str
    administrator: bool
    lifetime: timedelta | None = None


class LastAdministratorKeyError(Exception):
    """Without this key nobody could administer anything any more."""


class ApiKeys:
    """The keys in the database, by their hashes. Their ids are public and say nothing about them."""

    def __init__(self, database: Database) -> None:
        self._keys: Collection = database["api_keys"]
        self._notes: dict[object, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Give an id to each key from before keys had any."""
        with translated():
            await self._keys.create_index("id")
            async for document in self._keys.find({"id": {"$exists": False}}):
                fields = {"id": _new_id(), "created_at": document.get("registered_at") or datetime.now(UTC)}
                # Another replica may be at it too: the first one names the key.
                await self._keys.update_one({"_id": document["_id"], "id": {"$exists": False}}, {"$set": fields})

    async def identify(self, key: str) -> Identity | None:
        """Whom this key speaks for, or None. One from before there were roles is no administrator's."""
        digest = hashed(key)
        with translated():
            found = await self._keys.find_one({"_id": digest})
        if found is None or not hmac.compare_digest(str(found["_id"]), digest) or not is_usable(found):
            return None
        self._note_use(found)
        return Identity(str(found["owner"]), bool(found.get("administrator", False)), found.get("id"))

    async def is_valid(self, key_id: str | None) -> bool:
        """Whether what was made with this key still holds. What was made before keys had ids (None) does."""
        if key_id is None:
            return True
        found = await self.find(key_id)
        if found is None or not is_usable(found):
            return False
        self._note_use(found)
        return True

    async def register(self, key: str, identity: Identity) -> None:
        """Let `key` act for `identity`; the same again changes nothing."""
        fields = {"owner": identity.owner, "administrator": identity.administrator}
        first = {"id": _new_id(), "created_at": datetime.now(UTC)}
        with translated():
            await self._keys.update_one({"_id": hashed(key)}, {"$set": fields, "$setOnInsert": first}, upsert=True)

    async def create(self, wanted: NewKey) -> tuple[str, Document]:
        """Make a key; returns its secret, which is kept nowhere, and its document."""
        key, now = new_secret(KEY_PREFIX), _now()
        document = {
            "_id": hashed(key),
            "id": _new_id(),
            "name": wanted.name,
            "owner": wanted.owner,
            "administrator": wanted.administrator,
            "created_at": now,
            "expires_at": now + wanted.lifetime if wanted.lifetime else None,
        }
        with translated():
            await self._keys.insert_one(document)
        return key, document

    async def find(self, key_id: str) -> Document | None:
        """The document of the key with this id."""
        with translated():
            found: Document | None = await self._keys.find_one({"id": key_id})
        return found

    async def list_all(self) -> Sequence[Document]:
        """The documents of all keys, newest first, those that are revoked or expired included."""
        with translated():
            found: list[Document] = await self._keys.find({}).to_list(None)
        return sorted((document for document in found if "id" in document), key=_age, reverse=True)

    async def revoke(self, key_id: str) -> Document | None:
        """Refuse a key from now on; returns its document, or None where there is no such key.

        Raises LastAdministratorKeyError when no other administrator's key could be used then.
        """
        document = await self.find(key_id)
        if document is None or "revoked_at" in document:
            return document
        counts = bool(document.get("administrator")) and is_usable(document)
        if counts and not await self._administrators(besides=key_id):
            raise LastAdministratorKeyError
        fields = {"revoked_at": _now()}
        with translated():
            await self._keys.update_one({"id": key_id}, {"$set": fields})
        # Of two that revoke each other's key at once, neither may be left without any.
        if counts and not await self._administrators(besides=key_id):
            with translated():
                await self._keys.update_one({"id": key_id}, {"$unset": {"revoked_at": ""}})
            raise LastAdministratorKeyError
        log.info("api key revoked", key=key_id, owner=document["owner"])
        return document | fields

    async def _administrators(self, *, besides: str) -> int:
        found = await self.list_all()
        return sum(is_usable(one) and bool(one.get("administrator")) for one in found if one["id"] != besides)

    def _note_use(self, document: Document) -> None:
        """Write down that a key is used, beside the request: the request neither waits for it nor fails with it."""
        name, before = document["_id"], document.get("last_used_at")
        if name in self._notes or (before is not None and datetime.now(UTC) - before < _USE_NOTED_EVERY):
            return
        task = asyncio.create_task(self._write_use(name))
        self._notes[name] = task
        task.add_done_callback(lambda _: self._notes.pop(name, None))

    async def _write_use(self, name: object) -> None:
        now = datetime.now(UTC)
        selectors = ({"last_used_at": {"$exists": False}}, {"last_used_at": {"$lte": now - _USE_NOTED_EVERY}})
        try:
            with translated():
                await self._keys.update_one({"_id": name, "$or": selectors}, {"$set": {"last_used_at": now}})
        except DatabaseError as error:
            log.warning("the use of an api key was not written down", text=str(error)[:500])


def revoked_at(document: Document) -> datetime | None:
    """When a key was revoked: by an administrator, or by a start of the gateway with another first key."""
    replaced = document.get("replaced_by", 0) > document.get("bootstrap", 0)
    found: datetime | None = document.get("revoked_at") or (document["replaced_at"] if replaced else None)
    return found


def is_usable(document: Document) -> bool:
    """Whether a key is neither revoked nor expired."""
    expires_at = document.get("expires_at")
    return revoked_at(document) is None and (expires_at is None or bool(expires_at > datetime.now(UTC)))


def _now() -> datetime:
    """As the database keeps it: to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _new_id() -> str:
    return secrets.token_hex(6)


def _age(document: Document) -> tuple[datetime, str]:
    return document["created_at"], document["id"]
