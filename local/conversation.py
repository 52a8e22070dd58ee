"""A conversation written as text: who says what, the voicemail left, and the summary."""

from dataclasses import dataclass
from typing import Literal

Speaker = Literal["caller", "agent"]

# People speak about 150 words a minute.
WORDS_PER_SECOND = 2.5


class ConversationError(ValueError):
    """A line of a conversation cannot be read; the message names the line."""


@dataclass(frozen=True)
class Turn:
    """What one person says before the other speaks."""

    speaker: Speaker
    text: str

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text.split()) / WORDS_PER_SECOND)


@dataclass(frozen=True)
class Conversation:
    """What is said when the clinic answers, and what is left after the beep when it does not."""

    turns: tuple[Turn, ...] = ()
    voicemail: str | None = None
    summary: str | None = None

    @classmethod
    def from_text(cls, text: str) -> "Conversation":
        """Reads lines of `caller: …`, `agent: …`, `voicemail: …`, `summary: …` and `# …`.

        Several voicemail lines are one message. Raises ConversationError.
        """
        turns: list[Turn] = []
        voicemail: list[str] = []
        summary: str | None = None
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            match _label_and_words(number, line):
                case ("caller", words):
                    turns.append(Turn("caller", words))
                case ("agent", words):
                    turns.append(Turn("agent", words))
                case ("voicemail", words):
                    voicemail.append(words)
                case ("summary", words):
                    if summary is not None:
                        raise ConversationError(f"line {number}: a second summary")
                    summary = words
                case (label, _):
                    raise ConversationError(
                        f"line {number}: '{label}' is none of caller, agent, voicemail, summary"
                    )
        return cls(tuple(turns), " ".join(voicemail) or None, summary)


def _label_and_words(number: int, line: str) -> tuple[str, str]:
    label, colon, words = line.partition(":")
    if not colon:
        raise ConversationError(f"line {number}: no 'caller:' or other label before the words")
    if not words.strip():
        raise ConversationError(f"line {number}: nothing is said after '{label.strip()}:'")
    return label.strip().lower(), words.strip()
