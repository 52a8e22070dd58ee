"""Clinics: adding, changing and showing them."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from calls import line_store
from calls.json_api import Request
from calls.line import Line
from calls.problems import Problem

CUSTOMER = "customer"


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no IANA time zone, such as America/Chicago")
    return name


Timezone = Annotated[str, AfterValidator(_known_timezone)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=1000)]


class ClinicSettings(Request):
    """What a clinic may set over the deployment's defaults; null takes the default again."""

    enable_menu: bool | None = None
    menu_message: Words | None = None
    enable_recording: bool | None = None
    consent_message: Words | None = None
    enable_transcription: bool | None = None
    enable_voicemail: bool | None = None
    voice: Annotated[str, Field(max_length=100)] | None = None


class NewClinic(Request):
    name: Name
    timezone: Timezone
    settings: ClinicSettings = ClinicSettings()


class ClinicChange(Request):
    name: Name | None = None
    timezone: Timezone | None = None
    settings: ClinicSettings = ClinicSettings()


class NewUser(Request):
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


def add(new: NewClinic) -> dict[str, Any]:
    clinic = {
        "clinicId": uuid.uuid4().hex,
        "name": new.name,
        "role": CUSTOMER,
        "timezone": new.timezone,
        "settings": _without_nulls(_said(new.settings)),
    }
    line_store.put_clinic(clinic)
    return clinic


def customer(clinic_id: str, field: str | None = None) -> dict[str, Any]:
    """The clinic. Raises Problem 404 where there is none, or it is no customer."""
    clinic = line_store.clinic(clinic_id)
    if clinic is None or clinic["role"] != CUSTOMER:
        raise Problem(404, "No such clinic", f"There is no clinic {clinic_id}.", field=field)
    return clinic


def change(clinic_id: str, change: ClinicChange) -> dict[str, Any]:
    """Change what is named; a clinic's lines carry its settings, so that a call reads one item."""
    clinic = customer(clinic_id)
    changes = {"name": change.name, "timezone": change.timezone}
    clinic |= {name: value for name, value in changes.items() if value is not None}
    clinic["settings"] = _without_nulls(clinic["settings"] | _said(change.settings))
    line_store.put_clinic(clinic)
    for line in line_store.lines():
        if line.clinic_id == clinic_id:
            _pass_on(clinic, line)
    return clinic


def _pass_on(clinic: Mapping[str, Any], line: Line) -> None:
    try:
        line_store.put(replace(line, settings=clinic["settings"]), before=line)
    except line_store.Changed as error:
        detail = f"{line.phone_number} was changed just now: send the change again."
        raise Problem(409, "Number has changed", detail) from error


def _said(settings: ClinicSettings) -> dict[str, Any]:
    return settings.model_dump(by_alias=True, exclude_unset=True)


def _without_nulls(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
