"""The clinic answered, or did not: hang up, or take a message."""

from twilio.twiml.voice_response import VoiceResponse

from calls import keeping, reception, settings, twiml
from calls.twilio_webhook import Webhook, twilio_webhook


@twilio_webhook
def handler(webhook: Webhook) -> VoiceResponse:
    params = webhook.params
    if not reception.needs_voicemail(params.get("DialCallStatus"), params.get("DialBridged")):
        keeping.keep_while_a_caller_waits(webhook)
        return twiml.hang_up()
    line = keeping.line_of(webhook)
    keeping.keep_while_a_caller_waits(webhook, line)
    return reception.no_clinic(settings.answering_for(line), webhook.base_url)
