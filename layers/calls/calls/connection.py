"""Connecting Twilio numbers to clinics: our line and Twilio's webhooks change together or not at all."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import phonenumbers
from aws_lambda_powertools import Logger
from pydantic import AfterValidator

from calls import clinics, instants, line_store, routes, secret, settings, twilio_api
from calls.json_api import Request
from calls.line import Line
from calls.problems import Problem
from calls.summaries import SUMMARY_OPERATOR

logger = Logger(child=True)

# As the template's parameter has it.
FALLBACK_URL_TEMPLATE = r"https://[^{}\s]+\{number\}[^{}\s]*"
# What Twilio would obey instead of our URLs (Twilio docs, "IncomingPhoneNumber resource").
OVERRIDES = ("voice_application_sid", "trunk_sid")


def _e164(number: str) -> str:
    """A telephone number as +12175550100; without a country code it is taken as North American."""
    try:
        parsed = phonenumbers.parse(number, "US")
    except phonenumbers.NumberParseException as error:
        raise ValueError("is no telephone number; write it as +12175550100") from error
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("is no possible telephone number; write it as +12175550100")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _e164_or_none(number: str | None) -> str | None:
    return _e164(number) if number else None


E164 = Annotated[str, AfterValidator(_e164)]
ForwardNumber = Annotated[str | None, AfterValidator(_e164_or_none)]


class Connect(Request):
    clinic_id: str
    phone_number: E164
    forward_number: ForwardNumber = None
    forward_number_new: ForwardNumber = None
    forward_number_existing: ForwardNumber = None
    menu_message: clinics.Words | None = None


class Disconnect(Request):
    clinic_id: str
    phone_number: E164


def numbers(base_url: str) -> Iterator[dict[str, Any]]:
    """Every number of the Twilio account, the clinic that has it, and whether it rings here."""
    by_number = {line.phone_number: line for line in line_store.lines()}
    for number in _from_twilio(lambda: list(twilio_api.numbers())):
        line = by_number.get(number.phone_number)
        yield {
            "sid": number.sid,
            "phoneNumber": number.phone_number,
            "friendlyName": number.friendly_name,
            "capabilities": number.capabilities,
            "status": number.status,
            "clinicId": line.clinic_id if line else None,
            "webhooksCurrent": bool(
                line and line.clinic_id and _is_current(number, line, base_url)
            ),
        }


def connect(request: Connect, base_url: str) -> dict[str, Any]:
    """Give a number to a clinic. Raises Problem 404, 409 or 502, and then nothing has changed."""
    clinic = clinics.customer(request.clinic_id, field="clinicId")
    number = _from_twilio(lambda: twilio_api.find_number(request.phone_number))
    if number is None:
        detail = f"{request.phone_number} is not in the Twilio account."
        raise Problem(404, "No such number", detail, field="phoneNumber")
    before = line_store.find(request.phone_number)
    if before and before.clinic_id not in (None, request.clinic_id):
        detail = f"{request.phone_number} belongs to another clinic: disconnect it there first."
        raise Problem(409, "Number is taken", detail, field="phoneNumber")
    line = _connected(request, before, number.sid, clinic["settings"])
    webhooks = _webhooks(line, base_url)
    line = _put(line, before)
    try:
        twilio_api.update_number(number.sid, **webhooks)
    except twilio_api.TwilioError as error:
        _restore(before, line)
        raise _bad_gateway(error) from error
    return {
        "clinic": clinic,
        "line": line_store.as_json(line),
        "warnings": prepare_intelligence(base_url),
    }


def disconnect(request: Disconnect, base_url: str) -> dict[str, Any]:
    """Take a number from its clinic; of its URLs only ours are cleared. Raises Problem 404, 502."""
    line = line_store.find(request.phone_number)
    if line is None or line.clinic_id != request.clinic_id:
        detail = f"{request.phone_number} is not connected to this clinic."
        raise Problem(404, "Not connected", detail, field="phoneNumber")
    number = _from_twilio(lambda: twilio_api.find_number(request.phone_number))
    free = replace(line, clinic_id=None, connected_at=None, owners=_closed(line, instants.now()))
    free = _put(free, line)
    ours = _our_urls(number, base_url) if number else []
    try:
        if ours:
            twilio_api.update_number(number.sid, **dict.fromkeys(ours, ""))
    except twilio_api.TwilioError as error:
        _put(line, free)
        raise _bad_gateway(error) from error
    return line_store.as_json(free)


def resync(base_url: str) -> dict[str, Any]:
    """Set every connected number's URLs again. The report names what changed and what failed."""
    report: dict[str, Any] = {"current": [], "changed": [], "missing": [], "failed": {}}
    by_number = {number.phone_number: number for number in twilio_api.numbers()}
    for line in line_store.lines():
        if not line.clinic_id:
            continue
        number = by_number.get(line.phone_number)
        if number is None:
            report["missing"].append(line.phone_number)
        elif _is_current(number, line, base_url):
            report["current"].append(line.phone_number)
        else:
            _set_again(line, number.sid, base_url, report)
    return report | {"warnings": prepare_intelligence(base_url)}


def prepare_intelligence(base_url: str) -> list[str]:
    """Point the intelligence service's webhook here; what an admin should mend, as sentences."""
    if not settings.load().intelligence_service:
        return ["TwilioViServiceSid is not set: calls are not transcribed or summarised."]
    try:
        service = twilio_api.update_intelligence_service(
            webhook_url=routes.ci_url(base_url, secret.read().ci_webhook_key),
            webhook_http_method="POST",
        )
        operators = twilio_api.operator_names()
    except twilio_api.TwilioError as error:
        logger.warning("intelligence service not set", error=str(error))
        return [f"The intelligence service could not be set ({error}): run make resync."]
    warnings = []
    if SUMMARY_OPERATOR not in operators:
        warnings.append(f"The intelligence service lacks the operator {SUMMARY_OPERATOR}.")
    if service.auto_transcribe:
        warnings.append("Switch the service's auto-transcribe off: it doubles transcripts.")
    return warnings


def _set_again(line: Line, number_sid: str, base_url: str, report: dict[str, Any]) -> None:
    try:
        twilio_api.update_number(number_sid, **_webhooks(line, base_url))
    except twilio_api.TwilioError as error:
        report["failed"][line.phone_number] = str(error)
    else:
        report["changed"].append(line.phone_number)


def _connected(
    request: Connect, before: Line | None, number_sid: str, clinic_settings: dict[str, Any]
) -> Line:
    # Twilio's lists have whole seconds: a call of this very second is the new owner's already.
    now = instants.whole_second(instants.now())
    owners = before.owners if before else ()
    since = before.connected_at if before and before.clinic_id else None
    if since is None:
        owners = (*owners, {"clinicId": request.clinic_id, "from": now, "to": None})
    return Line(
        phone_number=request.phone_number,
        clinic_id=request.clinic_id,
        connected_at=since or now,
        number_sid=number_sid,
        forward_number=request.forward_number,
        forward_number_new=request.forward_number_new,
        forward_number_existing=request.forward_number_existing,
        menu_message=request.menu_message or None,
        settings=clinic_settings,
        owners=owners,
    )


def _closed(line: Line, now: str) -> tuple[dict[str, Any], ...]:
    return tuple({**owner, "to": owner["to"] or now} for owner in line.owners)


def _put(line: Line, before: Line | None) -> Line:
    try:
        return line_store.put(line, before)
    except line_store.Changed as error:
        detail = "Somebody else changed this number just now: look again and retry."
        raise Problem(409, "Number has changed", detail, field="phoneNumber") from error


def _restore(before: Line | None, line: Line) -> None:
    if before:
        line_store.put(before, before=line)
    else:
        line_store.remove(line)


def _webhooks(line: Line, base_url: str) -> dict[str, str]:
    """A number's settings on Twilio, as the helper library names them; "" clears."""
    fallback_url, fallback_method = _fallback(line, base_url)
    return {
        "voice_url": routes.voice_url(base_url, routes.INCOMING),
        "voice_method": "POST",
        "voice_fallback_url": fallback_url,
        "voice_fallback_method": fallback_method,
        "status_callback": routes.voice_url(base_url, routes.STATUS_CALLBACK),
        "status_callback_method": "POST",
    } | dict.fromkeys(OVERRIDES, "")


def _fallback(line: Line, base_url: str) -> tuple[str, str]:
    """Where Twilio turns when we fail, and its method: the operator's own address, else ours.

    A line that rings nobody has no number to put into that address; our own fallback takes a message.
    """
    number, template = line.forward_for(None), _fallback_template()
    if template and number:
        return routes.fallback_elsewhere(template, number), "GET"
    return routes.voice_url(base_url, routes.FALLBACK, number=number or ""), "POST"


def _fallback_template() -> str:
    """The operator's own fallback address, or "". Raises Problem if it could never ring a clinic."""
    template = settings.load().fallback_url_template
    if template and not re.fullmatch(FALLBACK_URL_TEMPLATE, template):
        title = "FallbackUrlTemplate must be empty, or start with https:// and contain {number}"
        raise Problem(500, title, f"It is {template}: deploy again with another.")
    return template


def _is_current(number: Any, line: Line, base_url: str) -> bool:
    wanted = _webhooks(line, base_url)
    return all((getattr(number, name) or "") == value for name, value in wanted.items())


def _our_urls(number: Any, base_url: str) -> list[str]:
    names = ("voice_url", "voice_fallback_url", "status_callback")
    ours = [f"{base_url}/api/twilio/"]
    if template := settings.load().fallback_url_template:
        ours.append(template.partition("{number}")[0])
    return [n for n in names if (getattr(number, n) or "").startswith(tuple(ours))]


def _from_twilio(ask: Any) -> Any:
    """Twilio's answer. Raises Problem 502 where it gives none."""
    try:
        return ask()
    except twilio_api.TwilioError as error:
        raise _bad_gateway(error) from error


def _bad_gateway(error: twilio_api.TwilioError) -> Problem:
    return Problem(502, "Twilio refused", f"Twilio did not do it: {error}")
