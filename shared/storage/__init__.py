"""Object storage behind one port: local files by default, S3 by settings."""

from shared.storage.port import ObjectRef, ObjectStore
from shared.storage.select import open_store
from shared.storage.traced import one_span, put_together

__all__ = ["ObjectRef", "ObjectStore", "one_span", "open_store", "put_together"]
