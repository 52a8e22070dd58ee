"""Work that failed too often gets another try, and nobody reads what it says."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local import redriving
from local.redriving import NotMoved
from tests.unit.deployed import invoked
from tests.unit.twilio_side import queued

ARN = "arn:aws:sqs:eu-west-1:123456789012:dead"


@pytest.fixture
def deployed(cloud: Any) -> Any:
    dead_letters = cloud.sqs.create_queue(QueueName="dead")["QueueUrl"]
    return invoked(DeadLetters=dead_letters, WorkQueue=cloud.names["WORK_QUEUE_URL"])


def dead(cloud: Any, deployed: Any, *kinds: str) -> None:
    for kind in kinds:
        body = json.dumps({"kind": kind})
        cloud.sqs.send_message(QueueUrl=deployed.resources["DeadLetters"], MessageBody=body)


class TestByHand:
    @pytest.mark.parametrize("count", [0, 1, 23])
    def test_moves_all_messages_as_they_are(self, cloud: Any, deployed: Any, count: int) -> None:
        kinds = [f"kind {n}" for n in range(count)]
        dead(cloud, deployed, *kinds)

        assert redriving.moved_by_hand(deployed) == count

        assert sorted(work["kind"] for work in queued(cloud)) == sorted(kinds)
        assert redriving.moved_by_hand(deployed) == 0

    def test_leaves_a_message_that_it_could_not_send(
        self, cloud: Any, deployed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dead(cloud, deployed, "fetch_price")
        there = deployed.resources["WorkQueue"]
        deployed.resources["WorkQueue"] = there + "-that-is-not-there"

        with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
            redriving.moved_by_hand(deployed)

        attributes = cloud.sqs.get_queue_attributes(
            QueueUrl=deployed.resources["DeadLetters"], AttributeNames=["All"]
        )["Attributes"]
        hidden = attributes["ApproximateNumberOfMessagesNotVisible"]
        assert int(hidden) + int(attributes["ApproximateNumberOfMessages"]) == 1


class TestBySqs:
    def stack(self, *tasks: dict[str, Any]) -> Any:
        """A stack whose SQS answers so about its move task, one after the other (AWS docs, API)."""
        answers = iter(tasks)
        asked: list[str] = []
        sqs = SimpleNamespace(
            asked=asked,
            get_queue_attributes=lambda **_: {"Attributes": {"QueueArn": ARN}},
            start_message_move_task=lambda **said: asked.append(said["SourceArn"]),
            list_message_move_tasks=lambda **_: {"Results": [next(answers)]},
        )
        return SimpleNamespace(client=lambda _: sqs, resources={"DeadLetters": "dead"})

    def moved(self, stack: Any) -> int:
        return redriving.moved_by_sqs(stack, sleep=lambda _: None)

    def test_waits_until_all_are_moved(self) -> None:
        running = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 3}
        done = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 7}
        stack = self.stack(running, running, done)

        assert self.moved(stack) == 7
        assert stack.client("sqs").asked == [ARN]

    def test_says_why_it_failed(self) -> None:
        stack = self.stack({"Status": "FAILED", "FailureReason": "AccessDenied"})

        with pytest.raises(NotMoved, match="AccessDenied"):
            self.moved(stack)

    def test_does_not_wait_for_ever(self) -> None:
        stack = self.stack(*[{"Status": "RUNNING"}] * 10_000)

        with pytest.raises(NotMoved, match="still moving"):
            self.moved(stack)


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (0, "there are no dead letters"),
        (1, "moved 1 message back to the work queue"),
        (2, "moved 2 messages back to the work queue"),
    ],
)
def test_the_operator_reads_how_many_were_moved(moved: int, told: str) -> None:
    assert redriving.told(moved) == told
