"""Conversational Intelligence: turns recordings into transcripts and runs the operators."""

import re
from collections.abc import Iterable
from typing import Any

from .account import Account
from .callbacks import Callbacks
from .resources import (
    Operator,
    OperatorResult,
    Recording,
    Sentence,
    Service,
    Transcript,
    Utterance,
)
from .timing import now, seconds_between
from .trace import CallTrace, WebhookRequest

QUEUED_SECONDS = 2.0
TRANSCRIBING_SECONDS = 10.0


class Intelligence:
    """Works through transcripts in the background of their calls."""

    def __init__(self, account: Account, callbacks: Callbacks) -> None:
        self._account = account
        self._callbacks = callbacks

    def transcribe(self, service: Service, recording: Recording, **asked: Any) -> Transcript:
        """Orders the transcript of a recording; `asked` is what the request said besides."""
        transcript = Transcript(
            service_sid=service.sid,
            call_sid=recording.call_sid,
            recording_sid=recording.sid,
            media_started_at=recording.started_at,
            duration=recording.duration or 0,
            redaction=service.auto_redaction,
            **{"channel": {"media_properties": {"source_sid": recording.sid}}, **asked},
        )
        self._queue(transcript, recording.utterances, mono=recording.channels == 1)
        return transcript

    def keep(self, service: Service, sid: str, call_sid: str, heard: list[Utterance]) -> None:
        """Keeps what live transcription heard: same SID, no recording, no customer key."""
        started_at = heard[0].started_at if heard else now()
        ended_at = heard[-1].ended_at if heard else started_at
        transcript = Transcript(
            sid=sid,
            service_sid=service.sid,
            call_sid=call_sid,
            channel={"media_properties": {}},
            media_started_at=started_at,
            duration=seconds_between(started_at, ended_at),
            redaction=service.auto_redaction,
        )
        self._queue(transcript, heard)

    def _queue(
        self, transcript: Transcript, utterances: Iterable[Utterance], mono: bool = False
    ) -> None:
        self._account.transcripts[transcript.sid] = transcript
        trace = self._account.traces[transcript.call_sid]
        sentences = [
            _sentence(transcript, index, utterance, mono)
            for index, utterance in enumerate(utterances)
        ]
        trace.in_background(self._work(trace, transcript, sentences))

    async def _work(
        self, trace: CallTrace, transcript: Transcript, sentences: list[Sentence]
    ) -> None:
        await self._account.clock.pass_time(QUEUED_SECONDS)
        transcript.become("in-progress")
        await self._account.clock.pass_time(TRANSCRIBING_SECONDS)
        service = self._account.services[transcript.service_sid]
        operators = [self._account.operators[sid] for sid in service.operator_sids]
        found = [_result(operator, trace.scenario.summary) for operator in operators]
        transcript.sentences = sentences
        transcript.operator_results = [result for result in found if result is not None]
        transcript.become("completed")
        if service.webhook_url and service.webhook_http_method != "NULL":
            self._callbacks.send(trace, self._announcement(service, transcript))

    def _announcement(self, service: Service, transcript: Transcript) -> WebhookRequest:
        params = {
            "account_sid": self._account.sid,
            "service_sid": service.sid,
            "transcript_sid": transcript.sid,
            "event_type": "voice_intelligence_transcript_available",
        }
        if transcript.customer_key is not None:
            params["customer_key"] = transcript.customer_key
        as_json = self._account.ci_webhook_format == "json"
        method, url = service.webhook_http_method, service.webhook_url
        return WebhookRequest("ci", method, url, params, as_json)


def _sentence(transcript: Transcript, index: int, utterance: Utterance, mono: bool) -> Sentence:
    start = transcript.media_started_at
    return Sentence(
        media_channel=1 if mono or utterance.speaker == "caller" else 2,
        index=index,
        text=utterance.text,
        start=round((utterance.started_at - start).total_seconds(), 2),
        end=round((utterance.ended_at - start).total_seconds(), 2),
    )


def _result(operator: Operator, summary: str | None) -> OperatorResult | None:
    if operator.operator_type == "conversation-classify":
        return OperatorResult(operator, label="neutral")
    return None if summary is None else OperatorResult(operator, text=summary)


def redacted(text: str) -> str:
    """Stands for Twilio's redaction of personal data: anything with digits is hidden."""
    return re.sub(r"\+?\d[\d\s().-]*", "[REDACTED]", text)
