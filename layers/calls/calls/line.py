"""A line: a Twilio number, the clinic that owns it, and whom it rings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOBODY = "none"


@dataclass(frozen=True)
class Line:
    """`owners` are the clinics that had the number: `{clinicId, from, to}`, instants, `to` None for now."""

    phone_number: str
    clinic_id: str | None = None
    connected_at: str | None = None
    number_sid: str | None = None
    forward_number: str | None = None
    forward_number_new: str | None = None
    forward_number_existing: str | None = None
    menu_message: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    owners: tuple[Mapping[str, Any], ...] = ()
    version: int = 0

    def forward_for(self, choice: str | None) -> str | None:
        """The number to ring for menu choice "1" (new patient), "2" (existing) or none."""
        new, existing, default = (
            self.forward_number_new,
            self.forward_number_existing,
            self.forward_number,
        )
        if choice == "1":
            return new or default or existing
        if choice == "2":
            return existing or default or new
        return default or new or existing

    def owner_at(self, moment: str) -> str:
        """The clinic that owned the number at an instant, or NOBODY."""
        for owner in self.owners:
            if owner["from"] <= moment and (owner["to"] is None or moment < owner["to"]):
                return str(owner["clinicId"])
        return NOBODY

    @property
    def own_settings(self) -> dict[str, Any]:
        return {
            **self.settings,
            **({"menuMessage": self.menu_message} if self.menu_message else {}),
        }
