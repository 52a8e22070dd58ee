"""What a deployed stack's functions wrote to their log group."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.deployed import Deployed

# Lambda's own lines around each invocation.
_PLATFORM = ("START RequestId", "END RequestId", "REPORT RequestId")
_LINES = 40


def lines(deployed: Deployed) -> Iterator[str]:
    pages = deployed.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=deployed.resources["Logs"]):
        for event in page["events"]:
            if not event["message"].startswith(_PLATFORM):
                yield event["message"].rstrip()


@contextmanager
def told_on_failure(deployed: Deployed) -> Iterator[None]:
    """Adds to an error what the functions wrote before it."""
    try:
        yield
    except RuntimeError as error:
        error.add_note("\n".join(["The functions' log ends:", *list(lines(deployed))[-_LINES:]]))
        raise
