"""Work about calls that does not have to be done while anybody waits, in SQS."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from calls import instants
from calls.aws import client, name_of

MIN_DELAY = 30
MAX_DELAY = 900  # SQS takes no more (AWS docs, "Amazon SQS delay queues").
GIVE_UP_AFTER = 24 * 3600
# Twilio tells of a finished transcript; a look after this long is for the telling that gets lost.
SECONDS_UNTIL_A_LOOK = 600


@dataclass(frozen=True)
class Work:
    """One piece of work: its kind, what it is about, and how often it was not ready yet."""

    kind: str
    call_sid: str = ""
    recording_sid: str = ""
    transcript_sid: str = ""
    event: dict[str, Any] | None = None
    attempt: int = 0
    since: str = ""

    @property
    def is_too_old(self) -> bool:
        return instants.seconds_between(self.since, instants.now()) > GIVE_UP_AFTER

    def later(self) -> tuple["Work", int]:
        """The successor of work that is not ready, and the seconds until it is tried."""
        delay = min(MAX_DELAY, MIN_DELAY * 2 ** min(self.attempt, 10))
        return replace(self, attempt=self.attempt + 1), delay


def put(work: Work, delay: int = 0) -> None:
    """Queue work; it is received no sooner than `delay` seconds (0 to 900) from now."""
    dated = work if work.since else replace(work, since=instants.now())
    client("sqs").send_message(
        QueueUrl=name_of("WORK_QUEUE_URL"),
        MessageBody=json.dumps(asdict(dated)),
        DelaySeconds=delay,
    )


def received(body: str) -> Work:
    return Work(**json.loads(body))
