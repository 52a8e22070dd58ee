"""The operator's chores on a deployed stack."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from local.deployed import Deployed

# Together longer than the lease of a run that died.
_WAITS = 20
_SECONDS_BETWEEN_WAITS = 5
# Of the reconciler's reports, what the runs of one chore come to together.
COUNTED = (
    "checked",
    "created",
    "completed",
    "transcriptsOrdered",
    "summariesFetched",
    "givenUp",
    "failed",
)


class ChoreFailed(RuntimeError):
    """The function that does the chore raised an error."""


def resync(deployed: Deployed) -> Any:
    """Sets all webhooks on Twilio again; returns the function's report."""
    return _ask(deployed, "Admin", {"chore": "resync", "baseUrl": deployed.outputs["ApiUrl"]})


def reconcile(deployed: Deployed) -> Iterator[dict[str, Any]]:
    """Has missing calls and facts fetched until none is left; one report for each run.

    Raises ChoreFailed where runs come to nothing: Twilio stays away, or another run stays at work.
    """
    waits = 0
    event = {"chore": "reconcile"}
    while waits < _WAITS:
        report = _ask(deployed, "ReconcileCalls", event)
        yield report
        event.setdefault("since", report["beganAt"])
        if report["finished"]:
            return
        is_moving = report["checked"] or report["lines"]
        if report["stopped"] not in ("time", "count") or not is_moving:
            waits += 1
            time.sleep(_SECONDS_BETWEEN_WAITS)
    raise ChoreFailed(f"the reconciler does not get on: {report['stopped']}")


def rejudge(deployed: Deployed, *, apply: bool) -> Iterator[dict[str, Any]]:
    """Has older engines' verdicts judged again."""
    return _in_parts(deployed, {"chore": "rejudge", "apply": apply})


def replay(deployed: Deployed, *, apply: bool, **which: str | None) -> Iterator[dict[str, Any]]:
    """Has calls told again from their webhooks: `callSid`, or `from` and `to`; reports as `rejudge`."""
    return _in_parts(deployed, {"chore": "replay", "apply": apply, **which})


def _in_parts(deployed: Deployed, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One report for each part of the work, as it is done."""
    cursor: Any = {}
    while cursor is not None:
        report = _ask(deployed, "Admin", {**event, "cursor": cursor or None})
        cursor = report["cursor"]
        yield report


def _ask(deployed: Deployed, function: str, event: Mapping[str, Any]) -> Any:
    """Chores are invoked directly, with the operator's own AWS rights, and not through the API."""
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.resources[function], Payload=json.dumps(event)
    )
    report = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ChoreFailed(f"{function} failed: {report.get('errorMessage', report)}")
    return report
