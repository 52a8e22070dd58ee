"""A model is asked about doubtful verdicts only, only where one is named, and believed only by its quotes."""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import pytest
from botocore.config import Config

import summarize_call
from calls import archive, aws, booking, call_store, instants, second_opinion, summaries
from calls.work_queue import Work
from tests.unit.model_server import Model, model_server
from tests.unit.signed import call, person_event
from tests.unit.twilio_server import TwilioServer
from tests.unit.twilio_side import (
    CALL_SID,
    CLINIC,
    RECORDING_SID,
    connected_line,
    twilio_sends,
)

MODEL = "amazon.nova-lite-v1:0"
ENGINE = f"{booking.ENGINE}+{MODEL}"
DOUBTFUL = """
caller: Could I come in for a cleaning?
agent: I could offer you Tuesday at nine.
"""
CERTAIN = """
caller: Could I come in for a cleaning?
agent: Tuesday at nine is free.
caller: I'll take it.
agent: You are booked for Tuesday at nine. See you then.
caller: Thank you, goodbye.
"""
NOT_BOOKED = {"booked": "not_booked", "reason": "asked_only", "quotes": ["I could offer you"]}
TURNS = [
    {"speaker": "caller", "text": "Tuesday at nine?", "start": 1.5, "end": 3},
    {"speaker": "agent", "text": "Tuesday at nine it is.", "start": 4.0, "end": 6},
]
SUMMARY = "The caller asked for Tuesday."
QUOTE = {"quote": "at nine it is", "source": "transcript", "speaker": "agent", "start": 4.0}


@pytest.fixture(scope="module")
def server() -> Iterator[Model]:
    """One for all tests, since the client that knows its address is kept."""
    with model_server() as model:
        yield model


@pytest.fixture
def model(server: Model, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model that the operator named; it says nothing yet."""
    for field in fields(Model):
        if field.name not in ("url", "asked"):
            setattr(server, field.name, field.default)
    server.asked.clear()
    monkeypatch.setenv("BEDROCK_MODEL_ID", MODEL)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    return server


@pytest.fixture
def transcribed(
    model: Model, cloud: Any, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Has a call carried with the given words, recorded and transcribed; the answer is its work."""
    monkeypatch.setenv("TWILIO_ENABLE_TRANSCRIPTION", "true")

    def carried(script: str) -> Work:
        twilio.carried(CALL_SID, f"summary: The caller wanted a cleaning.\n{script}")
        twilio.recorded(CALL_SID, RECORDING_SID)
        connected_line()
        for function in ("incoming_call", "dial_finished", "call_status", "recording_ready"):
            twilio_sends(function)
        performs(Work("order_transcript", CALL_SID, RECORDING_SID))
        (sid,) = twilio.account.transcripts
        return Work("fetch_summary", transcript_sid=twilio.finished(sid))

    return carried


def performs(work: Work) -> None:
    body = asdict(work) | {"since": instants.now()}
    summarize_call.handler({"Records": [{"body": json.dumps(body)}]}, None)


def verdict(booked: bool | None, confidence: float, **changes: Any) -> dict[str, Any]:
    quote = {"quote": "Tuesday at nine?", "source": "transcript", "speaker": "caller"}
    given = {"booked": booked, "confidence": confidence, "reason": "unsettled", "evidence": [quote]}
    return given | {"appointment": None, "engine": booking.ENGINE} | changes


def asked(first: dict[str, Any], turns: Any = TURNS) -> dict[str, Any] | None:
    return second_opinion.ask(first, turns, SUMMARY)


def says(model: Model, booked: str, *quotes: Any, reason: str = "confirmed") -> None:
    model.says = {"booked": booked, "reason": reason, "quotes": list(quotes)}


class TestADoubtfulCall:
    def test_is_judged_by_what_the_model_can_quote(self, transcribed: Any, model: Model) -> None:
        model.says = NOT_BOOKED

        performs(transcribed(DOUBTFUL))

        stored = verdict_of(call_store.get(CALL_SID))
        assert (stored["booked"], stored["reason"]) == (False, "asked_only")
        assert stored["engine"] == ENGINE
        assert stored["confidence"] <= second_opinion.ASK_BELOW
        assert [one["quote"] for one in stored["evidence"]] == ["I could offer you"]
        assert stored["evidence"][0]["speaker"] == "agent"

    def test_is_put_to_the_model_once(self, transcribed: Any, model: Model) -> None:
        model.says = NOT_BOOKED
        work = transcribed(DOUBTFUL)

        performs(work)
        performs(work)

        assert len(model.asked) == 1

    def test_is_not_judged_again_for_ever(self, transcribed: Any, model: Model, cloud: Any) -> None:
        model.says = NOT_BOOKED
        performs(transcribed(DOUBTFUL))
        item = call_store.get(CALL_SID)
        assert item

        assert not summaries.was_judged_by_older_engine(item)
        assert summaries.judged_now(item) is item

    def test_that_a_model_looked_at_before_this_engine_came_is_judged_again(self) -> None:
        older = {"booking": {"engine": f"rules-0+{MODEL}"}}

        assert summaries.was_judged_by_older_engine(older)

    def test_stays_with_its_first_verdict_while_the_model_is_down(
        self, transcribed: Any, model: Model
    ) -> None:
        model.status = 429
        work = transcribed(DOUBTFUL)

        performs(work)

        first = verdict_of(call_store.get(CALL_SID))
        assert (first["booked"], first["engine"]) == (None, booking.ENGINE)
        assert len(model.asked) == 2  # one try and one more

    def test_is_asked_about_again_with_the_next_message(
        self, transcribed: Any, model: Model
    ) -> None:
        model.status = 429
        work = transcribed(DOUBTFUL)
        performs(work)
        model.status, model.says = 200, NOT_BOOKED

        performs(work)

        assert verdict_of(call_store.get(CALL_SID))["engine"] == ENGINE

    def test_shows_the_model_the_words_and_the_definition(
        self, transcribed: Any, model: Model
    ) -> None:
        model.says = NOT_BOOKED

        performs(transcribed(DOUBTFUL))

        (request,) = model.asked
        assert request["path"] == f"/model/{MODEL}/converse"
        assert request["toolConfig"]["toolChoice"] == {"tool": {"name": "record_verdict"}}
        shown = model.read()
        assert "agent: I could offer you Tuesday at nine." in shown
        assert "The caller wanted a cleaning." in shown
        assert "unknown" in shown

    def test_gives_the_model_no_number_name_or_sid(self, transcribed: Any, model: Model) -> None:
        model.says = NOT_BOOKED

        performs(transcribed(DOUBTFUL))

        for private in (CALL_SID, "+1312", "+1773", CLINIC):
            assert private not in json.dumps(model.asked)


class TestNobodyIsAsked:
    def test_where_no_model_is_named(
        self, transcribed: Any, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("BEDROCK_MODEL_ID")

        performs(transcribed(DOUBTFUL))

        assert model.asked == []
        assert verdict_of(call_store.get(CALL_SID))["engine"] == booking.ENGINE

    def test_about_a_call_that_is_clear(self, transcribed: Any, model: Model) -> None:
        performs(transcribed(CERTAIN))

        assert model.asked == []
        assert verdict_of(call_store.get(CALL_SID))["booked"] is True

    def test_when_somebody_reads(
        self, transcribed: Any, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transcribed(DOUBTFUL)
        event = person_event("GET", f"/api/twilio/call-logs/{CALL_SID}/summary", clinic_id=CLINIC)

        answer = json.loads(call("call_logs", event)["body"])

        assert answer["booking"]["engine"] == booking.ENGINE
        assert model.asked == []

    @pytest.mark.parametrize(
        ("first", "called_for"),
        [
            (verdict(None, 0.5), True),
            (verdict(None, 0.9, reason="conflict"), True),
            (verdict(None, 0.5, reason="no_conversation"), False),
            (verdict(True, 0.79), True),
            (verdict(True, 0.8), False),
            (verdict(False, 0.7), True),
            (verdict(False, 0.95), False),
            (verdict(None, 0.5, engine=ENGINE), False),
        ],
    )
    def test_unless_the_verdict_is_doubtful_and_not_yet_asked_about(
        self, first: dict[str, Any], called_for: bool
    ) -> None:
        assert second_opinion.is_called_for(first) is called_for

    @pytest.mark.parametrize("turns", [[], TURNS[1:], [TURNS[0] | {"text": " "}, TURNS[1]]])
    def test_about_a_call_in_which_the_caller_says_nothing(self, model: Model, turns: Any) -> None:
        assert asked(verdict(None, 0.5), turns) is None
        assert model.asked == []


class TestAnAnswer:
    def test_that_settles_the_call_carries_its_quotes(self, model: Model) -> None:
        says(model, "booked", "at nine it is", "asked for Tuesday")

        assert asked(verdict(None, 0.5)) == {
            "booked": True,
            "confidence": second_opinion.CONFIDENCE_ALONE,
            "reason": "confirmed",
            "evidence": [QUOTE, {"quote": "asked for Tuesday", "source": "summary"}],
            "appointment": None,
            "engine": ENGINE,
        }

    def test_that_agrees_makes_the_first_verdict_surer(self, model: Model) -> None:
        first = verdict(True, 0.72, appointment={"text": "Tuesday at nine"})
        says(model, "booked", "at nine it is")

        assert asked(first) == first | {"confidence": second_opinion.ASK_BELOW, "engine": ENGINE}

    def test_that_disagrees_counts_for_less(self, model: Model) -> None:
        says(model, "not_booked", "Tuesday at nine?", reason="asked_only")

        second = asked(verdict(True, 0.72, appointment={"text": "Tuesday at nine"}))

        assert second
        assert (second["booked"], second["confidence"]) == (False, 0.6)
        assert second["appointment"] is None

    def test_that_it_is_unsettled_makes_it_so(self, model: Model) -> None:
        says(model, "unknown", reason="unsettled")

        second = asked(verdict(True, 0.6))

        assert second
        assert (second["booked"], second["confidence"]) == (None, 0.5)
        assert second["evidence"] == verdict(True, 0.6)["evidence"]

    def test_never_is_surer_than_what_is_not_asked_about(self, model: Model) -> None:
        for first in (verdict(None, 0.5), verdict(True, 0.79), verdict(False, 0.3)):
            for said in ("booked", "not_booked", "unknown"):
                says(model, said, "at nine it is")

                second = asked(first)

                assert second
                assert second["confidence"] <= second_opinion.ASK_BELOW

    @pytest.mark.parametrize(
        "quotes",
        [
            [],
            [""],
            [" "],
            ["Wednesday at nine"],
            ["at Nine it is"],
            ["Tuesday at nine? Tuesday at nine it is."],
            ["at nine it is", "and a pony"],
            ["agent: Tuesday at nine it is."],
        ],
    )
    def test_counts_only_if_every_quote_is_verbatim(self, model: Model, quotes: list[str]) -> None:
        says(model, "booked", *quotes)

        assert asked(verdict(None, 0.5)) is None
        assert len(model.asked) == 1

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"booked": True, "reason": "confirmed", "quotes": ["at nine it is"]},
            {"booked": "booked", "reason": "because!", "quotes": ["at nine it is"]},
            {"booked": "booked", "reason": "confirmed", "quotes": "at nine it is"},
            {"booked": "booked", "reason": "confirmed", "quotes": [7]},
            {"booked": "booked", "reason": "confirmed"},
            {"booked": ["booked"], "reason": {}, "quotes": []},
        ],
    )
    def test_counts_only_if_it_fits_the_schema(self, model: Model, said: Any) -> None:
        model.says = said

        assert asked(verdict(None, 0.5)) is None

    @pytest.mark.parametrize("content", [[], [{"text": "It was booked."}]])
    def test_counts_only_if_the_tool_was_used(
        self, model: Model, content: list[dict[str, Any]]
    ) -> None:
        model.content = content

        assert asked(verdict(None, 0.5)) is None

    @pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"output": {}}'])
    def test_that_is_none_leaves_the_first_verdict(self, model: Model, body: bytes) -> None:
        model.body = body

        assert asked(verdict(None, 0.5)) is None

    @pytest.mark.parametrize("status", [400, 403, 503])
    def test_that_is_an_error_leaves_the_first_verdict(self, model: Model, status: int) -> None:
        model.status = status

        assert asked(verdict(None, 0.5)) is None


def test_no_words_of_the_call_are_logged(
    model: Model, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    says(model, "booked", "Wednesday at nine")
    asked(verdict(None, 0.5))
    model.status = 400
    asked(verdict(None, 0.5))

    written = caplog.text + "".join(capsys.readouterr())
    assert "no second opinion" in written
    for word in ("nine", "Tuesday", "Wednesday", "what the caller said"):
        assert word not in written


def test_a_model_that_never_answers_leaves_the_worker_time(template: dict[str, Any]) -> None:
    patience: Config = aws.FOR_A_MODEL
    tries = patience.retries["total_max_attempts"]
    worker = template["Resources"]["SummarizeCall"]["Properties"]

    assert tries == 2
    assert tries * (patience.connect_timeout + patience.read_timeout) < worker["Timeout"] - 20


def verdict_of(item: dict[str, Any] | None) -> dict[str, Any]:
    """The verdict of a stored call, whose every quote is in its archived words."""
    assert item
    turns = archive.transcript(item["work"]["transcriptKey"])["turns"]
    texts = [turn["text"] for turn in turns] + [item.get("summaryText") or ""]
    for one in item["booking"]["evidence"]:
        assert any(one["quote"] in text for text in texts)
    return dict(item["booking"])
