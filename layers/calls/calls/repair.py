"""One call compared with what Twilio's lists say of it: completed, its work queued, or given up."""

from collections.abc import Iterable
from typing import Any

from calls import (
    aftercare,
    call_store,
    instants,
    line_store,
    rest_facts,
    settings,
    twilio_api,
    work_queue,
)
from calls import call as calls
from calls.call import Call
from calls.call_store import Event
from calls.facts import Facts, known, merged, recording
from calls.line import Line
from calls.work_queue import MIN_DELAY, Work

# Twilio's lists have whole seconds, and some webhooks only the time at which they came.
SAME_SECONDS = 2
TIMES = ("startedAt", "answeredAt", "endedAt")
DURATIONS = ("duration", "dialCallDuration", "recordingDuration")
TRANSCRIPT_IS_FINAL = ("completed", "failed", "canceled", "error")

# The call as it is now, and whether Twilio's lists had news of it.
Repaired = tuple[Call, bool]


def complete(stored: Call | None, parent: Any, recordings: list[Any], line: Line) -> Repaired:
    """Add to a call that has ended what Twilio's lists of calls and recordings say of it.

    A webhook that was kept, but whose function then died, is told too. Where none of them says
    anything new, nothing is written.
    """
    events = list(call_store.events_of(parent.sid))
    facts = merged(stored["facts"] if stored else {}, call_store.facts_of(events))
    told = rest_facts.of_call(parent) | rest_facts.of_recordings(recordings)
    if rest_facts.lack_the_dial(facts):
        told |= rest_facts.of_legs(twilio_api.legs(parent.sid))
    if _never_asked_us(facts) and _belongs_to_owner_of_today(told, line):
        told |= rest_facts.menu_choice(line, told)
    if "liveTranscriptSid" not in facts:
        told |= _live_transcript(events, line)
    return _added(parent.sid, told, aftercare.price(parent), facts, line)


def refresh(call: Call) -> Repaired:
    """The same for a stored call that is not settled; Twilio is asked only for what is open."""
    sid = call["callSid"]
    facts = merged(call["facts"], call_store.facts_of(call_store.events_of(sid)))
    told: Facts = {}
    price: dict[str, str] = {}
    if not calls.has_ended(facts) or "price" in calls.outstanding(call):
        parent = twilio_api.call(sid)
        if not rest_facts.has_ended(parent):
            return call, False
        price = aftercare.price(parent)
        told |= rest_facts.of_call(parent)
    if calls.main_recording(facts).get("status") != "completed" or calls.open_recordings(facts):
        told |= rest_facts.of_recordings(twilio_api.recordings_of(sid))
    if rest_facts.lack_the_dial(facts):
        told |= rest_facts.of_legs(twilio_api.legs(sid))
    return _added(sid, told, price, facts, None, also_only_price=True)


def work_for(call: Call) -> list[Work]:
    """Work that brings what a call awaits, as far as Twilio has what it takes."""
    sid, pieces = call["callSid"], calls.outstanding(call)
    recorded = calls.main_recording(call["facts"])
    recording_sid = recorded["sid"] if recorded.get("status") == "completed" else ""
    work = [Work("copy_audio", sid, recording_sid)] if recording_sid and "audio" in pieces else []
    return work + (_summary_work(call, recording_sid) if "summary" in pieces else [])


def queue(call: Call, work: Iterable[Work], not_since: str) -> list[Work]:
    """Queue work about a call, and write down when; the answer is what was queued.

    A kind that was queued here at `not_since` or later is left to that message.
    """
    queued_at = call["work"].get("queuedAt", {})
    due = [one for one in work if queued_at.get(one.kind, "") < not_since]
    for one in due:
        work_queue.put(one, MIN_DELAY if one.kind == "fetch_price" else 0)
    if due:
        now = instants.now()
        marks = {one.kind: now for one in due}
        call_store.change(
            call["callSid"],
            lambda c: calls.with_work(c, queuedAt=c["work"].get("queuedAt", {}) | marks),
        )
    return due


def give_up(call_sid: str, reason: str) -> Call:
    """Give a call that never settles a final state, with its reason."""
    return call_store.change(call_sid, lambda call: _given_up(call, reason))


def _given_up(call: Call, reason: str) -> Call:
    """The call with an end of all that is open; what Twilio may still say of it outranks that."""
    facts = call["facts"]
    told: Facts = {}
    if not calls.has_ended(facts):
        told |= known("deduced", status="failed")
    for sid in calls.open_recordings(facts):
        told |= recording(sid, {"status": "failed"}, "rest")
    failures = {f"{piece}Failure": reason for piece in calls.outstanding(call)}
    ended = call | {"facts": merged(facts, told)}
    return calls.with_work(ended, givenUpAt=instants.now(), givenUpReason=reason, **failures)


def _added(
    call_sid: str,
    told: Facts,
    price: dict[str, str],
    kept: Facts,
    line: Line | None,
    *,
    also_only_price: bool = False,
) -> Repaired:
    news: list[bool] = []

    def completed(call: Call) -> Call:
        known = merged(call["facts"], kept)
        noted = call_store.with_facts(call, merged(known, _unlike(told, known)), line)
        noted = calls.awaiting(noted, *_expected(noted, line))
        news[:] = [noted["work"] != call["work"] or not _agree(call, noted)]
        priced = bool(price) and "price" in calls.outstanding(noted)
        if news == [True]:
            noted = calls.with_work(noted, repairedAt=instants.now())
        elif not (priced and also_only_price):
            return call
        return calls.with_work(noted, **price) if priced else noted

    return call_store.change(call_sid, completed), news[0]


def _unlike(told: Facts, known: Facts) -> Facts:
    """What is told otherwise than it is known: a webhook's finer time is kept."""
    return {
        name: fact
        for name, fact in told.items()
        if name not in known or not _same(name, known[name]["value"], fact["value"])
    }


def _agree(one: Call, other: Call) -> bool:
    """Whether a clinic reads the same of both, times and durations within two seconds."""
    this, that = calls.attributes(one), calls.attributes(other)
    return all(_same(name, this.get(name), that.get(name)) for name in this.keys() | that.keys())


def _same(name: str, this: Any, that: Any) -> bool:
    if name in TIMES and this and that:
        return abs(instants.seconds_between(this, that)) <= SAME_SECONDS
    if name in DURATIONS and this and that:
        return abs(int(this) - int(that)) <= SAME_SECONDS
    return bool(this == that)


def _expected(call: Call, line: Line | None) -> list[str]:
    """The work that a call's end and its recording ask for."""
    pieces = ["price"] if calls.has_ended(call["facts"]) else []
    recorded = calls.main_recording(call["facts"]).get("status") == "completed"
    # Where the audio is awaited already, the summary was decided about with it.
    if recorded and "audio" not in call["work"].get("awaits", ()):
        pieces += ["audio", "summary"] if _is_transcribed(call, line) else ["audio"]
    return pieces


def _is_transcribed(call: Call, line: Line | None) -> bool:
    """As the clinic wants it that owned the number then; the line has settings of today's only."""
    owner = call["work"].get("customerId")
    if line and line.clinic_id == owner:
        return settings.answering_for(line).transcription
    own_settings = (line_store.clinic(owner) or {}).get("settings") if owner else None
    return settings.load().answering.overridden_by(own_settings or {}).transcription


def _live_transcript(events: Iterable[Event], line: Line) -> Facts:
    """The transcript that Twilio made while the call went on, where its start was never told.

    Twilio lists it under no call; the webhooks with its words name both.
    """
    how = settings.answering_for(line)
    if how.recording or not (how.transcription and settings.load().intelligence_service):
        return {}
    said = {event.params.get("TranscriptionSid") for event in events}
    for sid in sorted(filter(None, said)):
        try:
            twilio_api.transcript(sid)
        except twilio_api.NotFound:
            continue
        return known("rest", liveTranscriptSid=sid)
    return {}


def _never_asked_us(facts: Facts) -> bool:
    return not any(fact["source"] == "voice" for fact in facts.values())


def _belongs_to_owner_of_today(told: Facts, line: Line) -> bool:
    """Whether the line's telephones are those of the clinic that was called, and it has a menu."""
    is_owner = line.owner_at(told["startedAt"]["value"]) == line.clinic_id
    return is_owner and settings.answering_for(line).menu


def _summary_work(call: Call, recording_sid: str) -> list[Work]:
    """Fetch a transcript that is there, order one that is not; nothing while Twilio works on it."""
    sid = call["callSid"]
    transcript_sid = calls.attributes(call)["transcriptSid"]
    if not transcript_sid and recording_sid and settings.load().intelligence_service:
        transcript_sid = twilio_api.transcript_of(recording_sid)
    if not transcript_sid:
        # It may be undecided yet whether the clinic wants one at all.
        kind = "order_transcript" if _is_transcribed(call, None) else "decide_transcript"
        return [Work(kind, sid, recording_sid)] if recording_sid else []
    try:
        status = twilio_api.transcript(transcript_sid).status
    except twilio_api.NotFound:
        return []
    is_final = status in TRANSCRIPT_IS_FINAL
    return [Work("fetch_summary", sid, transcript_sid=transcript_sid)] if is_final else []
