"""Numbers for CloudWatch, written to the log in its embedded metric format."""

NAMESPACE = "Ringbook"


def count(name: str, number: int = 1) -> None:
    _write(name, number, "Count")


def seconds(name: str, duration: float) -> None:
    _write(name, duration, "Seconds")


def _write(name: str, value: float, unit: str) -> None:
    # Imported only here: most calls have nothing to count, and their callers wait for what is imported.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name, MetricUnit(unit), value, namespace=NAMESPACE):
        pass
