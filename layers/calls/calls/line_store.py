"""Lines and clinics, in DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from calls.aws import AwsError, client, error_code, from_item, name_of, to_item
from calls.line import Line
from calls.phone_numbers import line_key

# A line's attributes as they are stored and as the API spells them.
SPELLING = {
    "phoneNumber": "phone_number",
    "clinicId": "clinic_id",
    "connectedAt": "connected_at",
    "numberSid": "number_sid",
    "forwardNumber": "forward_number",
    "forwardNumberNew": "forward_number_new",
    "forwardNumberExisting": "forward_number_existing",
    "menuMessage": "menu_message",
    "settings": "settings",
    "owners": "owners",
    "version": "version",
}
NEW = {"ConditionExpression": "attribute_not_exists(phoneNumber)"}


class Changed(Exception):
    """Somebody else wrote the same line in between."""


def find(number: str) -> Line | None:
    """The line of a called number, in whatever format: one strongly consistent read."""
    answer = client("dynamodb").get_item(
        TableName=name_of("LINES_TABLE"),
        Key=to_item({"phoneNumber": line_key(number)}),
        ConsistentRead=True,
    )
    return _line(answer["Item"]) if "Item" in answer else None


def lines() -> Iterator[Line]:
    yield from (_line(item) for item in _scan("LINES_TABLE"))


def put(line: Line, before: Line | None) -> Line:
    """Write a line; the answer is it as written. Raises Changed unless `before` still stands there.

    `before` is the line that was read, None for one that was not there.
    """
    written = replace(line, version=before.version + 1 if before else 1)
    condition = _unchanged(before) if before else NEW
    _write("put_item", Item=to_item(_stored(written)), **condition)
    return written


def remove(line: Line) -> None:
    """Forget a line. Raises Changed if it is not what it was."""
    _write("delete_item", Key=to_item({"phoneNumber": line.phone_number}), **_unchanged(line))


def as_json(line: Line) -> dict[str, Any]:
    """A line as the API shows it."""
    hidden = ("settings", "version")
    return {name: value for name, value in _stored(line).items() if name not in hidden}


def clinic(clinic_id: str) -> dict[str, Any] | None:
    answer = client("dynamodb").get_item(
        TableName=name_of("CLINICS_TABLE"),
        Key=to_item({"clinicId": clinic_id}),
        ConsistentRead=True,
    )
    return from_item(answer["Item"]) if "Item" in answer else None


def clinics() -> Iterator[dict[str, Any]]:
    yield from (from_item(item) for item in _scan("CLINICS_TABLE"))


def put_clinic(clinic: dict[str, Any]) -> None:
    client("dynamodb").put_item(TableName=name_of("CLINICS_TABLE"), Item=to_item(clinic))


def _scan(table: str) -> Iterator[dict[str, Any]]:
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=name_of(table), ConsistentRead=True)
    )
    for page in pages:
        yield from page["Items"]


def _unchanged(line: Line) -> dict[str, Any]:
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": to_item({":version": line.version}),
    }


def _write(operation: str, **request: Any) -> None:
    try:
        getattr(client("dynamodb"), operation)(TableName=name_of("LINES_TABLE"), **request)
    except AwsError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise Changed from error
        raise


def _stored(line: Line) -> dict[str, Any]:
    attributes = {name: getattr(line, python) for name, python in SPELLING.items()}
    return attributes | {"settings": dict(line.settings), "owners": [dict(o) for o in line.owners]}


def _line(item: dict[str, Any]) -> Line:
    stored = from_item(item)
    line = {python: stored[name] for name, python in SPELLING.items() if name in stored}
    return Line(**line | {"owners": tuple(stored.get("owners", ()))})
