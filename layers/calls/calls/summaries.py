"""From a recording to a verdict: order the transcript once, fetch what it says, judge it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calls import (
    archive,
    booking,
    call_store,
    instants,
    line_store,
    metrics,
    second_opinion,
    settings,
    twilio_api,
)
from calls import call as calls
from calls.call import Call
from calls.line import NOBODY
from calls.work_queue import Work

SUMMARY_OPERATOR = "Conversation Summary"
# Twilio delivers a transcript with its results; without any after this many looks there are none.
LOOKS_FOR_RESULTS = 4
# Longer than any try lasts: whoever holds an older claim has died.
CLAIM_SECONDS = 120


class NotReady(Exception):
    """What is asked for is not there yet; the work is to be tried again later."""


def decide_transcript(work: Work) -> Work | None:
    """The work that has a recording transcribed, if the line that was called wants that.

    Raises NotReady until it is known which line it was.
    """
    number = (call_store.get(work.call_sid) or {}).get("twilioPhoneNumber")
    if number is None:
        raise NotReady("the called line is not known yet")
    if settings.answering_for(line_store.find(number)).transcription:
        return replace(work, kind="order_transcript", attempt=0)
    call_store.change(work.call_sid, lambda call: calls.not_awaiting(call, "summary"))
    return None


def order_transcript(work: Work) -> Work | None:
    """Order one transcript of a recording; the work that then fetches it, if it still must be.

    Raises NotReady while another try is under way, TwilioError when Twilio refuses.
    """
    item = call_store.get(work.call_sid)
    if item is None:
        raise NotReady("no such call yet")
    if not settings.load().intelligence_service:
        call_store.finish(work.call_sid, summaryFailure="no_intelligence_service")
        return None
    if not calls.is_told_by(item["facts"], work.recording_sid):
        return None
    claim = _claim(work.call_sid, work.recording_sid)
    if claim is None:
        return None
    try:
        sid = _ordered(item, work.recording_sid, maybe_ordered=claim == "again")
    except twilio_api.Unavailable:
        _release(work.call_sid, work.recording_sid)
        raise
    call_store.finish_about(work.call_sid, work.recording_sid, transcriptSid=sid)
    return Work("fetch_summary", work.call_sid, work.recording_sid, transcript_sid=sid)


def fetch_summary(work: Work) -> str:
    """Fetch a transcript's summary and sentences, judge the call, and store all of it.

    The answer is the call's SID. Raises NotReady until Twilio has finished, TwilioError when it
    refuses.
    """
    transcript = twilio_api.transcript(work.transcript_sid)
    call_sid = _call_of(transcript) or work.call_sid
    if not call_sid:
        # The webhook that names a live transcript's call may come after the one that it is ready.
        raise NotReady("transcript of no known call")
    item = call_store.get(call_sid)
    if item is None:
        # Another call of the account, which is none of ours, or one that the reconciler has yet to find.
        raise NotReady("no such call yet")
    recording_sid = _recording_of(transcript)
    if item.get("summaryReady") or not calls.is_told_by(item["facts"], recording_sid):
        return call_sid
    if transcript.status in ("failed", "canceled", "error"):
        failure = {"summaryFailure": f"transcript_{transcript.status}"}
        _finish(call_sid, recording_sid, transcriptSid=work.transcript_sid, **failure)
        return call_sid
    if transcript.status != "completed":
        raise NotReady(f"transcript is {transcript.status}")
    results = twilio_api.operator_results(work.transcript_sid)
    if not results and work.attempt < LOOKS_FOR_RESULTS:
        raise NotReady("no operator results yet")
    _store(call_sid, recording_sid, work.transcript_sid, results)
    return call_sid


def judged_now(item: dict[str, Any]) -> dict[str, Any]:
    """A stored call with its verdict as today's engine gives it; made again if an older one did."""
    if not was_judged_by_older_engine(item):
        return item
    try:
        verdict = judge(item)
    except archive.Gone:
        return item  # An older engine's verdict is better than none.
    return call_store.replace_verdict(item["callSid"], item["booking"], verdict)


def was_judged_by_older_engine(item: Mapping[str, Any]) -> bool:
    """False for a call without a verdict, and for a verdict that a second opinion has changed."""
    verdict = item.get("booking")
    return verdict is not None and verdict["engine"].partition("+")[0] != booking.ENGINE


def judge(item: Mapping[str, Any]) -> dict[str, Any]:
    """Today's verdict on a stored call, from its archived words. Raises archive.Gone."""
    turns = archive.transcript(item["work"]["transcriptKey"])["turns"]
    return _verdict(item, turns, item.get("summaryText"))


def ask_a_second_opinion(call_sid: str) -> None:
    """Put a doubtful verdict to the model that the operator named, if there is one."""
    if not second_opinion.is_wanted():
        return
    item = call_store.get(call_sid) or {}
    first = item.get("booking")
    if not first or not second_opinion.is_called_for(first):
        return
    turns = archive.transcript(item["work"]["transcriptKey"])["turns"]
    if second := second_opinion.ask(first, turns, item.get("summaryText")):
        call_store.replace_verdict(call_sid, first, second)


def summary_text(results: Iterable[Mapping[str, Any]]) -> str | None:
    """The Conversation Summary operator's text, else another text generation's, else None."""
    texts = {
        str(result.get("name")): (result.get("text_generation_results") or {}).get("result")
        for result in results
        if result.get("operator_type") == "text-generation"
    }
    readable = {name: text for name, text in texts.items() if text and not _is_redacted(text)}
    return readable.get(SUMMARY_OPERATOR) or next(iter(readable.values()), None)


def turns_of(sentences: Iterable[Any]) -> list[dict[str, Any]]:
    """A transcript's sentences as turns, in order: `speaker`, `text`, `start` and `end` in seconds.

    Of a call's recording, channel 1 is the patient's leg and channel 2 the clinic's; a voicemail
    has only channel 1 (Twilio docs, "TwiML: Dial, record").
    """
    ordered = sorted(sentences, key=lambda s: (_seconds(s.start_time) or 0, s.sentence_index or 0))
    return [
        {
            "speaker": "caller" if sentence.media_channel == 1 else "agent",
            "text": sentence.transcript,
            "start": _seconds(sentence.start_time),
            "end": _seconds(sentence.end_time),
        }
        for sentence in ordered
    ]


def _finish(call_sid: str, recording_sid: str, **done: Any) -> None:
    of = recording_sid or None
    call_store.finish_about(call_sid, recording_sid, transcriptOf=of, **done)


def _claim(call_sid: str, recording_sid: str) -> str | None:
    """Take the right to order: "first", "again" after a try that may have ordered, None if done.

    It is done too where another recording speaks for the call by now.

    Raises NotReady while somebody else has it.
    """
    taken: list[str | None] = []

    def take(call: Call) -> Call:
        work = call["work"]
        claimed_at = work.get("transcriptClaim")
        is_done = work.get("transcriptSid") or not calls.is_told_by(call["facts"], recording_sid)
        taken[:] = [None if is_done else "again" if claimed_at else "first"]
        if taken == [None]:
            return call
        if claimed_at and instants.seconds_between(claimed_at, instants.now()) < CLAIM_SECONDS:
            raise NotReady("another try to order is under way")
        return calls.with_work(call, transcriptClaim=instants.now(), transcriptOf=recording_sid)

    call_store.change(call_sid, take)
    return taken[0]


def _release(call_sid: str, recording_sid: str) -> None:
    """Let the next try begin at once; it asks first what this one may have ordered."""
    long_ago = instants.iso(datetime.now(UTC) - timedelta(seconds=CLAIM_SECONDS))
    call_store.finish_about(call_sid, recording_sid, transcriptClaim=long_ago)


def _ordered(item: Mapping[str, Any], recording_sid: str, *, maybe_ordered: bool) -> str:
    existing = twilio_api.transcript_of(recording_sid) if maybe_ordered else None
    if existing:
        return existing
    try:
        participants = _participants(item, recording_sid)
        return twilio_api.order_transcript(recording_sid, item["callSid"], participants)
    except twilio_api.Refused:
        # Twilio makes one transcript of a recording: perhaps it exists already.
        existing = twilio_api.transcript_of(recording_sid)
        if existing is None:
            raise
        return existing


def _participants(item: Mapping[str, Any], recording_sid: str) -> list[dict[str, Any]]:
    """Who speaks on which channel; without it Twilio takes the first for the agent."""
    caller = {"channel_participant": 1, "role": "Customer"}
    recordings = calls.recordings(item["facts"])
    source = next((r.get("source") for r in recordings if r["sid"] == recording_sid), None)
    if source == "RecordVerb":
        return [caller]
    return [caller, {"channel_participant": 2, "role": "Agent"}]


def _call_of(transcript: Any) -> str | None:
    """The call of a transcript: its CustomerKey, its recording's call, or the live one's."""
    if (transcript.customer_key or "").startswith("CA"):
        return str(transcript.customer_key)
    if recording_sid := _recording_of(transcript):
        return str(twilio_api.recording(recording_sid).call_sid)
    return call_store.by_transcript(transcript.sid)


def _recording_of(transcript: Any) -> str:
    """The recording that was transcribed, or "" for what was transcribed live."""
    source = (transcript.channel or {}).get("media_properties", {}).get("source_sid") or ""
    return source if source.startswith("RE") else ""


def _store(
    call_sid: str, recording_sid: str, transcript_sid: str, results: list[dict[str, Any]]
) -> None:
    turns = turns_of(twilio_api.sentences(transcript_sid))
    text = summary_text(results)
    described = call_store.get(call_sid) or {}
    document = {"turns": turns, "operatorResults": results}
    clinic_id = described.get("customerId") or NOBODY
    key = archive.put_transcript(clinic_id, call_sid, transcript_sid, document)
    outcome = {"summaryText": text} if text else {"summaryFailure": "no_summary_operator"}
    _finish(
        call_sid,
        recording_sid,
        transcriptSid=transcript_sid,
        transcriptKey=key,
        booking=_verdict(described, turns, text),
        **outcome,
    )
    if not described.get("booking"):
        _tell_how_long_it_took(described.get("endedAt"))


def _tell_how_long_it_took(ended_at: str | None) -> None:
    if ended_at:
        metrics.seconds("HangUpToVerdict", instants.seconds_between(ended_at, instants.now()))


def _verdict(
    described: Mapping[str, Any], turns: list[dict[str, Any]], summary: str | None
) -> dict[str, Any]:
    started_at = described.get("startedAt")
    clinic = line_store.clinic(described.get("customerId") or NOBODY) or {}
    return booking.decide(
        turns,
        summary,
        at=instants.parsed(started_at) if started_at else None,
        timezone=clinic.get("timezone"),
    ).as_dict()


def _is_redacted(text: str) -> bool:
    return text.startswith("[Redacted")


def _seconds(value: Any) -> float | None:
    return float(value) if value is not None else None
