"""Twilio reports how a call and its legs are going: add what it says to the call's log."""

from calls import call_store, work_queue
from calls.call import has_ended
from calls.facts import facts_from
from calls.twilio_webhook import Webhook, twilio_webhook
from calls.work_queue import MIN_DELAY, Work


@twilio_webhook
def handler(webhook: Webhook) -> None:
    event = webhook.event
    if event.call_sid != webhook.params["CallSid"] or not has_ended(
        facts_from(event.route, event.params, event.received_at)
    ):
        call_store.note(event)
        return
    call_store.note(event, None, "price")
    # Twilio prices a call some time after its end.
    work_queue.put(Work("fetch_price", event.call_sid), delay=MIN_DELAY)
