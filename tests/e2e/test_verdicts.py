"""The verdict on the deployed template: a second opinion by Bedrock, and stored verdicts judged again."""

import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest

from local import cloud, placing, rejudged
from local.progress import Progress
from local.stack import Stack
from tests.e2e.model import MODEL_ID, FakeModel

PATIENT = "+12175550124"
CALL_LOGS = "/api/twilio/call-logs"
OFFERED = """
summary: The caller wanted a cleaning.
agent: Harbour Street Dental, how can I help?
caller: Hi, I'd like to come in for a cleaning.
agent: I could offer you Tuesday at three.
"""
QUOTE = "I could offer you Tuesday at three"
PATIENCE_SECONDS = 20


@pytest.fixture
def model(stack: Stack, any_model: FakeModel) -> Iterator[FakeModel]:
    """The model that the stack names; the worker may ask it as the emulated cloud spells that."""
    role = stack.deployed().resources["SummarizeCallRole"]
    iam = stack.deployed().client("iam")
    # MiniStack checks Converse under its own name; AWS checks bedrock:InvokeModel for it.
    allowed = {"Effect": "Allow", "Action": "bedrock:Converse"}
    allowed |= {"Resource": f"arn:aws:bedrock:*::foundation-model/{MODEL_ID}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    named = {"RoleName": role, "PolicyName": "AsTheEmulatorSpellsIt"}
    iam.put_role_policy(**named, PolicyDocument=document)
    any_model.asked.clear()
    try:
        yield any_model
    finally:
        any_model.says = None
        iam.delete_role_policy(**named)


def placed(stack: Stack, script: str) -> dict[str, Any]:
    """The call on a line without a menu, as its clinic reads it when all is over."""
    clinic_id, number = list(stack.lines.items())[1]
    sid = placing.place(stack, to=number, from_number=PATIENT, script=script)
    return placing.settled(stack, stack.as_customer(clinic_id), sid)


def verdict(stack: Stack, call: dict[str, Any]) -> dict[str, Any]:
    """As it is stored; reading it through the API would judge it again."""
    return dict(stored(stack, call)["booking"])


def stored(stack: Stack, call: dict[str, Any]) -> dict[str, Any]:
    return dict(table(stack).get_item(Key={"callSid": call["callSid"]})["Item"])


def table(stack: Stack) -> Any:
    resource = boto3.resource("dynamodb", **cloud.client_options(stack.endpoint_url))
    return resource.Table(stack.deployed().outputs["CallLogsTable"])


def second_verdict(stack: Stack, call: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "+" not in (found := verdict(stack, call))["engine"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def test_a_doubtful_verdict_is_put_to_the_model_that_the_operator_named(stack, model):
    model.says = {"booked": "not_booked", "reason": "asked_only", "quotes": [QUOTE]}

    found = second_verdict(stack, placed(stack, OFFERED))

    assert found["engine"].endswith(f"+{MODEL_ID}")
    assert (found["booked"], found["reason"]) == (False, "asked_only")
    assert found["evidence"][0]["quote"] == QUOTE
    # Calls of other tests may be judged meanwhile, and be doubtful too.
    (request,) = [r for r in model.asked if f"agent: {QUOTE}." in r["messages"][-1]["content"]]
    assert request["model"] == MODEL_ID


def test_a_model_that_fails_leaves_the_first_verdict(stack, model):
    call = placed(stack, OFFERED)

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not model.asked and time.monotonic() < deadline:
        time.sleep(0.2)

    assert model.asked
    found = verdict(stack, call)
    assert (found["booked"], "+" in found["engine"]) == (None, False)


def test_stored_verdicts_are_judged_again_only_when_asked(stack):
    call = placed(stack, OFFERED)
    todays = verdict(stack, call)
    work = stored(stack, call)["work"]
    older = todays | {"engine": "rules-0", "booked": True, "confidence": Decimal("0.6")}
    table(stack).update_item(
        Key={"callSid": call["callSid"]},
        UpdateExpression="SET booking = :older, #work = :work",
        ExpressionAttributeNames={"#work": "work"},
        ExpressionAttributeValues={":older": older, ":work": work | {"booking": older}},
    )

    shown = list(rejudged.told(stack.deployed(), Progress(), apply=False))
    assert any(re.match(rf"{call['callSid']}  booked .* ->  unknown", line) for line in shown)
    assert verdict(stack, call) == older

    list(rejudged.told(stack.deployed(), Progress(), apply=True))
    assert verdict(stack, call) == todays
