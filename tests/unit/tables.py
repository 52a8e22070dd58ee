"""DynamoDB in memory: the requests that are made while a call is noted, and their conditions.

A hundred times faster than moto; that it answers as moto does is tested beside it.
"""

import operator
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

Item = dict[str, Any]
KEYS = {
    "CallLogsTable": ("callSid",),
    "CallEventsTable": ("callSid", "eventId"),
    "LinesTable": ("phoneNumber",),
    "ClinicsTable": ("clinicId",),
}
COMPARED = {"=": operator.eq, ">": operator.gt}


class Tables:
    """Stands where boto3's client for DynamoDB does. `request` makes each request in its turn."""

    def __init__(
        self,
        exceptions: Any,
        request: Callable[[Callable[[], Any]], Any] = lambda made: made(),
    ) -> None:
        self.exceptions = exceptions
        self.request = request
        self.items: dict[str, dict[tuple[str, ...], Item]] = defaultdict(dict)

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        assert ConsistentRead
        found = self.request(lambda: self.items[TableName].get(_key(TableName, Key)))
        return {"Item": dict(found)} if found else {}

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> dict[str, Any]:  # noqa: N803
        return dict(self.request(lambda: self._put(TableName, Item, **condition)))

    def _put(
        self,
        table: str,
        item: Item,
        ConditionExpression: str = "",  # noqa: N803 - boto3's names
        ExpressionAttributeValues: Item | None = None,  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
    ) -> dict[str, Any]:
        key = _key(table, item)
        stored = self.items[table].get(key, {})
        if ConditionExpression and not _holds(
            ConditionExpression, stored, ExpressionAttributeValues or {}
        ):
            told = {"Item": dict(stored)} if stored else {}
            told = told if ReturnValuesOnConditionCheckFailure == "ALL_OLD" else {}
            error = {"Code": "ConditionalCheckFailedException", "Message": "does not hold"}
            raise self.exceptions.ConditionalCheckFailedException(
                {"Error": error} | told, "PutItem"
            )
        self.items[table][key] = dict(item)
        return {}

    def get_paginator(self, operation: str) -> "Tables":
        assert operation == "query"
        return self

    def paginate(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
    ) -> list[dict[str, Any]]:
        assert ConsistentRead
        assert KeyConditionExpression == "callSid = :sid"
        sid = ExpressionAttributeValues[":sid"]
        items = self.request(lambda: list(self.items[TableName].values()))
        return [{"Items": [item for item in items if item["callSid"] == sid]}]


def _key(table: str, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS[table])


def _holds(condition: str, stored: Item, values: Item) -> bool:
    return any(_term_holds(term, stored, values) for term in condition.split(" OR "))


def _term_holds(term: str, stored: Item, values: Item) -> bool:
    if term.startswith("attribute_not_exists("):
        return term.removeprefix("attribute_not_exists(").removesuffix(")") not in stored
    name, comparison, value = term.split(" ")
    if name not in stored:
        return False
    if stored[name].keys() != values[value].keys():  # another type compares as unequal
        return False
    plain = TypeDeserializer().deserialize
    return bool(COMPARED[comparison](plain(stored[name]), plain(values[value])))
