"""The API of 2010-04-01: phone numbers, calls, and recordings with their media."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import audio
from .account import Account
from .resources import Call, PhoneNumber, Recording
from .rest_answers import TwilioError, found, not_found, v2010_list, within
from .timing import now, rfc2822

_MEDIA = {
    "": ("audio/x-wav", audio.wav),
    ".wav": ("audio/x-wav", audio.wav),
    ".mp3": ("audio/mpeg", audio.mp3),
}


class VoiceRest:
    """Handlers over the account's state."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[web.RouteDef]:
        root = self._account.path
        return [
            web.get(f"{root}/IncomingPhoneNumbers.json", self.list_numbers),
            web.get(f"{root}/IncomingPhoneNumbers/{{sid}}.json", self.fetch_number),
            web.post(f"{root}/IncomingPhoneNumbers/{{sid}}.json", self.update_number),
            web.get(f"{root}/Calls.json", self.list_calls),
            web.get(f"{root}/Calls/{{sid}}.json", self.fetch_call),
            web.get(f"{root}/Recordings.json", self.list_recordings),
            web.get(f"{root}/Recordings/{{sid}}.json", self.fetch_recording),
            web.get(f"{root}/Recordings/{{sid:RE[0-9a-f]+}}{{ext:|.wav|.mp3}}", self.fetch_media),
            web.delete(f"{root}/Recordings/{{sid}}.json", self.delete_recording),
        ]

    async def list_numbers(self, request: web.Request) -> web.Response:
        wanted = re.escape(request.query.get("PhoneNumber", "")).replace(r"\*", ".")
        name = request.query.get("FriendlyName")
        numbers = [
            number
            for number in self._account.numbers.values()
            if re.search(wanted, number.phone_number) and name in (None, number.friendly_name)
        ]
        return v2010_list(request, "incoming_phone_numbers", numbers, self._number_json)

    async def fetch_number(self, request: web.Request) -> web.Response:
        number = self._account.numbers.get(request.match_info["sid"])
        return web.json_response(self._number_json(found(request, number)))

    async def update_number(self, request: web.Request) -> web.Response:
        number = found(request, self._account.numbers.get(request.match_info["sid"]))
        form = {name: str(value) for name, value in (await request.post()).items()}
        changes = {_snake(name): value for name, value in form.items()}
        settings = number.settings | {
            name: _setting(name, value)
            for name, value in changes.items()
            if name in number.settings
        }
        if changes.get("voice_fallback_url") and not settings["voice_url"]:
            raise TwilioError(400, 21405, "VoiceFallbackUrl needs a VoiceUrl")
        for sid, other in (
            ("trunk_sid", "voice_application_sid"),
            ("voice_application_sid", "trunk_sid"),
        ):
            if changes.get(sid):
                settings[other] = None
        number.settings = settings
        number.friendly_name = form.get("FriendlyName", number.friendly_name)
        number.updated_at = now()
        return web.json_response(self._number_json(number))

    async def list_calls(self, request: web.Request) -> web.Response:
        calls = [
            call
            for call in _newest_first(self._account.calls.values(), lambda c: c.created_at)
            if _asked_for(request, {"To": call.to, "From": call.from_number})
            and _asked_for(request, {"ParentCallSid": call.parent_sid, "Status": call.status})
            and within(request, "StartTime", call.created_at)
            and within(request, "EndTime", call.ended_at)
        ]
        return v2010_list(request, "calls", calls, self._call_json)

    async def fetch_call(self, request: web.Request) -> web.Response:
        call = self._account.calls.get(request.match_info["sid"])
        return web.json_response(self._call_json(found(request, call)))

    async def list_recordings(self, request: web.Request) -> web.Response:
        recordings = [
            recording
            for recording in _newest_first(
                self._account.recordings.values(), lambda r: r.started_at
            )
            if _asked_for(request, {"CallSid": recording.call_sid})
            and within(request, "DateCreated", recording.started_at)
            and _visible(request, recording)
        ]
        return v2010_list(request, "recordings", recordings, self._recording_json)

    async def fetch_recording(self, request: web.Request) -> web.Response:
        recording = found(request, self._account.recordings.get(request.match_info["sid"]))
        if not _visible(request, recording):
            raise not_found(request)
        return web.json_response(self._recording_json(recording))

    async def fetch_media(self, request: web.Request) -> web.Response:
        recording = found(request, self._account.recordings.get(request.match_info["sid"]))
        if recording.status != "completed":
            raise not_found(request)
        channels = request.query.get("RequestedChannels", str(recording.channels))
        if channels not in ("1", "2") or int(channels) > recording.channels:
            raise TwilioError(400, 21220, "the requested number of channels is not available")
        content_type, sound = _MEDIA[request.match_info["ext"]]
        return web.Response(body=sound(int(channels)), content_type=content_type)

    async def delete_recording(self, request: web.Request) -> web.Response:
        recording = found(request, self._account.recordings.get(request.match_info["sid"]))
        if recording.status == "deleted":
            raise not_found(request)
        recording.become("deleted")
        return web.Response(status=204)

    def _number_json(self, number: PhoneNumber) -> dict[str, Any]:
        return {
            "sid": number.sid,
            "account_sid": self._account.sid,
            "phone_number": number.phone_number,
            "friendly_name": number.friendly_name,
            **number.settings,
            "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
            "address_requirements": "none",
            "bundle_sid": None,
            "identity_sid": None,
            "emergency_status": "Inactive",
            "emergency_address_sid": None,
            "emergency_address_status": "unregistered",
            "origin": "twilio",
            "beta": False,
            "status": "in-use",
            "type": "local",
            "api_version": "2010-04-01",
            "date_created": rfc2822(number.created_at),
            "date_updated": rfc2822(number.updated_at),
            "uri": f"{self._account.path}/IncomingPhoneNumbers/{number.sid}.json",
        }

    def _call_json(self, call: Call) -> dict[str, Any]:
        uri = f"{self._account.path}/Calls/{call.sid}"
        return {
            "sid": call.sid,
            "parent_call_sid": call.parent_sid,
            "account_sid": self._account.sid,
            "phone_number_sid": call.number_sid,
            "to": call.to,
            "to_formatted": _formatted(call.to),
            "from": call.from_number,
            "from_formatted": _formatted(call.from_number),
            "status": call.status,
            "direction": call.direction,
            "start_time": rfc2822(call.created_at),
            "end_time": rfc2822(call.ended_at),
            "duration": None if call.duration is None else str(call.duration),
            "price": call.price,
            "price_unit": "USD",
            **dict.fromkeys(("answered_by", "forwarded_from", "caller_name"), None),
            **dict.fromkeys(("group_sid", "trunk_sid"), None),
            "queue_time": "0",
            "api_version": "2010-04-01",
            "date_created": rfc2822(call.created_at),
            "date_updated": rfc2822(call.ended_at or call.created_at),
            "uri": f"{uri}.json",
            "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        }

    def _recording_json(self, recording: Recording) -> dict[str, Any]:
        uri = f"{self._account.path}/Recordings/{recording.sid}"
        return {
            "sid": recording.sid,
            "account_sid": self._account.sid,
            "call_sid": recording.call_sid,
            "conference_sid": None,
            "status": recording.status,
            "source": recording.source,
            "channels": recording.channels,
            "duration": None if recording.duration is None else str(recording.duration),
            "price": recording.price,
            "price_unit": "USD",
            "error_code": 0 if recording.status == "absent" else None,
            "encryption_details": None,
            "api_version": "2010-04-01",
            "start_time": rfc2822(recording.started_at),
            "date_created": rfc2822(recording.started_at),
            "date_updated": rfc2822(recording.updated_at),
            "media_url": self._account.recording_url(recording),
            "uri": f"{uri}.json",
            "subresource_uris": {
                "add_on_results": f"{uri}/AddOnResults.json",
                "transcriptions": f"{uri}/Transcriptions.json",
            },
        }


def _newest_first(things: Iterable[Any], instant: Callable[[Any], datetime]) -> list[Any]:
    return sorted(things, key=instant, reverse=True)


def _asked_for(request: web.Request, values: dict[str, str | None]) -> bool:
    return all(request.query.get(name) in (None, "", value) for name, value in values.items())


def _visible(request: web.Request, recording: Recording) -> bool:
    with_deleted = request.query.get("IncludeSoftDeleted", "").lower() == "true"
    return recording.status != "deleted" or with_deleted


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _setting(name: str, value: str) -> str | bool | None:
    """Checks one value as Twilio does; its codes for URLs and methods are 21402 and 21403."""
    if name.endswith("_method") and value not in ("GET", "POST"):
        raise TwilioError(400, 21403, f"{name} is not GET or POST")
    if name.endswith(("_url", "_callback")) and value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in value:
            raise TwilioError(400, 21402, f"{name} is not a valid URL")
    if name == "voice_caller_id_lookup":
        return value.lower() == "true"
    return (value or None) if name.endswith("_sid") else value


def _formatted(number: str) -> str:
    if re.fullmatch(r"\+1\d{10}", number):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
