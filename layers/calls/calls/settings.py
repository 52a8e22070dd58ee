"""The deployment's settings, read from the environment that the template sets."""

import os
from dataclasses import dataclass

from calls import answering
from calls.answering import Answering
from calls.line import Line


@dataclass(frozen=True)
class Settings:
    account_sid: str
    intelligence_service: str
    backend_url: str
    fallback_url_template: str
    api_base_url: str
    intelligence_base_url: str
    retention_days: int
    bedrock_model_id: str
    answering: Answering


def load() -> Settings:
    return Settings(
        account_sid=_text("TWILIO_ACCOUNT_SID"),
        intelligence_service=_text("TWILIO_VI_SERVICE_SID"),
        backend_url=_text("BACKEND_URL"),
        fallback_url_template=_text("FALLBACK_URL_TEMPLATE"),
        api_base_url=_text("TWILIO_API_BASE_URL"),
        intelligence_base_url=_text("TWILIO_INTELLIGENCE_BASE_URL"),
        retention_days=int(_text("RETENTION_DAYS", "365")),
        bedrock_model_id=_text("BEDROCK_MODEL_ID"),
        answering=Answering(
            menu=_flag("TWILIO_ENABLE_MENU"),
            menu_message=_text("TWILIO_MENU_MESSAGE", answering.DEFAULT_MENU_MESSAGE),
            recording=_flag("TWILIO_ENABLE_RECORDING"),
            consent_message=_text("TWILIO_CONSENT_MESSAGE", answering.DEFAULT_CONSENT_MESSAGE),
            transcription=_flag("TWILIO_ENABLE_TRANSCRIPTION"),
            voice=_text("TWILIO_VOICE", answering.DEFAULT_VOICE),
        ),
    )


def answering_for(line: Line | None) -> Answering:
    """How a line's calls are answered: as deployed, with the clinic's own settings over it."""
    return load().answering.overridden_by(line.own_settings if line else {})


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def _flag(name: str) -> bool:
    return _text(name).strip().lower() == "true"
