"""A patient calls, or pressed a digit: ring the clinic."""

from twilio.twiml.voice_response import VoiceResponse

from calls import keeping, reception, settings, twiml
from calls.twilio_webhook import Webhook, logger, twilio_webhook


@twilio_webhook
def handler(webhook: Webhook) -> VoiceResponse:
    webhook.needed("To")
    line = keeping.line_of(webhook)
    keeping.keep_while_a_caller_waits(webhook, line)
    how = settings.answering_for(line)
    if line is None or line.clinic_id is None:
        logger.warning("unknown number called")
        return twiml.farewell(twiml.NOT_IN_SERVICE, how)
    digits = webhook.params.get("Digits")
    menus_heard = int(webhook.query.get("menu", bool(digits)))
    return reception.answer(line, how, webhook.deployment, digits, menus_heard)
