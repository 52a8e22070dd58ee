"""A clinic reads its calls: the list, one call, its summary, transcript and recording, and counts."""

from typing import Any

from aws_lambda_powertools import Logger

from calls import archive, call_query, call_store, json_api, secret, summaries, timeline, twilio_api
from calls import call as calls
from calls.api_user import ApiUser
from calls.call_query import ListQuery, Period
from calls.problems import Problem
from calls.summaries import NotReady
from calls.work_queue import Work

logger = Logger()
app = json_api.resolver()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


@app.get("/api/twilio/call-logs")
def list_calls() -> dict[str, Any]:
    user = json_api.user(app)
    asked = json_api.query(app, ListQuery)
    selection = asked.selection(_clinic(user, asked.clinic_id))
    signing_key = secret.read().ci_webhook_key
    start = call_query.opened(selection, asked.cursor, signing_key)
    items, next_key = call_store.newest(selection, asked.limit, start)
    return {
        "calls": [calls.shown(item) for item in items],
        "cursor": call_query.cursor(selection, next_key, signing_key),
    }


@app.get("/api/twilio/call-logs/stats")
def show_stats() -> dict[str, Any]:
    user = json_api.user(app)
    asked = json_api.query(app, Period)
    return call_query.stats(call_store.each(asked.selection(_clinic(user, asked.clinic_id))))


@app.get("/api/twilio/call-logs/<call_sid>")
def show_call(call_sid: str) -> dict[str, Any]:
    item = _call(call_sid)
    return calls.shown(item) | {"timeline": timeline.timeline(call_store.events_of(call_sid))}


@app.get("/api/twilio/call-logs/<call_sid>/summary")
def show_summary(call_sid: str) -> dict[str, Any]:
    described = calls.shown(summaries.judged_now(_with_summary(_call(call_sid))))
    return {
        "callSid": call_sid,
        "summaryReady": described["summaryReady"],
        "summaryState": described["summaryState"],
        "summaryText": described["summaryText"],
        "reason": described["summaryReason"],
        "appointmentBooked": described["appointmentBooked"],
        "booking": described["booking"],
    }


@app.get("/api/twilio/call-logs/<call_sid>/transcript")
def show_transcript(call_sid: str) -> dict[str, Any]:
    item = _call(call_sid)
    if key := item["work"].get("transcriptKey"):
        return {"callSid": call_sid, "source": "ci", "turns": _archived_turns(key)}
    turns = timeline.spoken(call_store.events_of(call_sid), item["startedAt"])
    if not turns:
        raise Problem(404, "No transcript", "This call has no transcript, or not yet.")
    return {"callSid": call_sid, "source": "live", "turns": turns}


@app.get("/api/twilio/call-logs/<call_sid>/recording")
def show_recording(call_sid: str) -> dict[str, Any]:
    item = _call(call_sid)
    if key := item["work"].get("audioKey"):
        url, expires_at = archive.audio_link(key)
        duration = item.get("recordingDuration")
        return {
            "url": url,
            "expiresAt": expires_at,
            "contentType": "audio/mpeg",
            "duration": duration,
        }
    if calls.awaits_audio(item):
        raise Problem(
            409, "Not copied yet", "The recording is being copied; ask again in a minute."
        )
    raise Problem(404, "No recording", "This call has no recording.")


def _archived_turns(key: str) -> list[dict[str, Any]]:
    try:
        return list(archive.transcript(key)["turns"])
    except archive.Gone as error:
        raise Problem(404, "No transcript", "The transcript is not kept any more.") from error


def _clinic(user: ApiUser, named: str | None) -> str:
    """The clinic whose calls are listed. Raises Problem 400 for an admin who names none."""
    clinic_id = user.clinic_to_read(named)
    if not clinic_id:
        detail = "Name the clinic: clinicId=..., or clinicId=none for calls to unknown numbers."
        raise Problem(400, "No clinic", detail, field="clinicId")
    return clinic_id


def _call(call_sid: str) -> dict[str, Any]:
    """The stored call, looked for among the clinic's own. Raises Problem 404."""
    named = (app.current_event.query_string_parameters or {}).get("clinicId")
    item = call_store.of_clinic(call_sid, json_api.user(app).clinic_to_read(named))
    if item is None:
        raise Problem(404, "No such call", f"There is no call {call_sid}.")
    return item


def _with_summary(item: dict[str, Any]) -> dict[str, Any]:
    """The call with its summary fetched now, if Twilio has it and we have not."""
    transcript_sid = item.get("transcriptSid")
    if not transcript_sid or item["summaryReady"]:
        return item
    try:
        summaries.fetch_summary(
            Work("fetch_summary", item["callSid"], transcript_sid=transcript_sid)
        )
    except (NotReady, twilio_api.TwilioError) as reason:
        logger.info("summary not fetched now", reason=type(reason).__name__)
    return call_store.get(item["callSid"]) or item
