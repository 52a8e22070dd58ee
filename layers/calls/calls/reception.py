"""What a caller hears next, from the line that was called and the digit that was pressed."""

from twilio.twiml.voice_response import VoiceResponse

from calls import twiml
from calls.answering import Answering
from calls.line import Line
from calls.twiml import Deployment

MENU_TIMES = 2
ANSWERED = ("completed", "answered")


def answer(
    line: Line, how: Answering, deployment: Deployment, digits: str | None, menus_heard: int
) -> VoiceResponse:
    """The menu, the clinic's telephone, or voicemail where there is nobody to ring.

    `digits` is None when no key was asked for, "" on silence; `menus_heard` counts earlier menus.
    """
    choice = menu_choice(digits)
    if how.menu and choice is None and menus_heard < MENU_TIMES:
        return twiml.menu(how, deployment, menus_heard + 1)
    forward_number = line.forward_for(choice)
    if forward_number is None:
        return no_clinic(how, deployment.base_url)
    return twiml.connect(line, forward_number, how, deployment, spoken=menus_heard > 0)


def menu_choice(digits: str | None) -> str | None:
    return digits if digits in ("1", "2") else None


def no_clinic(how: Answering, base_url: str) -> VoiceResponse:
    if not how.voicemail:
        return twiml.farewell(twiml.NOBODY_THERE, how)
    return twiml.voicemail(how, base_url)


def needs_voicemail(dial_call_status: str | None, bridged: str | None) -> bool:
    """Whether nobody at the clinic spoke to a caller who still waits.

    Twilio's `completed` means answered, unless `DialBridged` says that the two were never joined
    (Twilio docs, "TwiML: Dial, action"). `canceled` is a caller who hung up.
    """
    if dial_call_status in ANSWERED:
        return bridged == "false"
    return dial_call_status in ("busy", "no-answer", "failed")
