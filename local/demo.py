"""Places the sample calls on a system of its own, and shows what the clinics read about them."""

import textwrap
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from local import bring_up, placing
from local.progress import Progress
from local.sample_calls import CALLS, SampleCall
from local.sample_clinics import CLINICS
from local.stack import Stack

_HOME = Path(".local/demo")
_AT_ONCE = 2

Json = dict[str, Any]


def run() -> bool:
    """Whether every call ended as it must."""
    say = Progress()
    with bring_up.running(_HOME, say) as stack:
        say(f"placing {len(CALLS)} calls, {_AT_ONCE} at a time")
        read = _place_all(stack, say)
        say("what the clinics read:")
    mistakes = 0
    for number, call in enumerate(CALLS, start=1):
        found, summary = read[call.title]
        wrong = _mistakes(call, found, summary)
        print("\n".join([f"\n{number}. {call.title}", *_told(call, found, summary), *wrong]))
        mistakes += len(wrong)
    print(f"\n{len(CALLS)} calls, {mistakes} mistakes")
    return mistakes == 0


def _place_all(stack: Stack, say: Progress) -> dict[str, tuple[Json, Json]]:
    """By title, each call and its summary as the clinic's user reads them."""
    read = {}
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        placed = {pool.submit(_place, stack, call): call.title for call in CALLS}
        for done in as_completed(placed):
            read[placed[done]] = done.result()
            say(f"{len(read)} of {len(CALLS)}: {placed[done]}")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return read


def _place(stack: Stack, call: SampleCall) -> tuple[Json, Json]:
    clinic_id, number = list(stack.lines.items())[CLINICS.index(call.to)]
    clinic = stack.as_customer(clinic_id)
    call_sid = placing.place(
        stack,
        to=number,
        from_number=call.from_number,
        digits=call.digits,
        clinic=call.clinic,
        script=call.script,
    )
    found = placing.settled(stack, clinic, call_sid)
    return found, clinic.get(f"/api/twilio/call-logs/{call_sid}/summary")


def _mistakes(call: SampleCall, found: Json, summary: Json) -> list[str]:
    expected = {"outcome": call.outcome, "menuChoice": call.choice}
    wrong = {name: found.get(name) for name, value in expected.items() if found.get(name) != value}
    if summary["appointmentBooked"] != call.booked:
        wrong["appointmentBooked"] = summary["appointmentBooked"]
    if summary["summaryState"] != call.summary_state:
        wrong["summaryState"] = f"{summary['summaryState']} ({summary.get('reason')})"
    return [f"   WRONG: {name} is {value}" for name, value in wrong.items()]


def _told(call: SampleCall, found: Json, summary: Json) -> list[str]:
    chose = f", pressed {found['menuChoice']}" if found.get("menuChoice") else ""
    about = f"{found['from']} called {call.to.name}{chose}: {found['outcome']}, {found.get('duration')} s"
    text = summary.get("summaryText") or f"no summary: {summary.get('reason')}"
    return [*_wrapped(about), *_wrapped(text), *_verdict(summary.get("booking"))]


def _verdict(booking: Json | None) -> list[str]:
    if booking is None:
        return _wrapped("no verdict")
    word = {True: "booked", False: "not booked", None: "unknown"}[booking["booked"]]
    lines = _wrapped(f"{word} ({booking['confidence']:.0%}): {booking['reason']}")
    if booking["appointment"]:
        details = ", ".join(
            f"{name} {value}" for name, value in booking["appointment"].items() if value
        )
        lines += _wrapped(f"appointment: {details}")
    for evidence in booking["evidence"]:
        lines += _wrapped(
            f"“{evidence['quote']}” ({evidence.get('speaker') or evidence['source']})"
        )
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, width=100, initial_indent="   ", subsequent_indent="     ")
