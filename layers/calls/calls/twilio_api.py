"""Twilio's REST API: numbers, calls, recordings, and Conversational Intelligence."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from aws_lambda_powertools import Logger
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.util import Retry

from calls import secret, settings

logger = Logger(child=True)
# Both write addresses with their parameters: telephone numbers.
for chatty in ("twilio.http_client", "urllib3.connectionpool"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

TIMEOUT = (3, 5)  # seconds to connect, and between two bytes
RETRY = Retry(
    total=2,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    respect_retry_after_header=False,  # It may name more seconds than the function has.
)
DENIED = (401, 403)

# What to ask with: its name for the log, and the user and password that it is.
Credentials = tuple[str, tuple[str, str]]


class TwilioError(Exception):
    """Twilio did not do what was asked.

    TwilioError
    ├── Unconfigured   no credentials
    ├── Unavailable    not reached, too slow, credentials refused, 429 or 5xx: worth another try
    │   └── TooMany    429
    └── Refused        any other status
        └── NotFound   404
    """


class Unconfigured(TwilioError):
    """Neither an API key nor an Auth Token is in the secret."""


class Unavailable(TwilioError):
    """Twilio could not be reached, took too long, or answered 401, 403, 429 or 5xx."""


class TooMany(Unavailable):
    """Twilio answered 429: no more requests for a while."""


class Refused(TwilioError):
    """Twilio answered an error; `status` is HTTP's, `code` Twilio's own."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class NotFound(Refused):
    """Twilio answered 404."""


def numbers() -> Iterator[Any]:
    """Every number of the account (all pages), as the helper library's IncomingPhoneNumber."""
    with _errors():
        yield from _client().incoming_phone_numbers.stream(page_size=1000)


def find_number(phone_number: str) -> Any | None:
    """The account's IncomingPhoneNumber of this E.164 number, or None."""
    with _errors():
        found = _client().incoming_phone_numbers.list(phone_number=phone_number)
    return next((number for number in found if number.phone_number == phone_number), None)


def update_number(sid: str, **changes: str) -> Any:
    """Change a number's settings; only the named ones, "" clears."""
    with _errors():
        return _client().incoming_phone_numbers(sid).update(**changes)


def call(sid: str) -> Any:
    with _errors():
        return _client().calls(sid).fetch()


def calls_to(number: str, day: str) -> Iterator[Any]:
    """Every call to a number that started on a day (`YYYY-MM-DD`, UTC; all pages)."""
    with _errors():
        yield from _client().calls.stream(to=number, start_time=day, page_size=1000)


def legs(call_sid: str) -> list[Any]:
    """The calls that a call's `<Dial>` made."""
    with _errors():
        return list(_client().calls.list(parent_call_sid=call_sid))


def recordings_made(day: str) -> Iterator[Any]:
    """Every recording of the account that began on a day (`YYYY-MM-DD`, UTC; all pages)."""
    with _errors():
        yield from _client().recordings.stream(date_created=day, page_size=1000)


def recordings_of(call_sid: str) -> list[Any]:
    with _errors():
        return list(_client().recordings.list(call_sid=call_sid))


def recording(sid: str) -> Any:
    with _errors():
        return _client().recordings(sid).fetch()


def recording_audio(sid: str) -> bytes:
    """The recording as MP3 with two channels, or one where there are no two. Raises NotFound."""
    try:
        return _audio(sid, channels=2)
    except Refused as error:
        if error.status != 400:
            raise
        return _audio(sid, channels=1)


def order_transcript(recording_sid: str, call_sid: str, participants: list[dict[str, Any]]) -> str:
    """Have a recording transcribed; the transcript's SID. The call's SID is its CustomerKey."""
    channel = {"media_properties": {"source_sid": recording_sid}, "participants": participants}
    with _errors():
        ordered = _client().intelligence.v2.transcripts.create(
            service_sid=settings.load().intelligence_service,
            channel=channel,
            customer_key=call_sid,
        )
    return str(ordered.sid)


def transcript_of(recording_sid: str) -> str | None:
    """The SID of the transcript that a recording has already, or None."""
    with _errors():
        found = _client().intelligence.v2.transcripts.list(source_sid=recording_sid)
    service = settings.load().intelligence_service
    return next((str(t.sid) for t in found if t.service_sid == service), None)


def transcript(sid: str) -> Any:
    with _errors():
        return _client().intelligence.v2.transcripts(sid).fetch()


def sentences(transcript_sid: str) -> list[Any]:
    with _errors():
        listed = _client().intelligence.v2.transcripts(transcript_sid).sentences
        return list(listed.list(redacted=False, page_size=1000))


def operator_results(transcript_sid: str) -> list[dict[str, Any]]:
    """Every operator's result, unredacted, with Twilio's own field names."""
    with _errors():
        listed = _client().intelligence.v2.transcripts(transcript_sid).operator_results
        found = listed.list(redacted=False)
    return [_plain(result) for result in found]


def intelligence_service() -> Any:
    with _errors():
        return _client().intelligence.v2.services(settings.load().intelligence_service).fetch()


def update_intelligence_service(**changes: Any) -> Any:
    with _errors():
        service = _client().intelligence.v2.services(settings.load().intelligence_service)
        return service.update(**changes)


def operator_names() -> list[str]:
    """The names of the operators attached to our intelligence service."""
    attached = set(intelligence_service().read_only_attached_operator_sids or ())
    with _errors():
        operators = _client().intelligence.v2.operators.list()
    return [str(o.friendly_name) for o in operators if o.sid in attached]


class _Http(TwilioHttpClient):  # type: ignore[misc]
    """Asks with each of the credentials until one is not refused."""

    def __init__(self, credentials: list[Credentials]) -> None:
        super().__init__()
        # The constructor takes one number only; requests takes both.
        self.timeout = TIMEOUT
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=RETRY))
        self.credentials = credentials

    def request(self, *args: Any, **kwargs: Any) -> Response:
        ask = super().request
        return _in_turn(lambda auth: ask(*args, **kwargs | {"auth": auth}), self.credentials)


def _client() -> Client:
    credentials = _credentials()
    account_sid = settings.load().account_sid
    client = Client(*credentials[0][1], account_sid=account_sid, http_client=_Http(credentials))
    if settings.load().api_base_url:
        client.api.base_url = settings.load().api_base_url
    if settings.load().intelligence_base_url:
        client.intelligence.base_url = settings.load().intelligence_base_url
    return client


def _credentials() -> list[Credentials]:
    """The API key, and the Auth Token for where it is refused. Raises Unconfigured."""
    stored = secret.read()
    configured: list[Credentials] = []
    if stored.api_key_sid and stored.api_key_secret:
        configured.append(("API key", (stored.api_key_sid, stored.api_key_secret)))
    if stored.auth_token:
        configured.append(("Auth Token", (settings.load().account_sid, stored.auth_token)))
    if not configured:
        raise Unconfigured(
            "Twilio's credentials are missing: deploy with TwilioApiKeySid and TwilioApiKeySecret "
            "(preferred) or with TwilioAuthToken."
        )
    return configured


def _in_turn(ask: Callable[[tuple[str, str]], Any], credentials: list[Credentials]) -> Any:
    """Twilio's answer to the first credentials that it does not refuse, else to the last."""
    for name, auth in credentials:
        answer = ask(auth)
        if answer.status_code not in DENIED:
            logger.info("Twilio asked", credentials=name)
            break
        logger.warning("Twilio refused the credentials", credentials=name)
    return answer


def _audio(sid: str, channels: int) -> bytes:
    config = settings.load()
    base_url = config.api_base_url or "https://api.twilio.com"
    url = f"{base_url}/2010-04-01/Accounts/{config.account_sid}/Recordings/{sid}.mp3"
    answer = _downloaded(url, {"RequestedChannels": str(channels)})
    if answer.status_code != 200:
        raise _refusal(answer.status_code, None, f"recording {sid}: HTTP {answer.status_code}")
    return answer.content


def _downloaded(url: str, params: Mapping[str, str]) -> requests.Response:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=RETRY))
    credentials = _credentials()

    def ask(auth: tuple[str, str]) -> requests.Response:
        return session.get(url, params=params, auth=auth, timeout=TIMEOUT)

    with _errors():
        answer: requests.Response = _in_turn(ask, credentials)
    return answer


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except TwilioRestException as error:
        raise _refusal(error.status, error.code, error.msg) from error
    except TwilioException as error:
        # A list's page that was refused carries the answer in place of its fields.
        answers = [a for a in error.args if isinstance(a, Response)]
        status = answers[0].status_code if answers else 502
        raise _refusal(status, None, f"HTTP {status}") from error
    except requests.RequestException as error:
        raise Unavailable(type(error).__name__) from error


def _refusal(status: int, code: int | None, message: str) -> TwilioError:
    # Credentials that are refused today may be mended tomorrow: the work waits.
    if status == 429:
        return TooMany("HTTP 429")
    if status in DENIED or status >= 500:
        return Unavailable(f"HTTP {status}")
    return NotFound(status, code, message) if status == 404 else Refused(status, code, message)


def _plain(result: Any) -> dict[str, Any]:
    fields = {k: v for k, v in vars(result).items() if not k.startswith("_")}
    return dict(json.loads(json.dumps(fields, default=str)))
