"""Metrics as CloudWatch finds them in what a function printed (the embedded metric format)."""

import json
from typing import Any


def documents(printed: str) -> list[dict[str, Any]]:
    """The lines that CloudWatch takes for metrics."""
    return [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]


def emitted(printed: str) -> dict[str, list[float]]:
    """Every metric's values. Fails where CloudWatch would not find them where alarms look."""
    found: dict[str, list[float]] = {}
    for document in documents(printed):
        assert document["_aws"]["Timestamp"] > 1_700_000_000_000  # milliseconds
        for directive in document["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "Ringbook"
            assert directive["Dimensions"] == [["service"]]
            assert document["service"] == "ringbook"
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                found.setdefault(metric["Name"], []).extend(
                    value if isinstance(value, list) else [value]
                )
    return found
