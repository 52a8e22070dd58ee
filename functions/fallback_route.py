"""One of the routes that a caller waits on failed: still ring the clinic, or take the message.

Needs no database, no secret and no layer, so nothing of ours that breaks can break it too. It is
not signed for: it answers only with numbers and addresses that stood in the request itself.
"""

import base64
import json
import os
import re
import time
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, quoteattr

# Twilio names the address that failed (Twilio docs, "TwiML Voice: fallback URL").
FAILED = re.compile(r"[^?#]*/voice/(incoming|dial-status|voicemail)(?:[?#].*)?")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
OVERRIDES = "#ct=2000&rt=4500&tt=14000&rc=2&rp=5xx,ct,rt"
RECORDING_EVENTS = "in-progress completed absent"
LEG_EVENTS = "initiated ringing answered completed"

SORRY = "We are sorry, something went wrong. Please call again later. Goodbye."
LEAVE_A_MESSAGE = (
    "We are sorry, nobody can take your call right now. "
    "Please leave your name, your number and a message after the tone."
)
GOODBYE = "Thank you for your call. Goodbye."


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    form = _form(event)
    query = parse_qs(event.get("rawQueryString", ""))
    failed = _failed(_first(form, "ErrorUrl"))
    twiml = _twiml(failed, _first(query, "number"), _first(form, "To"), _base_url(event))
    print(json.dumps(_counted({"message": "fallback used", "failed": failed, **_call_of(form)})))
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/xml; charset=utf-8"},
        "body": f'<?xml version="1.0" encoding="UTF-8"?><Response>{twiml}</Response>',
    }


def _failed(error_url: str) -> str:
    """The route that failed, or "" for any that a caller does not wait on."""
    found = FAILED.fullmatch(error_url)
    return found[1] if found else ""


def _twiml(failed: str, number: str, called: str, base_url: str) -> str:
    if failed == "voicemail":
        return f"{_say(GOODBYE)}<Hangup/>"
    if failed == "dial-status":
        return f"{_say(LEAVE_A_MESSAGE)}{_record(base_url)}{_say(GOODBYE)}<Hangup/>"
    if E164.fullmatch(number):
        return _dial(number, called, base_url)
    return f"{_say(LEAVE_A_MESSAGE)}{_record(base_url)}{_say(SORRY)}<Hangup/>"


def _dial(number: str, called: str, base_url: str) -> str:
    """Ring, and nothing after it: a finished call must not ring the clinic again."""
    caller_id = f" callerId={quoteattr(called)}" if E164.fullmatch(called) else ""
    callback = quoteattr(f"{base_url}/api/twilio/voice/status-callback{OVERRIDES}")
    return (
        f'<Dial timeout="30" answerOnBridge="true"{caller_id}><Number statusCallback={callback} '
        f'statusCallbackMethod="POST" statusCallbackEvent="{LEG_EVENTS}">{number}</Number></Dial>'
    )


def _record(base_url: str) -> str:
    action = quoteattr(f"{base_url}/api/twilio/voice/voicemail{OVERRIDES}")
    callback = quoteattr(f"{base_url}/api/twilio/voice/recording-status{OVERRIDES}")
    return (
        f'<Record action={action} method="POST" timeout="5" maxLength="300" finishOnKey="#" '
        f'playBeep="true" recordingStatusCallback={callback} '
        f'recordingStatusCallbackMethod="POST" recordingStatusCallbackEvent="{RECORDING_EVENTS}"/>'
    )


def _say(words: str) -> str:
    voice = quoteattr(os.environ.get("TWILIO_VOICE") or "Polly.Joanna-Neural")
    return f"<Say voice={voice}>{escape(words)}</Say>"


def _form(event: dict[str, Any]) -> dict[str, list[str]]:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", errors="replace")
    return parse_qs(body)


def _first(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0]


def _base_url(event: dict[str, Any]) -> str:
    return os.environ.get("BACKEND_URL") or f"https://{event['requestContext']['domainName']}"


def _call_of(form: dict[str, list[str]]) -> dict[str, str]:
    """What the log may hold: Twilio's SID and error code, if they look like one."""
    call_sid, code = _first(form, "CallSid"), _first(form, "ErrorCode")
    return {
        "call_sid": call_sid if re.fullmatch(r"CA[0-9a-fA-F]{32}", call_sid) else "",
        "error_code": code if re.fullmatch(r"[0-9]{1,6}", code) else "",
    }


def _counted(said: dict[str, str]) -> dict[str, Any]:
    """The line with the metric FallbackUsed in it (CloudWatch docs, "Embedded metric format")."""
    metrics = [{"Name": "FallbackUsed", "Unit": "Count"}]
    return {
        **said,
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "ringbook"),
        "FallbackUsed": 1,
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "Ringbook", "Dimensions": [["service"]], "Metrics": metrics}
            ],
        },
    }
