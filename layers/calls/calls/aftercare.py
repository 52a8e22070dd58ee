"""What is fetched for a call after it ended: a copy of its audio, and its price."""

from typing import Any

from calls import archive, call_store, rest_facts, twilio_api
from calls import call as calls
from calls.facts import whole
from calls.line import NOBODY
from calls.summaries import NotReady
from calls.work_queue import Work


def copy_audio(work: Work) -> None:
    """Copy a recording to S3 as MP3. Raises NotReady until Twilio has it."""
    described, of = call_store.get(work.call_sid) or {}, work.recording_sid
    if described.get("work", {}).get("audioKey") or not calls.is_told_by(
        described.get("facts", {}), of
    ):
        return
    try:
        mp3 = twilio_api.recording_audio(of)
    except twilio_api.NotFound as error:
        raise NotReady("recording is not there yet") from error
    clinic_id = described.get("customerId") or NOBODY
    key = archive.put_audio(clinic_id, work.call_sid, of, mp3)
    call_store.finish_about(work.call_sid, of, audioKey=key, audioOf=of)


def fetch_price(work: Work) -> None:
    """Ask what Twilio charged for a call. Raises NotReady until it has a price."""
    said = price(twilio_api.call(work.call_sid))
    if not said:
        raise NotReady("call has no price yet")
    call_store.finish(work.call_sid, **said)


def price(call: Any) -> dict[str, str]:
    """What Twilio's answer about a call says of its price; {} while it says nothing.

    Twilio charges nothing for a call that nobody answered, and never gives it a price.
    """
    if call.price is not None:
        return {"price": str(call.price), "priceUnit": call.price_unit}
    was_answered = call.status == "completed" and whole(call.duration) != 0
    if rest_facts.has_ended(call) and not was_answered:
        return {"priceFailure": "not_answered"}
    return {}
