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
    kind = _order((call_store.get(event.call_sid) or {}).get("twilioPhoneNumber"))
    # One write: who finds that the audio is awaited knows that the summary was decided about.
    call_store.note(event, None, "audio", *(["summary"] if kind else []))
    work_queue.put(Work("copy_audio", event.call_sid, recording_sid))
    if kind:
        delay = MIN_DELAY if kind == "decide_transcript" else 0
        work_queue.put(Work(kind, event.call_sid, recording_sid), delay)


def _order(number: str | None) -> str | None:
    """The work that has a recording transcribed; None where the called line wants no transcript."""
    if number is None:
        # A recording does not say whose it is; what does may come later.
        return "decide_transcript"
    wanted = settings.answering_for(line_store.find(number)).transcription
    return "order_transcript" if wanted else None
