"""What of a database command may stand in a log: names and operators, never a value (OPS-2)."""

import json
from typing import Any

import pytest

from shared.command_shape import index_of, is_by_id, search_of, shape_of

SECRET = "ada@example.org"


@pytest.mark.parametrize(
    ("name", "command", "shape"),
    [
        (
            "find",
            {"find": "jobs", "filter": {"owner": SECRET, "order": {"$lt": SECRET}}, "sort": {"order": -1}, "limit": 3},
            {"filter": {"owner": "?", "order": {"$lt": "?"}}, "sort": {"order": -1}},
        ),
        (
            "find",
            {"find": "jobs", "filter": {"_id": {"$in": [SECRET, SECRET]}, "$or": [{"a": SECRET}, {"b": {"$gt": 1}}]}},
            {"filter": {"_id": {"$in": "2 values"}, "$or": [{"a": "?"}, {"b": {"$gt": "?"}}]}},
        ),
        (
            "find",
            {"find": "jobs", "filter": {"whole": {SECRET: 1}}},
            {"filter": {"whole": "?"}},
        ),
        (
            "update",
            {
                "update": "jobs",
                "updates": [{"q": {"_id": SECRET}, "u": {"$set": {"view": {"title": SECRET}}, "$inc": {"n": 1}}}],
            },
            {"filter": {"_id": "?"}, "update": {"$set": ["view"], "$inc": ["n"]}},
        ),
        (
            "update",
            {"update": "jobs", "updates": [{"q": {"a": SECRET}, "u": {}}] * 3},
            {"updates": 3, "filter": {"a": "?"}, "update": {}},
        ),
        ("delete", {"delete": "jobs", "deletes": [{"q": {"a": {"$lt": SECRET}}}]}, {"filter": {"a": {"$lt": "?"}}}),
        (
            "findAndModify",
            {"findAndModify": "jobs", "query": {"a": SECRET}, "update": {"$set": {"b": SECRET}}, "sort": {"c": 1}},
            {"filter": {"a": "?"}, "update": {"$set": ["b"]}, "sort": {"c": 1}},
        ),
        (
            "aggregate",
            {"aggregate": "jobs", "pipeline": [{"$match": {"a": SECRET}}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]},
            {"pipeline": [{"$match": {"a": "?"}}, {"$group": {"_id": "?", "n": {"$sum": "?"}}}]},
        ),
        ("insert", {"insert": "jobs", "documents": [{"title": SECRET}]}, {"documents": 1}),
    ],
)
def test_a_shape_has_names_and_operators_and_no_value(
    name: str, command: dict[str, Any], shape: dict[str, Any]
) -> None:
    said = shape_of(name, command)
    assert json.loads(said) == shape
    assert SECRET not in said


def test_a_shape_is_short_however_much_is_asked() -> None:
    fields = {f"field-{number}": number for number in range(1000)}
    assert len(shape_of("find", {"find": "jobs", "filter": fields})) <= 500


def test_what_searches_can_be_explained_as_what_it_reads() -> None:
    query = {"owner": SECRET}
    find = {"find": "jobs", "filter": query, "sort": {"order": -1}, "limit": 2, "$db": "x", "lsid": {}}
    assert search_of("find", find) == {"find": "jobs", "filter": query, "sort": {"order": -1}, "limit": 2}
    asked = {"find": "jobs", "filter": query}
    assert search_of("update", {"update": "jobs", "updates": [{"q": query, "u": {}}]}) == asked
    assert search_of("delete", {"delete": "jobs", "deletes": [{"q": query}]}) == asked
    assert search_of("findAndModify", {"findAndModify": "jobs", "query": query}) == asked
    assert search_of("insert", {"insert": "jobs", "documents": []}) is None


@pytest.mark.parametrize(
    ("query", "by_id"),
    [
        ({"_id": "1", "revision": 2}, True),
        ({"_id": {"$in": ["1"]}, "status": {"$ne": "x"}}, True),
        ({"_id": {"$gt": "1"}}, False),
        ({"id": "1"}, False),
        ({}, False),
    ],
)
def test_whether_ids_are_named(query: dict[str, Any], by_id: object) -> None:
    assert is_by_id({"find": "jobs", "filter": query}) is by_id


@pytest.mark.parametrize(
    ("plan", "index"),
    [
        ({"winningPlan": {"stage": "SORT", "inputStage": {"stage": "IXSCAN", "indexName": "owner_1"}}}, "owner_1"),
        ({"winningPlan": {"stage": "COLLSCAN"}, "rejectedPlans": [{"indexName": "other"}]}, "COLLSCAN"),
        ({"winningPlan": {"stage": "IDHACK"}}, "_id_"),
        ({"winningPlan": {"queryPlan": {"inputStages": [{"stage": "IXSCAN", "indexName": "a_1"}]}}}, "a_1"),
        ({"winningPlan": {"stage": "EOF"}}, None),
        (None, None),
    ],
)
def test_the_index_of_a_plan(plan: object, index: str | None) -> None:
    assert index_of(plan) == index
