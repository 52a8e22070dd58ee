"""Cuts what was said into clauses in one plain spelling, and keeps the way back to the very words."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class QuoteNotFoundError(ValueError):
    """A quote is not in the words that it is said to come from."""


@dataclass(frozen=True)
class Clause:
    """One sentence of a turn or of the summary, and its words in one plain spelling.

    In `plain` a space stands before each word: where a phrase may begin is found quickly by it.
    """

    speaker: str
    original: str
    words: tuple[tuple[int, int], ...]
    plain: str
    asks: bool
    start: float | None = None
    turn: int | None = None

    def original_of(self, begin: int, end: int, around: int = 0) -> str:
        """Give the words of plain[begin:end] as they were written, and some words around them."""
        first = max(0, self.plain.count(" ", 0, begin) - around)
        last = min(len(self.words), self.plain.count(" ", 0, end) + around) - 1
        return self.original[self.words[first][0] : self.words[last][1]]


@dataclass(frozen=True)
class Heard:
    """Words of a clause that mean something: plain[begin:end]."""

    act: str
    clause: Clause
    begin: int
    end: int

    @property
    def said(self) -> str:
        return self.clause.plain[self.begin : self.end]

    def before(self, words: int) -> str:
        """Give the last words before it, up to a comma."""
        said = self.clause.plain[max(0, self.begin - 60) : self.begin]
        return " " + " ".join(said.rpartition(",")[2].split()[-words:])

    def after(self) -> str:
        return self.clause.plain[self.end : self.end + 80]

    def as_evidence(self) -> dict[str, Any]:
        """Quote the sentence; of a very long one, the words that matter and some around them."""
        around = 40 if len(self.clause.words) <= 40 else 12
        quote = self.clause.original_of(self.begin, self.end, around)
        if not quote or quote not in self.clause.original:
            raise QuoteNotFoundError(f"The quote is not in the words it comes from ({self.act}).")
        if self.clause.speaker == "summary":
            return {"quote": quote, "source": "summary"}
        when = {} if self.clause.start is None else {"start": self.clause.start}
        who = {"quote": quote, "source": "transcript", "speaker": self.clause.speaker}
        return who | when


def whole(clause: Clause) -> Heard:
    return Heard("said", clause, 0, len(clause.plain))


# A word; the apostrophes inside it are dropped, so that "you're" and "youre" are one.
_WORD = re.compile(
    r"[ap]\.m\b\.?|\d{1,2}[:.]\d\d(?:[ap]m)?\b|\d+(?:st|nd|rd|th|[ap]m)?"
    r"|[^\W\d_]+(?:['\u2019`][^\W\d_]+)*|,",
    re.IGNORECASE,
)
_NOT_IN_A_WORD = re.compile(r"['\u2019`.]")
_STOP = re.compile(r"[?!;…\n]+|\.+")
_SHORTENED = re.compile(r"(?<![^\W\d_])(?:dr|mr|mrs|ms|st|prof|[a-hj-z]|[ap]\.m)$", re.IGNORECASE)

NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|1[0-2]|[1-9])"
_MINUTES = (
    r"(?:o (?:five|eight)|five|ten|fifteen|twenty(?: five)?|thirty(?: five)?|forty(?: five)?"
    r"|fifty(?: five)?|[0-5]\d)"
)
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_NTH = (
    r"(?:(?:(?:twenty|thirty) )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth"
    r"|nineteenth|twentieth|thirtieth)"
)
_NOT_OF_A_MONTH = (
    r"(?! (?:one|two|time|available|opening|thing|visit|option|floor|place|property|is|apartment"
    r"|street|st|avenue|ave|road|grade|birthday))"
)
_DAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tonight|tomorrow"
    rf"|\d+(?:st|nd|rd|th){_NOT_OF_A_MONTH}"
    rf"|{_MONTH} (?:the )?(?:\d\d?(?:st|nd|rd|th)?|{_NTH})"
    rf"|(?:\d\d?(?:st|nd|rd|th)?|{_NTH}) (?:of )?{_MONTH}|(?<=the ){_NTH}{_NOT_OF_A_MONTH}"
    r"|this (?:morning|afternoon|evening)"
)
_CLOCK = (
    rf"(?:half|quarter|ten|twenty|five) (?:past|to|after) {NUMBER}"
    rf"|\d\d?:\d\d(?: ?[ap] ?m)?|half {NUMBER}"
    rf"|{NUMBER}(?: (?:oclock|{_MINUTES}))?"
    r"(?: ?[ap] ?m| oclock| in the (?:morning|afternoon|evening))"
    rf"|{NUMBER} (?:oclock|{_MINUTES})|(?<=\bat ){NUMBER}|(?<=\bby ){NUMBER}|(?<=\baround ){NUMBER}"
    r"|noon|midday|lunchtime"
)
_TIME = re.compile(rf" (?:(?P<day>{_DAY})|{_CLOCK})(?!\S)")

# Speech recognition may give no full stops; this many words are judged at a time.
_LONGEST = 100


def is_turn(turn: object) -> bool:
    """Whether it says who spoke and what."""
    return (
        isinstance(turn, Mapping)
        and turn.get("speaker") in ("caller", "agent")
        and isinstance(turn.get("text"), str)
    )


def clauses_of_turn(turn: Mapping[str, Any], number: int) -> list[Clause]:
    start = turn.get("start")
    known = isinstance(start, int | float) and not isinstance(start, bool) and math.isfinite(start)
    return list(clauses(turn["text"], turn["speaker"], start if known else None, number))


def clauses(
    text: str, speaker: str, start: float | None = None, turn: int | None = None
) -> Iterator[Clause]:
    for begin, end in _sentences(text):
        found = list(_WORD.finditer(text, begin, end))
        asks = "?" in text[end - 3 : end]
        for first in range(0, len(found), _LONGEST):
            some = found[first : first + _LONGEST]
            plain = " " + " ".join([word.group() for word in some]).lower()
            plain = _TIME.sub(_mark, _NOT_IN_A_WORD.sub(_joined, plain))
            if plain.strip(" ,"):
                spans = tuple([word.span() for word in some])
                yield Clause(speaker, text, spans, plain, asks, start, turn)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for stop in _STOP.finditer(text):
        if stop.group() == "." and not _ends_sentence(text, stop.start()):
            continue
        yield begin, stop.end()
        begin = stop.end()
    yield begin, len(text)


def _ends_sentence(text: str, stop: int) -> bool:
    before, after = text[max(0, stop - 6) : stop], text[stop + 1 : stop + 3]
    if before[-1:].isdigit() and after[:1].isdigit():
        return False
    if before.lower().endswith(".m"):
        return after.strip()[:1].isupper()
    return not _SHORTENED.search(before)


def _joined(mark: re.Match[str]) -> str:
    between_digits = mark.group() == "." and mark.string[mark.start() - 1].isdigit()
    return ":" if between_digits else ""


def _mark(time: re.Match[str]) -> str:
    """Put a mark for a day or a time of day, as many words long as it was said in."""
    return (" DAY" if time["day"] else " CLOCK") + " _" * (time.group().count(" ") - 1)
