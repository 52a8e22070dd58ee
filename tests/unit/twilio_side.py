"""What Twilio does and sees: sample webhooks, TwiML as it reads it; and what a call left behind."""

import base64
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from calls import line_store
from calls.line import Line
from tests.unit.signed import BASE_URL, call, form_event

EVENTS = Path(__file__).parents[2] / "events"

# The call of the sample events.
LINE = "+13125550140"
CALLER = "+17735550171"
CLINIC_PHONE = "+13125550188"
CALL_SID = "CA5d0c2f71b94e4a06a8c3e17f6b20d914"
LEG_SID = "CA81e6a3740fd24c5b9f1277c0d85be342"
RECORDING_SID = "RE3f9b6a1d0c7e4825b6d4f8a2907ce513"
MESSAGE_SID = "REc4d1780ab25f4e639c0b7e1f52a8d634"
TRANSCRIPT_SID = "GT7a20c95be1f34d08b35c6e9df0148a27"
CLINIC = "lakeside-dental"

OVERRIDES = "#ct=2000&rt=4500&tt=14000&rc=2&rp=5xx,ct,rt"
VOICE = f"{BASE_URL}/api/twilio/voice"

_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
# Twilio docs, "TwiML": a verb's attributes. Twilio ignores any other with a mere warning.
ATTRIBUTES = {
    "Response": "",
    "Say": "voice language loop",
    "Hangup": "",
    "Gather": "action method input numDigits timeout finishOnKey actionOnEmptyResult",
    "Dial": f"action method timeout timeLimit callerId answerOnBridge record trim recordingTrack {_RECORDING}",
    "Number": "url method statusCallback statusCallbackEvent statusCallbackMethod sendDigits",
    "Record": f"action method timeout finishOnKey maxLength playBeep trim {_RECORDING}",
    "Start": "",
    "Transcription": "name track statusCallbackUrl statusCallbackMethod languageCode transcriptionEngine "
    "speechModel partialResults profanityFilter enableAutomaticPunctuation hints inboundTrackLabel "
    "outboundTrackLabel intelligenceService enableProviderData",
}
# Nothing after one of these is executed.
LAST_VERBS = ("Dial", "Hangup")


def sample(function: str) -> dict[str, Any]:
    """The sample event of a function, as it is."""
    return dict(json.loads((EVENTS / f"{function}.json").read_text()))


def sample_params(function: str) -> dict[str, str]:
    body = base64.b64decode(sample(function)["body"]).decode()
    return dict(parse_qsl(body, keep_blank_values=True))


def sample_with(function: str, query: str = "", /, **changes: str | None) -> dict[str, Any]:
    """The sample event with other parameters, signed anew; None takes a parameter away."""
    event, params = sample(function), sample_params(function) | changes
    said = {name: value for name, value in params.items() if value is not None}
    context = {"requestContext": event["requestContext"]}
    return form_event(event["rawPath"], said, query=query) | context


def twilio_sends(function: str, query: str = "", /, **changes: str | None) -> dict[str, Any]:
    """What the function answers to its sample event with other parameters."""
    return call(function, sample_with(function, query, **changes))


def twiml(answer: Mapping[str, Any]) -> ET.Element:
    """The document as Twilio reads it; fails where Twilio would refuse or ignore a part of it."""
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"].startswith("text/xml")
    document = ET.fromstring(answer["body"])  # noqa: S314 - our own answer
    assert document.tag == "Response"
    for element in document.iter():
        assert element.attrib.keys() <= set(ATTRIBUTES[element.tag].split()), element.tag
        for value in element.attrib.values():
            assert not value.startswith("http") or value.endswith(OVERRIDES)
    assert not [verb.tag for verb in list(document)[:-1] if verb.tag in LAST_VERBS]
    return document


def verbs(document: ET.Element) -> list[str]:
    return [verb.tag for verb in document]


def only(document: ET.Element, path: str) -> ET.Element:
    """The one element at a path."""
    (element,) = document.findall(path)
    return element


def words(document: ET.Element) -> list[str]:
    """What the caller hears, sentence by sentence."""
    return [say.text or "" for say in document.iter("Say")]


def connected_line(**changes: Any) -> Line:
    """The sample events' line, stored: connected long ago, ringing one telephone."""
    owners = ({"clinicId": CLINIC, "from": "2026-01-05T08:00:00.000Z", "to": None},)
    given = {"phone_number": LINE, "clinic_id": CLINIC, "forward_number": CLINIC_PHONE}
    line = Line(**given | {"owners": owners} | changes)
    line_store.put(line, before=None)
    return line


def stored_call(cloud: Any, call_sid: str = CALL_SID) -> dict[str, Any]:
    answer = cloud.dynamodb.Table("CallLogsTable").get_item(Key={"callSid": call_sid})
    return dict(answer["Item"])


def stored_calls(cloud: Any) -> list[str]:
    items = cloud.dynamodb.Table("CallLogsTable").scan()["Items"]
    return sorted(item["callSid"] for item in items)


def kept_webhooks(cloud: Any) -> list[dict[str, Any]]:
    return list(cloud.dynamodb.Table("CallEventsTable").scan()["Items"])


def queued(cloud: Any) -> list[dict[str, Any]]:
    """Every message on the work queue, also those that nobody may receive yet, and its `delay` in s."""
    region = cloud.sqs.meta.region_name
    queue = sqs_backends[DEFAULT_ACCOUNT_ID][region].queues["work"]
    return [json.loads(message.body) | {"delay": _delay(message)} for message in queue._messages]


def nothing_happened(cloud: Any) -> bool:
    """Whether no webhook was kept, no call stored and no work queued."""
    return not (kept_webhooks(cloud) or stored_calls(cloud) or queued(cloud))


def _delay(message: Any) -> int:
    return max(0, round((message.delayed_until - message.sent_timestamp) / 1000))
