"""The judgement on a chaos run can fail: every wrong, lost, doubled or made-up log is told."""

from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest

from local import chaos, chaos_calls, chaos_report, killer, truth
from local.fault_proxy import DEPENDENCIES, FAULTS, Asked
from local.truth import Line

SID, LEG, RECORDING, TRANSCRIPT = "CA" + "1" * 32, "CA" + "2" * 32, "RE" + "3" * 32, "GT" + "4" * 32
CLINIC = Line("+12125550100", "harbour", {None: "+12125550180", "1": "+12125550181"})
MESSAGES = Line("+12125550100", "orchard")
NOBODYS = Line("+12125550100")
WORDS = ["Tuesday at three?", "Yes, Tuesday at three is great."]


def request(kind: str, status: int | None = 200, attempt: int = 1, **params: str) -> dict[str, Any]:
    return {"kind": kind, "status": status, "attempt": attempt, "params": params}


def a_call(**changes: Any) -> dict[str, Any]:
    """Twilio's record of a call of a new patient whom the clinic answered."""
    leg = {"callSid": LEG, "to": "+12125550181", "status": "completed", "duration": 10}
    leg["connectedAt"] = "2026-11-22T14:00:10.250000Z"
    recording = {"sid": RECORDING, "url": "https://twilio.example/RE3", "status": "completed"}
    return {
        "callSid": SID,
        "from": "+12175550123",
        "to": "+12125550100",
        "status": "completed",
        "startTime": "2026-11-22T14:00:00.250000Z",
        "endTime": "2026-11-22T14:00:20.250000Z",
        "duration": 18,
        "price": "-0.00850",
        "digits": "1",
        "dialled": ["+12125550181"],
        "said": ["Press 1"],
        "legs": [leg],
        "recordings": [recording | {"source": "DialVerb", "duration": 10}],
        "transcripts": [{"sid": TRANSCRIPT, "recordingSid": RECORDING}],
        "words": WORDS,
        "summary": "The caller booked a cleaning.",
        "requests": [
            request("voice", FromCity="SPRINGFIELD", FromState="IL", FromZip="", FromCountry="US"),
            request("gather", Digits="1"),
            request("dial", DialCallStatus="completed"),
        ],
    } | changes


def a_log(**changes: Any) -> dict[str, Any]:
    """What the API must show of it."""
    evidence = [{"quote": "Tuesday at three is great", "source": "transcript"}]
    return {
        "callSid": SID,
        "customerId": "harbour",
        "twilioPhoneNumber": "+12125550100",
        "from": "+12175550123",
        "to": "+12125550100",
        "fromCity": "SPRINGFIELD",
        "fromState": "IL",
        "fromZip": None,
        "fromCountry": "US",
        "callerName": None,
        "status": "completed",
        "duration": 18,
        "menuChoice": "1",
        "startedAt": "2026-11-22T14:00:00.000Z",
        "answeredAt": "2026-11-22T14:00:10.000Z",
        "endedAt": "2026-11-22T14:00:20.000Z",
        "outcome": "answered",
        "price": "-0.00850",
        "priceUnit": "USD",
        "forwardedTo": "+12125550181",
        "legStatus": "completed",
        "dialCallSid": LEG,
        "dialCallStatus": "answered",
        "dialCallDuration": 10,
        "recordingSid": RECORDING,
        "recordingUrl": "https://twilio.example/RE3",
        "recordingStatus": "completed",
        "recordingDuration": 10,
        "transcriptSid": TRANSCRIPT,
        "summaryText": "The caller booked a cleaning.",
        "summaryReady": True,
        "summaryState": "ready",
        "summaryReason": None,
        "appointmentBooked": True,
        "booking": {"booked": True, "evidence": evidence},
    } | changes


def wrong(call: dict[str, Any], log: dict[str, Any], line: Line = CLINIC) -> list[str]:
    return [one.attribute for one in truth.wrong_fields(call, line, True, log)]


class TestFields:
    def test_a_true_log_has_nothing_wrong(self):
        assert wrong(a_call(), a_log()) == []

    @pytest.mark.parametrize("name", sorted(a_log()))
    def test_any_attribute_may_be_wrong(self, name):
        later = dict.fromkeys(("startedAt", "answeredAt", "endedAt"), "2026-11-22T15:00:00.000Z")
        other = later | {"booking": None, "summaryReady": 1}

        assert wrong(a_call(), a_log(**{name: other.get(name, "other")})) == [name]

    @pytest.mark.parametrize("name", sorted(k for k, v in a_log().items() if v is not None))
    def test_any_attribute_may_be_unknown(self, name):
        assert wrong(a_call(), a_log(**{name: None})) == [name]

    def test_an_attribute_may_be_missing_or_made_up(self):
        log = a_log(receivedAt="now", version=3, expiresAt=5, mood="good")
        del log["duration"]

        assert wrong(a_call(), log) == ["duration", "mood"]

    @pytest.mark.parametrize(("instant", "is_near"), [("22.250", True), ("22.251", False)])
    def test_an_instant_may_be_two_seconds_off(self, instant, is_near):
        log = a_log(endedAt=f"2026-11-22T14:00:{instant}Z")

        assert wrong(a_call(), log) == ([] if is_near else ["endedAt"])

    @pytest.mark.parametrize(
        ("status", "attempt", "allowed"),
        [(200, 1, ["1"]), (502, 1, ["1", None]), (None, 1, ["1", None]), (None, 0, [None])],
        ids=["came through", "refused", "timed out", "never sent"],
    )
    def test_a_digit_is_known_if_the_request_that_told_it_came_through(
        self, status, attempt, allowed
    ):
        requests = [request("voice"), request("gather", status, attempt, Digits="1")]
        call = a_call(requests=requests)

        for choice in ("1", "2", None):
            found = "menuChoice" in wrong(call, a_log(menuChoice=choice))
            assert found is (choice not in allowed)

    @pytest.mark.parametrize(
        ("change", "outcome"),
        [
            ({}, "answered"),
            ({"legs": [], "recordings": []}, "abandoned"),
            ({"legs": [], "recordings": [], "status": "failed"}, "failed"),
            ({"legs": [{"status": "canceled"}], "recordings": []}, "abandoned"),
            ({"legs": [{"status": "busy"}], "recordings": []}, "missed"),
        ],
    )
    def test_how_a_call_ended(self, change, outcome):
        assert truth.outcome(a_call(**change), CLINIC) == outcome

    @pytest.mark.parametrize(
        ("status", "outcome"), [("completed", "voicemail"), ("absent", "missed")]
    )
    def test_a_message_counts_when_one_was_left(self, status, outcome):
        message = {"source": "RecordVerb", "status": status}

        call = a_call(legs=[{"status": "no-answer"}], recordings=[message])

        assert truth.outcome(call, CLINIC) == outcome
        assert truth.outcome(call, NOBODYS) == "unknown_number"

    def test_an_unrecorded_call_has_no_summary(self):
        call = a_call(recordings=[], transcripts=[])
        nothing = ["recordingSid", "recordingUrl", "recordingStatus", "recordingDuration"]
        nothing += ["transcriptSid", "summaryText", "appointmentBooked", "booking"]
        log = a_log(summaryReady=False, summaryState="none", summaryReason="not_recorded")

        assert wrong(call, log | dict.fromkeys(nothing)) == []
        assert wrong(call, log | dict.fromkeys(nothing[:-1])) == ["booking"]

    @pytest.mark.parametrize(
        ("status", "attempt", "may_be_known", "may_be_unknown"),
        [(204, 1, True, False), (429, 1, True, True), (None, 0, False, True)],
        ids=["came through", "refused", "never sent"],
    )
    def test_a_live_transcript_is_known_by_its_webhooks_only(
        self, status, attempt, may_be_known, may_be_unknown
    ):
        call = a_call(recordings=[], transcripts=[{"sid": TRANSCRIPT, "recordingSid": None}])
        call["requests"].append(request("transcription", status, attempt))
        nothing = ["recordingSid", "recordingUrl", "recordingStatus", "recordingDuration"]
        known = a_log(liveTranscriptSid=TRANSCRIPT) | dict.fromkeys(nothing)
        nothing += ["transcriptSid", "summaryText", "appointmentBooked", "booking"]
        unknown = a_log(summaryReady=False, summaryState="none", summaryReason="not_recorded")

        assert (wrong(call, known) == []) is may_be_known
        assert (wrong(call, unknown | dict.fromkeys(nothing)) == []) is may_be_unknown

    def test_silence_without_a_summary_is_booked_neither_way(self):
        silence = {"source": "RecordVerb", "status": "absent"}
        live = {"sid": TRANSCRIPT, "recordingSid": None}
        call = a_call(legs=[{"status": "busy"}], recordings=[silence], transcripts=[live])

        for summary, booked in ((None, None), ("A message was left.", True)):
            wanted = truth.expected(call | {"summary": summary}, CLINIC, True)
            assert wanted["appointmentBooked"].values == (booked,)

    def test_a_transcript_that_was_never_ordered_is_missed(self):
        assert wrong(a_call(transcripts=[]), a_log(transcriptSid=None)) == ["transcriptSid"]

    @pytest.mark.parametrize(
        ("verdict", "found"),
        [
            ({"booked": False, "evidence": []}, ["booking.booked"]),
            (
                {"booked": True, "evidence": [{"quote": "Tuesday at", "source": "summary"}]},
                ["booking.evidence"],
            ),
            (
                {"booked": True, "evidence": [{"quote": "No", "source": "transcript"}]},
                ["booking.evidence"],
            ),
        ],
    )
    def test_a_verdict_is_proved_by_words_that_were_said(self, verdict, found):
        assert wrong(a_call(), a_log(booking=verdict)) == found


class TestRinging:
    @pytest.mark.parametrize(
        ("line", "dialled", "reached"),
        [
            (CLINIC, ["+12125550181"], True),
            (CLINIC, ["+12125550180"], False),
            (CLINIC, [], False),
            (CLINIC, ["+12125550181", "+13125550190"], False),
            (MESSAGES, [], True),
            (MESSAGES, ["+12125550181"], False),
            (NOBODYS, [], True),
        ],
    )
    def test_the_right_number_was_dialled(self, line, dialled, reached):
        assert truth.reached(a_call(dialled=dialled), line) is reached

    def test_after_a_failure_the_default_number_is_right(self):
        call = a_call(dialled=["+12125550180"], requests=[request("fallback")])

        assert truth.reached(call, CLINIC)

    def test_silence_is_no_answer(self):
        assert not truth.reached(a_call(dialled=[], said=[]), MESSAGES)


class TestReport:
    def judged(
        self, *logs: dict[str, Any], call: dict[str, Any] | None = None, line: Line = CLINIC
    ) -> tuple[dict[str, Any], list[str]]:
        plan: Any = SimpleNamespace(line=line, words=SimpleNamespace(booked=True))
        return chaos_report.judged([call or a_call()], list(logs), {SID: plan})

    def test_a_flawless_run(self):
        report, told = self.judged(a_log())

        assert report == {
            "calls": 1,
            "rang": 1,
            "lost": 0,
            "duplicated": 0,
            "wrong_fields": 0,
            "transcripts_ordered_twice": 0,
            "unsettled": 0,
        }
        assert told == []
        assert chaos_report.is_flawless(report)

    @pytest.mark.parametrize(
        ("logs", "change", "figures", "told"),
        [
            ([], {}, {"lost": 1}, f"{SID}: lost"),
            ([a_log()] * 2, {}, {"duplicated": 1}, f"{SID}: logged more than once"),
            (
                [a_log(), a_log(callSid="CA9")],
                {},
                {"duplicated": 1},
                "CA9: logged and never placed",
            ),
            (
                [a_log(duration=17)],
                {},
                {"wrong_fields": 1},
                f"{SID} duration: wanted 18, got 17",
            ),
            (
                [a_log()],
                {"transcripts": [{"sid": TRANSCRIPT, "recordingSid": RECORDING}] * 2},
                {"transcripts_ordered_twice": 1},
                f"{SID}: transcribed twice",
            ),
            ([a_log()], {"dialled": []}, {"rang": 0}, f"{SID}: did not reach what it should"),
        ],
    )
    def test_what_is_wrong_is_counted_and_told(self, logs, change, figures, told):
        report, lines = self.judged(*logs, call=a_call(**change))

        assert report | figures == report
        assert lines == [told]
        assert not chaos_report.is_flawless(report)

    def test_calls_that_await_something_are_a_failure(self):
        report, _ = self.judged(a_log())

        assert not chaos_report.is_flawless(report | {"unsettled": 1})

    def test_a_call_to_nobodys_number_may_stay_unknown_if_no_request_came_through(self):
        unheard = a_call(dialled=[], requests=[request("voice", 502)])

        assert self.judged(call=unheard, line=NOBODYS)[0]["lost"] == 0
        assert self.judged(call=unheard, line=CLINIC)[0]["lost"] == 1
        assert self.judged(call=a_call(dialled=[]), line=NOBODYS)[0]["lost"] == 1


class TestSchedule:
    def test_it_is_drawn_from_the_seed(self):
        def first(seed: int) -> list[Any]:
            return list(islice(chaos.turns(seed), 30))

        assert first(1) == first(1) != first(2)

    def test_every_dependency_fails_in_every_way_before_any_repeats(self):
        faults = [faults for _, faults, _ in islice(chaos.turns(1), 25)]

        assert {(name, fault) for one in faults for name, fault in one.items()} >= {
            (name, fault) for name in DEPENDENCIES for fault in FAULTS
        }
        assert {len(one) for one in faults} == {1, 2}

    def test_the_calls_are_drawn_from_the_seed(self):
        names = ("dentist", "physio", "messages", "unrecorded", "unknown")
        lines = {name: Line(name) for name in names}

        def drawn(seed: int) -> list[Any]:
            return chaos_calls.drawn(seed, 200, lines)

        assert drawn(1) == drawn(1) != drawn(2)
        assert {plan.line.number for plan in drawn(1)} == set(names)
        assert {plan.clinic for plan in drawn(1)} == {"answer", "busy", "no-answer", "fail"}


@pytest.mark.parametrize(
    ("dependency", "body", "answer"),
    [
        (
            "dynamodb",
            b'{"Item":{"callSid":{"S":"CA1"},"eventId":{"S":"x"},'
            b'"route":{"S":"/api/twilio/voice/incoming"}}}',
            ("CA1", "incoming"),
        ),
        (
            "dynamodb",
            b'{"Item":{"callSid":{"S":"CA1"},"eventId":{"S":"x"},'
            b'"route":{"S":"/api/twilio/voice/status-callback"}}}',
            None,
        ),
        ("dynamodb", b'{"Key":{"phoneNumber":{"S":"+1"}}}', None),
        ("sqs", b'{"MessageBody":"eventId"}', None),
    ],
)
def test_an_answer_that_a_caller_waits_for_is_known_by_its_webhook(dependency, body, answer):
    assert killer._answer_kept_by(Asked(dependency, body, 1)) == answer
