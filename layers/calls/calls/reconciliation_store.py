"""How far the reconciler has come, and which run of it is at work, in DynamoDB."""

import time
from typing import Any

from calls.aws import AwsError, client, error_code, from_item, name_of, to_item

RUN = "run"
# A run that dies is followed by another after this long; one that works takes it anew.
LEASE_SECONDS = 60


class Taken(Exception):
    """Another run is at work."""


def take_lease(holder: str) -> None:
    """Let no other run work for a minute. Raises Taken."""
    now = int(time.time())
    item = {"subject": RUN, "holder": holder, "leasedUntil": now + LEASE_SECONDS}
    try:
        client("dynamodb").put_item(
            TableName=name_of("RECONCILIATION_TABLE"),
            Item=to_item(item),
            ConditionExpression="attribute_not_exists(subject) OR leasedUntil < :now OR holder = :me",
            ExpressionAttributeValues=to_item({":now": now, ":me": holder}),
        )
    except AwsError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise Taken from error
        raise


def give_lease_back(holder: str) -> None:
    """Let the next run work at once; nothing happens where another has taken over."""
    try:
        client("dynamodb").delete_item(
            TableName=name_of("RECONCILIATION_TABLE"),
            Key=to_item({"subject": RUN}),
            ConditionExpression="holder = :me",
            ExpressionAttributeValues=to_item({":me": holder}),
        )
    except AwsError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise


def read(subject: str) -> dict[str, Any]:
    """What was written down of a line (its number) or of another part of the work; {} at first."""
    answer = client("dynamodb").get_item(
        TableName=name_of("RECONCILIATION_TABLE"),
        Key=to_item({"subject": subject}),
        ConsistentRead=True,
    )
    return from_item(answer.get("Item", {}))


def write(subject: str, **progress: Any) -> None:
    client("dynamodb").put_item(
        TableName=name_of("RECONCILIATION_TABLE"), Item=to_item({"subject": subject} | progress)
    )
