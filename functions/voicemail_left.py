"""The patient left a message: thank them and hang up."""

from twilio.twiml.voice_response import VoiceResponse

from calls import keeping, settings, twiml
from calls.twilio_webhook import Webhook, twilio_webhook


@twilio_webhook
def handler(webhook: Webhook) -> VoiceResponse:
    line = keeping.line_of(webhook)
    keeping.keep_while_a_caller_waits(webhook, line)
    return twiml.farewell(twiml.GOODBYE, settings.answering_for(line))
