"""Sessions of the web page, and links that sign in once. Both are kept as hashes and expire.

They end with the API key that they were made with. Those from before keys had ids name none and last their time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.gateway.auth.keys import ApiKeys, Identity
from services.gateway.auth.secrets import hashed, new_secret
from shared.database import Collection, Database, translated


@dataclass(frozen=True)
class Session:
    """Who is signed in, and the token that their unsafe requests must show."""

    owner: str
    csrf_token: str
    administrator: bool = False
    key_id: str | None = None


class Sessions:
    """Sessions and one-time links in the database."""

    def __init__(self, database: Database, keys: ApiKeys, *, session_s: float, link_s: float) -> None:
        self._keys = keys
        self._sessions: Collection = database["sessions"]
        self._links: Collection = database["sign_in_links"]
        self.lifetime = timedelta(seconds=session_s)
        self._link_lifetime = timedelta(seconds=link_s)

    async def prepare(self) -> None:
        """Let the database remove what has expired; that lags, so expiry is checked on reading too."""
        with translated():
            await self._sessions.create_index("expires_at", expireAfterSeconds=0)
            await self._links.create_index("expires_at", expireAfterSeconds=0)

    async def begin(self, identity: Identity) -> str:
        """Start a session with the role of `identity`; returns its secret id."""
        secret = new_secret()
        document = {
            "_id": hashed(secret),
            "owner": identity.owner,
            "administrator": identity.administrator,
            "key_id": identity.key_id,
            "csrf_token": new_secret(),
            "expires_at": datetime.now(UTC) + self.lifetime,
        }
        with translated():
            await self._sessions.insert_one(document)
        return secret

    async def find(self, secret: str) -> Session | None:
        """The session of this secret, unless it or its key has expired, or its key is revoked."""
        with translated():
            found = await self._sessions.find_one({"_id": hashed(secret)})
        if found is None or found["expires_at"] <= datetime.now(UTC):
            return None
        key_id = found.get("key_id")
        if not await self._keys.is_valid(key_id):
            return None
        return Session(found["owner"], found["csrf_token"], bool(found.get("administrator", False)), key_id)

    async def end(self, secret: str) -> None:
        """End a session."""
        with translated():
            await self._sessions.delete_one({"_id": hashed(secret)})

    async def make_link(self, identity: Identity) -> tuple[str, datetime]:
        """A token that signs in once as `identity`, and when it expires."""
        token = new_secret()
        expires_at = datetime.now(UTC) + self._link_lifetime
        with translated():
            await self._links.insert_one(
                {
                    "_id": hashed(token),
                    "owner": identity.owner,
                    "administrator": identity.administrator,
                    "key_id": identity.key_id,
                    "expires_at": expires_at,
                }
            )
        return token, expires_at

    async def use_link(self, token: str) -> Identity | None:
        """Whom the token signs in; None when it was used, never was, or has expired or lost its key."""
        with translated():
            found = await self._links.find_one({"_id": hashed(token)})
            if found is None:
                return None
            removed = await self._links.delete_one({"_id": hashed(token)})
        # Of two that use it at once, one removes it.
        if not removed.deleted_count or found["expires_at"] <= datetime.now(UTC):
            return None
        key_id = found.get("key_id")
        if not await self._keys.is_valid(key_id):
            return None
        return Identity(str(found["owner"]), bool(found.get("administrator", False)), key_id)
