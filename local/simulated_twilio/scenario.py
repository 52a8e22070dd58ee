"""What the simulated caller and the clinic do on one call."""

import re
from dataclasses import dataclass
from typing import Any

from local.conversation import Conversation, Turn

CLINIC_BEHAVIOURS = ("answer", "busy", "no-answer", "fail")
HANG_UPS = ("in-menu", "while-ringing", "after-talk", "after-message")
_SMALL_TALK = (Turn("agent", "Good morning, how can I help?"), Turn("caller", "Wrong number."))
_SHORT_MESSAGE = "Hello, please call me back. Thank you."


class ScenarioError(ValueError):
    """The request for a call cannot be understood; the message says why."""


@dataclass(frozen=True)
class Scenario:
    """One call to place. In `digits`, '-' is a menu at which the caller presses nothing."""

    to: str
    from_number: str
    digits: str = ""
    clinic: str = "answer"
    conversation: Conversation | None = None
    hangs_up: str | None = None
    leaves_message: bool | None = None
    summary_when_missing: bool = False

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Scenario":
        """Raises ScenarioError, or ConversationError for its script."""
        caller = body.get("caller") or {}
        script = body.get("script")
        scenario = cls(
            to=_text(body, "to"),
            from_number=_text(body, "from"),
            digits=str(body.get("digits") or ""),
            clinic=body.get("clinic") or "answer",
            conversation=None if script is None else Conversation.from_text(script),
            hangs_up=caller.get("hangsUp"),
            leaves_message=caller.get("leavesMessage"),
            summary_when_missing=bool(body.get("summaryWhenMissing")),
        )
        if scenario.clinic not in CLINIC_BEHAVIOURS:
            raise ScenarioError(f"clinic must be one of {', '.join(CLINIC_BEHAVIOURS)}")
        if scenario.hangs_up not in (None, *HANG_UPS):
            raise ScenarioError(f"caller.hangsUp must be one of {', '.join(HANG_UPS)}")
        if not re.fullmatch(r"[0-9*#-]*", scenario.digits):
            raise ScenarioError("digits must hold only 0-9, *, # and - (silence)")
        return scenario

    @property
    def turns(self) -> tuple[Turn, ...]:
        return _SMALL_TALK if self.conversation is None else self.conversation.turns

    @property
    def message(self) -> str | None:
        """What the caller says after the beep; None is silence."""
        if self.leaves_message is False:
            return None
        if self.conversation is None or (self.leaves_message and not self.conversation.voicemail):
            return _SHORT_MESSAGE
        return self.conversation.voicemail

    @property
    def summary(self) -> str | None:
        """What the Conversation Summary operator will say; None is no result at all."""
        if self.conversation is not None and self.conversation.summary is not None:
            return self.conversation.summary
        return "The caller spoke with the clinic." if self.summary_when_missing else None


def _text(body: dict[str, Any], name: str) -> str:
    if not isinstance(body.get(name), str) or not body[name]:
        raise ScenarioError(f"'{name}' is missing")
    return str(body[name])
