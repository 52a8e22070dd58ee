"""Says what was booked: the day and time last agreed, with whom and for what, in the words used."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from calls.spoken_when import (
    Calendar,
    Clock,
    Day,
    When,
    dates,
    in_same_week,
    merged,
    plain,
    time_of,
    whens,
)

BETWEEN_PIECES = " … "  # between words that were not said in one go


class Said(NamedTuple):
    """One turn, or one sentence of the summary, with the days and times in it."""

    speaker: str
    text: str
    whens: tuple[When, ...]


def appointment(
    turns: Sequence[Mapping[str, Any]],
    settled: int | None,
    summary: str | None,
    at: datetime | None,
    timezone: str | None,
) -> dict[str, str] | None:
    """Say what was booked, or None if the words tell nothing of it.

    `settled` is the index of the turn that settled the booking, None where only the summary
    states it. `at` is when the call began, `timezone` the clinic's IANA name. `date` (YYYY-MM-DD)
    and `time` (HH:MM, the clinic's) are given only where the words leave no choice; `text`, `with`
    and `for` are words as said, pieces of one turn or the summary with " … " between them.
    """
    told = _sentences(summary or "")
    spoken = [_said(turn) for turn in turns]
    said = _agreed_part(spoken, settled) if settled is not None else told
    clock = _Now.of(at, timezone)
    agreed = _Agreed(clock.calendars)
    for turn in _newest_first(said, agreed.both):
        agreed.hear(turn)
    if settled is not None and not agreed.pieces:
        for rest in (_agreed_part(spoken, len(spoken)), told):
            for turn in _newest_first(rest, agreed.both):
                agreed.hear(turn)
    found = agreed.result(clock)
    texts = [turn.text for turn in reversed(said)] + ([summary] if summary else [])
    if whom := _with_whom(texts):
        found["with"] = whom
    if what := _for_what(texts):
        found["for"] = what
    return found or None


# ---- which turns count

_BIRTH = re.compile(r"\b(?:birth\w*|dob|born|how old|expir\w*)\b", re.IGNORECASE)
_OTHER_BUSINESS = re.compile(
    r"\b(?:tables?|restaurants?|cabs?|taxis?|flights?|hotels?|tickets?|movies?|rental|concerts?|events?|calendar"
    r"|prescriptions?|refills?|meetings?)\b",
    re.IGNORECASE,
)
_OTHER_ORDER = re.compile(  # what was said before it belongs to another matter, or after it
    r"\b(?:rent\w*|book|reserve|find|need|want|like|look\w* for|search\w* for|get|us(?:e|ing)|getting)\b(?:\W+\w+){0,5}?"
    r"\W+(?:cars?|cabs?|taxis?|rides?|table|flights?|hotels?|tickets?|restaurants?|bus|buses|rental|movies?|food)\b"
    r"|\b(?:to|on|in) my calendar\b|\b(?:car|restaurant|cab|flight|hotel|bus)\b.{0,40}\b(?:available|for you)\b",
    re.IGNORECASE,
)
_RECAP = re.compile(
    r"\b(?:see you|(?:you're|you are) (?:all )?(?:set|in|down|on|booked)|(?:have|got|put|moved|switched) you|scheduled|booked"
    r"|switch(?:ed)?|moved|changed"
    r"|confirmed|all set|down for|in for|it's in|instead|actually|sorry|correction|i meant|make it)\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:actually|can we|could we|can you|could you|make it|make that|instead|change|move|sorry|wait|rather|switch|push"
    r"|what about|how about|hold on|hang on|is there|do you have|i meant|i'll have|i'll take|put me)\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:(?:oh|um|uh|well|yeah|i'm)\W+)?(?:no|nope|not|sorry|unfortunately|i can't|i cannot|that won't|that doesn't|we can't)\b"
    r"(?! (?:problem|worries|trouble))",
    re.IGNORECASE,
)


def _said(turn: Mapping[str, Any]) -> Said:
    speaker, text = turn.get("speaker"), turn.get("text")
    if not isinstance(text, str):
        return Said("", "", ())
    return Said(str(speaker), text, tuple(whens(text)))


def _agreed_part(said: list[Said], settled: int) -> list[Said]:
    """Give the turns up to the settling one and what corrects or repeats it, each about the visit."""
    birth = False
    kept: list[Said] = []
    for at, turn in enumerate(said):
        answer = birth and turn.speaker == "caller"
        asked = bool(_BIRTH.search(turn.text))
        birth = asked or (birth and not turn.whens)
        if _OTHER_ORDER.search(turn.text):
            if at > settled:
                break
            kept = [one._replace(whens=()) for one in kept]
        if answer or _OTHER_BUSINESS.search(turn.text) or (at > settled and not _stands(said, at)):
            turn = turn._replace(whens=())
        kept.append(turn)
    return kept


def _stands(said: Sequence[Said], at: int) -> bool:
    """Say whether what a turn after the settling one says of the time was agreed too."""
    turn = said[at]
    reply = next((one for one in said[at + 1 :][:2] if one.speaker != turn.speaker), None)
    refused = reply is not None and bool(_NO.search(plain(reply.text)))
    if not turn.whens or refused:
        return False
    if turn.speaker == "agent":
        return bool(_RECAP.search(plain(turn.text)) or (at and _changes(said[at - 1])))
    return reply is not None and _changes(turn)


def _changes(turn: Said) -> bool:
    return turn.speaker == "caller" and bool(_CHANGE.search(plain(turn.text)))


_SENTENCE = re.compile(r"[^.!?;]+(?:\.(?=\S)[^.!?;]*|(?<=\bDr)\.[^.!?;]*|(?<=[ap]\.m)\.[^.!?;]*)*")
_OUTCOME = re.compile(
    r"\b(?:confirm\w*|schedul\w*|booked|books|set|agreed|finali[sz]ed|settled|reserved|accepted|chose|took|secured"
    r"|arranged|put|made|on the calendar|entered)\b",
    re.IGNORECASE,
)


def _sentences(summary: str) -> list[Said]:
    """Take the summary's sentences up to the last that states an outcome and a time as turns."""
    said = [
        Said("summary", match.group(), tuple(whens(match.group())))
        for match in _SENTENCE.finditer(summary)
    ]
    outcomes = [at for at, one in enumerate(said) if one.whens and _OUTCOME.search(one.text)]
    return said[: outcomes[-1] + 1] if outcomes else said


_PROPOSAL = re.compile(
    r"\b(?:(?:can|could|may) (?:i|we|you)|how about|what about|make it|instead|i'd|prefer|better|rather|is there|do you have|let's"
    r"|put me|sign me|book|schedule|i want|i need|please|then|i'll (?:take|do|have|go)|change|move|switch)\b|\?",
    re.IGNORECASE,
)
_PREFERENCE = re.compile(r"\b(?:prefer|better|rather|instead|actually)\b", re.IGNORECASE)
_MOST = 40
_SHORT = 5  # words: an answer rather than a tale


def _newest_first(said: Sequence[Said], same_day: "SameDay") -> Iterator["Turn"]:
    """Give the turns from the last, without lone numbers and asides that nobody took up."""
    clear = {
        when.clock.hour
        for turn in said
        for when in turn.whens
        if when.clock and not when.bare and not when.denied and when.clock.minute == 0
    }
    offered = [
        when for turn in said if turn.speaker == "agent" for when in turn.whens if not when.denied
    ][-_MOST:]
    for turn in reversed(said):
        heard = [when for when in turn.whens if not when.bare or _hour_of(when) in clear]
        text = plain(turn.text)
        if turn.speaker == "caller":
            heard = _without_asides(text, heard, offered, same_day)
        yield Turn(turn.speaker, text, turn.text, tuple(heard))


def _without_asides(
    text: str, heard: list[When], offered: Sequence[When], same_day: "SameDay"
) -> list[When]:
    """Leave out what else a caller does at what time: "school lets out at three, so four is good"."""
    shared = [when for when in heard if _taken_up(when, offered, same_day)]
    proposes = _PROPOSAL.search(text) or text.count(" ") < _SHORT
    if proposes and not any(when.clock and not when.denied for when in shared):
        return heard
    return heard if _PREFERENCE.search(text) else shared


def _taken_up(when: When, offered: Sequence[When], same_day: "SameDay") -> bool:
    """Say whether the agent too speaks of that day and time, or of none."""
    days = [one.day for one in offered if one.day]
    clocks = [one.clock for one in offered if one.clock]
    day, clock = when.day, when.clock
    if day and days and not any(same_day(day, one) for one in days):
        return False
    return not (clock and clocks and not any(_same(clock, one) for one in clocks))


def _hour_of(when: When) -> int | None:
    return when.clock.hour if when.clock else None


SameDay = Callable[[Day, Day], Day | None]


class Turn(NamedTuple):
    speaker: str
    text: str
    verbatim: str
    whens: tuple[When, ...]


# ---- the day and time that were agreed


class _Now(NamedTuple):
    """When the call began: the clinic's calendar day, or both possible ones without a time zone."""

    calendars: tuple[Calendar, ...]
    local: datetime | None = None

    @classmethod
    def of(cls, at: datetime | None, timezone: str | None) -> "_Now":
        if at is None or at.tzinfo is None or not 1 < at.year < 9000:
            return cls(())
        try:
            zone = ZoneInfo(timezone) if timezone else None
        except (ValueError, OSError, KeyError):
            zone = None
        if zone:
            local = at.astimezone(zone)
            us = (timezone or "").startswith(("America/", "US/"))
            return cls((Calendar(local.date(), us),), local)
        utc = at.astimezone(UTC)
        ends = (utc - timedelta(hours=12), utc + timedelta(hours=14))
        return cls(tuple(Calendar(end.date()) for end in ends))


_CORRECTION = re.compile(
    r"\b(?:no|actually|sorry|i mean|make that|or rather|wait|instead|but|chose|preferred|settled on|took|agreed|accepted)\b",
    re.IGNORECASE,
)
_CHOICES = (
    (re.compile(r"\bthe (?:first|former|earlier)(?: (?:one|slot|time|option))?\b", re.I), 0),
    (re.compile(r"\bthe (?:second|latter|later|last)(?: (?:one|slot|time|option))?\b", re.I), -1),
)
_MOVED = re.compile(
    r"\b(?:(?:half )?an hour|(?:one|two|a couple) hours?|[\w-]+ minutes|a (?:bit|little)) (?:later|earlier)\b",
    re.IGNORECASE,
)
_MOVED_DAY = re.compile(
    r"\b(?:day|week) (?:later|earlier|after that|before that)\b|\bthe (?:day|week) (?:after|before)[?.!]?$",
    re.I,
)
_BEFOREHAND = re.compile(r"\b(?:arrive|come|be here|get here|show up|check in)\b", re.IGNORECASE)
_EARLY = re.compile(
    r"\b(?:arrive|come|be here|get here|show up)\b.*\b(?:paperwork|forms?|early|check in|register|registration|fill)\b",
    re.IGNORECASE,
)
_FOR_THE = re.compile(r"\bfor (?:the|your|a|an|her|his)\W*$", re.IGNORECASE)
_PARTS_OF_LIFE = (
    (
        re.compile(
            r"\b(?:first thing|before (?:work|school)|fasting|fasted|breakfast|crack of dawn)\b",
            re.I,
        ),
        "morning",
    ),
    (re.compile(r"\bafter (?:work|dinner|supper)\b", re.I), "evening"),
)
_SAME_TIME = re.compile(r"\bsame time\b", re.IGNORECASE)
_OTHER_DAY = re.compile(r"\b(?:make|change|move|switch) it\b", re.IGNORECASE)


@dataclass
class _Agreed:
    """What is agreed, heard from the last turn back: the latest word on the day and time counts."""

    calendars: tuple[Calendar, ...]
    day: Day | None = None
    clock: Clock | None = None
    part: str | None = None
    day_open: bool = True  # until two different days stood to choose from
    clock_open: bool = True
    apart: bool = False  # a time of another day was heard: a time must now name its day
    same_time: bool = False  # said after that other day's time: it holds for this day too
    early: bool = False  # the time heard so far is when to come to fill in forms
    choice: int | None = None
    barred_weeks: list[int] = field(default_factory=list)
    pieces: list[tuple[Turn, When]] = field(default_factory=list)

    def hear(self, turn: Turn) -> None:
        self.barred_weeks += [
            when.day.week for when in turn.whens if when.denied and when.day and when.day.week == 0
        ]
        live = _after_corrections(turn, [when for when in turn.whens if not when.denied])
        other_day = turn.speaker == "caller" and any(when.day for when in live)
        self.same_time |= bool(
            _SAME_TIME.search(turn.text) or (other_day and _OTHER_DAY.search(turn.text))
        )
        fitting = self._fitting(live, turn)
        if fitting:
            self._take(turn, fitting)
        self._hear_part(turn)
        self.early |= bool(self.clock and _EARLY.search(turn.text))
        if not _BEFOREHAND.search(turn.text):
            self.clock_open &= self.clock is not None or not _MOVED.search(turn.text)
            self.day_open &= self.day is not None or not _MOVED_DAY.search(turn.text)
        if turn.speaker == "caller":
            for words, place in _CHOICES:
                self.choice = place if words.search(turn.text) else self.choice

    def _fitting(self, live: Sequence[When], turn: Turn) -> list[When]:
        """Give what agrees with what is known, or else what remains of the rest."""
        whole, rest = [], []
        for when in live:
            same_day = self._same_day(when)
            same_clock = when.clock is None or self.clock is None or _same(when.clock, self.clock)
            if not same_day and self.clock is None and self.same_time and not self.apart:
                rest.append(when._replace(day=None, day_at=None, part=None))
            elif not same_day:
                self.apart |= when.clock is not None and not self.same_time
            elif (
                when.clock and self.clock and self.early and _shortly_after(self.clock, when.clock)
            ):
                self.clock, self.early = None, False
                self.pieces = [(turn, one) for turn, one in self.pieces if not one.clock]
                whole.append(when)
            elif not same_clock:
                rest.append(when._replace(clock=None, clock_at=None, part=None))
            elif when.clock and not when.day and self.apart and self.clock is None:
                continue
            else:
                whole.append(when)
        if self.clock and any(when.clock for when in whole):
            return whole
        return whole or rest

    def _same_day(self, when: When) -> bool:
        return when.day is None or self.day is None or self.both(self.day, when.day) is not None

    def both(self, first: Day, second: Day) -> Day | None:
        together = merged(first, second)
        if not _fullness(first) and first.span is None and not together:
            return second  # "next week", which a day that was named before it does not contradict
        if together and any(dates(together, one) == set() for one in self.calendars):
            return None
        return together

    def _take(self, turn: Turn, fitting: Sequence[When]) -> None:
        """Make the turn's words part of what is agreed, unless they leave a choice."""
        offers = [when for when in fitting if when.day or when.clock]
        if self.choice is not None and len(offers) > 1:
            fitting, self.choice = [offers[self.choice]], None
        day, one_day = self._only_day(fitting)
        clock, one_clock = _only_clock(fitting, self.clock)
        self.pieces += [(turn, when) for when in fitting if when.day or when.clock]
        if self.day_open:
            self.day = day if one_day else None if self.day is None else self.day
            self.day_open = one_day
        if self.clock_open:
            self.clock = clock if one_clock else self.clock
            self.clock_open = one_clock
        self.part = self.part or next((when.part for when in fitting if when.part), None)

    def _hear_part(self, turn: Turn) -> None:
        for words, part in _PARTS_OF_LIFE:
            if self.part is None and words.search(turn.text):
                self.part = part

    def _only_day(self, fitting: Sequence[When]) -> tuple[Day | None, bool]:
        day = self.day
        for when in fitting:
            if when.day:
                day, known = (self.both(day, when.day) if day else when.day), day
                if day is None:
                    return known, False
        return day, True

    def result(self, now: _Now) -> dict[str, str]:
        found: dict[str, str] = {}
        day = self._date(now)
        if day:
            found["date"] = day.isoformat()
        if self.clock and self.clock_open and (time := time_of(self.clock, self.part)):
            found["time"] = time
        if _gone_by(found, now):
            del found["date"]
        if text := self._text():
            found["text"] = text
        return found

    def _date(self, now: _Now) -> date | None:
        if self.day is None or not self.day_open or not self.calendars:
            return None
        readings = [dates(self.day, calendar) for calendar in self.calendars]
        first = readings[0]
        if not first or len(first) != 1 or any(other != first for other in readings):
            return None
        (found,) = first
        loose = self.day.day is None and self.day.offset is None
        today = self.calendars[0].today
        if loose and any(in_same_week(found, today, week) for week in self.barred_weeks):
            return None
        return found

    def _text(self) -> str:
        """Give the fewest words said that show the day and the time."""
        days = [(turn, when) for turn, when in self.pieces if when.day_at]
        days.sort(key=lambda one: -_fullness(one[1].day))
        clocks = [(turn, when) for turn, when in self.pieces if when.clock_at]
        fullest = _fullness(days[0][1].day) if days else 0
        for turn, when in clocks:
            if when.day_at and _fullness(when.day) == fullest:
                return _quote(turn, (when.begin, when.end))
        words = [_quote(turn, when.day_at) for turn, when in days[:1]]
        words += [_quote(turn, when.clock_at) for turn, when in clocks[:1]]
        return BETWEEN_PIECES.join(dict.fromkeys(words))


def _quote(turn: Turn, at: tuple[int, int] | None) -> str:
    words = turn.verbatim[slice(*at)] if at else ""
    return words if words[-3:-1].lower() == ".m" else words.rstrip(" .,")


def _fullness(day: Day | None) -> int:
    if day is None:
        return 0
    if day.day is not None or day.offset is not None:
        return 3 + (day.month is not None)
    return (day.weekday is not None) + (day.weekday is not None and day.week is not None)


_SPAN = 200  # characters between two times that are looked at


def _after_corrections(turn: Turn, live: Sequence[When]) -> list[When]:
    """Leave out what the speaker took back: "Tuesday, no, Wednesday"."""
    kept: list[When] = []
    for when in live:
        between = turn.text[kept[-1].end : when.begin][-_SPAN:] if kept else ""
        if _CORRECTION.search(between) or (when.clock and _FOR_THE.search(between)):
            kept = [one for one in kept if not _rivals(one, when)]
        kept.append(when)
    return kept


def _rivals(one: When, other: When) -> bool:
    return bool((one.day and other.day) or (one.clock and other.clock))


def _only_clock(fitting: Sequence[When], known: Clock | None) -> tuple[Clock | None, bool]:
    clock = known
    for when in fitting:
        if when.clock is None:
            continue
        if clock is None:
            clock = when.clock
        elif not _same(clock, when.clock):
            return known, False
        else:
            clock = clock._replace(
                half=clock.half or when.clock.half, part=clock.part or when.clock.part
            )
    return clock, True


def _same(one: Clock, other: Clock) -> bool:
    if one.minute != other.minute:
        return False
    if max(one.hour, other.hour) > 12:
        return time_of(one) == time_of(other)
    halves = {clock.half for clock in (one, other)} - {None}
    return one.hour == other.hour and len(halves) < 2


def _shortly_after(one: Clock, other: Clock) -> bool:
    minutes = (other.hour % 12 - one.hour % 12) * 60 + other.minute - one.minute
    return 0 < minutes % 720 <= 30


def _gone_by(found: Mapping[str, str], now: _Now) -> bool:
    """Say whether date and time together lie before the call."""
    if now.local is None or "date" not in found or "time" not in found:
        return False
    return f"{found['date']} {found['time']}" < now.local.strftime("%Y-%m-%d %H:%M")


# ---- with whom, for whom and for what

_NOT_A_DAY = r"(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Jan|Feb|Mar(?:ch)?\b|Apr|May\b|June?\b|July?\b|Aug|Sep|Oct|Nov|Dec)"
_NAME = rf"[A-Z](?:[\w'\u2019-]+|\.)(?:[ ]{_NOT_A_DAY}[A-Z][\w'\u2019-]*\.?)*"
_NO_NAME = (
    r"(?!(?:is|was|has|had|can|could|will|would|said|says|and|or|on|at|in|for|to|the|a|an|that|this|your|my|our|their|then"
    r"|who|today|tomorrow|next|monday|tuesday|wednesday|thursday|friday|saturday|sunday|first|yet|before|if|about|sent"
    r"|told|just|does|did|doesn|didn|isn|around|here|there|with|from|appointment|located|are|office|near|please|visit|not|or|also|may|might|should|wants|wanted|so|um|uh|of|but)\b)"
)
_DOCTOR = re.compile(
    rf"\b(?:[Dd][Rr]\.?|[Dd]octor)[ ](?:{_NOT_A_DAY}{_NAME}|{_NO_NAME}[a-z]{{2,20}}\b)"
)
_WITH_NAME = re.compile(
    rf"\b(?<!go )(?:with|see|seeing)[ ]((?:(?:our|the)[ ](?:[a-z]+[ ]){{1,3}})?{_NOT_A_DAY}{_NAME}(?:[ ]?[,&][ ]?(?:[A-Z][\w.]*[ ]?)+)?)"
)
_OUT = re.compile(
    r"^['\u2019\s]*(?:s|is|isn't|isnt|was)?\s*(?:not|out|away|off|full|in surgery|booked|referred|sent|told|gone|on vacation)\b"
    r"|(?:^\W*(?:sent|referred|told|said))",
    re.IGNORECASE,
)
_REFERRED = re.compile(
    r"\b(?:not|instead of|from|by|returning|this is|fax\w*|costs?|covered|insured|insurance|plan|still|usually|normally)"
    r"\s+(?:the )?$",
    re.IGNORECASE,
)


def _with_whom(newest_first: Iterable[str]) -> str | None:
    """Give the name nearest to the agreement, if only one is named there."""
    for text in newest_first:
        names = [
            match.group(match.lastindex or 0).strip(" ,&.")
            for pattern in (_DOCTOR, _WITH_NAME)
            for match in pattern.finditer(text)
            if not _OUT.search(text[match.end() : match.end() + 40])
            and not _REFERRED.search(text[max(0, match.start() - 30) : match.start()])
        ]
        distinct = {name for name in names if not any(name != one and name in one for one in names)}
        if len(distinct) == 1:
            return distinct.pop()
        if distinct:
            return None
    return None


_VISITS = re.compile(
    r"\b(?:(?:new patient|annual|yearly|regular|routine|dental|teeth|deep|six[- ]month|eye|skin|hearing|physical therapy|physio|initial"
    r"|sports|well[- ]baby|well[- ]child|prenatal|full body|allergy|flu|nail|hand|fasting|diabetes|LASIK|hair|tetanus|booster)[ ]){0,3}"
    r"(?:cleanings?|clean|check[- ]?ups?|physicals?|exams?|examination|root canals?|fillings?|crowns?|x[- ]?rays?|consult(?:ation)?s?"
    r"|follow[- ]?ups?|vaccin(?:ations?|es?)|shots?|boosters?|blood ?work|blood (?:draw|test)s?|labs|ultrasound|scan|m ?r ?i|whitening|extraction"
    r"|eye test|hearing test|skin test|allergy test(?:ing)?|therapy(?: session)?|evaluation|massage|haircut|physio|biopsy|mammogram|colonoscopy"
    r"|dentures?|braces|retainer|smear(?: test)?|spay|neuter(?:ing)?|microchip|grooming|nail trim|dental|fitting)\b",
    re.IGNORECASE,
)
_WHOM = re.compile(
    r"\b[Ff]or (?:me and )?((?:my|her|his|their|our|the|him and|himself and his|herself and her)[ ](?:(?:little|older|younger|new|old)[ ])?"
    r"(?:son|daughter|child|kids?|baby|boy|girl|wife|husband|mother|father|mom|mum|dad|partner|sister|brother|grandson"
    r"|granddaughter|grandmother|grandfather|dog|cat|puppy|kitten|rabbit|bird|horse|twins)(?:,?[ ][A-Z][a-z]+)?)"
)
_NOT_NOW = re.compile(
    r"\b(?:not|had|last|already|was|were|been|after|since|don't need|no)\b(?:\s+[\w']+){0,3}\s*$",
    re.IGNORECASE,
)


def _for_what(newest_first: Sequence[str]) -> str | None:
    """Give for what and for whom, each as last named."""
    found = []
    for words in (_VISITS, _WHOM):
        named = (
            match.group(match.lastindex or 0)
            for text in newest_first
            for match in words.finditer(text)
            if not _NOT_NOW.search(text[max(0, match.start() - 40) : match.start()])
        )
        if one := next(named, None):
            found.append(one)
    return BETWEEN_PIECES.join(found) or None
