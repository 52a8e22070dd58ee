"""Two clinics as an admin sets them up: a dentist with a menu, and a physiotherapist without."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.api import Api


@dataclass(frozen=True)
class SampleClinic:
    name: str
    email: str
    timezone: str
    settings: dict[str, Any]
    forwards: dict[str, str]


DENTIST = SampleClinic(
    name="Harbour Street Dental",
    email="front-desk@harbour-street-dental.example",
    timezone="America/New_York",
    settings={"enableMenu": True},
    forwards={
        "forwardNumber": "+12125550180",
        "forwardNumberNew": "+12125550181",
        "forwardNumberExisting": "+12125550182",
    },
)
PHYSIOTHERAPIST = SampleClinic(
    name="Riverside Physiotherapy",
    email="office@riverside-physio.example",
    timezone="America/Chicago",
    settings={},
    forwards={"forwardNumber": "+13125550190"},
)
CLINICS = (DENTIST, PHYSIOTHERAPIST)

# The numbers of the simulated Twilio account; the last one belongs to no clinic.
NUMBERS = ("+12125550100", "+13125550110", "+14155550120")


def create(admin: Api) -> list[str]:
    """Returns the clinics' ids, in the order of CLINICS."""
    return [
        admin.post(
            "/api/clinics",
            {"name": clinic.name, "timezone": clinic.timezone, "settings": clinic.settings},
            status=201,
        )["clinicId"]
        for clinic in CLINICS
    ]


def create_user(admin: Api, clinic_id: str, clinic: SampleClinic) -> str:
    """Returns the user's name in the user pool."""
    path = f"/api/clinics/{clinic_id}/users"
    return str(admin.post(path, {"email": clinic.email}, status=201)["username"])


def connect(admin: Api, clinic_ids: Sequence[str]) -> dict[str, str]:
    """Gives the account's first numbers to the clinics; returns the numbers by clinic."""
    numbers = [number["phoneNumber"] for number in admin.get("/api/twilio/numbers")["numbers"]]
    lines = {}
    for clinic_id, clinic, number in zip(clinic_ids, CLINICS, numbers, strict=False):
        body = {"clinicId": clinic_id, "phoneNumber": number, **clinic.forwards}
        lines[clinic_id] = admin.post("/api/twilio/connect", body)["line"]["phoneNumber"]
    return lines
