"""The verbs of TwiML, one function each; what a verb returns is the next document's request."""

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

from . import live_transcription, recordings, twiml
from .dialing import dial
from .live_call import CallOver, LiveCall
from .resources import Utterance
from .timing import now
from .trace import WebhookRequest

KEY_PRESS_SECONDS = 1.0
SPOKEN_WORDS_PER_SECOND = 2.5

Verb = Callable[[LiveCall, ET.Element, str], Awaitable[WebhookRequest | None]]


async def say(live: LiveCall, verb: ET.Element, base: str) -> None:
    text = twiml.words(verb)
    await live.say(text, len(text.split()) / SPOKEN_WORDS_PER_SECOND)


async def play(live: LiveCall, verb: ET.Element, base: str) -> None:
    live.answer()
    await live.pass_time(2)


async def pause(live: LiveCall, verb: ET.Element, base: str) -> None:
    live.answer()
    await live.pass_time(twiml.number(verb, "length", 1))


async def gather(live: LiveCall, verb: ET.Element, base: str) -> WebhookRequest | None:
    live.answer()
    for prompt in verb:
        if prompt.tag in twiml.CHILDREN["Gather"]:
            await VERBS[prompt.tag](live, prompt, base)
    if live.trace.scenario.hangs_up == "in-menu":
        live.hang_up()
        live.over_with()
    pressed = _press(live, verb)
    await live.pass_time(twiml.number(verb, "timeout", 5) if pressed is None else KEY_PRESS_SECONDS)
    if pressed is None and verb.get("actionOnEmptyResult") != "true":
        return None
    params = {"Digits": ""}
    if pressed is not None:
        digits, finished_on = pressed
        params = {"Digits": digits, "FinishedOnKey": finished_on}
    return live.action(verb, base, params)


def _press(live: LiveCall, verb: ET.Element) -> tuple[str, str] | None:
    """The digits pressed at this menu and the key that finished them; None is silence."""
    if not live.keys or live.keys[0] == "-":
        del live.keys[:1]
        return None
    most = twiml.number(verb, "numDigits", len(live.keys))
    finish_on = verb.get("finishOnKey", "#")
    digits = finished_on = ""
    while live.keys and live.keys[0] != "-" and len(digits) < most and not finished_on:
        key = live.keys.pop(0)
        live.trace.pressed += key
        if key == finish_on:
            finished_on = key
        else:
            digits += key
    return digits, finished_on


async def record(live: LiveCall, verb: ET.Element, base: str) -> WebhookRequest | None:
    live.answer()
    session = recordings.start(live, verb, base, "RecordVerb", 1)
    message = live.trace.scenario.message
    if message is None:
        await live.pass_time(twiml.number(verb, "timeout", 5))
        session.discard()
        return None
    started_at = now()
    await live.pass_time(len(message.split()) / SPOKEN_WORDS_PER_SECOND)
    utterance = Utterance("caller", message, started_at, now())
    live.heard(utterance)
    session.recording.utterances.append(utterance)
    session.stop()
    gone = live.trace.scenario.hangs_up == "after-message"
    params = {
        "RecordingUrl": live.account.recording_url(session.recording),
        "RecordingSid": session.recording.sid,
        "RecordingDuration": str(session.recording.duration),
        "Digits": "hangup" if gone else verb.get("finishOnKey", "#")[-1:],
    }
    if gone:
        live.hang_up()
        live.over_with(live.action(verb, base, params))
    return live.action(verb, base, params)


async def start(live: LiveCall, verb: ET.Element, base: str) -> None:
    for noun in verb.findall("Transcription"):
        live_transcription.start(live, noun)


async def stop(live: LiveCall, verb: ET.Element, base: str) -> None:
    for noun in verb.findall("Transcription"):
        live_transcription.stop(live, noun.get("name"))


async def redirect(live: LiveCall, verb: ET.Element, base: str) -> WebhookRequest:
    url = urljoin(base, twiml.words(verb))
    return WebhookRequest("redirect", verb.get("method", "POST"), url, live.params())


async def hangup(live: LiveCall, verb: ET.Element, base: str) -> None:
    raise CallOver


async def reject(live: LiveCall, verb: ET.Element, base: str) -> None:
    if live.call.answered_at is None:
        live.call.end("busy" if verb.get("reason") == "busy" else "no-answer")
    raise CallOver


VERBS: dict[str, Verb] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Dial": dial,
    "Record": record,
    "Start": start,
    "Stop": stop,
    "Redirect": redirect,
    "Hangup": hangup,
    "Reject": reject,
}
