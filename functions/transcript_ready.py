"""A transcript and its operators are ready: fetch the summary in a moment."""

from calls import call_store, work_queue
from calls.call_store import Event
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import Work

# The results follow the notification by a moment.
SECONDS_UNTIL_RESULTS = 2


@twilio_webhook
def handler(webhook: Webhook) -> None:
    transcript_sid = webhook.needed("transcript_sid")
    call_sid = webhook.params.get("customer_key") or transcript_sid
    call_store.keep(Event(call_sid, webhook.route, webhook.params, webhook.received_at))
    # The body is a hint: what it is about is read from the transcript itself.
    work_queue.put(Work("fetch_summary", transcript_sid=transcript_sid), SECONDS_UNTIL_RESULTS)
