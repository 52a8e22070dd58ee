"""A transcript and its operators are ready: the summary is fetched in a moment, by the transcript's SID."""

import json
from typing import Any

import pytest

from tests.unit.signed import ACCOUNT_SID, CI_KEY, call, form_event, json_event
from tests.unit.twilio_side import (
    CALL_SID,
    TRANSCRIPT_SID,
    kept_webhooks,
    queued,
    sample,
    stored_calls,
)

CI_STATUS = "/api/twilio/ci-status"
SAID = {
    "account_sid": ACCOUNT_SID,
    "service_sid": "GA" + "f" * 32,
    "transcript_sid": TRANSCRIPT_SID,
    "customer_key": CALL_SID,
    "event_type": "voice_intelligence_transcript_available",
}


def test_the_summary_is_fetched_two_seconds_later(cloud: Any) -> None:
    answered = call("transcript_ready", sample("transcript_ready"))

    assert answered == {"statusCode": 204}
    (work,) = queued(cloud)
    assert (work["kind"], work["transcript_sid"], work["delay"]) == (
        "fetch_summary",
        TRANSCRIPT_SID,
        2,
    )


@pytest.mark.parametrize("path", [CI_STATUS, f"{CI_STATUS}/{CI_KEY}"])
@pytest.mark.parametrize("spelled_as", [form_event, json_event])
def test_twilio_may_say_it_as_a_form_or_as_json(cloud: Any, path: str, spelled_as: Any) -> None:
    event = spelled_as(path, SAID)
    if path != CI_STATUS:
        event["pathParameters"] = {"key": CI_KEY}

    answered = call("transcript_ready", event)

    assert answered == {"statusCode": 204}
    assert [work["transcript_sid"] for work in queued(cloud)] == [TRANSCRIPT_SID]


def test_whose_call_it_is_is_not_taken_from_the_body(cloud: Any) -> None:
    event = json_event(CI_STATUS, SAID | {"customer_key": "CA" + "9" * 32})

    call("transcript_ready", event)

    (work,) = queued(cloud)
    assert work["call_sid"] == ""
    assert stored_calls(cloud) == []


def test_it_is_kept_with_the_call_that_it_names(cloud: Any) -> None:
    call("transcript_ready", sample("transcript_ready"))

    (kept,) = kept_webhooks(cloud)
    assert kept["callSid"] == CALL_SID
    assert kept["params"]["transcript_sid"] == TRANSCRIPT_SID


@pytest.mark.parametrize("customer_key", [None, ""])
def test_it_is_kept_with_the_transcript_where_it_names_no_call(
    cloud: Any, customer_key: str | None
) -> None:
    answered = call(
        "transcript_ready", json_event(CI_STATUS, SAID | {"customer_key": customer_key})
    )

    (kept,) = kept_webhooks(cloud)
    assert answered == {"statusCode": 204}
    assert kept["callSid"] == TRANSCRIPT_SID


def test_a_key_of_ours_never_stands_in_the_database(cloud: Any) -> None:
    call("transcript_ready", sample("transcript_ready"))

    assert CI_KEY not in json.dumps(kept_webhooks(cloud), default=str)


@pytest.mark.parametrize("said", ["{", "", "[]", '"GT"', "7", "null"])
def test_json_that_says_nothing_is_refused(cloud: Any, said: str) -> None:
    answered = call("transcript_ready", json_event(CI_STATUS, said))

    assert answered["statusCode"] == 400
    assert queued(cloud) == []


@pytest.mark.parametrize("transcript_sid", [None, "", 7, ["GT"]])
def test_a_body_that_names_no_transcript_is_refused(cloud: Any, transcript_sid: Any) -> None:
    answered = call(
        "transcript_ready", json_event(CI_STATUS, SAID | {"transcript_sid": transcript_sid})
    )

    assert answered["statusCode"] == 400
    assert "transcript_sid" in answered["body"]
    assert queued(cloud) == []
