"""Keeping a webhook while a caller waits: a failed write never costs the caller the call."""

from dataclasses import asdict

from aws_lambda_powertools import Logger

from calls import call_store, line_store, work_queue
from calls.aws import AwsError
from calls.call_store import Contended, Event
from calls.line import Line
from calls.work_queue import Work

logger = Logger(child=True)


def keep_while_a_caller_waits(event: Event, line: Line | None = None) -> None:
    """Note the webhook, else queue it, else count it as lost: the reconciler finds the call."""
    try:
        call_store.note(event, line)
    except (*AwsError, Contended) as error:
        logger.warning("fact queued, its write failed", error=type(error).__name__)
        _queue(event)


def line_of(event: Event) -> Line | None:
    """The called line; where it cannot be read the fallback rings, and the fact is kept still."""
    try:
        return line_store.find(event.params["To"])
    except AwsError:
        keep_while_a_caller_waits(event)
        raise


def _queue(event: Event) -> None:
    try:
        work_queue.put(Work("note", event.call_sid, event=asdict(event)))
    except AwsError as error:
        logger.error("fact lost, neither written nor queued", error=type(error).__name__)
        _count_lost_fact()


def _count_lost_fact() -> None:
    # Imported only here: it costs the voice path a cold start that it never needs.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric("FactLost", MetricUnit.Count, 1, namespace="Ringbook"):
        pass
