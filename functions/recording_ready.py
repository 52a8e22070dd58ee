"""A recording is ready, or absent: note it, and order a transcript and a copy of the audio."""

from calls import call_store, line_store, settings, work_queue
from calls.line import Line
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import Work


@twilio_webhook
def handler(webhook: Webhook) -> None:
    event = webhook.event
    recording_sid = webhook.needed("RecordingSid")
    if webhook.needed("RecordingStatus") != "completed":
        call_store.note(event)
        return
    transcribed = settings.answering_for(_line(event.call_sid)).transcription
    # One write: who finds that the audio is awaited knows that the summary was decided about.
    call_store.note(event, None, "audio", *(["summary"] if transcribed else []))
    work_queue.put(Work("copy_audio", event.call_sid, recording_sid))
    if transcribed:
        work_queue.put(Work("order_transcript", event.call_sid, recording_sid))


def _line(call_sid: str) -> Line | None:
    """The line that was called; None while no webhook has named its number."""
    number = (call_store.get(call_sid) or {}).get("twilioPhoneNumber")
    return line_store.find(number) if number else None
