"""What goes wrong is seen: every alarm watches what is really told, rings, and says what to do."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.conftest import ROOT, resources
from tests.unit.test_template import functions, mentioned

Template = dict[str, Any]

ALARM, DASHBOARD, FILTER = (
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Logs::MetricFilter",
)
NAMESPACE = "Ringbook"
# Functions that write a metric, and calls' attributes of these names.
WRITES = ("single_metric", "add_metric", "metrics.count", "metrics.seconds")
WATCHED = {
    "FallbackUsed",
    "WebhookErrors",
    "FactLost",
    "SignatureRefused",
    "CallsRepaired",
    "OldestUnsettledAge",
    "ReconcileFailures",
    "DeadLetters",
    "HangUpToVerdict",
}


def emitted() -> set[str]:
    """The names of all metrics that the code writes."""
    files = [*(ROOT / "functions").glob("*.py"), *(ROOT / "layers/calls/calls").glob("*.py")]
    return {name for file in files for name in _written(ast.parse(file.read_text()))}


def _written(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(WRITES):
            given = [*node.args, *(k.value for k in node.keywords if k.arg == "name")]
            yield from (str(a.value) for a in given[:1] if isinstance(a, ast.Constant))
        if isinstance(node, ast.Dict):  # the embedded metric format, written by hand
            literal = dict(zip(map(_constant, node.keys), map(_constant, node.values), strict=True))
            if literal.keys() == {"Name", "Unit"}:
                yield str(literal["Name"])


def _constant(node: ast.expr | None) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def told(template: Template) -> set[str]:
    """Every metric in our namespace: the code's, and those that are counted from the access log."""
    counted = {
        transformation["MetricName"]
        for log_filter in resources(template, FILTER).values()
        for transformation in log_filter["Properties"]["MetricTransformations"]
        if transformation["MetricNamespace"] == NAMESPACE
    }
    return emitted() | counted


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return {name: alarm["Properties"] for name, alarm in resources(template, ALARM).items()}


def widgets(template: Template) -> list[dict[str, Any]]:
    (dashboard,) = resources(template, DASHBOARD).values()
    return list(json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"])


def graphed(template: Template) -> Iterator[list[Any]]:
    """Each graph's rows: namespace, metric, and names and values of its dimensions in turn."""
    for widget in widgets(template):
        yield from widget["properties"].get("metrics", ())


class TestAlarms:
    def test_watch_all_that_shows_a_broken_promise(self, template: Template) -> None:
        assert alarms(template).keys() == {f"{what}Alarm" for what in WATCHED}

    def test_ring_the_one_topic(self, template: Template) -> None:
        assert resources(template, "AWS::SNS::Topic").keys() == {"Alarms"}
        for alarm in alarms(template).values():
            assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]

    def test_watch_what_is_really_told(self, template: Template) -> None:
        watched = {
            a["MetricName"] for a in alarms(template).values() if a["Namespace"] == NAMESPACE
        }

        assert len(watched) == len(WATCHED) - 1
        assert watched <= told(template)

    def test_watch_this_stack_only(self, template: Template) -> None:
        service = template["Globals"]["Function"]["Environment"]["Variables"][
            "POWERTOOLS_SERVICE_NAME"
        ]

        assert service == {"Ref": "AWS::StackName"}
        for alarm in alarms(template).values():
            if alarm["Namespace"] == NAMESPACE:
                assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
            else:
                assert mentioned(alarm["Dimensions"]) & template["Resources"].keys()

    def test_say_what_silence_means(self, template: Template) -> None:
        silence = {name: alarm["TreatMissingData"] for name, alarm in alarms(template).items()}

        # Only the reconciler speaks in every run.
        assert silence.pop("OldestUnsettledAgeAlarm") == "breaching"
        assert set(silence.values()) == {"notBreaching"}

    def test_name_their_page_of_the_runbook(self, template: Template) -> None:
        headings = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)

        for name, alarm in alarms(template).items():
            assert alarm["AlarmDescription"].endswith(f"(docs/runbook.md, {name})")
            assert headings.count(name) == 1


class TestWebhookErrors:
    @pytest.fixture
    def pattern(self, template: Template) -> str:
        return str(template["Resources"]["WebhookErrors"]["Properties"]["FilterPattern"])

    def test_are_counted_on_every_route_of_twilios_and_no_other(
        self, template: Template, pattern: str
    ) -> None:
        prefixes = re.findall(r'\$\.route = "([^"]+)\*"', pattern)
        routes = {
            f"{event['Properties']['Method']} {event['Properties']['Path']}": "Auth"
            not in event["Properties"]
            for function in functions(template).values()
            for event in function.get("Events", {}).values()
            if event["Type"] == "HttpApi"
        }

        counted = {route: route.startswith(tuple(prefixes)) for route in routes}

        assert counted == routes

    def test_are_read_off_the_access_log(self, template: Template, pattern: str) -> None:
        access_log = template["Resources"]["Api"]["Properties"]["AccessLogSettings"]
        line = json.loads(access_log["Format"]["Fn::Sub"])
        (transformation,) = template["Resources"]["WebhookErrors"]["Properties"][
            "MetricTransformations"
        ]

        assert set(re.findall(r"\$\.(\w+)", pattern)) == {"route", "status"}
        assert (line["route"], line["status"]) == ("$context.routeKey", "$context.status")
        assert transformation["Dimensions"] == [{"Key": "service", "Value": "$.service"}]
        assert line["service"] == "${AWS::StackName}"
        assert access_log["DestinationArn"] == {"Fn::GetAtt": ["Logs", "Arn"]}


class TestTheDashboard:
    def test_shows_every_alarm_and_what_it_watches(self, template: Template) -> None:
        shown = [a for w in widgets(template) for a in w["properties"].get("alarms", ())]
        rows = {(row[0], row[1]) for row in graphed(template)}

        assert sorted(shown) == sorted(f"${{{name}.Arn}}" for name in alarms(template))
        for alarm in alarms(template).values():
            assert (alarm["Namespace"], alarm["MetricName"]) in rows

    def test_shows_what_is_really_told(self, template: Template) -> None:
        ours = {row[1] for row in graphed(template) if row[0] == NAMESPACE}

        assert ours <= told(template)
        for row in graphed(template):
            if row[0] == NAMESPACE:
                assert row[2:4] == ["service", "${AWS::StackName}"]

    def test_shows_every_functions_errors(self, template: Template) -> None:
        shown = {row[3] for row in graphed(template) if row[:2] == ["AWS/Lambda", "Errors"]}

        assert shown == {f"${{{name}}}" for name in functions(template)}

    @pytest.mark.parametrize(
        "row",
        [
            ["AWS/Lambda", "Invocations", "FunctionName", "${IncomingCall}"],
            ["AWS/ApiGateway", "5xx", "ApiId", "${Api}"],
            [
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "QueueName",
                "${WorkQueue.QueueName}",
            ],
        ],
        ids=lambda row: row[1],
    )
    def test_shows_the_calls_the_api_and_the_queue(
        self, template: Template, row: list[str]
    ) -> None:
        assert row in [shown[:4] for shown in graphed(template)]

    def test_names_nothing_that_is_not_there(self, template: Template) -> None:
        (dashboard,) = resources(template, DASHBOARD).values()

        named = mentioned(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])

        assert named - {"AWS"} <= template["Resources"].keys()

    def test_lays_nothing_over_another_thing(self, template: Template) -> None:
        cells = [
            (x, y)
            for w in widgets(template)
            for x in range(w["x"], w["x"] + w["width"])
            for y in range(w["y"], w["y"] + w["height"])
        ]

        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24


def test_the_readme_leads_to_the_runbook() -> None:
    assert "(docs/runbook.md)" in (ROOT / "README.md").read_text()


def test_the_runbook_leads_nowhere_that_is_not_there() -> None:
    text = (ROOT / "docs/runbook.md").read_text()
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.+)$", text, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
