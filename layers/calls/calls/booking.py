"""Decides from a call's words whether an appointment was booked, and quotes the words that say so.

python -m calls.booking < conversations.jsonl > verdicts.jsonl
"""

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, BinaryIO, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ENGINE = "rules-1"

Evidence = dict[str, Any]
Appointment = dict[str, str]


class QuoteNotFoundError(ValueError):
    """A quote is not in the words that it is said to come from."""


class BadRowError(ValueError):
    """A line of the input is not a conversation."""


@dataclass(frozen=True)
class Verdict:
    """Whether an appointment was booked, how sure that is, and why.

    `booked` is None where the words do not settle it. `confidence` is the probability, 0 to 1,
    that the verdict is right. Each of `evidence` is `{"quote", "source", "speaker"?, "start"?}`,
    `source` being "transcript" or "summary" and `start` in seconds; the quote stands verbatim in
    one turn or in the summary. `appointment` holds `text`, the words as said, and `date`
    (YYYY-MM-DD) and `time` (HH:MM) only where those words leave no choice.
    """

    booked: bool | None
    confidence: float
    reason: str
    evidence: tuple[Evidence, ...] = ()
    appointment: Appointment | None = None
    engine: str = ENGINE

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict as JSON knows it."""
        return asdict(self) | {"evidence": [dict(one) for one in self.evidence]}


@dataclass(frozen=True)
class Clause:
    """One sentence of a turn or of the summary, and its words in one plain spelling."""

    speaker: str
    original: str
    words: tuple[tuple[int, int], ...]
    plain: str
    start: float | None = None

    def original_of(self, begin: int, end: int, around: int = 0) -> str:
        """Give the words of plain[begin:end] as they were written, and some words around them."""
        first = max(0, self.plain.count(" ", 0, begin) - around)
        last = min(len(self.words) - 1, self.plain.count(" ", 0, end) + around)
        return self.original[self.words[first][0] : self.words[last][1]]


@dataclass(frozen=True)
class Heard:
    """Words of a clause that mean something: plain[begin:end]."""

    act: str
    clause: Clause
    begin: int
    end: int

    def as_evidence(self) -> Evidence:
        """Quote the sentence; of a very long one, the words that matter and some around them."""
        whole = len(self.clause.words) <= 40
        around = 40 if whole else 12
        quote = {"quote": self.clause.original_of(self.begin, self.end, around)}
        if self.clause.speaker == "summary":
            return quote | {"source": "summary"}
        when = {} if self.clause.start is None else {"start": self.clause.start}
        return quote | {"source": "transcript", "speaker": self.clause.speaker} | when


@dataclass(frozen=True)
class Finding:
    """What one witness says, the transcript or the summary; booked None: it does not settle it."""

    booked: bool | None
    confidence: float
    reason: str
    proof: tuple[Heard, ...] = ()
    times: tuple[Heard, ...] = ()


# A word; the apostrophes inside it are dropped, so that "you're" and "youre" are one.
_WORD = re.compile(
    r"[ap]\.m\b\.?|\d{1,2}[:.]\d\d(?:[ap]m)?\b|\d+(?:st|nd|rd|th|[ap]m)?|[^\W\d_]+(?:['\u2019`][^\W\d_]+)*|,",
    re.IGNORECASE,
)
_NOT_IN_A_WORD = re.compile(r"['\u2019`.]")
_STOP = re.compile(r"[?!;…\n]+|\.+")
_SHORTENED = re.compile(r"(?<![^\W\d_])(?:dr|mr|mrs|ms|st|prof|[ap]|[ap]\.m)$", re.IGNORECASE)


# Speech recognition may give no full stops; this many words are judged at a time.
_LONGEST = 100


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


def _clauses(text: str, speaker: str, start: float | None = None) -> Iterator[Clause]:
    for begin, end in _sentences(text):
        found = list(_WORD.finditer(text, begin, end))
        for first in range(0, len(found), _LONGEST):
            some = found[first : first + _LONGEST]
            plain = " ".join(_NOT_IN_A_WORD.sub(_joined, word.group().lower()) for word in some)
            if plain.strip(" ,"):
                yield Clause(speaker, text, tuple(word.span() for word in some), plain, start)


def _joined(mark: re.Match[str]) -> str:
    between_digits = mark.group() == "." and mark.string[mark.start() - 1].isdigit()
    return ":" if between_digits else ""


# ---- what words mean

_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|1[0-2]|[1-9])"
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_NTH = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    r"|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|thirtieth"
    r"|twentieth|(?:twenty|thirty) (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth))"
)
_DAY = (
    rf"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tonight|tomorrow|(?:the )?\d+(?:st|nd|rd|th)"
    rf"|{_MONTH} (?:the )?(?:\d\d?(?:st|nd|rd|th)?|{_NTH})|(?:\d\d?(?:st|nd|rd|th)?|{_NTH}) (?:of )?{_MONTH}|the {_NTH}"
    r"|this (?:morning|afternoon|evening))"
)
_CLOCK = (
    rf"(?:(?:half|quarter) (?:past|to) {_NUMBER}|\d\d?:\d\d(?: ?[ap] ?m)?"
    rf"|(?:at )?{_NUMBER}(?: (?:oclock|thirty|fifteen|forty five))?"
    r"(?: ?[ap] ?m| oclock| in the (?:morning|afternoon|evening))"
    rf"|{_NUMBER} (?:oclock|thirty|fifteen|forty five|o five)|at (?:half )?{_NUMBER}|noon|midday)"
)
_PARTS = {
    "DAY": _DAY,
    "TIME": rf"(?:{_DAY}|{_CLOCK})",
    # "appo…" also takes the commonest misspellings of appointment.
    "APPT": (
        r"(?:appo[a-z]{1,8}ts?|appts?|visit|viewing|tour|consultation|consult|check ?up|cleaning"
        r"|session|haircut|exam|examination|follow up|booster|assessment|evaluation)"
    ),
    "THING": r"(?:<APPT>|booking|reservation|schedul(?:e|ing)|slot|spot|time|place|request)",
    "PLACE": (
        r"(?:<APPT>|doctors?|dentists?|therapists?|hygienist|physio[a-z]*|stylists?|salons?|clinic"
        r"|apartments?|property|vet|counsell?or|psychologist|pa?ediatrician|surgery)"
    ),
    "OTHER": (
        r"(?:ride|cab|taxi|uber|lyft|restaurants?|table|dinner|lunch|hotels?|rooms?|house|flights?"
        r"|tickets?|bus|buses|train|cars?|vehicle|rental|movies?|concert|events?|songs?|show"
        r"|prescriptions?|refill|payments?|transfer|delivery|parcel|hatchback|suv|sedan|trip)"
    ),
    "NO": r"(?:not|isnt|wasnt|hasnt|havent|cannot|cant|couldnt|if|when|once|until|unless|will|but)",
    "SO": (
        r"(?:all|now|just|also|already|already been|successfully|been|officially|then|so|have|has"
        r"|indeed|definitely|you|both|back|go ahead and|went ahead and|gone ahead and|currently)"
    ),
    "DONE": (
        r"(?:booked|scheduled?|confirmed|reserved|made|set|set up|arranged|finali[sz]ed|secured"
        r"|verified|successful|a success|done|sorted|fixed|completed?|placed|entered|went through"
        r"|went thru|gone through|penciled|pencilled|saved)"
    ),
    "I": r"(?:i|ive|we|weve|i have|we have|ill have)",
    "DID": (
        r"(?:(?:was|were) (?:successfully )?able to (?:successfully )?(?:book|schedule|make|reserve"
        r"|confirm|secure|get|fit|set up)|managed to (?:book|get|fit)|got"
        r"|booked|scheduled|reserved|made|set up|set|confirmed|secured|added|arranged|put|penciled"
        r"|pencilled|slotted|squeezed|fitted|popped|entered)"
    ),
    "THEM": r"(?:you|him|her|them|that|it|this|both|everyone)",
    "BOOK": r"(?:book|schedule|make|set up|set|arrange|get|reserve|have|fix)",
    "CALL": r"(?:call|ring|phone|buzz|contact)",
}


_NAME = re.compile(r"<([A-Z]+)>")


class _Phrases:
    """Alternative phrases, matched as whole words; compiled when first looked for, not on import."""

    def __init__(self, *patterns: str) -> None:
        self.pattern = "|".join(patterns)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        pattern = self.pattern
        while _NAME.search(pattern):
            pattern = _NAME.sub(lambda name: _PARTS[name.group(1)], pattern)
        return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")

    def all_in(self, plain: str) -> Iterator[re.Match[str]]:
        return self._compiled.finditer(plain)

    def first_in(self, plain: str, begin: int = 0, end: int | None = None) -> re.Match[str] | None:
        return self._compiled.search(plain, begin, len(plain) if end is None else end)

    def opens(self, plain: str) -> bool:
        return self._compiled.match(plain) is not None


Rules = tuple[tuple[str, _Phrases], ...]

_WAIT_LIST = _Phrases(
    r"(?:(?:put|add|pop|place|adding|putting|stick) (?:\S+ ){1,4})?(?:wait(?:ing)? ?list(?:ed)?"
    r"|cancell?ations? list|short notice list|standby)",
    r"if (?:something|anything|a slot|a spot|one|somebody|someone)(?: \S+)? (?:comes|opens|frees|cancels|becomes)",
)
_CALL_BACK = _Phrases(
    r"(?:call|ring|phone|get|come|calling|ringing|calls|rings)(?: (?:you|us|me|them|him|her))? back",
    r"<CALL> (?:you|us|me|them)(?: \S+){0,2} (?:later|tomorrow|again|when|once|with|as soon as)",
    r"(?:give|have|get) (?:\S+ ){1,4}(?:a (?:call|ring|shout)|call you|ring you|contact you)",
    r"(?:ill|i will) (?:call|ring|phone|try) again|(?:book|schedule|do) (?:it |that |this |one )?(?:online|(?:on|in|through|via) the (?:website|app))",
    r"(?:need|have|best) to (?:call|ring|phone)(?: \S+)?",
    r"(?:call|ring|phone)(?: us| in)? (?:at|tomorrow|first thing|in the morning|after|from|later)",
    r"check with (?:the )?(?:doctor|dr|dentist|nurse|vet|hygienist|manager|\S+ diary)",
)

# The order within a table is a ranking: of two matches that overlap, the earlier rule's counts.
_AGENT: Rules = (
    ("waitlist", _WAIT_LIST),
    (
        "undone",
        _Phrases(
            r"(?:unable|not able|wasnt able|werent able|couldnt|could not|cant|cannot|can not|failed"
            r"|wont be able)(?: (?!but)\S+){0,3} (?:book|schedule|make|reserve|complete|confirm|process)(?:ed|ing)?",
            r"<THING>(?: (?!<NO>)\S+){0,5} (?:failed|unsuccessful|(?:was|is|were) not (?:successful|made"
            r"|booked|confirmed|scheduled)|(?:wasnt|hasnt been|isnt|werent) (?:successful|made|booked|scheduled|confirmed)|has not been \S+|didnt go through"
            r"|(?:did|could|would) not go through|could not be \S+|couldnt be \S+|declined)",
            r"(?:was|is|were|seems to be|been|had) (?:an?|some) (?:error|problem|issue)",
            r"(?:just|already|has|was|got|just been|has been|have been) (?:been )?taken",
            r"did not succeed|didnt succeed|(?:not|isnt) possible|booking failed",
        ),
    ),
    (
        "unavailable",
        _Phrases(
            r"(?:no|not|nothing|isnt|arent|dont|havent|wont|doesnt|none|never|any)(?: (?!but)\S+){0,5}"
            r" (?:available|availability|openings?|slots|appointments|spaces?|free|left)",
            r"(?:no|not a|not any|nothing) (?:slot|slots|opening|availability|space|appointments?)",
            r"(?:fully|completely|totally|absolutely|pretty much) (?:booked|full)(?: up)?|unavailable",
            r"(?:were|we are|they are|theyre|hes|shes|he is|she is|\S+ is|\S+ are) all (?:booked|full)(?: up)?",
            r"(?:time|slot|day|one|that|\d+)(?: is| was|s| has been)(?: \S+)? (?:taken|gone|full|not free)"
            r"|(?:that|this) (?:time|slot|one|day)(?: slot)?(?: is| was|s)(?: \S+)? booked",
            r"booked (?:up|solid|out|right up|right through)|were full|chock ?a ?block|(?:are|is|were|all)(?: all)? gone|no longer available",
            r"nothing(?: \S+){0,2} (?:until|for|before|today|this week|open|on|at)",
            r"(?:not|arent) (?:taking|accepting)(?: on)?(?: any)?(?: new)? (?:patients|clients)",
            r"(?:cant|cannot|can not|couldnt|unable to|not able to|wont be able to)(?: \S+)? (?:do|find|fit|get"
            r"|squeeze|accommodate|offer|see)",
        ),
    ),
    ("callback", _CALL_BACK),
    (
        "message",
        _Phrases(
            r"(?:take|leave|pass|pass on|pass along|give|relay)(?: \S+){0,3} (?:message|note)",
            r"(?:ill|i will|well|i can) (?:let|tell|ask) (?:the )?(?:doctor|dr|dentist|nurse|vet|him|her|them)",
            r"pass (?:that|this|it)(?: \S+)? (?:on|along)",
        ),
    ),
    (
        "cancelled",
        _Phrases(
            r"(?:ive|i have|we have|weve|is|has been|thats|its|been|i) (?:now |just |all )?cancell?ed",
            r"(?:cancell?ed|taken) (?:you|that|it|him|her|your|the)(?: \S+){0,3}",
        ),
    ),
    (
        "confirm",
        _Phrases(
            r"(?:<APPT>|booking|reservation|schedul(?:e|ing)|slot|spot|place)"
            r"(?: (?!<NO>)\S+){0,10} (?:is|are|was|has|have|been|s|its|being|get|got)(?: <SO>){0,3} <DONE>",
            r"<THING> (?:successfully )?(?:booked|scheduled|confirmed|made|complete|reserved|arranged)",
            r"<I>(?: <SO>){0,2} <DID>(?: (?!<NO>)\S+){0,3} <THEM> (?:in|down|up|over|at|on|for|a|an|the|with|now)",
            r"<I>(?: <SO>){0,2} <DID> (?:(?!<NO>)\S+ ){0,4}(?:<APPT>|slot|spot|booking|reservation|schedule|visits?)",
            r"<I>(?: <SO>){0,2} (?:booked|scheduled|reserved|confirmed|secured|arranged|(?:was|were) able to"
            r" (?:book|schedule)|managed to book) <THEM>",
            r"<I>(?: <SO>){0,2} (?:got |have )?<THEM>(?: <SO>){0,2} (?:down|booked|scheduled|confirmed"
            r"|set up|set|penciled|pencilled)(?: in)?",
            r"<I>(?: <SO>)? got you in",
            r"(?:youre|you are|you have|youve|thats|that is|its|it is|it was|hes|shes|theyre|he is|she is"
            r"|they are|everything is|everythings|it has|that has|\S+s|\S+ is)(?: <SO>){0,3}"
            r" (?:booked|scheduled|confirmed|down for|penciled in|pencilled in|reserved)",
            r"(?:youre|youre all|hes|shes|theyre|you are) in (?:for|at|on|with)",
            r"(?:its|thats|youre|it is|hes|shes|theyre|\S+s) (?:all )?(?:in|on) the (?:book|books|diary|calendar|system|schedule)",
            r"(?:all )?booked (?:in|for|you)|booked and confirmed|successfully (?:booked|scheduled|made)",
            r"you (?:have )?(?:successfully|just) (?:booked|scheduled|made|make)(?: \S+){0,3}",
        ),
    ),
    (
        "moved",
        _Phrases(
            r"(?:moved|changed|switched|swapped|rescheduled) (?:you|him|her|it|them|that|your|the)(?: \S+){0,3}"
        ),
    ),
    (
        "existing",
        _Phrases(
            r"(?:you|he|she|they)(?: already| currently)? (?:have|has|ve|got|have got)(?: got)?"
            r" (?:an|your|the|a)(?: \S+){0,2} <APPT>",
            r"your(?: \S+){0,3} <APPT> is(?: still)? (?:on|at|for|with|set|<TIME>)",
            r"your (?:next|upcoming|existing|current)(?: \S+)? <APPT>|(?:remind|reminding) you|reminder",
            r"see (?:that )?(?:you|youre|your|an)(?: \S+){0,4} (?:<APPT>|down|booked|scheduled)",
        ),
    ),
    (
        "weak",
        _Phrases(
            r"all (?:set|sorted|done)|good to go|(?:youre|hes|shes) down|consider it done|done and dusted|you are set|youre set|thats done",
            r"see you(?: all| both)? (?:<TIME>|then|there|soon|at|on|next|for)|see (?:him|her|them) (?:<TIME>|then|on|at|next)",
            r"(?:look|looking) forward to (?:seeing|meeting)|expect you|expecting you",
            r"(?:ill|i will|well|we will|let me|im going to|going to|im|gonna)(?: <SO>){0,2} (?:book|put|pop|schedule"
            r"|pencil|slot|squeeze|fit|booking|putting|popping) (?:<THEM>|your <APPT>|the <APPT>|your name)"
            r"(?! (?:through|on hold|to))",
            r"(?:ill|i will|well|we will|let me)(?: <SO>)? get <THEM> (?:in|booked|scheduled|down|set up)",
            r"(?:well|we will|ill|i will) see (?:\S+ ){1,2}(?:<TIME>|then)|<I> \S+(?: \S+)? coming in",
            r"went ahead and \S+|(?:found|got|have) a (?:spot|slot|space) for you|wish (?:has been|is) granted",
            r"(?:receive|get|send|sending|sent)(?: \S+){0,2} (?:confirmation|reminder)",
            r"confirmed|booked|scheduled|it is scheduled|thats (?:booked|it booked)",
        ),
    ),
    (
        "propose",
        _Phrases(
            r"(?:would you like|do you want|shall i|should i|shall we|want me|like me|can i|may i|do you wish"
            r"|do you need|want to|wish to|would you (?:wish|want|prefer)|you wish|you like|you want)"
            r"(?: \S+){0,5} (?:<BOOK>|visit|<APPT>|come in|booking|scheduling)",
        ),
    ),
    (
        "offer",
        _Phrases(
            r"(?:how about|what about|earliest|next(?: available)?|would|does|do|could|can|have|got|theres"
            r"|there is|is|but|instead|try|offer|available|free|opening|slot|or|confirm|maybe|only)"
            r"(?: (?!not)\S+){0,9} <TIME>",
            r"<TIME>(?: \S+){0,5} (?:works?|suits?|okay|ok|any good|be good|any use)",
        ),
    ),
)
_CALLER: Rules = (
    ("waitlist", _WAIT_LIST),
    (
        "cancelling",
        _Phrases(
            r"cancel(?:l?ing)?(?: \S+){0,5} <APPT>|(?:cancel|scrap) (?:it|that|them|this|everything)"
        ),
    ),
    (
        "moving",
        _Phrases(
            r"(?:reschedule|rearrange|postpone|rebook)(?: \S+){0,4}",
            r"(?:move|change|push|push back|bring forward|bring|swap|switch|shift) (?:my|our|his|her|an|\S+s)"
            r"(?: \S+){0,3} (?:<APPT>|forward|back)",
            r"(?:move|change|swap|switch) (?:it|that)(?: \S+)? please|cant (?:make|come to|do|get to|attend) (?:my|our|it|his|her)(?: \S+){0,3}",
        ),
    ),
    (
        "request",
        _Phrases(
            r"(?:book|schedule|make|set up|arrange|reserve) (?:my|our|an|a|the|his|her)(?: \S+){0,2} <APPT>"
        ),
    ),
    (
        "existing",
        _Phrases(
            r"(?:check|confirm|verify|confirming|checking|remind me|what time is|whats|what time|when is|whens|about"
            r"|regarding|for|details of|time of|to|after|before|until|at|on|of|lost|forgotten|missed) (?:when |about |what time |of )?"
            r"(?:my|our|his|her|\S+s)(?: \S+){0,2} <APPT>",
            r"(?:i|ive|we|weve|my \S+)(?: already| do)? (?:have|has|got|have got|had)? ?(?:an|my|a|our)(?: \S+){0,2} <APPT>"
            r" (?:today|tomorrow|at|on|with|this|next|coming|booked|scheduled|for|<TIME>)",
            r"(?:my|our|his|her|the)(?: \S+){0,2} <APPT> (?:is|was|tomorrow|today|on|at|next|this)",
            r"(?:im|i am|were|hes|shes|my \S+ is|my \S+s)(?: already)? (?:booked|scheduled|down for|due in)(?: \S+)?",
            r"(?:i|we|ive|weve)(?: \S+){0,3} (?:booked|scheduled|made (?:an|my|our) <APPT>)(?: \S+){0,3}",
            r"supposed to (?:come|be|see)(?: \S+){0,3}|due (?:to come )?in|(?:checking|check) in|running (?:a bit |a little )?late|im here for",
        ),
    ),
    (
        "fresh",
        _Phrases(
            r"(?:another|new|separate|second|also|as well as|one for my)(?: \S+){0,6} <APPT>",
            r"<BOOK>(?: \S+){0,3} (?:one|<APPT>)(?: \S+){0,3} for (?:my|the|our) \S+",
        ),
    ),
    ("callback", _CALL_BACK),
    (
        "scrap",
        _Phrases(
            r"never ?mind|forget (?:it|about it|that)|leave it|scratch that",
            r"(?:dont|do not)(?: \S+){0,2} (?:book|schedule|bother)(?: \S+)?",
        ),
    ),
    (
        "decline",
        _Phrases(
            r"hold off|no need|(?:not|wont)(?: \S+)? (?:right now|now|at the moment|yet|interested|necessary|today)",
            r"(?:ill|i will|i have to|ill have to|let me|i need to|i want to|im going to|we will|well|id)"
            r"(?: \S+){0,2} (?:think|shop|talk|speak|ask|go elsewhere|look elsewhere|look around|check|leave)(?: \S+)?",
            r"(?:dont|do not|wont|no)(?: \S+){0,4} (?:book|schedule|appointment|visit)",
            r"another (?:place|practice)|somewhere else|elsewhere|too (?:expensive|far|late|much|long)",
            r"(?:no|nope|nah) ?,? (?:thanks|thank you|thats all|thats it|thats ok|thats okay|im good|its ok)",
        ),
    ),
    (
        "request",
        _Phrases(
            r"(?:<BOOK>|need|want|like|looking|after|making|booking|scheduling|needing|wanting)(?: \S+){0,5} <APPT>",
            r"(?:come|get|fit|squeeze|bring|pop)(?: \S+){0,2} in|be seen|see (?:the|a|an|dr|doctor|someone|somebody)(?: \S+)?",
            r"(?:book|schedule|reserve|set up|make) (?:it|that|one|me|us|him|her|in|this|something|for)",
            r"(?:earliest|soonest|first available|next available)(?: \S+)?",
            r"(?:any|an|the|some) (?:openings?|availability|slots?|appointments?|spaces?|space)",
        ),
    ),
    ("time", _Phrases(r"<TIME>")),
)
_BARE_TIME = _Phrases(r"<TIME>")
_NO_VISIT = _Phrases(r"(?:pick(?:ed)?|collect|collected|results?|ready|discharged)")
_HOURS = _Phrases(r"(?:open|opens|close|closes|closed|opening|hours|rating|rated|miles?|minutes?)")
_PLACE = _Phrases(r"<PLACE>")
_APPOINTMENT = _Phrases(r"<APPT>")
_OTHER = _Phrases(r"<OTHER>")
_OTHER_ASKED = _Phrases(
    r"(?:book|reserve|find|get|need|rent|order|call|want|search|make|check|reserving|booking|buy|see|like"
    r"|looking for|interested in|found|recommend|about|refill|renew|pay|transfer)(?: \S+){0,6} <OTHER>"
)
# Before a confirming phrase these make it a question, a wish or a condition.
_NOT_YET = _Phrases(
    r"(?:if|whether|once|when|until|till|unless|would|should|shall|could|can i|can you|can we|want|wants|wish|let me"
    r"|wanted|like|see if|hope|hopefully|not sure|make sure|be sure|think|never|please confirm|confirm that"
    r"|havent)"
)
_NUMBER_TO_CALL = _Phrases(r"(?:number|best)")
_ASKED_FIRST = _Phrases(
    r"(?:is|has|have|are|was|did|do|does|not|wasnt|isnt|hasnt|werent|arent|couldnt|cant)"
)
# After "I'll put you down for ten" these make it an offer.
_ASKS_AFTER = _Phrases(
    r"how does that|how is that|hows that|is that (?:ok|okay|right|correct|alright|all right|good|fine)"
    r"|(?:does|would|will) that (?:work|suit|be|sound)|sounds? (?:good|ok|okay|right)|if (?:that|you|its)|shall i|is this"
)
_ANYTHING_ELSE = _Phrases(
    r"(?:anything|something|what|any) else|else (?:i|we) can|other (?:questions?|help|assistance)"
)
_ACCEPT = _Phrases(
    r"yes|yeah|yep|yup|yea|ya|yah|sure|ok|okay|perfect|great|correct|right|fine|works|good|lovely|brilliant|absolutely"
    r"|definitely|wonderful|excellent|ideal|ill take|lets do|please do|go ahead|take it|take that|suits|thatll do"
    r"|that will do|will do|smashing|super|agreed|awesome|cool|grand|got it|it does|put me (?:down|in)|well take|can be there|go with|well be there|ill be there|can make (?:it|that)|can do that|<TIME> it is|agreeable|accurate|exactly"
)
_FIRM_ACCEPT = _Phrases(
    r"thats (?:fine|great|perfect|good|ideal|lovely|okay|ok|right|correct)|works|sounds (?:good|great|perfect|fine)"
    r"|ill take|take it|lets do|go ahead|please do|that is (?:fine|correct|right|good|great)|would be (?:great|perfect|fine|good)"
)
_DISSENT = _Phrases(
    r"no|nope|nah|not|cant|cannot|wont|wouldnt|dont|doesnt|actually|instead|rather|earlier|later|sooner|different|other"
    r"|how about|what about|make it|change|another|any other|anything else|do you have|prefer|else|maybe|might"
)
_CLOSE = _Phrases(
    r"bye|goodbye|bye bye|thanks|thank|cheers|take care|have a (?:\S+ )?(?:good|great|nice|lovely|wonderful|fantastic|day"
    r"|blessed|one)|thats all|that is all|see you|welcome|thatll be all|enjoy"
)
_ASSENT = _Phrases(
    r"yes|yeah|yep|sure|ok|okay|of course|no problem|certainly|absolutely|perfect|great|fine|lovely|thats fine|can do"
)
_MESSAGE_LEFT = _Phrases(
    r"(?:call|ring|phone|get back|text)(?: to)? (?:me|us)|call ?back|give (?:me|us) a|my (?:number|name)|leaving|message"
    r"|this is|please (?:call|ring|let)|i(?:d| would) like|i need|calling|i want|wondering|on behalf"
)


def _heard(clause: Clause, rules: Rules) -> list[Heard]:
    """Find what the clause does, in the order it does it."""
    kept: list[Heard] = []
    for act, pattern in rules:
        for match in pattern.all_in(clause.plain):
            begin, end = match.span()
            if all(end <= other.begin or other.end <= begin for other in kept):
                kept.append(Heard(act, clause, begin, end))
    return sorted(kept, key=lambda heard: heard.begin)


def _whole(clause: Clause) -> Heard:
    return Heard("said", clause, 0, len(clause.plain))


def _only_asked(heard: Heard) -> bool:
    """Whether the words before it, up to a comma, make a confirming phrase something else."""
    before = heard.clause.plain[max(0, heard.begin - 40) : heard.begin].rpartition(",")[2]
    words = before.split()[-5:]
    return bool(_NOT_YET.first_in(" ".join(words)) or _ASKED_FIRST.first_in(" ".join(words[-1:])))


# ---- the transcript


class _Course:
    """Where the talk about an appointment stands, as the turns go by.

    `state` goes from silent through asked, offered and agreed to a settled one; a later settled
    state replaces an earlier one. `purpose` is new, or what else an appointment is talked about
    for: existing, moving, cancelling.
    """

    def __init__(self) -> None:
        self.state = "silent"
        self.purpose = "new"
        self.firm = False
        self.followed = False
        self.refused = False
        self.proposed = False
        self.elsewhere = False
        self.wished_time = False
        self.wrapping_up = False
        self.proof: list[Heard] = []
        self.times: list[Heard] = []
        self.other: Heard | None = None
        self.request: Heard | None = None
        self.offer: Heard | None = None
        self.accepted: Heard | None = None
        self.full: Heard | None = None

    def settle(self, state: str, heard: Heard, firm: bool = True) -> None:
        kept: list[Heard] = []
        if state == "booked" and self.accepted:
            kept = [self.accepted]
        elif state == self.state:
            kept = self.proof[:1]
        self.state, self.firm, self.proof = state, firm, [*kept, heard]

    @property
    def negotiating(self) -> bool:
        return self.state in ("asked", "offered", "agreed")

    # -- the agent

    def agent_turn(self, clauses: Sequence[Clause]) -> None:
        if self.state == "agreed" and _ASSENT.opens(clauses[0].plain):
            self.followed = True
        self.proposed = False
        self.wrapping_up = _first(_ANYTHING_ELSE, clauses) is not None
        if self.wished_time and self.state == "asked" and _ASSENT.opens(clauses[0].plain):
            self.state, self.proof = "agreed", [_whole(clauses[0])]
        for clause in clauses:
            self.note_subject(clause)
            acts = _heard(clause, _AGENT)
            for heard in acts:
                getattr(self, "agent_" + heard.act)(heard)
            if not acts and self.negotiating and _says_time(clause):
                self.agent_offer(_whole(clause))
            self.note_time(clause)

    def note_subject(self, clause: Clause) -> None:
        other = _last(_OTHER_ASKED, clause)
        place = _last(_PLACE, clause)
        if other >= 0 or place >= 0:
            self.elsewhere = other > place

    def note_time(self, clause: Clause) -> None:
        confirming = bool(self.proof) and self.proof[-1].clause is clause
        if not self.elsewhere and (self.state != "booked" or confirming):
            self.times += _times_in(clause)

    def about_other(self, heard: Heard) -> bool:
        said = heard.clause.plain[heard.begin : heard.end]
        if _APPOINTMENT.first_in(said):
            return False
        return self.elsewhere or bool(_OTHER.first_in(heard.clause.plain))

    def agent_confirm(self, heard: Heard) -> None:
        if _only_asked(heard):
            return
        if self.about_other(heard):
            self.other = heard
        elif self.purpose == "new" or self.state == "booked":
            self.settle("booked", heard)
        else:
            self.settle(self.purpose, heard)

    def agent_weak(self, heard: Heard) -> None:
        if _only_asked(heard) or self.about_other(heard):
            return
        if self.purpose != "new":
            if self.state != self.purpose and self.state not in _SETTLED_NOT:
                self.settle(self.purpose, heard)
        elif self.negotiating and _ASKS_AFTER.first_in(
            heard.clause.plain[heard.end : heard.end + 80]
        ):
            self.agent_offer(heard)
        elif self.negotiating:
            self.settle("booked", heard, firm=False)

    def agent_moved(self, heard: Heard) -> None:
        if self.purpose != "new" and not self.about_other(heard):
            self.settle("moving", heard)
        elif self.negotiating and _says_time(heard.clause):
            self.agent_offer(heard)

    def agent_existing(self, heard: Heard) -> None:
        if _only_asked(heard) or self.state == "booked":
            return
        if self.state == "agreed":
            self.agent_weak(heard)
        elif self.state != "offered" and not self.wished_time:
            self.purpose = "existing"
            self.settle("existing", heard)

    def agent_undone(self, heard: Heard) -> None:
        if not self.about_other(heard) and (self.negotiating or self.state == "booked"):
            self.full = heard
            self.settle("unavailable", heard)

    def agent_unavailable(self, heard: Heard) -> None:
        if self.request and not self.about_other(heard) and self.state != "booked":
            self.full = heard
            self.settle("unavailable", heard)

    def agent_cancelled(self, heard: Heard) -> None:
        if self.purpose != "existing" and not self.about_other(heard):
            self.settle("cancelling", heard)

    def agent_waitlist(self, heard: Heard) -> None:
        if self.state != "booked":
            self.settle("waitlist", heard)

    def agent_callback(self, heard: Heard) -> None:
        for_the_number = _NUMBER_TO_CALL.first_in(heard.clause.plain, 0, heard.begin)
        if not (self.state == "booked" and self.firm) and not for_the_number:
            self.settle("callback", heard)

    def agent_message(self, heard: Heard) -> None:
        if self.purpose == "new" and not (self.elsewhere or self.state in ("booked", "agreed")):
            self.settle("message", heard)

    def agent_propose(self, heard: Heard) -> None:
        self.proposed = not self.about_other(heard)
        self.request = self.request or (heard if self.proposed else None)
        if self.proposed and _says_time(heard.clause):
            self.agent_offer(heard)

    def agent_offer(self, heard: Heard) -> None:
        if self.about_other(heard) or self.state == "booked" or self.purpose != "new":
            return
        said = heard.clause.plain
        if not self.request and (_HOURS.first_in(said) or _NO_VISIT.first_in(said)):
            return
        self.offer, self.state, self.proof = heard, "offered", [heard]
        self.followed = self.wrapping_up = False

    # -- the caller

    def caller_turn(self, clauses: Sequence[Clause]) -> None:
        before = self.state
        self.wished_time = False
        for clause in clauses:
            self.note_subject(clause)
            for heard in _heard(clause, _CALLER):
                getattr(self, "caller_" + heard.act)(heard)
            self.note_time(clause)
        if before == self.state and not self.wrapping_up:
            self.reply(clauses)

    def reply(self, clauses: Sequence[Clause]) -> None:
        """Take the turn as the answer to what the agent offered or proposed."""
        said = _Reply.of(clauses)
        if self.state == "offered" and said.accepts:
            if not self.accepted or len(said.heard.clause.words) < 8:
                self.accepted = said.heard
            self.state, self.proof, self.refused = "agreed", [self.accepted], False
        elif self.state == "offered" and said.dissents:
            self.state, self.refused, self.proof = "asked", True, [said.heard]
            self.accepted = None
        elif self.proposed and said.dissents and not said.accepts and self.state != "booked":
            self.settle("declined", said.heard)
        elif self.proposed and said.accepts and self.state in ("silent", "asked", *_SETTLED_NOT):
            self.state, self.refused = "asked", False

    def caller_request(self, heard: Heard) -> None:
        if self.about_other(heard):
            return
        if self.purpose == "existing" and _APPOINTMENT.first_in(heard.clause.plain):
            self.purpose = "new"
        self.request = heard
        if self.purpose == "new" and self.state not in ("booked", "offered", "agreed"):
            self.state, self.proof = "asked", [heard]

    def caller_fresh(self, heard: Heard) -> None:
        self.purpose = "new"
        self.caller_request(heard)

    def caller_time(self, heard: Heard) -> None:
        self.wished_time = self.purpose == "new" and not self.elsewhere

    def caller_cancelling(self, heard: Heard) -> None:
        if self.about_other(heard):
            return
        self.purpose = "new" if self.state == "booked" else "cancelling"
        self.settle("cancelling", heard)

    def caller_moving(self, heard: Heard) -> None:
        if self.state in ("silent", "existing") or (self.state == "asked" and not self.offer):
            self.purpose = "moving"
            self.settle("moving", heard)

    def caller_existing(self, heard: Heard) -> None:
        if self.state == "silent":
            self.purpose = "existing"
            self.settle("existing", heard)

    def caller_callback(self, heard: Heard) -> None:
        if self.state != "booked":
            self.settle("callback", heard)

    def caller_waitlist(self, heard: Heard) -> None:
        if self.state != "booked":
            self.settle("waitlist", heard)

    def caller_scrap(self, heard: Heard) -> None:
        if not self.elsewhere and self.state != "silent":
            self.settle("declined", heard)

    def caller_decline(self, heard: Heard) -> None:
        if not (self.elsewhere or self.wrapping_up) and (self.negotiating or self.proposed):
            self.settle("declined", heard)

    # -- the end

    def finding(self, turns: Sequence[Sequence[Clause]]) -> Finding:
        proof = tuple(self.proof[-2:])
        times = tuple(self.times[-6:])
        if self.full and (self.state == "declined" or (self.refused and self.state == "asked")):
            return Finding(False, 0.93, "nothing_available", (self.full, *proof[-1:]))
        if self.state == "booked":
            return Finding(True, 0.95 if self.firm else 0.85, "confirmed", proof, times)
        if self.state == "agreed":
            if self.followed and _closed(turns):
                return Finding(True, 0.75, "agreed", proof, times)
            return Finding(None, 0.5, "unsettled", proof)
        if self.state in _SETTLED_NOT:
            return Finding(False, 0.93, _SETTLED_NOT[self.state], proof)
        return self.never_settled(turns)

    def never_settled(self, turns: Sequence[Sequence[Clause]]) -> Finding:
        if self.refused:
            return Finding(False, 0.75, "declined", tuple(self.proof[-1:]))
        if self.state in ("asked", "offered") and not _closed(turns):
            return Finding(None, 0.5, "unsettled", tuple(self.proof[-1:]))
        if self.other:
            return Finding(False, 0.93, "other_transaction", (self.other,))
        if self.state in ("asked", "offered"):
            return Finding(False, 0.85, "asked_only", tuple(self.proof[-1:]))
        if (
            not _closed(turns)
            and sum(len(c.words) for t in turns for c in t if c.speaker == "caller") < 4
        ):
            return Finding(None, 0.5, "no_conversation")
        said = next(clause for turn in turns for clause in turn if clause.speaker == "caller")
        return Finding(False, 0.93, "not_discussed", (_whole(said),))


_SETTLED_NOT = {
    "unavailable": "nothing_available",
    "declined": "declined",
    "existing": "existing_appointment",
    "moving": "rescheduled",
    "cancelling": "cancelled",
    "callback": "call_back",
    "waitlist": "wait_list",
    "message": "message_left",
}


@dataclass(frozen=True)
class _Reply:
    """Whether a turn accepts what was offered, or does not."""

    accepts: bool
    dissents: bool
    heard: Heard

    @classmethod
    def of(cls, clauses: Sequence[Clause]) -> "_Reply":
        dissent = _first(_DISSENT, clauses)
        firm = _first(_FIRM_ACCEPT, clauses)
        accept = firm or _first(_ACCEPT, clauses)
        softened = (
            firm and dissent and dissent.clause.plain[dissent.begin : dissent.end] in ("no", "nah")
        )
        return cls(
            bool(accept and (not dissent or softened)),
            bool(dissent),
            accept or dissent or _whole(clauses[0]),
        )


def _first(pattern: _Phrases, clauses: Iterable[Clause]) -> Heard | None:
    for clause in clauses:
        if match := pattern.first_in(clause.plain):
            return Heard("reply", clause, *match.span())
    return None


def _last(pattern: _Phrases, clause: Clause) -> int:
    return max((match.end() for match in pattern.all_in(clause.plain)), default=-1)


def _says_time(clause: Clause) -> bool:
    return bool(_BARE_TIME.first_in(clause.plain))


def _closed(turns: Sequence[Sequence[Clause]]) -> bool:
    return any(_CLOSE.first_in(clause.plain) for turn in turns[-2:] for clause in turn)


def _from_transcript(turns: Sequence[Sequence[Clause]]) -> Finding:
    """Say what the turns settle; `turns` holds the clauses of each turn that has words."""
    speakers = {turn[0].speaker for turn in turns}
    if "caller" not in speakers:
        return Finding(None, 0.5, "no_conversation")
    if "agent" not in speakers:
        return _from_one_voice(turns)
    course = _Course()
    for turn in turns:
        if turn[0].speaker == "caller":
            course.caller_turn(turn)
        else:
            course.agent_turn(turn)
    return course.finding(turns)


def _from_one_voice(turns: Sequence[Sequence[Clause]]) -> Finding:
    said = [clause for turn in turns for clause in turn]
    if left := _first(_MESSAGE_LEFT, said):
        return Finding(False, 0.95, "message_left", (left,))
    return Finding(None, 0.5, "no_conversation", (_whole(said[0]),))


# ---- the summary

_SUMMARY_BOOKED = _Phrases(
    r"(?:scheduled|booked|confirmed|arranged|secured|finali[sz]ed|reserved|set up|made|set|accepted|secures?|books|schedules"
    r"|confirms)"
    r"(?: (?!existing|upcoming|current|call|callback|message|<NO>)\S+){0,6} (?:<APPT>|slot|booking)",
    r"(?:<APPT>|booking|slot)(?: (?!<NO>|call|callback)\S+){0,8} (?:was|is|were|has been|being|were both)(?: then| successfully"
    r"| now| subsequently| tentatively)? <DONE>(?! in error)",
    r"(?:scheduled|booked|penciled|pencilled|set)(?: (?!call|callback)\S+){0,6} (?:for|on|at|in)(?: \S+){0,4} <TIME>",
    r"(?:agreed|settled|decided) (?:on|to|upon)(?: \S+){0,4} <TIME>|finali[sz]ed the details|is (?:all )?set for",
    r"(?:able to|agreed to|proceeded to) (?:book|schedule|secure)(?: \S+){0,5} <APPT>",
)
_SUMMARY_NOT: Rules = (
    ("waitlist", _WAIT_LIST),
    (
        "moving",
        _Phrases(
            r"(?:reschedul(?:ed?|ing)|postponed?|rebooked)|(?:moved?|moving|push(?:ed)? back|chang(?:ed?|ing)) (?:it|(?:the|her|his|their|an|a)(?: \S+){0,4} <APPT>)"
        ),
    ),
    (
        "cancelling",
        _Phrases(r"cancell?(?:ed|ing)?(?: \S+){0,6} <APPT>|<APPT>(?: \S+){0,5} cancell?ed"),
    ),
    (
        "existing",
        _Phrases(
            r"(?:existing|upcoming|already scheduled|already booked|previously scheduled|next)(?: \S+){0,2} <APPT>",
            r"(?:confirm|check|verify|about|regarding|concerning|remind|of|missed|late for)(?: (?:when|what time))?"
            r" (?:her|his|their|its|an existing|an upcoming|\S+s)(?: \S+){0,2} <APPT>",
            r"already (?:has|had|have)(?: \S+){0,2} <APPT>|checked in|reminde?d?(?:ing)?(?: \S+){0,5} <APPT>|reminder",
        ),
    ),
    (
        "unavailable",
        _Phrases(
            r"(?:fully|completely) booked|booked (?:up|solid|out)|(?:no|not|nothing|without|lack of|any)(?: (?!but)\S+){0,5}"
            r" (?:available|availability|openings?|slots|appointments|free)|unavailable|unsuccessful|failed|unavailability",
            r"(?:unable|not able|could not|couldnt|cannot|did not manage) (?:to )?(?:\S+ )?(?:book|schedule|find|offer|secure"
            r"|accommodate|make|be)",
            r"not (?:accepting|taking)(?: on)?(?: any)?(?: new)? patients",
        ),
    ),
    (
        "declined",
        _Phrases(
            r"declined|decided (?:not|against)|chose not|opted (?:not|to)|(?:did not|didnt|without|does not|not)(?: \S+){0,2}"
            r" (?:book|booking|schedule|scheduling|proceed|commit|make an)",
            r"(?:no|not) <APPT> (?:was|were|has been)|(?:think about|think it over|check)(?: \S+){0,4}"
            r" (?:before|and call|and decide|first)|would think|will think",
        ),
    ),
    (
        "callback",
        _Phrases(
            r"(?:call|calls|calling|ring|phone|follow up|get|contact)(?: \S+){0,2} (?:back|later|again)|callback|call ?back"
        ),
    ),
    (
        "message",
        _Phrases(
            r"(?:left|leaving|leave|took|take|pass|passed)(?: \S+){0,3} (?:message|voicemail|note)|voicemail"
        ),
    ),
)
_SUMMARY_WISH = _Phrases(
    r"(?:<BOOK>|booking|scheduling|making|arranging|see|seen|seeking|need|needs|needed|hoping|hopes|hoped|want|wants|wanted|like|requested|requesting|requests|interested|for|visit|come)"
    r"(?: \S+){0,5} (?:<APPT>|dentist|doctor|seen|in)"
)
_SUMMARY_NOT_YET = _Phrases(
    r"(?:to|to be|to have|to get|asked|asking|asks|inquired|enquired|inquiring|about|whether|if|once|when|would|will|could"
    r"|needs|tried|attempted|wants|wanted|requested|requesting|not|no|never|had|previously|already|until|hoping|regarding"
    r"|that was|which was|being|unable)"
)


def _from_summary(clauses: Sequence[Clause]) -> Finding:
    """Say what the summary states as the outcome; a wish is none."""
    last: Heard | None = None
    for clause in clauses:
        for heard in _heard(clause, (*_SUMMARY_NOT, ("booked", _SUMMARY_BOOKED))):
            last = _later(last, heard)
    if last is None:
        return _no_outcome(clauses)
    if last.act != "booked":
        return Finding(False, 0.88, _SETTLED_NOT[last.act], (last,))
    return Finding(True, 0.88, "confirmed", (last,), tuple(_times_in(last.clause)))


def _later(last: Heard | None, heard: Heard) -> Heard | None:
    """Give the outcome that stands once `heard` was read."""
    if heard.act != "booked":
        kept = (
            last is not None
            and last.act == "booked"
            and heard.act in ("callback", "waitlist", "message", "existing", "unavailable")
        )
        return last if kept else heard
    before = (
        heard.clause.plain[max(0, heard.begin - 40) : heard.begin].rpartition(",")[2].split()[-4:]
    )
    if _SUMMARY_NOT_YET.first_in(" ".join(before)) or _of_something_else(heard):
        return last
    if last is not None and last.act in ("moving", "existing", "cancelling"):
        return last
    return heard


def _of_something_else(heard: Heard) -> bool:
    said = heard.clause.plain
    return bool(_OTHER.first_in(said) and not _APPOINTMENT.first_in(said, heard.begin, heard.end))


def _no_outcome(clauses: Sequence[Clause]) -> Finding:
    if not clauses:
        return Finding(None, 0.5, "no_conversation")
    if wish := _first(_SUMMARY_WISH, clauses):
        return Finding(None, 0.5, "unsettled", (wish,))
    return Finding(False, 0.8, "not_discussed", (_whole(clauses[0]),))


# ---- both, and the verdict


def decide(
    turns: Sequence[Mapping[str, Any]],
    summary: str | None,
    at: datetime | str | None = None,
    timezone: str | None = None,
) -> Verdict:
    """Judge a call by its transcript and its summary.

    Each turn is `{"speaker": "caller" | "agent", "text", "start"?, "end"?}`, times in seconds, in
    the order spoken. `at` is when the call began (ISO 8601 or a datetime with its zone) and
    `timezone` the clinic's IANA name. No input makes this raise, whatever is missing from a turn.
    """
    heard = [clauses for turn in turns or () if (clauses := _turn_clauses(turn))]
    told = list(_clauses(summary, "summary")) if isinstance(summary, str) else []
    if not heard:
        finding = _from_summary(told) if not turns else _never_true(_from_summary(told))
    elif told:
        finding = _together(_from_transcript(heard), _from_summary(told), heard)
    else:
        finding = _from_transcript(heard)
    evidence = _without_repeats(_verified(one) for one in finding.proof)
    appointment = _appointment(finding.times, at, timezone) if finding.booked else None
    return Verdict(finding.booked, finding.confidence, finding.reason, evidence, appointment)


def _without_repeats(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    kept: list[Evidence] = []
    for one in evidence:
        if one not in kept:
            kept.append(one)
    return tuple(kept)


def _turn_clauses(turn: object) -> list[Clause]:
    if not isinstance(turn, Mapping):
        return []
    speaker, text, start = turn.get("speaker"), turn.get("text"), turn.get("start")
    if speaker not in ("caller", "agent") or not isinstance(text, str):
        return []
    known = isinstance(start, int | float) and not isinstance(start, bool) and math.isfinite(start)
    return list(_clauses(text, speaker, start if known else None))


def _never_true(finding: Finding) -> Finding:
    return Finding(None, 0.5, "no_conversation", finding.proof) if finding.booked else finding


def _together(said: Finding, told: Finding, turns: Sequence[Sequence[Clause]]) -> Finding:
    """Weigh both witnesses: the transcript is the better one."""
    if told.booked is None:
        return said
    if said.booked is None:
        return _from_told(said, told, turns)
    if said.booked == told.booked:
        confidence = min(0.98, round(said.confidence + 0.03, 2))
        return Finding(said.booked, confidence, said.reason, said.proof + told.proof, said.times)
    both = said.proof + told.proof
    if said.confidence >= 0.9:
        return Finding(said.booked, 0.7, "conflict", both, said.times)
    return Finding(None, 0.5, "conflict", both)


def _from_told(said: Finding, told: Finding, turns: Sequence[Sequence[Clause]]) -> Finding:
    caller_spoke = any(turn[0].speaker == "caller" for turn in turns)
    if not told.booked:
        return Finding(False, 0.8, told.reason, told.proof)
    if caller_spoke and said.reason == "unsettled":
        return Finding(True, 0.75, told.reason, said.proof + told.proof, told.times)
    return Finding(None, 0.5, said.reason, said.proof + told.proof)


def _verified(heard: Heard) -> Evidence:
    """Quote what was heard, having found the quote in its turn or in the summary."""
    evidence = heard.as_evidence()
    if not evidence["quote"] or evidence["quote"] not in heard.clause.original:
        raise QuoteNotFoundError(f"The quote is not in the words it comes from ({heard.act}).")
    return evidence


# ---- when


_TOGETHER = re.compile(r"(?: |,|at|on|the|of|for|about|around|from|that is)*")


def _times_in(clause: Clause) -> list[Heard]:
    """Find when the clause speaks of: "Tuesday the 4th at half past two" is one of them."""
    whens: list[Heard] = []
    for match in _BARE_TIME.all_in(clause.plain):
        begin, end = match.span()
        if whens and _TOGETHER.fullmatch(clause.plain, whens[-1].end, begin):
            begin = whens.pop().begin
        whens.append(Heard("time", clause, begin, end))
    return whens


def _fullness(when: Heard) -> int:
    """Whether it names a day, a time of day, or both."""
    said = when.clause.plain[when.begin : when.end]
    return bool(_A_DAY.first_in(said)) + bool(_A_CLOCK.first_in(said))


_A_DAY = _Phrases(_DAY)
_A_CLOCK = _Phrases(_CLOCK)


def _appointment(
    times: Sequence[Heard], at: datetime | str | None, timezone: str | None
) -> Appointment | None:
    if not times:
        return None
    last = max(reversed(times[-6:]), key=_fullness)
    text = last.clause.original_of(last.begin, last.end)
    plain = last.clause.plain[last.begin : last.end]
    found: Appointment = {"text": text}
    if day := _date_of(plain, _local_date(at, timezone)):
        found["date"] = day.isoformat()
    if clock := _time_of(plain):
        found["time"] = clock
    return found


_CLEAR_TIME = re.compile(r"(?<!\S)(\d\d?)(?::(\d\d))? ?([ap]) ?m(?!\S)")
_CLEAR_DATE = _Phrases(rf"({_MONTH}) (?:the )?(\d\d?)(?:st|nd|rd|th)?|(today|tomorrow)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _time_of(plain: str) -> str | None:
    """Read the one time of day, if it is in figures and says a.m. or p.m."""
    found = _CLEAR_TIME.findall(plain)
    if len(found) != 1:
        return None
    hour, minute, half = int(found[0][0]), int(found[0][1] or 0), found[0][2]
    if not (1 <= hour <= 12 and minute < 60):
        return None
    return f"{hour % 12 + (12 if half == 'p' else 0):02}:{minute:02}"


def _local_date(at: datetime | str | None, timezone: str | None) -> date | None:
    """Give the clinic's date when the call began, unless either is missing or makes no sense."""
    try:
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        if not isinstance(when, datetime) or when.tzinfo is None or not timezone:
            return None
        return when.astimezone(ZoneInfo(timezone)).date()
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError, TypeError):
        return None


def _date_of(plain: str, called: date | None) -> date | None:
    """Read the one date, if it names month and day, or is today or tomorrow."""
    found = [match.groups() for match in _CLEAR_DATE.all_in(plain)]
    if called is None or len(found) != 1:
        return None
    month, day, near = found[0]
    if near:
        tomorrow = near == "tomorrow" and called < date.max
        return called + timedelta(days=tomorrow)
    return _next(_MONTHS.index(month[:3]) + 1, int(day), called)


def _next(month: int, day: int, called: date) -> date | None:
    for year in (called.year, called.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= called:
            return found
    return None


# ---- from the command line


def _judge(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as why:
        raise BadRowError(f"not JSON: {why}") from why
    if not isinstance(row, dict):
        raise BadRowError("not a JSON object")
    turns, summary = row.get("turns") or [], row.get("summary")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise BadRowError("turns must be a list of objects")
    if not isinstance(summary, str | None):
        raise BadRowError("summary must be a text or null")
    verdict = decide(turns, summary, row.get("startedAt"), row.get("timezone"))
    return {"id": row.get("id")} | verdict.as_dict()


def main(rows: BinaryIO, verdicts: TextIO, errors: TextIO) -> int:
    """Judge one conversation a line; an unreadable line gets an unknown verdict and exit code 1."""
    failed = 0
    for number, line in enumerate(rows, start=1):
        try:
            verdict = _judge(line)
        except BadRowError as why:
            failed = 1
            print(f"line {number}: {why}", file=errors)
            verdict = {"id": None} | Verdict(None, 0.0, "unreadable_row").as_dict()
        print(json.dumps(verdict), file=verdicts)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout, sys.stderr))
