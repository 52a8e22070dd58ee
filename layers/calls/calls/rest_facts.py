"""What Twilio's own lists say of a call, its legs and its recordings, as facts.

Their times are whole seconds. The arguments are the helper library's instances.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from calls import instants
from calls.facts import FINAL, PROGRESS, Facts, known, recording, whole
from calls.line import Line
from calls.phone_numbers import line_key


def of_call(call: Any) -> Facts:
    """What is said of the patient's own leg."""
    ended = has_ended(call)
    facts = known(
        "rest",
        twilioPhoneNumber=line_key(call.to),
        to=call.to,
        callerName=call.caller_name,
        status=call.status,
        startedAt=_iso(start(call)),
        endedAt=_iso(end(call)) if ended else None,
        # Twilio has no duration for a call that nobody answered; its callback says 0.
        duration=(whole(call.duration) or 0) if ended else None,
    )
    return facts | known("rest", **{"from": call._from})


def of_legs(legs: Iterable[Any]) -> Facts:
    """How the dial went: what is said of the leg that was answered, else of the last one."""
    leg = max(legs, key=lambda leg: (leg.status == "completed", start(leg)), default=None)
    if leg is None:
        return {}
    answered = leg.status == "completed"
    return known(
        "rest",
        legStatus=leg.status,
        dialCallSid=leg.sid,
        forwardedTo=leg.to,
        dialCallDuration=whole(leg.duration) if answered else None,
        answeredAt=_iso(_answered(leg)) if answered else None,
    )


def of_recordings(recordings: Iterable[Any]) -> Facts:
    facts: Facts = {}
    for one in recordings:
        said = {
            "status": one.status,
            "source": one.source,
            # Twilio's lists show the address with http; the callbacks have it with https.
            "url": (one.media_url or "").replace(
                "http://api.twilio.com/", "https://api.twilio.com/"
            ),
            "duration": whole(one.duration),
            "channels": int(one.channels) if one.channels else None,
            "startedAt": _iso(one.start_time),
        }
        facts |= recording(one.sid, said, "rest")
    return facts


def menu_choice(line: Line, facts: Facts) -> Facts:
    """The key that was pressed, where only that key rings the telephone that was dialled."""
    dialled = facts.get("forwardedTo", {}).get("value")
    fitting = [c for c in (None, "1", "2") if dialled and line.forward_for(c) == dialled]
    return known("deduced", menuChoice=fitting[0]) if len(fitting) == 1 else {}


def lack_the_dial(facts: Facts) -> bool:
    """Whether it is not known, or not all of it, how the clinic's leg went."""
    told = {name: fact["value"] for name, fact in facts.items()}
    if "forwardedTo" not in told or PROGRESS.get(told.get("legStatus", "queued"), FINAL) != FINAL:
        return True
    return told["legStatus"] == "completed" and not {"answeredAt", "dialCallDuration"} <= set(told)


def has_ended(call: Any) -> bool:
    return PROGRESS.get(call.status or "queued", FINAL) == FINAL


def end(call: Any) -> datetime:
    """When a call ended; Twilio names no time for one that did not complete."""
    ended: datetime | None = call.end_time
    return ended or start(call) + timedelta(seconds=whole(call.duration) or 0)


def _answered(leg: Any) -> datetime:
    """Twilio counts a leg's duration from the answer on."""
    return max(start(leg), end(leg) - timedelta(seconds=whole(leg.duration) or 0))


def start(call: Any) -> datetime:
    """When a call began; Twilio names no time for one that never rang."""
    began: datetime = call.start_time or call.date_created
    return began


def _iso(moment: datetime | None) -> str | None:
    return instants.iso(moment) if moment else None
