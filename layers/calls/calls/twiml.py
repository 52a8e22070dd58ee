"""What Twilio is told to do with a caller, as TwiML."""

from dataclasses import dataclass

from twilio.twiml.voice_response import Dial, Gather, Record, Start, VoiceResponse

from calls import routes
from calls.answering import Answering
from calls.line import Line

RECORDING_EVENTS = "in-progress completed absent"
# Names of the live transcription: it says whether Conversational Intelligence keeps it too.
WORDS_ONLY = "words"
SUMMARISED = "summarised"

NOT_IN_SERVICE = "We are sorry, this number is not in service. Goodbye."
LEAVE_A_MESSAGE = (
    "We are sorry, nobody can take your call right now. "
    "Please leave your name, your number and a message after the tone."
)
NOBODY_THERE = (
    "We are sorry, nobody can take your call right now. Please call again later. Goodbye."
)
NOTHING_HEARD = "We did not hear a message. Goodbye."
GOODBYE = "Thank you for your message. Goodbye."


@dataclass(frozen=True)
class Deployment:
    """Where Twilio reaches us, and the intelligence service that summarises."""

    base_url: str
    intelligence_service: str


def menu(how: Answering, deployment: Deployment, attempt: int) -> VoiceResponse:
    """Ask for 1 or 2; silence posts to the action too, so the caller is never left in a void."""
    response = VoiceResponse()
    gather = Gather(
        input="dtmf",
        num_digits=1,
        timeout=5,
        action=routes.voice_url(deployment.base_url, routes.INCOMING, menu=str(attempt)),
        method="POST",
        action_on_empty_result=True,
    )
    gather.say(how.menu_message, voice=how.voice)
    response.append(gather)
    return response


def connect(
    line: Line, forward_number: str, how: Answering, deployment: Deployment, *, spoken: bool
) -> VoiceResponse:
    """Ring the clinic. `spoken` says that the caller has heard something already."""
    response = VoiceResponse()
    if how.recording:
        response.say(how.consent_message, voice=how.voice)
    if how.transcription:
        response.append(_live_transcription(how, deployment))
    response.append(_dial(line, forward_number, how, deployment.base_url, spoken or how.recording))
    return response


def voicemail(how: Answering, base_url: str) -> VoiceResponse:
    response = VoiceResponse()
    response.say(LEAVE_A_MESSAGE, voice=how.voice)
    response.append(
        Record(
            action=routes.voice_url(base_url, routes.VOICEMAIL),
            method="POST",
            timeout=5,
            max_length=300,
            finish_on_key="#",
            play_beep=True,
            **_recording_callback(base_url),
        )
    )
    return _said_goodbye(response, NOTHING_HEARD, how)


def farewell(words: str, how: Answering) -> VoiceResponse:
    return _said_goodbye(VoiceResponse(), words, how)


def hang_up() -> VoiceResponse:
    response = VoiceResponse()
    response.hangup()
    return response


def _said_goodbye(response: VoiceResponse, words: str, how: Answering) -> VoiceResponse:
    response.say(words, voice=how.voice)
    response.hangup()
    return response


def _live_transcription(how: Answering, deployment: Deployment) -> Start:
    """With a recording, the recording's transcript is summarised; without one, this one is."""
    summarised = bool(deployment.intelligence_service) and not how.recording
    start = Start()
    start.transcription(
        name=SUMMARISED if summarised else WORDS_ONLY,
        track="both_tracks",
        inbound_track_label="caller",
        outbound_track_label="clinic",
        status_callback_url=routes.voice_url(deployment.base_url, routes.TRANSCRIPTION),
        status_callback_method="POST",
        intelligence_service=deployment.intelligence_service if summarised else None,
    )
    return start


def _dial(line: Line, forward_number: str, how: Answering, base_url: str, spoken: bool) -> Dial:
    dial = Dial(
        timeout=30,
        caller_id=line.phone_number,
        action=routes.voice_url(base_url, routes.DIAL_STATUS),
        method="POST",
        # Has no effect once something was spoken (Twilio docs, "TwiML: Dial").
        answer_on_bridge=None if spoken else True,
        record="record-from-answer-dual" if how.recording else None,
        **(_recording_callback(base_url) if how.recording else {}),
    )
    dial.number(
        forward_number,
        status_callback=routes.voice_url(base_url, routes.STATUS_CALLBACK),
        status_callback_event="initiated ringing answered completed",
        status_callback_method="POST",
    )
    return dial


def _recording_callback(base_url: str) -> dict[str, str]:
    return {
        "recording_status_callback": routes.voice_url(base_url, routes.RECORDING_STATUS),
        "recording_status_callback_method": "POST",
        "recording_status_callback_event": RECORDING_EVENTS,
    }
