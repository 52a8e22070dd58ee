"""What a call amounts to: the attributes that a clinic reads, computed from its facts.

A call is `{"callSid", "facts", "work"}`: `facts` came from Twilio's webhooks (`calls.facts`),
`work` is what was done about it since (transcript ordered, summary, verdict, audio, price).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from calls import instants
from calls.facts import FINAL, PROGRESS, Facts
from calls.line import NOBODY

Call = dict[str, Any]

# What Twilio may tell of a call; the API shows each, null or not.
FIELDS = (
    "twilioPhoneNumber",
    "from",
    "to",
    "status",
    "duration",
    "menuChoice",
    "startedAt",
    "answeredAt",
    "endedAt",
    "forwardedTo",
    "callerName",
    "fromCity",
    "fromState",
    "fromZip",
    "fromCountry",
)

# What a finished piece of awaited work leaves behind, whichever way it went.
DONE_BY = {
    "summary": ("summaryText", "summaryFailure"),
    "audio": ("audioKey", "audioFailure"),
    "price": ("price", "priceFailure"),
}
# What is made of a recording, and the name under which that recording's SID stands.
MADE_OF = {
    "audioOf": ("audioKey", "audioFailure"),
    "transcriptOf": (
        "transcriptClaim",
        "transcriptSid",
        "transcriptKey",
        "summaryText",
        "summaryFailure",
        "booking",
    ),
}
# Which recording speaks for a call that has several.
RECORDING_SOURCES = ("RecordVerb", "DialVerb")
RECORDING_RANK = ("in-progress", "processing", "absent", "failed", "completed")


def new(call_sid: str) -> Call:
    return {"callSid": call_sid, "facts": {}, "work": {}}


def attributes(call: Call) -> dict[str, Any]:
    """Everything about a call that a clinic reads, in the seed's names. Instants are ISO 8601 UTC."""
    told = {name: fact["value"] for name, fact in call["facts"].items() if "." not in name}
    work = call["work"]
    recording = main_recording(call["facts"])
    summary_state, reason = summary(call)
    verdict = work.get("booking")
    return {
        **told,
        "callSid": call["callSid"],
        "customerId": work.get("customerId"),
        "dialCallStatus": dial_call_status(told),
        "recordingSid": recording.get("sid"),
        "recordingUrl": recording.get("url"),
        "recordingStatus": recording.get("status"),
        "recordingDuration": recording.get("duration"),
        "transcriptSid": work.get("transcriptSid") or told.get("liveTranscriptSid"),
        "summaryText": work.get("summaryText"),
        "summaryReady": summary_state == "ready",
        "summaryState": summary_state,
        "summaryReason": reason,
        "appointmentBooked": verdict["booked"] if verdict else None,
        "booking": verdict,
        "outcome": outcome(call),
        "price": work.get("price"),
        "priceUnit": work.get("priceUnit"),
    }


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """A stored call as the API shows it: every field, null where nothing is known."""
    call = {"callSid": item["callSid"], "facts": item["facts"], "work": item["work"]}
    return dict.fromkeys(FIELDS) | attributes(call)


def outcome(call: Call) -> str:
    """How the call ended for the patient: one of the seven words of the API."""
    facts = {name: fact["value"] for name, fact in call["facts"].items()}
    if call["work"].get("customerId") == NOBODY:
        return "unknown_number"
    dialled = dial_call_status(facts)
    if dialled == "answered":
        return "answered"
    if _left_a_message(call["facts"]):
        return "voicemail"
    if not has_ended(call["facts"]):
        return "in_progress"
    if dialled in ("no-answer", "busy", "failed"):
        return "missed"
    return "failed" if facts["status"] == "failed" else "abandoned"


def has_ended(facts: Facts) -> bool:
    status = facts.get("status")
    return status is not None and status["value"] not in PROGRESS


def dial_call_status(told: Mapping[str, Any]) -> str | None:
    """The dial's end as its action said, else as the clinic's leg itself reported."""
    if told.get("dialCallStatus"):
        return str(told["dialCallStatus"])
    leg = told.get("legStatus")
    if leg == "completed":  # What was never answered ends as busy, no-answer, failed or canceled.
        return "answered"
    return leg if PROGRESS.get(leg or "initiated", FINAL) == FINAL else None


def recordings(facts: Facts) -> list[dict[str, Any]]:
    """Every recording of a call: `sid`, `status`, `url`, `duration` (s), `channels`, `source`."""
    return [
        {"sid": name.partition(".")[2]} | {k: said["value"] for k, said in fact["value"].items()}
        for name, fact in facts.items()
        if name.startswith("recordings.")
    ]


def main_recording(facts: Facts) -> dict[str, Any]:
    """The recording that speaks for the call, or an empty dict."""
    return max(recordings(facts), key=_recording_rank, default={})


def is_told_by(facts: Facts, recording_sid: str) -> bool:
    """Whether this recording speaks for a call, as far as is known; "" is what was said live."""
    return not recording_sid or main_recording(facts).get("sid") in (None, recording_sid)


def about_main_recording(call: Call) -> Call:
    """The call without what was made of a recording that does not speak for it any more."""
    sid, work = main_recording(call["facts"]).get("sid"), call["work"]
    of_others = {of: made for of, made in MADE_OF.items() if work.get(of) not in (None, sid)}
    if not sid or not of_others:
        return call
    gone = {"queuedAt", *(name for of, made in of_others.items() for name in (of, *made))}
    return call | {"work": {name: done for name, done in work.items() if name not in gone}}


def _recording_rank(recording: Mapping[str, Any]) -> tuple[int, int, str]:
    source = recording.get("source")
    return (
        RECORDING_RANK.index(recording["status"]) if recording["status"] in RECORDING_RANK else 0,
        RECORDING_SOURCES.index(source) if source in RECORDING_SOURCES else -1,
        recording["sid"],
    )


def _left_a_message(facts: Facts) -> bool:
    return any(
        recording.get("source") == "RecordVerb"
        and recording["status"] in ("processing", "completed")
        and recording.get("duration", 1) > 0
        for recording in recordings(facts)
    )


def summary(call: Call) -> tuple[str, str | None]:
    """The state of a call's summary, and its reason where there is none or it failed."""
    work = call["work"]
    if work.get("summaryText"):
        return "ready", None
    if work.get("summaryFailure"):
        return "failed", work["summaryFailure"]
    if "summary" in work.get("awaits", ()) or call["facts"].get("liveTranscriptSid"):
        return "pending", None
    return "none", _no_summary_reason(call)


def _no_summary_reason(call: Call) -> str:
    status = main_recording(call["facts"]).get("status")
    if not has_ended(call["facts"]) or status in ("in-progress", "processing"):
        return "in_progress"
    if status in ("absent", "failed"):
        return f"recording_{status}"
    return "transcription_off" if status == "completed" else "not_recorded"


def is_settled(call: Call) -> bool:
    """Whether nothing more is awaited: the call ended and all work about it is done or given up."""
    return has_ended(call["facts"]) and not open_recordings(call["facts"]) and not outstanding(call)


def outstanding(call: Call) -> set[str]:
    """The pieces of work that are awaited and not done: "summary", "audio", "price"."""
    work = call["work"]
    pending = {piece for piece in work.get("awaits", ()) if not _is_done(work, piece)}
    return pending | ({"summary"} if summary(call)[0] == "pending" else set())


def open_recordings(facts: Facts) -> list[str]:
    """The SIDs of recordings that are not ready yet."""
    return [r["sid"] for r in recordings(facts) if r["status"] in ("in-progress", "processing")]


def awaits_audio(item: Mapping[str, Any]) -> bool:
    """Whether a copy of the audio is still to come."""
    if "audio" in item["work"].get("awaits", ()):
        return not _is_done(item["work"], "audio")
    return main_recording(item["facts"]).get("status") in ("in-progress", "processing")


def _is_done(work: Mapping[str, Any], piece: str) -> bool:
    return any(work.get(name) is not None for name in DONE_BY[piece])


def awaiting(call: Call, *pieces: str) -> Call:
    """The call with work that is now expected about it: "summary", "audio", "price"."""
    awaits = sorted({*call["work"].get("awaits", ()), *pieces})
    return call | {"work": call["work"] | {"awaits": awaits}}


def not_awaiting(call: Call, piece: str) -> Call:
    """The call with a piece of work that turned out not to be wanted."""
    awaits = [awaited for awaited in call["work"].get("awaits", ()) if awaited != piece]
    return call | {"work": call["work"] | {"awaits": awaits}}


def with_work(call: Call, **done: Any) -> Call:
    return call | {"work": call["work"] | done}


def index_keys(described: Mapping[str, Any], *, settled: bool) -> dict[str, str]:
    """The keys of the sparse indexes: by clinic and summary, by clinic and verdict, not settled."""
    clinic = described["customerId"]
    if not clinic:
        return {} if settled else {"unsettled": "unsettled"}
    booked = {True: "true", False: "false", None: "unknown"}[described["appointmentBooked"]]
    keys = {
        "customerSummary": f"{clinic}#{described['summaryState']}",
        "customerBooked": f"{clinic}#{booked}",
    }
    return keys if settled else keys | {"unsettled": "unsettled"}


def expires_at(started_at: str, retention_days: int) -> int:
    """Epoch seconds at which a call is forgotten, counted from its start."""
    return int((instants.parsed(started_at) + timedelta(days=retention_days)).timestamp())
