"""What a Twilio account holds: numbers, calls, recordings, transcripts, services, operators."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.conversation import Speaker

from .timing import now, seconds_between

Setting = str | bool | None


def new_sid(prefix: str) -> str:
    """A SID as Twilio makes them: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def _unset_number_settings() -> dict[str, Setting]:
    urls = ("voice_url", "voice_fallback_url", "status_callback", "sms_url", "sms_fallback_url")
    methods = (
        "voice_method",
        "voice_fallback_method",
        "status_callback_method",
        "sms_method",
        "sms_fallback_method",
    )
    sids = ("voice_application_sid", "trunk_sid", "sms_application_sid", "address_sid")
    return {
        **dict.fromkeys(urls, ""),
        **dict.fromkeys(methods, "POST"),
        **dict.fromkeys(sids, None),
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
    }


@dataclass
class PhoneNumber:
    """A number of the account; `settings` has the names of the REST answer."""

    phone_number: str
    friendly_name: str
    sid: str = field(default_factory=lambda: new_sid("PN"))
    settings: dict[str, Setting] = field(default_factory=_unset_number_settings)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def text(self, setting: str) -> str:
        return str(self.settings[setting] or "")


@dataclass
class Call:
    """One leg: the patient's call to the number, or the dialled clinic (with a parent)."""

    from_number: str
    to: str
    direction: str
    number_sid: str | None
    parent_sid: str | None = None
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "ringing"
    created_at: datetime = field(default_factory=now)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    price: str | None = None

    @property
    def duration(self) -> int | None:
        """Seconds from answer to end; None while live and when never answered."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return seconds_between(self.answered_at, self.ended_at)

    def answer(self) -> None:
        if self.answered_at is None:
            self.answered_at = now()
            self.status = "in-progress"

    def end(self, status: str) -> None:
        self.status = status
        self.ended_at = now()


@dataclass(frozen=True)
class Utterance:
    """Words that were spoken on a call, and when."""

    speaker: Speaker
    text: str
    started_at: datetime
    ended_at: datetime


@dataclass
class Recording:
    """A recording of a call; `call_sid` is always the parent leg."""

    call_sid: str
    source: str
    channels: int
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: str = "in-progress"
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None
    updated_at: datetime = field(default_factory=now)
    price: str | None = None
    utterances: list[Utterance] = field(default_factory=list)

    @property
    def duration(self) -> int | None:
        if self.ended_at is None or self.status == "absent":
            return None
        return seconds_between(self.started_at, self.ended_at)

    def become(self, status: str) -> None:
        self.status = status
        self.updated_at = now()


@dataclass(frozen=True)
class Sentence:
    """One sentence of a transcript; times are seconds since the media's start."""

    media_channel: int
    index: int
    text: str
    start: float
    end: float
    sid: str = field(default_factory=lambda: new_sid("GX"))


@dataclass(frozen=True)
class Operator:
    """A language operator that Twilio offers ready-made."""

    name: str
    operator_type: str
    description: str
    sid: str = field(default_factory=lambda: new_sid("LY"))
    created_at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class OperatorResult:
    """What one operator found in one transcript."""

    operator: Operator
    text: str | None = None
    label: str | None = None

    @property
    def sid(self) -> str:
        return self.operator.sid


@dataclass
class Service:
    """An intelligence service."""

    sid: str
    operator_sids: list[str]
    unique_name: str = "ringbook"
    friendly_name: str = "Ringbook"
    auto_transcribe: bool = False
    auto_redaction: bool = True
    media_redaction: bool = False
    webhook_url: str = ""
    webhook_http_method: str = "POST"
    version: int = 1
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)


@dataclass
class Transcript:
    """A transcript of a recording, or of what live transcription heard."""

    service_sid: str
    call_sid: str
    channel: dict[str, Any]
    media_started_at: datetime
    duration: int
    redaction: bool
    recording_sid: str | None = None
    customer_key: str | None = None
    media_start_time: str | None = None
    sid: str = field(default_factory=lambda: new_sid("GT"))
    status: str = "queued"
    sentences: list[Sentence] = field(default_factory=list)
    operator_results: list[OperatorResult] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def become(self, status: str) -> None:
        self.status = status
        self.updated_at = now()
