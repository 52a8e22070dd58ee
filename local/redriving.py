"""Gives work that failed too often another try: dead letters go back to the queue they came from."""

import time
from collections.abc import Callable
from typing import Any

from local.deployed import Deployed

MOST = 10  # SQS hands out no more at a time
MINUTES = 15


class NotMoved(RuntimeError):
    """SQS stopped before all messages were moved; those that are left can be redriven again."""


def moved_by_sqs(deployed: Deployed, sleep: Callable[[float], None] = time.sleep) -> int:
    """Has SQS move them, and waits until it is done; how many it moved."""
    sqs, dead_letters = deployed.client("sqs"), _arn(deployed, "DeadLetters")
    sqs.start_message_move_task(SourceArn=dead_letters)
    for _ in range(MINUTES * 60):
        # The latest comes first (AWS docs, "ListMessageMoveTasks").
        (task,) = sqs.list_message_move_tasks(SourceArn=dead_letters, MaxResults=1)["Results"]
        if task["Status"] not in ("RUNNING", "CANCELLING"):
            return _moved(task)
        sleep(1)
    raise NotMoved(f"SQS is still moving the messages after {MINUTES} minutes")


def moved_by_hand(deployed: Deployed) -> int:
    """Moves one by one, each sent before it is deleted: none is lost, one may be there twice."""
    sqs, dead_letters = deployed.client("sqs"), deployed.resources["DeadLetters"]
    moved = 0
    while messages := _received(sqs, dead_letters):
        for message in messages:
            sqs.send_message(QueueUrl=deployed.resources["WorkQueue"], MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def told(moved: int) -> str:
    # Never their bodies: a webhook that could not be written is a patient's.
    if not moved:
        return "there are no dead letters"
    return f"moved {moved} {'message' if moved == 1 else 'messages'} back to the work queue"


def _received(sqs: Any, queue_url: str) -> list[Any]:
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=MOST, WaitTimeSeconds=1)
    return list(answer.get("Messages", []))


def _moved(task: dict[str, Any]) -> int:
    if task["Status"] != "COMPLETED":
        raise NotMoved(f"SQS stopped moving: {task.get('FailureReason', task['Status'])}")
    return int(task.get("ApproximateNumberOfMessagesMoved", 0))


def _arn(deployed: Deployed, queue: str) -> str:
    attributes = deployed.client("sqs").get_queue_attributes(
        QueueUrl=deployed.resources[queue], AttributeNames=["QueueArn"]
    )
    return str(attributes["Attributes"]["QueueArn"])
