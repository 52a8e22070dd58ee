"""Words, while they are spoken: keep each final utterance with its call, once."""

from dataclasses import replace

from calls import call_store, work_queue
from calls.call_store import Event
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import SECONDS_UNTIL_A_LOOK, Work


@twilio_webhook
def handler(webhook: Webhook) -> None:
    said = webhook.needed("TranscriptionEvent")
    if webhook.params.get("Final") == "false":
        return
    event = _named(webhook)
    if event.params.get("Name"):
        call_store.note(event)
    else:
        # The words themselves are read from CallEvents, in Twilio's own order.
        call_store.keep(event)
    if said == "transcription-stopped":
        _look_for_its_summary(event)


def _named(webhook: Webhook) -> Event:
    """The webhook with its transcription's name; Twilio itself tells that only at the start."""
    name = webhook.query.get("name")
    named = {**webhook.params, "Name": name} if name else webhook.params
    return replace(webhook.event, params=named)


def _look_for_its_summary(event: Event) -> None:
    """Conversational Intelligence tells when it is ready; this is for the telling that gets lost."""
    sid = event.params.get("TranscriptionSid")
    if sid and (call_store.get(event.call_sid) or {}).get("liveTranscriptSid") == sid:
        work = Work("fetch_summary", event.call_sid, transcript_sid=sid)
        work_queue.put(work, SECONDS_UNTIL_A_LOOK)
