"""The calls that the demo places, and how each must end."""

from dataclasses import dataclass
from pathlib import Path

from local.sample_clinics import DENTIST, PHYSIOTHERAPIST, SampleClinic

_CONVERSATIONS = Path(__file__).parent / "conversations"


@dataclass(frozen=True)
class SampleCall:
    """In `digits`, "-" is a menu at which no key is pressed; `choice` is what the clinic reads of them."""

    title: str
    to: SampleClinic
    from_number: str
    conversation: str
    outcome: str
    booked: bool
    digits: str = ""
    choice: str | None = None
    clinic: str = "answer"
    summary_state: str = "ready"

    @property
    def script(self) -> str:
        return (_CONVERSATIONS / f"{self.conversation}.txt").read_text()


CALLS = (
    SampleCall(
        title="A new patient presses 1 and books a cleaning",
        to=DENTIST,
        from_number="+12175550131",
        digits="1",
        choice="1",
        conversation="new-patient-books-cleaning",
        outcome="answered",
        booked=True,
    ),
    SampleCall(
        title="An existing patient presses 2 and asks about an appointment",
        to=DENTIST,
        from_number="+12175550132",
        digits="2",
        choice="2",
        conversation="existing-patient-question",
        outcome="answered",
        booked=False,
    ),
    SampleCall(
        title="A caller presses no key and asks about opening hours",
        to=DENTIST,
        from_number="+12175550133",
        digits="--",
        conversation="no-key-opening-hours",
        outcome="answered",
        booked=False,
    ),
    SampleCall(
        title="Nobody answers, and a patient leaves a message about a toothache",
        to=DENTIST,
        from_number="+12175550134",
        digits="2",
        choice="2",
        clinic="no-answer",
        conversation="voicemail-toothache",
        outcome="voicemail",
        booked=False,
    ),
    SampleCall(
        title="The line is busy, a patient asks to be called back, and Twilio summarises nothing",
        to=PHYSIOTHERAPIST,
        from_number="+13125550135",
        clinic="busy",
        conversation="voicemail-callback",
        outcome="voicemail",
        booked=False,
        summary_state="failed",
    ),
    SampleCall(
        title="A new patient books a first session of physiotherapy",
        to=PHYSIOTHERAPIST,
        from_number="+13125550136",
        conversation="physio-books-first-session",
        outcome="answered",
        booked=True,
    ),
    SampleCall(
        title="A caller wants an appointment, and nothing is free",
        to=DENTIST,
        from_number="+12175550137",
        digits="2",
        choice="2",
        conversation="nothing-free",
        outcome="answered",
        booked=False,
    ),
    SampleCall(
        title="A caller who withholds the number books a check-up",
        to=DENTIST,
        from_number="anonymous",
        digits="1",
        choice="1",
        conversation="withheld-number-books",
        outcome="answered",
        booked=True,
    ),
    SampleCall(
        title="A patient moves an appointment to another day",
        to=PHYSIOTHERAPIST,
        from_number="+13125550138",
        conversation="reschedule",
        outcome="answered",
        booked=False,
    ),
)
