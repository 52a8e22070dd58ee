"""TwiML documents: read as Twilio reads them, with its warnings and its errors."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from .webhooks import MAX_BODY_BYTES, Reply

_BOOLEANS = "true|false"
_METHODS = "GET|POST"
_VOICES = r"man|woman|alice|(Polly|Google)\.\S+"
_CALL_EVENTS = r"(initiated|ringing|answered|completed)( (initiated|ringing|answered|completed))*"
_RECORD_MODES = "do-not-record|true|false|record-from-(answer|ringing)(-dual)?"

_RECORDING_CALLBACK = {
    "recordingStatusCallback": "",
    "recordingStatusCallbackMethod": _METHODS,
    # A wrong event name has an error code of its own, 13621.
    "recordingStatusCallbackEvent": "",
}

# Verb or noun -> attribute -> pattern of its values ("" is any), from Twilio's TwiML pages.
ATTRIBUTES: dict[str, dict[str, str]] = {
    "Response": {},
    "Say": {"voice": "", "language": "", "loop": r"\d+"},
    "Play": {"loop": r"\d+", "digits": ""},
    "Pause": {"length": r"\d+"},
    "Redirect": {"method": _METHODS},
    "Hangup": {},
    "Reject": {"reason": "rejected|busy"},
    "Start": {"action": "", "method": _METHODS},
    "Stop": {},
    "Gather": {
        "action": "",
        "method": _METHODS,
        "input": "(dtmf|speech)( speech| dtmf)?",
        "numDigits": r"\d+",
        "timeout": r"\d+",
        "finishOnKey": "[0-9*#]?",
        "actionOnEmptyResult": _BOOLEANS,
        **dict.fromkeys(("speechTimeout", "speechModel", "hints", "language"), ""),
        **dict.fromkeys(("profanityFilter", "enhanced", "partialResultCallback"), ""),
        "partialResultCallbackMethod": _METHODS,
    },
    "Dial": {
        "action": "",
        "method": _METHODS,
        "timeout": r"\d+",
        "timeLimit": r"\d+",
        "callerId": "",
        "answerOnBridge": _BOOLEANS,
        "hangupOnStar": _BOOLEANS,
        "sequential": _BOOLEANS,
        "record": _RECORD_MODES,
        "trim": "trim-silence|do-not-trim",
        "recordingTrack": "both|inbound|outbound",
        **dict.fromkeys(("ringTone", "callReason", "recordingConfigurationId"), ""),
        **_RECORDING_CALLBACK,
    },
    "Number": {
        "url": "",
        "method": _METHODS,
        "statusCallback": "",
        "statusCallbackEvent": _CALL_EVENTS,
        "statusCallbackMethod": _METHODS,
        **dict.fromkeys(("sendDigits", "byoc", "machineDetection", "amdStatusCallback"), ""),
        "amdStatusCallbackMethod": _METHODS,
    },
    "Record": {
        "action": "",
        "method": _METHODS,
        "timeout": r"\d+",
        "finishOnKey": "[0-9*#]*",
        "maxLength": r"\d+",
        "playBeep": _BOOLEANS,
        "trim": "trim-silence|do-not-trim",
        "transcribe": _BOOLEANS,
        "transcribeCallback": "",
        **_RECORDING_CALLBACK,
    },
    "Transcription": {
        "name": "",
        "track": "inbound_track|outbound_track|both_tracks",
        "statusCallbackUrl": "",
        "statusCallbackMethod": _METHODS,
        "transcriptionEngine": "google|deepgram",
        "partialResults": _BOOLEANS,
        "profanityFilter": _BOOLEANS,
        "enableAutomaticPunctuation": _BOOLEANS,
        "enableProviderData": _BOOLEANS,
        **dict.fromkeys(("languageCode", "speechModel", "hints", "intelligenceService"), ""),
        **dict.fromkeys(("inboundTrackLabel", "outboundTrackLabel"), ""),
        **dict.fromkeys(("conversationConfiguration", "conversationId"), ""),
    },
}

_PROMPTS = {"Say", "Play", "Pause"}
CHILDREN: dict[str, set[str]] = {
    "Response": _PROMPTS
    | {"Gather", "Dial", "Record", "Redirect", "Hangup", "Reject", "Start", "Stop"},
    "Gather": _PROMPTS,
    "Dial": {"Number"},
    "Start": {"Transcription"},
    "Stop": {"Transcription"},
}


class TwimlError(Exception):
    """Twilio cannot use the answer at all and turns to the fallback URL; `code` says why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


@dataclass
class Document:
    """A TwiML document; `url` is what relative URLs in it refer to."""

    root: ET.Element
    url: str
    warnings: list[str] = field(default_factory=list)


def read(reply: Reply) -> Document:
    """Reads the answer to a webhook. Raises TwimlError with Twilio's own code."""
    if reply.error_code:
        raise TwimlError(reply.error_code, f"no document, HTTP status {reply.status}")
    if reply.status is None or not 200 <= reply.status < 300:
        raise TwimlError(11200, f"HTTP status {reply.status}")
    if len(reply.body) > MAX_BODY_BYTES:
        raise TwimlError(11750, "the document is larger than 64 kB")
    if not reply.body.strip():
        raise TwimlError(11770, "the document is empty")
    if reply.content_type not in ("text/xml", "application/xml", "text/plain"):
        raise TwimlError(12300, f"content type '{reply.content_type}'")
    root = _root(reply)
    document = Document(root, reply.url)
    _check(root, document.warnings)
    return document


def _root(reply: Reply) -> ET.Element:
    try:
        root = ET.fromstring(reply.body)  # noqa: S314 - our own webhooks wrote it
    except ET.ParseError as error:
        if reply.content_type == "text/plain":
            return _read_aloud(reply.body.decode(errors="replace"))
        raise TwimlError(12100, f"document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12102, f"the root is <{root.tag}>, not <Response>")
    return root


def _read_aloud(text: str) -> ET.Element:
    root = ET.Element("Response")
    ET.SubElement(root, "Say").text = text
    return root


def _check(element: ET.Element, warnings: list[str]) -> None:
    known = ATTRIBUTES[element.tag]
    for name, value in element.attrib.items():
        if name not in known:
            warnings.append(f"12200: <{element.tag}> has no attribute '{name}'")
        elif known[name] and not re.fullmatch(known[name], value):
            warnings.append(f"12200: <{element.tag}> {name}='{value}' is not allowed")
    voice = element.get("voice") if element.tag == "Say" else None
    if voice is not None and not re.fullmatch(_VOICES, voice):
        raise TwimlError(13512, f"<Say> has no voice '{voice}'")
    for child in element if element.tag in CHILDREN else ():
        if child.tag in CHILDREN[element.tag]:
            _check(child, warnings)
        else:
            warnings.append(f"12200: <{child.tag}> in <{element.tag}> is unknown or not simulated")


def words(element: ET.Element) -> str:
    """What is spoken or written in an element, whatever markup (SSML) it has inside."""
    return " ".join("".join(element.itertext()).split())


def number(element: ET.Element, attribute: str, default: int) -> int:
    text = element.get(attribute, "")
    return int(text) if text.isdigit() else default
