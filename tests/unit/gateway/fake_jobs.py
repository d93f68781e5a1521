"""A collection in memory that knows just the operators of the read model."""

import asyncio
import copy
from typing import Any

from pymongo.errors import DuplicateKeyError


def _get(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _parent(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *folders, name = path.split(".")
    for folder in folders:
        document = document.setdefault(folder, {})
    return document, name


def _matches(document: dict[str, Any], selector: dict[str, Any]) -> bool:
    for path, wanted in selector.items():
        value = _get(document, path)
        if isinstance(wanted, dict) and "$ne" in wanted:
            if value == wanted["$ne"]:
                return False
        elif isinstance(wanted, dict) and "$exists" in wanted:
            if (value is not None) != wanted["$exists"]:
                return False
        elif value != wanted:
            return False
    return True


def _apply(document: dict[str, Any], update: dict[str, Any], *, inserting: bool) -> None:
    for operator, values in update.items():
        for path, value in values.items():
            parent, name = _parent(document, path)
            if operator == "$set" or (operator == "$setOnInsert" and inserting):
                parent[name] = value
            elif operator == "$unset":
                parent.pop(name, None)
            elif operator == "$inc":
                parent[name] = parent.get(name, 0) + value


class Result:
    def __init__(self, modified_count: int) -> None:
        self.modified_count = modified_count


class FakeJobs:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    async def find_one(self, selector: dict[str, Any], fields: Any = None) -> dict[str, Any] | None:
        found = [document for document in self.documents.values() if _matches(document, selector)]
        return copy.deepcopy(found[0]) if found else None

    async def insert_one(self, document: dict[str, Any]) -> None:
        await asyncio.sleep(0)  # as on a real server, others may write between a look and an insertion
        if document["_id"] in self.documents:
            raise DuplicateKeyError("known")
        self.documents[document["_id"]] = copy.deepcopy(document)

    async def update_one(self, selector: dict[str, Any], update: dict[str, Any], *, upsert: bool = False) -> Result:
        for document in self.documents.values():
            if _matches(document, selector):
                _apply(document, update, inserting=False)
                return Result(1)
        if not upsert:
            return Result(0)
        if selector["_id"] in self.documents:
            raise DuplicateKeyError("known")
        document = {"_id": selector["_id"]}
        _apply(document, update, inserting=True)
        self.documents[document["_id"]] = document
        return Result(0)


class FakeDatabase:
    def __init__(self) -> None:
        self.jobs = FakeJobs()

    def __getitem__(self, name: str) -> FakeJobs:
        assert name == "jobs"
        return self.jobs
