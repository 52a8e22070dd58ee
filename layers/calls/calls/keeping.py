"""Keeping a webhook while a caller waits: a failed write never costs the caller the call."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from aws_lambda_powertools import Logger

from calls import call_store, line_store, metrics, work_queue
from calls.aws import AwsError
from calls.call_store import Contended
from calls.line import Line
from calls.twilio_webhook import Webhook
from calls.work_queue import Work

logger = Logger(child=True)

# Seconds of the function's four that must be left: the time-outs of AWS's calls bound each call,
# but several that stall one after the other would outlast the function, and the caller's answer.
LEFT_AFTER_WRITING = 1.6
LEFT_AFTER_QUEUEING = 0.6

_beside_the_answer = ThreadPoolExecutor()


def keep_while_a_caller_waits(webhook: Webhook, line: Line | None = None) -> None:
    """Note the webhook, else queue it, else count it as lost: the reconciler finds the call.

    Leaves enough of the function's time for the answer, whatever stalls.
    """
    try:
        _within(
            webhook.seconds_left() - LEFT_AFTER_WRITING,
            lambda: call_store.note(webhook.event, line),
        )
    except (*AwsError, Contended, TimeoutError) as error:
        logger.warning("fact queued, its write failed", error=type(error).__name__)
        _queue(webhook)


def line_of(webhook: Webhook) -> Line | None:
    """The called line; where it cannot be read the fallback rings, and the fact waits in the queue."""
    try:
        return line_store.find(webhook.params.get("To", ""))
    except AwsError as error:
        logger.warning("fact queued, its line cannot be read", error=type(error).__name__)
        _queue(webhook)
        raise


def _queue(webhook: Webhook) -> None:
    event = webhook.event
    work = Work("note", event.call_sid, event=asdict(event))
    try:
        _within(webhook.seconds_left() - LEFT_AFTER_QUEUEING, lambda: work_queue.put(work))
    except (*AwsError, TimeoutError) as error:
        logger.error("fact lost, neither written nor queued", error=type(error).__name__)
        metrics.count("FactLost")


def _within(seconds: float, act: Callable[[], object]) -> None:
    """Act, and wait for it no longer than this. Raises TimeoutError, or what the act raises.

    An act that is waited for no longer may still succeed: a fact kept twice is one fact.
    """
    _beside_the_answer.submit(act).result(timeout=max(0.0, seconds))
