"""The simulated Twilio account: everything it holds, its credentials, and its clock."""

from dataclasses import dataclass, field

from .resources import Call, Operator, PhoneNumber, Recording, Service, Transcript
from .timing import Clock
from .trace import CallTrace


@dataclass
class Account:
    """The whole account, and the clock by which everything in it happens."""

    sid: str
    auth_token: str
    api_key_sid: str
    api_key_secret: str
    base_url: str
    clock: Clock
    numbers: dict[str, PhoneNumber] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    operators: dict[str, Operator] = field(default_factory=dict)
    traces: dict[str, CallTrace] = field(default_factory=dict)
    ci_webhook_format: str = "json"

    @property
    def path(self) -> str:
        return f"/2010-04-01/Accounts/{self.sid}"

    def add_number(self, phone_number: str) -> PhoneNumber:
        number = PhoneNumber(phone_number, f"Line {phone_number[-4:]}")
        self.numbers[number.sid] = number
        return number

    def number_called(self, phone_number: str) -> PhoneNumber | None:
        return next((n for n in self.numbers.values() if n.phone_number == phone_number), None)

    def add_service(self, sid: str) -> Service:
        """An intelligence service with the two operators that clinics start with."""
        offered = (
            Operator("Sentiment Analysis", "conversation-classify", "The caller's mood"),
            Operator("Conversation Summary", "text-generation", "The call in a few sentences"),
        )
        self.operators.update({operator.sid: operator for operator in offered})
        self.services[sid] = Service(sid, [operator.sid for operator in offered])
        return self.services[sid]

    def service(self, sid_or_unique_name: str) -> Service | None:
        matching = (s for s in self.services.values() if s.unique_name == sid_or_unique_name)
        return self.services.get(sid_or_unique_name) or next(matching, None)

    def recording_url(self, recording: Recording) -> str:
        return f"{self.base_url}{self.path}/Recordings/{recording.sid}"
