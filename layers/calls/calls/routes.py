"""The paths that Twilio requests, and the URLs that we give it."""

from urllib.parse import quote, urlencode

INCOMING = "/api/twilio/voice/incoming"
DIAL_STATUS = "/api/twilio/voice/dial-status"
VOICEMAIL = "/api/twilio/voice/voicemail"
FALLBACK = "/api/twilio/voice/fallback"
STATUS_CALLBACK = "/api/twilio/voice/status-callback"
TRANSCRIPTION = "/api/twilio/voice/transcription"
RECORDING_STATUS = "/api/twilio/voice/recording-status"
CI_STATUS = "/api/twilio/ci-status"

# Two more tries on 5xx and time-outs, and still room for the fallback in Twilio's 15 seconds
# (Twilio docs, "Webhooks: connection overrides"). A fragment is neither sent nor signed.
OVERRIDES = "#ct=2000&rt=4500&tt=14000&rc=2&rp=5xx,ct,rt"


def voice_url(base_url: str, path: str, **query: str) -> str:
    """An absolute URL for TwiML or a number's settings, with Twilio's connection overrides."""
    return f"{base_url}{path}{'?' + urlencode(query) if query else ''}{OVERRIDES}"


def fallback_elsewhere(template: str, number: str) -> str:
    """The operator's own fallback, with the clinic's number in place of `{number}`."""
    url = template.replace("{number}", quote(number, safe=""))
    return url if "#" in url else f"{url}{OVERRIDES}"


def ci_url(base_url: str, key: str) -> str:
    """The intelligence service's webhook. Its URLs take no overrides."""
    return f"{base_url}{CI_STATUS}/{key}"
