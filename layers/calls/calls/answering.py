"""How a line's calls are answered: the deployment's settings, and a clinic's own over them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

DEFAULT_MENU_MESSAGE = "Press 1 for new patients, press 2 for existing patients."
DEFAULT_CONSENT_MESSAGE = "This call may be recorded and transcribed."
DEFAULT_VOICE = "Polly.Joanna-Neural"

# A clinic's settings as the API spells them, and what each one overrides.
CLINIC_SETTINGS = {
    "enableMenu": "menu",
    "menuMessage": "menu_message",
    "enableRecording": "recording",
    "consentMessage": "consent_message",
    "enableTranscription": "transcription",
    "enableVoicemail": "voicemail",
    "voice": "voice",
}


@dataclass(frozen=True)
class Answering:
    menu: bool = False
    menu_message: str = DEFAULT_MENU_MESSAGE
    recording: bool = False
    consent_message: str = DEFAULT_CONSENT_MESSAGE
    transcription: bool = False
    voicemail: bool = True
    voice: str = DEFAULT_VOICE

    def overridden_by(self, clinic_settings: Mapping[str, Any]) -> "Answering":
        """With a clinic's settings where it has any; None and empty text leave the deployment's."""
        changes = {
            CLINIC_SETTINGS[name]: value
            for name, value in clinic_settings.items()
            if name in CLINIC_SETTINGS and value not in (None, "")
        }
        return replace(self, **changes)
