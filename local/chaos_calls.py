"""The lines and calls of a chaos run, drawn from its seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from twilio.rest import Client

from local import placing, sample_clinics, simulator
from local.sample_calls import CALLS
from local.sample_clinics import DENTIST, NUMBERS, PHYSIOTHERAPIST, SampleClinic
from local.stack import Stack
from local.truth import Line

MESSAGES_ONLY = SampleClinic(
    name="Orchard Lane Podiatry",
    email="office@orchard-lane-podiatry.example",
    timezone="America/Los_Angeles",
    settings={},
    forwards={},
)
UNRECORDED = SampleClinic(
    name="Mill Pond Family Practice",
    email="office@mill-pond-practice.example",
    timezone="America/New_York",
    settings={"enableRecording": False},
    forwards={"forwardNumber": "+16175550195"},
)
_MORE_NUMBERS = {"+14155550121": MESSAGES_ONLY, "+16175550122": UNRECORDED}
_UNKNOWN = NUMBERS[-1]

# How often what happens: on which line, with which digits, and how the clinic takes it.
_LINES = {"dentist": 8, "physio": 6, "unrecorded": 3, "messages": 2, "unknown": 1}
_DIGITS = {"1": 5, "2": 5, "--": 2, "-1": 1, "92": 1, "00": 1}
_CLINIC = {"answer": 10, "busy": 2, "no-answer": 3, "fail": 1}
_CALLERS = ("+12175550141", "+13125550142", "+14155550143", "+442079460144", "anonymous")


@dataclass(frozen=True)
class Words:
    """What is said on a call, and whether an appointment is booked by it."""

    script: str
    booked: bool


_BOOKS = """
summary: The caller asked for a cleaning and the clinic confirmed an appointment on Tuesday at 3 pm.
agent: How can I help you?
caller: I'd like to book a cleaning, please.
agent: We have Tuesday at three, would that suit you?
caller: Yes, Tuesday at three is great.
agent: You're all booked for Tuesday at 3 pm. See you then!
"""
_ASKS = """
summary: The caller asked for the opening hours, and the clinic told them.
agent: How can I help you?
caller: What are your opening hours on Saturday?
agent: We are open from nine to noon.
"""
# Every word costs the emulated cloud work: most calls are short.
_SHORT = [Words(_BOOKS, booked=True), Words(_ASKS, booked=False)]
_TALKS = _SHORT * 6 + [Words(c.script, c.booked) for c in CALLS if c.clinic == "answer"]
_MESSAGES = [Words(c.script, c.booked) for c in CALLS if c.clinic != "answer"]


@dataclass(frozen=True)
class Planned:
    """A call to place, and what is said if anybody answers."""

    line: Line
    words: Words
    from_number: str
    digits: str
    clinic: str
    caller: dict[str, Any]

    def place(self, stack: Stack) -> str:
        return placing.place(
            stack,
            to=self.line.number,
            from_number=self.from_number,
            digits=self.digits,
            clinic=self.clinic,
            script=self.words.script,
            caller=self.caller,
        )


def drawn(seed: int, count: int, lines: Mapping[str, Line]) -> list[Planned]:
    """Calls to these lines, which have the names of `connected`."""
    chance = Random(seed)
    return [_drawn(chance, lines) for _ in range(count)]


def _drawn(chance: Random, lines: Mapping[str, Line]) -> Planned:
    name = _one_of(chance, {name: often for name, often in _LINES.items() if name in lines})
    clinic = "busy" if name == "messages" else _one_of(chance, _CLINIC)
    talks = clinic == "answer"
    leaves_message = not talks and chance.random() < 0.7
    hangs_up = chance.choice(("after-talk", None) if talks else ("after-message", None))
    return Planned(
        line=lines[name],
        words=chance.choice(_TALKS if talks else _MESSAGES),
        from_number=chance.choice(_CALLERS),
        digits=_one_of(chance, _DIGITS) if name == "dentist" else "",
        clinic=clinic,
        caller={"leavesMessage": leaves_message, "hangsUp": hangs_up},
    )


def _one_of(chance: Random, weights: Mapping[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def connected(stack: Stack) -> dict[str, Line]:
    """The lines of a running system, with two clinics more and a number that is nobody's."""
    lines = sample_lines(stack)
    for number, clinic in _MORE_NUMBERS.items():
        _add(stack, number, clinic)
    messages, unrecorded = list(stack.lines)[-2:]
    _point_here(stack, _UNKNOWN)
    return lines | {
        "messages": _line(stack, messages, MESSAGES_ONLY),
        "unrecorded": _line(stack, unrecorded, UNRECORDED),
        "unknown": Line(_UNKNOWN),
    }


def sample_lines(stack: Stack) -> dict[str, Line]:
    """The lines of the sample clinics."""
    dentist, physio = list(stack.lines)[:2]
    return {
        "dentist": _line(stack, dentist, DENTIST),
        "physio": _line(stack, physio, PHYSIOTHERAPIST),
    }


def _line(stack: Stack, clinic_id: str, clinic: SampleClinic) -> Line:
    names = {None: "forwardNumber", "1": "forwardNumberNew", "2": "forwardNumberExisting"}
    return Line(
        number=stack.lines[clinic_id],
        clinic_id=clinic_id,
        rings={c: clinic.forwards[name] for c, name in names.items() if name in clinic.forwards},
    )


def _add(stack: Stack, number: str, clinic: SampleClinic) -> None:
    admin = stack.as_admin()
    simulator.tell(stack, "numbers", {"phoneNumber": number})
    named = {"name": clinic.name, "timezone": clinic.timezone, "settings": clinic.settings}
    clinic_id = admin.post("/api/clinics", named, status=201)["clinicId"]
    stack.add_user(sample_clinics.create_user(admin, clinic_id, clinic), clinic_id)
    connection = {"clinicId": clinic_id, "phoneNumber": number, **clinic.forwards}
    admin.post("/api/twilio/connect", connection)
    stack.lines[clinic_id] = number


def _point_here(stack: Stack, number: str) -> None:
    """The number's URLs on Twilio are ours, and no clinic has it."""
    twilio = Client(stack.account_sid, stack.auth_token)
    twilio.api.base_url = stack.twilio_url
    found = twilio.incoming_phone_numbers.list(phone_number=number)[0]
    found.update(voice_url=f"{stack.api_url}/api/twilio/voice/incoming")
