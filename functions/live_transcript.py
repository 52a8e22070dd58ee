"""Words, while they are spoken: keep each final utterance with its call, once."""

from calls import call_store
from calls.twilio_webhook import Webhook, twilio_webhook


@twilio_webhook
def handler(webhook: Webhook) -> None:
    said = webhook.needed("TranscriptionEvent")
    if said == "transcription-started":
        call_store.note(webhook.event)
    elif webhook.params.get("Final") != "false":
        # The words themselves are read from CallEvents, in Twilio's own order.
        call_store.keep(webhook.event)
