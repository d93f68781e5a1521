"""What a database command looks like without its values: what of it may stand in a log (OPS-2)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_VALUE = "?"
_LONGEST = 500
_MOST_STAGES = 8
Command = Mapping[str, Any]


def shape_of(name: str, command: Command) -> str:
    """Field names and operators of what a command searches, sorts and changes, as JSON of at most 500 characters.

    Of what it writes the names of fields alone are said.
    """
    return json.dumps(_parts(name, command), separators=(",", ":"))[:_LONGEST]


def search_of(name: str, command: Command) -> dict[str, Any] | None:
    """The `find` that reads what a command reads, for `explain`; None where it searches nothing."""
    match name:
        case "find":
            return {part: command[part] for part in ("find", "filter", "sort", "limit") if part in command}
        case "update" if command.get("updates"):
            return {"find": command["update"], "filter": command["updates"][0]["q"]}
        case "delete" if command.get("deletes"):
            return {"find": command["delete"], "filter": command["deletes"][0]["q"]}
        case "findAndModify":
            return {"find": command["findAndModify"], "filter": command.get("query", {})}
    return None


def is_by_id(search: Command) -> bool:
    """Whether a search names the ids of documents: the index of `_id` serves it, whatever else it asks for."""
    named = search.get("filter", {}).get("_id")
    return named is not None and (not isinstance(named, Mapping) or "$in" in named)


def index_of(plan: object) -> str | None:
    """The index that a query plan uses, `COLLSCAN` where it reads the whole collection, None where it does not say."""
    if isinstance(plan, Mapping):
        if plan.get("stage") == "COLLSCAN":
            return "COLLSCAN"
        if plan.get("stage") == "IDHACK":
            return "_id_"
        if isinstance(name := plan.get("indexName"), str):
            return name
    parts = plan.values() if isinstance(plan, Mapping) else plan if isinstance(plan, list) else ()
    return next((found for part in parts if (found := index_of(part)) is not None), None)


def _parts(name: str, command: Command) -> dict[str, Any]:
    match name:
        case "find":
            return {"filter": _filter(command.get("filter", {})), **_sort(command)}
        case "update":
            return _first("updates", [_change(one["q"], one["u"]) for one in command.get("updates", ())])
        case "delete":
            return _first("deletes", [{"filter": _filter(one["q"])} for one in command.get("deletes", ())])
        case "findAndModify":
            return {**_change(command.get("query", {}), command.get("update", {})), **_sort(command)}
        case "aggregate":
            return {"pipeline": [_filter(stage) for stage in command.get("pipeline", ())[:_MOST_STAGES]]}
    return {"documents": len(command["documents"])} if "documents" in command else {}


def _first(name: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return found[0] if len(found) == 1 else {name: len(found), **(found[0] if found else {})}


def _sort(command: Command) -> dict[str, Any]:
    return {"sort": dict(command["sort"])} if command.get("sort") else {}


def _change(query: Command, update: object) -> dict[str, Any]:
    return {"filter": _filter(query), "update": _written(update)}


def _written(update: object) -> Any:
    if not isinstance(update, Mapping):
        return _VALUE
    return {name: sorted(fields) if isinstance(fields, Mapping) else _VALUE for name, fields in update.items()}


def _filter(value: object) -> Any:
    """Names, and operators below them; whatever else stands there is a value."""
    if isinstance(value, Mapping):
        return {name: _below(name, part) for name, part in value.items()}
    return _VALUE


def _below(name: str, value: object) -> Any:
    if isinstance(value, list):
        conditions = name in {"$and", "$or", "$nor"}
        return [_filter(part) for part in value[:_MOST_STAGES]] if conditions else f"{len(value)} values"
    operators = isinstance(value, Mapping) and all(str(part).startswith("$") for part in value)
    return _filter(value) if operators or name in {"$match", "$sort", "$group", "$not"} else _VALUE
