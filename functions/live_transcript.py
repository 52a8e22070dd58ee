"""Words, while they are spoken: keep each final utterance with its call, once."""

from calls import call_store, work_queue
from calls.call_store import Event
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import SECONDS_UNTIL_A_LOOK, Work


@twilio_webhook
def handler(webhook: Webhook) -> None:
    said = webhook.needed("TranscriptionEvent")
    if said == "transcription-started":
        call_store.note(webhook.event)
    elif webhook.params.get("Final") != "false":
        # The words themselves are read from CallEvents, in Twilio's own order.
        call_store.keep(webhook.event)
    if said == "transcription-stopped":
        _look_for_its_summary(webhook.event)


def _look_for_its_summary(event: Event) -> None:
    """Conversational Intelligence tells when it is ready; this is for the telling that gets lost."""
    sid = event.params.get("TranscriptionSid")
    if sid and (call_store.get(event.call_sid) or {}).get("liveTranscriptSid") == sid:
        work = Work("fetch_summary", event.call_sid, transcript_sid=sid)
        work_queue.put(work, SECONDS_UNTIL_A_LOOK)
