"""Conversational Intelligence v2: transcripts, their sentences and results, services, operators."""

import json
from typing import Any

from aiohttp import web

from .account import Account
from .resources import Operator, OperatorResult, Recording, Sentence, Service, Transcript
from .rest_answers import TwilioError, found, parse_instant, v2_list
from .timing import iso8601, now
from .transcripts import Intelligence, redacted

MAX_SENTENCES = 5000
_FLAGS = ("AutoTranscribe", "AutoRedaction", "MediaRedaction")
_SERVICE_SETTINGS = {
    "UniqueName": "unique_name",
    "FriendlyName": "friendly_name",
    "AutoTranscribe": "auto_transcribe",
    "AutoRedaction": "auto_redaction",
    "MediaRedaction": "media_redaction",
    "WebhookUrl": "webhook_url",
    "WebhookHttpMethod": "webhook_http_method",
}


class IntelligenceRest:
    """Handlers over the account's state."""

    def __init__(self, account: Account, intelligence: Intelligence) -> None:
        self._account = account
        self._intelligence = intelligence

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/Transcripts", self.create_transcript),
            web.get("/v2/Transcripts", self.list_transcripts),
            web.get("/v2/Transcripts/{sid}", self.fetch_transcript),
            web.get("/v2/Transcripts/{sid}/Sentences", self.list_sentences),
            web.get("/v2/Transcripts/{sid}/OperatorResults", self.list_operator_results),
            web.get("/v2/Services", self.list_services),
            web.get("/v2/Services/{sid}", self.fetch_service),
            web.post("/v2/Services/{sid}", self.update_service),
            web.get("/v2/Services/{sid}/Operators", self.fetch_attachments),
            web.post("/v2/Services/{sid}/Operators/{operator}", self.attach_operator),
            web.delete("/v2/Services/{sid}/Operators/{operator}", self.detach_operator),
            web.get("/v2/Operators", self.list_operators),
            web.get("/v2/Operators/PreBuilt", self.list_operators),
            web.get("/v2/Operators/{operator}", self.fetch_operator),
            web.get("/v2/Operators/PreBuilt/{operator}", self.fetch_operator),
        ]

    async def create_transcript(self, request: web.Request) -> web.Response:
        form = await request.post()
        for required in ("ServiceSid", "Channel"):
            if not form.get(required):
                raise TwilioError(400, 20001, f"Missing required parameter {required}")
        customer_key = str(form["CustomerKey"]) if "CustomerKey" in form else None
        if len(customer_key or "") > 64:
            raise TwilioError(400, 20001, "CustomerKey is longer than 64 characters")
        service = self._account.services.get(str(form["ServiceSid"]))
        if service is None:
            raise TwilioError(400, 20001, "ServiceSid names no service")
        channel = _channel(str(form["Channel"]))
        transcript = self._intelligence.transcribe(
            service,
            self._recording(channel),
            channel=channel,
            customer_key=customer_key,
            media_start_time=form.get("MediaStartTime"),
        )
        return web.json_response(self._transcript_json(transcript), status=202)

    def _recording(self, channel: dict[str, Any]) -> Recording:
        source_sid = channel["media_properties"].get("source_sid")
        recording = self._account.recordings.get(source_sid)
        if recording is None or recording.status != "completed":
            raise TwilioError(400, 20001, "source_sid names no completed recording")
        if any(t.recording_sid == recording.sid for t in self._account.transcripts.values()):
            raise TwilioError(400, 20001, f"A transcript already exists for {recording.sid}")
        return recording

    async def list_transcripts(self, request: web.Request) -> web.Response:
        newest_first = sorted(
            self._account.transcripts.values(), key=lambda t: t.created_at, reverse=True
        )
        listed = [transcript for transcript in newest_first if _asked_for(request, transcript)]
        return v2_list(
            request, self._account.base_url, "transcripts", listed, self._transcript_json
        )

    async def fetch_transcript(self, request: web.Request) -> web.Response:
        return web.json_response(self._transcript_json(self._transcript(request)))

    async def list_sentences(self, request: web.Request) -> web.Response:
        transcript = self._transcript(request)
        hidden = _redacts(request, transcript)
        with_words = request.query.get("WordTimestamps", "").lower() == "true"

        def render(sentence: Sentence) -> dict[str, Any]:
            text = redacted(sentence.text) if hidden else sentence.text
            return _sentence_json(sentence, text, with_words)

        return v2_list(
            request,
            self._account.base_url,
            "sentences",
            transcript.sentences,
            render,
            MAX_SENTENCES,
        )

    async def list_operator_results(self, request: web.Request) -> web.Response:
        transcript = self._transcript(request)
        hidden = _redacts(request, transcript)

        def render(result: OperatorResult) -> dict[str, Any]:
            body = _operator_result_json(result, hidden)
            url = f"{self._url('Transcripts', transcript.sid)}/OperatorResults/{result.sid}"
            return body | {"transcript_sid": transcript.sid, "url": url}

        results = transcript.operator_results
        return v2_list(request, self._account.base_url, "operator_results", results, render)

    async def list_services(self, request: web.Request) -> web.Response:
        services = list(self._account.services.values())
        return v2_list(request, self._account.base_url, "services", services, self._service_json)

    async def fetch_service(self, request: web.Request) -> web.Response:
        return web.json_response(self._service_json(self._service(request)))

    async def update_service(self, request: web.Request) -> web.Response:
        service = self._service(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("WebhookHttpMethod", "POST") not in ("GET", "POST", "NULL"):
            raise TwilioError(400, 20001, "WebhookHttpMethod must be GET, POST or NULL")
        for name, value in form.items():
            if name in _SERVICE_SETTINGS:
                new_value = value.lower() == "true" if name in _FLAGS else value
                setattr(service, _SERVICE_SETTINGS[name], new_value)
        self._changed(service)
        return web.json_response(self._service_json(service))

    async def fetch_attachments(self, request: web.Request) -> web.Response:
        service = self._service(request)
        url = f"{self._url('Services', service.sid)}/Operators"
        return web.json_response(
            {"service_sid": service.sid, "operator_sids": service.operator_sids, "url": url}
        )

    async def attach_operator(self, request: web.Request) -> web.Response:
        service, operator = self._service(request), self._operator(request)
        if operator.sid not in service.operator_sids:
            service.operator_sids.append(operator.sid)
            self._changed(service)
        url = f"{self._url('Services', service.sid)}/Operators/{operator.sid}"
        body = {"service_sid": service.sid, "operator_sid": operator.sid, "url": url}
        return web.json_response(body, status=202)

    async def detach_operator(self, request: web.Request) -> web.Response:
        service, operator = self._service(request), self._operator(request)
        found(request, operator.sid if operator.sid in service.operator_sids else None)
        service.operator_sids.remove(operator.sid)
        self._changed(service)
        return web.Response(status=204)

    async def list_operators(self, request: web.Request) -> web.Response:
        operators = list(self._account.operators.values())
        return v2_list(request, self._account.base_url, "operators", operators, self._operator_json)

    async def fetch_operator(self, request: web.Request) -> web.Response:
        return web.json_response(self._operator_json(self._operator(request)))

    def _transcript(self, request: web.Request) -> Transcript:
        return found(request, self._account.transcripts.get(request.match_info["sid"]))

    def _service(self, request: web.Request) -> Service:
        return found(request, self._account.service(request.match_info["sid"]))

    def _operator(self, request: web.Request) -> Operator:
        return found(request, self._account.operators.get(request.match_info["operator"]))

    def _changed(self, service: Service) -> None:
        service.version += 1
        service.updated_at = now()

    def _url(self, kind: str, sid: str) -> str:
        return f"{self._account.base_url}/v2/{kind}/{sid}"

    def _transcript_json(self, transcript: Transcript) -> dict[str, Any]:
        url = self._url("Transcripts", transcript.sid)
        return {
            "account_sid": self._account.sid,
            "service_sid": transcript.service_sid,
            "sid": transcript.sid,
            "status": transcript.status,
            "channel": transcript.channel,
            "data_logging": False,
            "language_code": "en-US",
            "customer_key": transcript.customer_key,
            "media_start_time": transcript.media_start_time,
            "duration": transcript.duration,
            "redaction": transcript.redaction,
            "encryption_credential_sid": None,
            "date_created": iso8601(transcript.created_at),
            "date_updated": iso8601(transcript.updated_at),
            "url": url,
            "links": {
                "sentences": f"{url}/Sentences",
                "encrypted_sentences": f"{url}/Sentences/Encrypted",
                "media": f"{url}/Media",
                "operator_results": f"{url}/OperatorResults",
                "encrypted_operator_results": f"{url}/OperatorResults/Encrypted",
            },
        }

    def _service_json(self, service: Service) -> dict[str, Any]:
        return {
            "account_sid": self._account.sid,
            "sid": service.sid,
            **{name: getattr(service, name) for name in _SERVICE_SETTINGS.values()},
            "data_logging": False,
            "language_code": "en-US",
            "read_only_attached_operator_sids": service.operator_sids,
            "encryption_credential_sid": None,
            "version": service.version,
            "date_created": iso8601(service.created_at),
            "date_updated": iso8601(service.updated_at),
            "url": self._url("Services", service.sid),
        }

    def _operator_json(self, operator: Operator) -> dict[str, Any]:
        return {
            "account_sid": self._account.sid,
            "sid": operator.sid,
            "friendly_name": operator.name,
            "description": operator.description,
            "author": "twilio",
            "operator_type": operator.operator_type,
            "version": 1,
            "availability": "public",
            "config": {},
            "date_created": iso8601(operator.created_at),
            "date_updated": iso8601(operator.created_at),
            "url": self._url("Operators", operator.sid),
        }


def _channel(text: str) -> dict[str, Any]:
    try:
        channel = json.loads(text)
    except ValueError as error:
        raise TwilioError(400, 20001, "Channel is not JSON") from error
    if not isinstance(channel, dict) or not isinstance(channel.get("media_properties"), dict):
        raise TwilioError(400, 20001, "Channel has no media_properties")
    if len(channel.get("participants", [])) > 2:
        raise TwilioError(400, 20001, "Channel has more than two participants")
    return channel


def _asked_for(request: web.Request, transcript: Transcript) -> bool:
    query = request.query
    values = {
        "ServiceSid": transcript.service_sid,
        "SourceSid": transcript.recording_sid,
        "Status": transcript.status,
        "LanguageCode": "en-US",
    }
    created = transcript.created_at.replace(microsecond=0)
    after, before = query.get("AfterDateCreated"), query.get("BeforeDateCreated")
    return (
        all(query.get(name) in (None, value) for name, value in values.items())
        and not (after and created < parse_instant(after))
        and not (before and created > parse_instant(before))
    )


def _redacts(request: web.Request, transcript: Transcript) -> bool:
    return transcript.redaction and request.query.get("Redacted", "true").lower() != "false"


def _sentence_json(sentence: Sentence, text: str, with_words: bool) -> dict[str, Any]:
    words = [{"word": word, "start_time": None, "end_time": None} for word in text.split()]
    return {
        "media_channel": sentence.media_channel,
        "sentence_index": sentence.index,
        "start_time": f"{sentence.start:.2f}",
        "end_time": f"{sentence.end:.2f}",
        "transcript": text,
        "sid": sentence.sid,
        "confidence": "0.95",
        "words": words if with_words else None,
    }


def _operator_result_json(result: OperatorResult, hidden: bool) -> dict[str, Any]:
    operator = result.operator
    body: dict[str, Any] = {
        "operator_type": operator.operator_type,
        "name": operator.name,
        "operator_sid": operator.sid,
        **dict.fromkeys(("extract_match", "match_probability", "normalized_result")),
        "utterance_results": [],
        **dict.fromkeys(("utterance_match", "predicted_label", "predicted_probability")),
        **{name: {} for name in ("label_probabilities", "extract_results")},
        **{name: {} for name in ("text_generation_results", "json_results")},
    }
    if result.label is not None:
        body |= {"predicted_label": result.label, "predicted_probability": 0.9}
        body["label_probabilities"] = {result.label: 0.9}
    if result.text is not None:
        text = f"[Redacted: {operator.name}]" if hidden else result.text
        body["text_generation_results"] = {"format": "text", "result": text}
    return body
