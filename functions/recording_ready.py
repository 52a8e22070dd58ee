"""A recording is ready, or absent: note it, and order a transcript and a copy of the audio."""

from calls import call_store, line_store, settings, work_queue
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import MIN_DELAY, Work


@twilio_webhook
def handler(webhook: Webhook) -> None:
    event = webhook.event
    recording_sid = webhook.needed("RecordingSid")
    if webhook.needed("RecordingStatus") != "completed":
        call_store.note(event)
        return
    call = call_store.note(event, None, "audio")
    work_queue.put(Work("copy_audio", event.call_sid, recording_sid))
    number = call["facts"].get("twilioPhoneNumber")
    if number is None:
        # A recording does not say whose it is; what does may come later.
        call_store.expect(event.call_sid, "summary")
        work_queue.put(Work("decide_transcript", event.call_sid, recording_sid), MIN_DELAY)
    elif settings.answering_for(line_store.find(number["value"])).transcription:
        call_store.expect(event.call_sid, "summary")
        work_queue.put(Work("order_transcript", event.call_sid, recording_sid))
