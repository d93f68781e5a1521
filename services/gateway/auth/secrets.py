"""Random secrets and how they are kept: only their SHA-256, which is enough for 256 random bits."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """A secret of 256 random bits, printable and safe in a URL."""
    return prefix + secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is stored of a secret, and looked up by."""
    return hashlib.sha256(secret.encode()).hexdigest()
