"""All stored calls, clinic by clinic and the newest first, for chores that take several invocations."""

from collections.abc import Iterator, Mapping
from typing import Any

from calls import call_store, line_store
from calls.call_store import Selection
from calls.line import NOBODY

PAGE = 25

Cursor = Mapping[str, Any]


def pages(
    cursor: Cursor | None, start: str = "0", end: str = "9999"
) -> Iterator[tuple[list[dict[str, Any]], Cursor]]:
    """Stored items that started from `start` to `end`, and the cursor of what follows them."""
    begin = cursor or {"clinicId": "", "after": None}
    for clinic_id in sorted({NOBODY, *(str(c["clinicId"]) for c in line_store.clinics())}):
        if clinic_id < begin["clinicId"]:
            continue
        selection = Selection("ByCustomer", "customerId", clinic_id, start, end)
        after = begin["after"] if clinic_id == begin["clinicId"] else None
        is_last = False
        while not is_last:
            items, after = call_store.newest(selection, PAGE, after)
            is_last = after is None
            # The least id that sorts after this one: the clinic is done.
            following = clinic_id + "\0" if is_last else clinic_id
            yield items, {"clinicId": following, "after": after}
