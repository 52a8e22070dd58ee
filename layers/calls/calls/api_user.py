"""Who asks: the groups and the clinic of an ID token that API Gateway has checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calls.problems import Problem


@dataclass(frozen=True)
class ApiUser:
    groups: frozenset[str]
    clinic_id: str | None

    @property
    def is_admin(self) -> bool:
        return "admin" in self.groups

    def must_be_admin(self) -> None:
        """Raises Problem 403 for anybody else."""
        if not self.is_admin:
            raise Problem(403, "Admins only", "This is for users of the group admin.")

    def clinic_to_read(self, named: str | None) -> str | None:
        """The clinic whose calls are asked for: a customer's own, or the one that an admin names.

        None is an admin who names none. Raises Problem 403.
        """
        if self.is_admin:
            return named
        if "customer" not in self.groups or not self.clinic_id:
            raise Problem(403, "No clinic", "This user belongs to no clinic; ask your admin.")
        if named not in (None, self.clinic_id):
            raise Problem(403, "Not your clinic", "Only an admin names a clinic.", field="clinicId")
        return self.clinic_id


def user_of(claims: Mapping[str, Any]) -> ApiUser:
    """The user of an ID token's claims. Raises Problem 403 for any other kind of token."""
    if claims.get("token_use") != "id":
        raise Problem(403, "Not an ID token", "Send the ID token, not the access token.")
    clinic_id = claims.get("custom:clinic_id")
    return ApiUser(_groups(claims.get("cognito:groups")), str(clinic_id) if clinic_id else None)


def _groups(claim: Any) -> frozenset[str]:
    """API Gateway hands a list over as the text `[admin customer]`."""
    names = claim.strip("[]").replace(",", " ").split() if isinstance(claim, str) else claim
    return frozenset(names or ())
