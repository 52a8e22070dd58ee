"""The clinic answered, or did not: hang up, or take a message."""

from twilio.twiml.voice_response import VoiceResponse

from calls import keeping, line_store, reception, settings, twiml
from calls.twilio_webhook import Webhook, twilio_webhook


@twilio_webhook
def handler(webhook: Webhook) -> VoiceResponse:
    keeping.keep_while_a_caller_waits(webhook.event)
    params = webhook.params
    if not reception.needs_voicemail(params.get("DialCallStatus"), params.get("DialBridged")):
        return twiml.hang_up()
    line = line_store.find(webhook.needed("To"))
    return reception.no_clinic(settings.answering_for(line), webhook.base_url)
