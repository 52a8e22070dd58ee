"""What went missing is fetched: a run compares our calls with Twilio's own lists."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from calls import reconciliation
from calls.reconciliation import AT_ONCE, ON_SCHEDULE

logger = Logger()

# Left at the end to write down how far the run came.
SECONDS_TO_STOP = 25
# An operator is told how far it is; whoever invokes a function waits no longer than a minute.
SECONDS_FOR_AN_OPERATOR = 30


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A run of the schedule, or of an operator: `{"chore": "reconcile"}`, again with `since`."""
    metrics = EphemeralMetrics(namespace="Ringbook")
    metrics.add_metric("ReconcileRuns", MetricUnit.Count, 1)
    failed = True
    try:
        report = _run(event, context)
        failed = report["failed"] > 0 or str(report["stopped"]).startswith("twilio")
        repaired = report["created"] + report["completed"]
        metrics.add_metric("CallsRepaired", MetricUnit.Count, repaired)
        metrics.add_metric("CallsCreated", MetricUnit.Count, report["created"])
        metrics.add_metric("OldestUnsettledAge", MetricUnit.Seconds, report["oldestUnsettledAge"])
        return report
    finally:
        metrics.add_metric("ReconcileFailures", MetricUnit.Count, int(failed))
        metrics.flush_metrics()


def _run(event: dict[str, Any], context: Any) -> dict[str, Any]:
    left = context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_STOP
    if event.get("chore") == "reconcile":
        seconds = min(left, SECONDS_FOR_AN_OPERATOR)
        return reconciliation.reconcile(seconds, AT_ONCE, event.get("since"))
    return reconciliation.reconcile(left, ON_SCHEDULE)
