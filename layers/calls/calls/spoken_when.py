"""Reads the days and times of day in spoken English, and keeps apart what could mean two things."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple


class Day(NamedTuple):
    """What was said of a day; None where nothing was said.

    `weekday` counts from Monday 0; `offset` is days from the call, `week` calendar weeks from it;
    `mode` is what stood before the weekday; `plus` is weeks after the coming such weekday; `span`
    is "in so many weeks"; `swapped` is a date in figures whose order is open;
    `months` is calendar months from the call.
    """

    weekday: int | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None
    offset: int | None = None
    week: int | None = None
    mode: str | None = None
    plus: int | None = None
    span: int | None = None
    swapped: bool | None = None
    months: int | None = None


class Clock(NamedTuple):
    """A time of day as said: `half` is "a" or "p" where it was, `part` the part of the day."""

    hour: int
    minute: int = 0
    half: str | None = None
    part: str | None = None


class When(NamedTuple):
    """A day, a time of day or both, from `begin` to `end` of a text; `denied` if it was ruled out.

    `bare` marks a lone number, which is a time only if the same hour is clearly said elsewhere.
    """

    begin: int
    end: int
    day: Day | None = None
    clock: Clock | None = None
    part: str | None = None
    bare: bool = False
    denied: bool = False
    day_at: tuple[int, int] | None = None  # where its day's words are, unless it is another's
    clock_at: tuple[int, int] | None = None


class Token(NamedTuple):
    kind: str
    value: int
    begin: int
    end: int
    word: str
    capital: bool = False


UNKNOWN_WEEK = 99  # "the week after", "the week of the 14th"
OTHER_DAY = Day(offset=-1)  # "the day after": only other words could tell which, so no date fits

# ---- words, each of one kind, so that a pattern over kinds is a pattern over words

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = "january february march april may june july august september october november december"
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_TEENS = "fifteen sixteen seventeen eighteen nineteen"
_NTHS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_NTEENTHS = "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70}

_KINDS: dict[str, str] = {
    "t": "the",
    "f": "of",
    "@": "at around about approximately roughly say",
    "J": "on",
    "I": "in mid early late",
    "F": "from",
    "A": "a an",
    "P": "past after",
    "T": "to til till",
    "B": "before by between since until through",
    "H": "half",
    "Q": "quarter",
    "O": "o'clock oclock clock",
    "N": "noon midday",
    "z": "oh o",
    "X": "next",
    "S": "this",
    "C": "coming upcoming",
    "Y": "following",
    "L": "last previous",
    "K": "week weeks",
    "D": "day days",
    "E": "now",
    "Z": "month",
    "G": "that same",
    "|": "or",
    "&": "and",
    ":": "but so",
    "U": "minute minutes min mins hour hours months year years dollars bucks percent rupees pounds"
    " euros hundred thousand people patients kids visits times degrees mg teeth bedroom bedrooms bed bath baths"
    " floor suite stars star",
    "V": "street st avenue ave road rd drive lane boulevard blvd way highway parkway court circle plaza",
    "#": "number tooth room suite unit extension ext code route apartment is_age $ # £",
    "_": "uh um er erm ah like hmm mm",
    "a": "am pm a.m p.m a.m. p.m.",
}
_WORDS: dict[str, tuple[str, int]] = {
    word: (kind, 0) for kind, words in _KINDS.items() for word in words.split()
}
_WORDS |= {name: ("w", at) for at, name in enumerate(_WEEKDAYS)}
_WORDS |= {name + "'s": ("w", at) for at, name in enumerate(_WEEKDAYS)}
_WORDS |= {
    short: ("w", at)
    for at, shorts in enumerate(("mon", "tue tues", "wed weds", "thu thur thurs", "fri"))
    for short in shorts.split()
}
_WORDS |= {name: ("m", at) for at, name in enumerate(_MONTHS.split(), 1)}
_WORDS |= {name[:3]: ("m", at) for at, name in enumerate(_MONTHS.split(), 1) if at not in (3, 5)}
_WORDS |= {"sept": ("m", 9), "march": ("M", 3), "mar": ("M", 3), "may": ("M", 5)}
_WORDS |= {word: ("n", at) for at, word in enumerate(f"{_UNITS} {_TEENS}".split())}
_WORDS |= {word: ("o", at) for at, word in enumerate(f"{_NTHS} {_NTEENTHS}".split(), 1)}
_WORDS |= {word: ("n", at) for word, at in _TENS.items()}
_WORDS |= {"eighty": ("n", 80), "ninety": ("n", 90), "twentieth": ("o", 20), "thirtieth": ("o", 30)}
_WORDS |= {"today": ("R", 0), "tonight": ("R", 0), "tomorrow": ("R", 1), "tomorrow's": ("R", 1)}
_WORDS |= {"morning": ("p", 0), "mornings": ("p", 0), "afternoon": ("p", 1), "afternoons": ("p", 1)}
_WORDS |= {"evening": ("p", 2), "night": ("p", 2), "evenings": ("p", 2)}
_WORDS |= {"weeks'": ("K", 0), "days'": ("D", 0)}
_PARTS = ("morning", "afternoon", "evening")

_LEXEME = re.compile(
    r"(?P<iso>\d{4}-\d{2}-\d{2})(?!\d)|(?P<slash>\d{1,2}/\d{1,2}(?:/\d{2,4})?)(?![\d/])"
    r"|(?P<clock>\d{1,2}[:.]\d{2})(?![\d:])|\d+\.\d+|(?P<nth>\d{1,2})(?:st|nd|rd|th)\b|(?P<figures>\d+)"
    r"|(?P<half>[ap])\.? ?m\b\.?|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)|(?P<mark>[^\w\s])",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Give the text with straight apostrophes; every character keeps its place."""
    return text.replace("\u2019", "'")


def tokens(text: str) -> list[Token]:
    """Split a text into words with their kinds, spoken numbers put together, hesitations left out."""
    found: list[Token] = []
    for match in _LEXEME.finditer(plain(text)):
        token = _token(match)
        if token is None or token.kind == "_":
            continue
        if found and token.word == found[-1].word and token.kind in "tJIA@f":
            continue  # a stutter
        if joined := _with_tens(found, token):
            found[joined[0] :] = [joined[1]]
        else:
            found.append(token)
    return found


def _token(match: re.Match[str]) -> Token | None:
    said = match.group().lower()
    begin, end = match.span()
    group = match.lastgroup
    if group is None:
        return Token("x", 0, begin, end, said)
    if group == "word":
        if match.group() in ("Sat", "Sun"):
            return Token("w", 5 + (said == "sun"), begin, end, said)
        kind, value = _WORDS.get(said, ("x", 0))
        if kind == "x" and said.endswith("'s"):
            kind, value = _WORDS.get(said[:-2], ("x", 0))
        if kind == "x" and said.endswith("'ll"):
            kind, value = _WORDS.get(said[:-3], ("x", 0))
        return Token(kind, value, begin, end, said, match.group()[0].isupper())
    if group == "mark":
        kinds = {
            ",": ",",
            "-": "-",
            "\u2013": "-",
            "$": "#",
            "#": "#",
            "@": "@",
            "'": "_",
            '"': "_",
        }
        return Token(kinds.get(said, "."), 0, begin, end, said)
    return _figures(group, match, Token("x", 0, begin, end, said))


def _figures(group: str, match: re.Match[str], token: Token) -> Token:
    if group == "figures":
        kind = {1: "n", 2: "n", 3: "h", 4: "h"}.get(len(token.word), "x")
        value = int(token.word[:4])
        if len(token.word) == 4 and 1900 <= value < 2100:
            kind = "y"
        return token._replace(kind=kind, value=value)
    if group == "nth":
        return token._replace(kind="o", value=int(match["nth"]))
    kinds = {"iso": "i", "slash": "s", "clock": "c", "half": "a"}
    return token._replace(kind=kinds[group])


def _with_tens(found: Sequence[Token], token: Token) -> tuple[int, Token] | None:
    """Put "twenty" and "fourth" together, hyphen or not; say from which token on."""
    at = len(found) - (2 if found and found[-1].kind == "-" else 1)
    if token.kind not in "no" or not 1 <= token.value <= 9 or token.word.isdigit() or at < 0:
        return None
    tens = found[at]
    if tens.kind != "n" or tens.word not in (*_TENS, "eighty", "ninety"):
        return None
    word = f"{tens.word} {token.word}"
    return at, Token(token.kind, tens.value + token.value, tens.begin, token.end, word)


# ---- days: patterns over the kinds, first match wins

Read = Callable[[Sequence[Token]], Day | None]


def _value(said: Sequence[Token], kinds: str, otherwise: int | None = None) -> int | None:
    return next((token.value for token in said if token.kind in kinds), otherwise)


def _calendar_day(said: Sequence[Token]) -> Day | None:
    month, weekday = _value(said, "mM"), _value(said, "w")
    day = _value(said, "o") or _value(said, "n")
    if said[-1].word == "one":
        return None  # "the July one"
    return Day(weekday, day, month) if day and 1 <= day <= 31 else None


def _in_figures(said: Sequence[Token]) -> Day | None:
    token = said[-1]
    numbers = [int(part) for part in re.split("[-/]", token.word)]
    if token.kind == "i":
        whole = 1 <= numbers[1] <= 12 and 1 <= numbers[2] <= 31
        return Day(_value(said, "w"), numbers[2], numbers[1], numbers[0]) if whole else None
    first, second = numbers[:2]
    year = numbers[2] % 100 + 2000 if len(numbers) > 2 else None
    if len(numbers) > 2 and 1900 <= numbers[2] < 2000:
        year = numbers[2]
    month, day = (first, second) if first <= 12 else (second, first)
    both = first <= 12 and second <= 12 and first != second
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Day(_value(said, "w"), day, month, year, swapped=both or None)


def _in_months(said: Sequence[Token], months: int) -> Day:
    return Day(day=_value(said, "o"), months=months)


def _weeks(said: Sequence[Token]) -> int:
    return _value(said, "n", 1) or 1


def _from_day(said: Sequence[Token]) -> Day:
    start = _value(said, "R", 0) or 0
    length = 7 if _has(said, "K") else 1
    return Day(offset=start + length * _weeks(said))


def _has(said: Sequence[Token], kind: str) -> bool:
    return any(token.kind == kind for token in said)


def _mode(said: Sequence[Token]) -> Day:
    kinds = {token.kind for token in said}
    mode = (
        "coming" if "C" in kinds else "next" if "X" in kinds else "this" if "S" in kinds else None
    )
    return Day(_value(said, "w"), mode=mode)


_DAYS: tuple[tuple[str, Read], ...] = (
    (r"(?:w,?J?)?i", _in_figures),
    (r"(?:w,?J?)?s", _in_figures),
    (r"(?:w,?J?)?t?of?t?[mM]", _calendar_day),
    (r"(?:w,?J?)?n[mM]", _calendar_day),
    (r"(?:w,?J?)?[mM]t?(?:o|n(?![aO]))", _calendar_day),
    (r"[XSC]{0,2}w,?J?t?o", _calendar_day),
    (r"w,?tn(?![naO])", _calendar_day),
    (r"t?ofXZ|XZ,?J?to", lambda said: _in_months(said, 1)),
    (r"t?ofSZ", lambda said: _in_months(said, 0)),
    (r"t?DP[R]", lambda said: Day(offset=1 + (_value(said, "R") or 0))),
    (r"[An]KF?[ER]|[An]DF[ER]", _from_day),
    (r"[An]K(?:F|J)?[SCX]{0,2}w", lambda said: Day(_value(said, "w"), plus=_weeks(said))),
    (r"RK", lambda said: Day(offset=7 + said[0].value)),
    (r"I[An]KJ?w|wI[An]K", lambda said: Day(_value(said, "w"), span=_weeks(said))),
    (r"I[An]K", lambda said: Day(span=_weeks(said))),
    (r"I[n]D", lambda said: Day(offset=_weeks(said))),
    (r"t?wPX", lambda said: Day(_value(said, "w"), plus=1)),
    (r"t?XK,?J?t?w|w,?f?t?XK", lambda said: Day(_value(said, "w"), week=1)),
    (r"SK,?J?t?w|w,?f?SK", lambda said: Day(_value(said, "w"), week=0)),
    (r"t?Yw|t?w[GXS]{0,2}Y?GK", lambda said: Day(_value(said, "w"), week=UNKNOWN_WEEK)),
    (r"t?DP|t?[XY]D", lambda said: OTHER_DAY),
    (r"wK(?![PS])", lambda said: Day(said[0].value, plus=1)),
    (r"[XSC]{0,2}w", _mode),
    (r"to", _calendar_day),
    (r"o", _calendar_day),
    (r"R", lambda said: Day(offset=said[0].value)),
    (r"S(?=p)", lambda said: Day(offset=0)),
    (r"t?KPX", lambda said: Day(week=2)),
    (r"t?XK", lambda said: Day(week=1)),
    (r"SK", lambda said: Day(week=0)),
    (r"t?Kf(?:[mM]?t?o|[mM]n)?|t?KP(?!t?[mMowR])|t?YK|GK", lambda said: Day(week=UNKNOWN_WEEK)),
    (r"[XS]Z", lambda said: Day(months=int(said[0].kind == "X"))),
    (r"[If]-?[mM]", lambda said: Day(month=_value(said, "mM"))),
)
_DAY_PATTERNS = [(re.compile(pattern), read) for pattern, read in _DAYS]

_NOT_A_DAY = {"floor", "street", "avenue", "ave", "grade", "time", "one", "ones", "visit", "thing"}
_NOT_A_DAY |= {"available", "option", "birthday", "appointment", "slot", "opening", "dose", "week"}


def _a_day(said: Sequence[Token], day: Day, before: str, after: Sequence[Token]) -> bool:
    """Say whether a lone "the second" or "14th" is a day of the month."""
    if said[-1].kind != "o" or day.weekday is not None or day.month is not None:
        return True
    following = after[0] if after else None
    if following and following.kind == "w" and (day.day or 0) < 6:
        return False  # "the second Tuesday"
    if following and (following.word in _NOT_A_DAY or following.kind == "U"):
        return False
    if said[-1].word[0].isdigit() or before == "J":
        return True
    if not _has(said, "t"):
        return False
    if (day.day or 0) > 3:
        return True
    return following is not None and following.kind == "@"


def _year(after: Sequence[Token]) -> tuple[int, int]:
    """Give the year that follows a date, 0 if none, and how many words say it."""
    skipped = 1 if after and after[0].kind == "," else 0
    words = after[skipped : skipped + 2]
    if not words:
        return 0, 0
    if words[0].kind == "y":
        return words[0].value, skipped + 1
    if words[0].kind != "n":
        return 0, 0
    if len(words) == 2 and words[1].kind == "n" and words[0].value in (19, 20):
        return words[0].value * 100 + words[1].value, skipped + 2
    if words[0].value >= 60:
        return 1900 + words[0].value, skipped + 1
    return 0, 0


# ---- times of day


def _clock(hour: int, minute: int = 0) -> Clock | None:
    return Clock(hour, minute) if 0 <= hour < 24 and 0 <= minute < 60 else None


def _numbers(said: Sequence[Token]) -> list[int]:
    return [token.value for token in said if token.kind == "n"]


def _to_the_hour(minutes: int, hour: int) -> Clock | None:
    return _clock((hour - 2) % 12 + 1, 60 - minutes) if 1 <= hour <= 12 else None


def _past(minutes: int, hour: int) -> Clock | None:
    return _clock(hour, minutes) if 1 <= hour <= 12 else None


def _figured(said: Sequence[Token]) -> Clock | None:
    token = next(token for token in said if token.kind in "ch")
    if token.kind == "c":
        hour, minute = re.split("[:.]", token.word)
        return _clock(int(hour), int(minute))
    hour_of, minute_of = divmod(token.value, 100)
    return _clock(hour_of, minute_of) if minute_of % 5 == 0 and hour_of else None


def _minutes_past(said: Sequence[Token]) -> Clock | None:
    minutes, hour = _numbers(said)
    return _past(minutes, hour) if minutes % 5 == 0 and 5 <= minutes <= 30 else None


def _minutes_to(said: Sequence[Token]) -> Clock | None:
    minutes, hour = _numbers(said)
    return _to_the_hour(minutes, hour) if minutes in (5, 10, 20, 25) else None


def _two_numbers(said: Sequence[Token]) -> Clock | None:
    hour, minute = _numbers(said)
    if not 1 <= hour <= 12 or not ((minute % 5 == 0 and minute >= 10) or _has(said, "z")):
        return None
    return _clock(hour, minute)


def _hour(said: Sequence[Token]) -> Clock | None:
    hour = _numbers(said)[0]
    return _clock(hour) if 1 <= hour <= (23 if _has(said, "O") else 12) else None


ReadClock = Callable[[Sequence[Token]], Clock | None]
_CLOCKS: tuple[tuple[str, ReadClock], ...] = (
    (r"HPn", lambda said: _past(30, said[-1].value)),
    (r"Hn", lambda said: _past(30, said[-1].value)),
    (r"A?QPn", lambda said: _past(15, said[-1].value)),
    (r"A?Q[Tf]n", lambda said: _to_the_hour(15, said[-1].value)),
    (r"nPn", _minutes_past),
    (r"(?<=[@t])nTn", _minutes_to),
    (r"nTn", lambda said: _minutes_to(said) if said[0].value >= 20 else None),
    (r"nfn", _minutes_to),
    (r"n?N", lambda said: Clock(12, 0, "p")),
    (r"c", _figured),
    (r"h(?=a)|(?<=@)h|(?<=w)h", _figured),
    (r"n-?z-?n", _two_numbers),
    (r"n-?n(?!n)", _two_numbers),
    (r"nz?O", _hour),
    (r"n(?=a)", _hour),
    (r"(?<=@)n", _hour),
    (r"n", _hour),
)


def _counts(after: Sequence[Token], bare: bool) -> bool:
    """Say whether a lone number counts what follows it: "about 10 apartments", "3 left"."""
    if not after or after[0].kind != "x" or after[0].word in _AFTER_BARE:
        return False
    return bare or (after[0].word.endswith("s") and len(after[0].word) > 4)


_AFTER_BARE = {
    "works",
    "is",
    "good",
    "fine",
    "sounds",
    "then",
    "it",
    "please",
    "would",
    "will",
    "okay",
}
_AFTER_ONE = re.compile(r"[.,:&|aOwRJpSXmMto-]|It?p|$")


def _pronoun(kinds: str, at: int) -> bool:
    """Say whether "one" stands for something, as in "the Tuesday one"; "at one" is a time."""
    if kinds[at + 1 : at + 2] in ("a", "O"):
        return False
    return kinds[at - 1 : at] != "@" or not _AFTER_ONE.match(kinds, at + 1)


_CLOCK_PATTERNS = [(re.compile(pattern), read) for pattern, read in _CLOCKS]
_PART = re.compile(r",?(?:[I@]t?|t|S|J?t)?p")
_RANGE = re.compile(r"[T-]")


_NUMBERS = ("n", "h", "z")
_PLACED = ("located", "address", "live", "lives")


def _amount(kinds: str, begin: int, end: int) -> bool:
    """Say whether the figures count something, or are a piece of a longer number."""
    before, after = kinds[max(0, begin - 1) : begin], kinds[end : end + 1]
    return (
        after in ("U", "K", "D") or before == "#" or before in _NUMBERS or after in (*_NUMBERS, "y")
    )


def _address(said: Sequence[Token], kinds: str, begin: int, end: int) -> bool:
    """Say whether "330" is a house or telephone number: "at 330 Main Street", "at 415-555-0100"."""
    if kinds[begin:end] not in ("h", "n") or kinds[end : end + 1] in ("a", "O"):
        return False
    if "V" in kinds[end : end + 5].split(".")[0] or said[max(0, begin - 2)].word in _PLACED:
        return True
    following = said[end : end + 1]
    named = following and following[0].kind == "x" and following[0].capital
    return kinds[begin:end] == "h" and (kinds[end : end + 1] == "-" or bool(named))


# ---- a text's days and times


def whens(text: str, most: int = 40) -> list[When]:
    """Find the last so many days and times that a text speaks of, a day and its time together."""
    said = tokens(text)
    kinds = "".join(token.kind for token in said)
    single = list(_singles(said, kinds))[-most:]
    return _together(_without_ranges(single, kinds, plain(text)), kinds)


Placed = tuple[When, int, int]  # with its first word and the word after its last


def _singles(said: Sequence[Token], kinds: str) -> Iterator[Placed]:
    at = 0
    while at < len(said):
        placed = _day_at(said, kinds, at) or _clock_at(said, kinds, at) or _part_at(said, at)
        if placed:
            yield placed
        at = placed[2] if placed else at + 1


def _day_at(said: Sequence[Token], kinds: str, at: int) -> Placed | None:
    if said[at].kind not in "wisomMntDAXSCRIYKGf":
        return None
    for pattern, read in _DAY_PATTERNS:
        match = pattern.match(kinds, at)
        day = read(said[at : match.end()]) if match else None
        if not match or not day:
            continue
        to = match.end()
        if not _a_day(said[at:to], day, kinds[at - 1] if at else "", said[to : to + 1]):
            continue
        if day.month and day.day and not day.year:
            year, words = _year(said[to : to + 3])
            day, to = day._replace(year=year or None), to + words
        part = _PART.match(kinds, to)
        named = _PARTS[said[part.end() - 1].value] if part else None
        to = part.end() if part else to
        evening = "evening" if said[to - 1].word == "tonight" else None
        when = When(said[at].begin, said[to - 1].end, day, part=named or evening)
        past = at > 0 and said[at - 1].word in _PAST
        if _after_a_feast(said[to : to + 3]):
            when = when._replace(day=day._replace(week=UNKNOWN_WEEK))
        return when._replace(denied=past), at, to
    return None


_PAST = ("last", "previous", "past")
_AFTER_MEALS = {
    "lunch",
    "work",
    "school",
    "breakfast",
    "dinner",
    "class",
    "your",
    "his",
    "her",
    "my",
    "a",
    "all",
}


def _after_a_feast(after: Sequence[Token]) -> bool:
    """Say whether "after Easter", "after that" or a bare "after" follows a day."""
    if not after or after[0].word not in ("after", "following"):
        return False
    return len(after) == 1 or (after[1].kind in "x.,G" and after[1].word not in _AFTER_MEALS)


def _clock_at(said: Sequence[Token], kinds: str, at: int) -> Placed | None:
    if said[at].kind not in "HAQnNch":
        return None
    for pattern, read in _CLOCK_PATTERNS:
        match = pattern.match(kinds, at)
        clock = read(said[at : match.end()]) if match else None
        if not match or not clock or _amount(kinds, at, match.end()):
            continue
        if _address(said, kinds, at, match.end()):
            continue
        if match.end() == at + 1 and said[at].word == "one" and _pronoun(kinds, at):
            continue
        to = match.end()
        if to < len(said) and said[to].kind == "a":
            clock, to = clock._replace(half=said[to].word[0]), to + 1
        part = _PART.match(kinds, to)
        if part:
            clock, to = clock._replace(part=_PARTS[said[part.end() - 1].value]), part.end()
        bare = to - at == 1 and kinds[at] == "n" and kinds[at - 1 : at] != "@"
        if to - at == 1 and _counts(said[to : to + 1], bare):
            continue
        return (
            When(said[at].begin, said[to - 1].end, clock=clock, part=clock.part, bare=bare),
            at,
            to,
        )
    return None


_NO_PART = {"good", "every", "last", "each", "yesterday", "one"}


def _part_at(said: Sequence[Token], at: int) -> Placed | None:
    """Find a part of the day alone, which can tell what "at seven" is."""
    token = said[at]
    if token.kind != "p" or (at and said[at - 1].word in _NO_PART):
        return None
    return When(token.begin, token.end, part=_PARTS[token.value]), at, at + 1


def _without_ranges(found: Sequence[Placed], kinds: str, text: str) -> list[Placed]:
    """Rule out "from two to four", "between two and four", "after two" and what words rule out."""
    kept: list[Placed] = []
    for when, at, to in found:
        before = kinds[max(0, at - 2) : at].rstrip("@t")[-1:]
        vague = (
            when.clock is not None
            and before in ("P", "B", "T", "F")
            and not text[max(0, when.begin - 4) : when.begin].lower().endswith(" to ")
        )
        last = kept[-1] if kept else None
        if last and when.clock and last[0].clock:
            between = kinds[last[2] : at]
            bounded = between == "&" and kinds[last[1] - 1 : last[1]] == "B"
            if bounded or _RANGE.fullmatch(between):
                kept[-1] = (last[0]._replace(denied=True), last[1], last[2])
                vague = True
        denied = when.denied or vague or ruled_out(text, when.begin, when.end)
        kept.append((when._replace(denied=denied), at, to))
    return kept


_BREAK = re.compile(
    r"[.?!;]\s|,|\b(?:but|so|or|and|how about|what about|would|maybe|perhaps|let's"
    r"|(?:i|we)(?: have|'ve got)|there's)\b",
    re.IGNORECASE,
)
_RULED_OUT_BEFORE = re.compile(
    r"(?<!why )(?<!whether or )\b(?:not|can't|cannot|cant|won't|wont|don't|dont|doesn't|doesnt|isn't|isnt|no|nothing|never|instead of"
    r"|rather than|except|unless|out|away|full|fully booked|booked up)(?!\s+(?:problem|worries|trouble|later than))(?:\s+[\w']+){0,3}\s*$"
    r"|\b(?:unable to|couldn't|could not|not able to|impossible to)(?:\s+[\w']+){0,8}\s*$",
    re.IGNORECASE,
)
_RULED_OUT_AFTER = re.compile(
    r"\s*(?:\s[\w']+){0,2}?\s(?:not(?! a problem)|won't|wont|doesn't|doesnt|isn't|isnt|can't(?! wait)|cannot|cant|full|gone|taken"
    r"|booked (?:up|solid|out)|closed|unavailable|busy|slots are gone)\b",
    re.IGNORECASE,
)
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:born|birth\w*|since|remind\w*|reminder|(?:call|text|email|ring|phone) (?:you|me|us|back|them)|clos(?:e|es|ed)"
    r"|(?:we|we're|are|is) open|hours|arrive|get (?:there|here|off)|check in|off work|expir\w*|date is|faxed|starts?|starting|lunch|had (?:it|one|hers|his|mine|that))"
    r"\b[^.?!]*$",
    re.IGNORECASE,
)
_OWN_DAY = re.compile(  # what else happens then
    r"\b(?:leav(?:e|es|ing)|finish(?:es)?|gets? (?:off|out|home|back)|lets? out|off at|out at|done (?:at|by)|works?|working|shift|school|class"
    r"|practice|game|meeting|flight|lands?|bus|train|naps?|ends?|over at|happened|woke|ate|due|pick(?:ing)? up|drop(?:ping)? off|vacation"
    r"|trip|moving|(?:be|am|is|i'm|she's|he's|we're|they're) (?:back|away|off|gone)|payroll|rounds|surgery|wedding|funeral|it was|i was|saw)"
    r"(?:\s+[\w']+){0,3}\s*$",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"\b(?:else|help|assist|how are|thank\w*|for you)\b[^.?!]*$", re.IGNORECASE
)
_LEFT, _RIGHT = 60, 40  # characters that are looked at on each side


def ruled_out(text: str, begin: int, end: int) -> bool:
    """Say whether the words around a day or time say that it is not the one, or not of a visit."""
    left = text[max(0, begin - _LEFT) : begin]
    sentence = re.split(r"[.?!;]\s", left)[-1]
    if _OF_SOMETHING_ELSE.search(sentence):
        return True
    if text[begin:end].lower() == "today" and _SMALL_TALK.search(sentence):
        return True
    near = _BREAK.split(left)[-1]
    if _OWN_DAY.search(near):
        return True
    right = _BREAK.split(text[end : end + _RIGHT], maxsplit=1)[0]
    return bool(_RULED_OUT_BEFORE.search(near) or _RULED_OUT_AFTER.match(right))


_GAP = 6  # words between a day and its time: "Thursday with Doctor Chen at three"


def _together(found: Sequence[Placed], kinds: str) -> list[When]:
    """Put a day and its time together; a further time in the sentence is of the same day."""
    kept: list[When] = []
    ends: list[int] = []
    for when, at, to in found:
        last = kept[-1] if kept else None
        between = kinds[ends[-1] : at] if ends else ""
        close = len(between) <= (1 if last and last.bare else _GAP)
        close = close and not set(between) & set(".|:")
        words = (when.begin, when.end)
        when = when._replace(
            day_at=words if when.day else None, clock_at=words if when.clock else None
        )
        if last and close and last.denied == when.denied and (joined := _joined(last, when)):
            kept[-1], ends[-1] = joined, to
            continue
        if last and last.clock and when.clock and between in ("|", ",|", ","):
            listed = last.bare and when.bare and between == ","
            when = when._replace(bare=listed)  # "nine, ten thirty or two"
            kept[-1] = last = last._replace(bare=listed)
        further = last and when.clock and not when.day and len(between) < 4 and "." not in between
        if last and further:
            when = when._replace(day=last.day)
        kept.append(when)
        ends.append(to)
    return kept


def _joined(first: When, second: When) -> When | None:
    if not (first.day or first.clock) or not (second.day or second.clock):
        return None
    if first.day and second.day:
        both = merged(first.day, second.day)
        if both is None or (first.day.day and second.day.day) or first.clock:
            return None
        words = (first.begin, second.end)
        part = first.part or second.part
        return first._replace(end=second.end, day=both, part=part, day_at=words)
    if (first.clock and second.clock) or not (first.clock or second.clock):
        return None
    if first.bare and not second.day:
        return None
    return When(
        first.begin,
        second.end,
        first.day or second.day,
        first.clock or second.clock,
        first.part or second.part,
        denied=first.denied,
        day_at=first.day_at or second.day_at,
        clock_at=first.clock_at or second.clock_at,
    )


# ---- which date that is


class Calendar(NamedTuple):
    """The day of the call, and whether figures there give the month first."""

    today: date
    month_first: bool = False


def merged(first: Day, second: Day) -> Day | None:
    """Give what both say of one day, or None if they speak of different ones."""
    both: list[Any] = []
    for one, other in zip(first, second, strict=True):
        if one is not None and other is not None and one != other:
            return None
        both.append(other if one is None else one)
    return Day(*both)


def dates(said: Day, calendar: Calendar) -> set[date] | None:
    """Give every date that the words can mean, none if they contradict, None if they are too few."""
    today = calendar.today
    if said.offset is not None:
        found = {today + timedelta(said.offset)}
    elif said.day is not None:
        found = _of_the_month(said, calendar)
        if said.weekday is not None and (said.mode or said.week is not None or said.plus):
            found &= _of_the_week(said, said.weekday, today)
    elif said.weekday is not None:
        found = _of_the_week(said, said.weekday, today)
    elif said.span is not None:
        found = {today + timedelta(7 * said.span)}
    else:
        return None
    return {one for one in found if one >= today and _agrees(said, one)}


def _agrees(said: Day, one: date) -> bool:
    return (
        said.weekday in (None, one.weekday())
        and (said.swapped or said.day in (None, one.day))
        and (said.swapped or said.month in (None, one.month))
        and said.year in (None, one.year)
    )


def _of_the_month(said: Day, calendar: Calendar) -> set[date]:
    today, day = calendar.today, said.day or 0
    if said.month is not None:
        found = _in_month(said, said.month, day, today)
        if said.swapped and not calendar.month_first:
            found |= _in_month(said, day, said.month, today)
        return found
    if said.months is not None:
        return {one} if (one := _made(today.year, today.month + said.months, day)) else set()
    coming = [one for at in range(14) if (one := _made(today.year, today.month + at, day))]
    coming = [one for one in coming if one >= today]
    if coming and coming[0] == today and said.weekday is None:
        return set(coming[:2])  # of today one says "today"
    return set(coming[:1])


_JUST_PAST = timedelta(60)  # a day so shortly past is rather misheard than meant for next year


def _in_month(said: Day, month: int, day: int, today: date) -> set[date]:
    if said.year is not None:
        return {one} if (one := _made(said.year, month, day)) else set()
    this, following = _made(today.year, month, day), _made(today.year + 1, month, day)
    if this and this >= today:
        return {this}
    if this and today - this <= _JUST_PAST and said.weekday is None:
        return set()
    return {following} if following else set()


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year + (month - 1) // 12, (month - 1) % 12 + 1, day)
    except ValueError:
        return None


def _of_the_week(said: Day, weekday: int, today: date) -> set[date]:
    """Give the dates that a weekday can mean; weeks may begin on Sunday or on Monday."""
    ahead = (weekday - today.weekday()) % 7
    coming = today + timedelta(ahead)
    named = {coming} if ahead else {coming, today + timedelta(7)}
    if said.plus is not None:
        return {one + timedelta(7 * said.plus) for one in named}
    if said.week == UNKNOWN_WEEK:
        return {coming + timedelta(7 * at) for at in range(8)}
    if said.week is not None:
        return set(_in_week(weekday, today, said.week))
    if said.span is not None:
        exact = today + timedelta(7 * said.span)
        near = exact + timedelta((weekday - exact.weekday() + 3) % 7 - 3)
        return {near, *_in_week(weekday, today, said.span)}
    if said.mode == "next":
        return {today + timedelta(ahead or 7), *_in_week(weekday, today, 1)}
    if said.mode == "coming":
        return {today + timedelta(ahead or 7)}
    return named


def _in_week(weekday: int, today: date, weeks: int) -> tuple[date, date]:
    monday = today - timedelta(today.weekday()) + timedelta(7 * weeks)
    sunday = today - timedelta((today.weekday() + 1) % 7) + timedelta(7 * weeks)
    return monday + timedelta(weekday), sunday + timedelta((weekday + 1) % 7)


def in_same_week(one: date, today: date, weeks: int) -> bool:
    """Say whether a date may lie in the calendar week so many weeks after the call's."""
    return one in _in_week(one.weekday(), today, weeks)


# ---- which time that is

_SURE = {"afternoon": "p", "evening": "p", "morning": "a"}


def time_of(clock: Clock, around: str | None = None) -> str | None:
    """Give HH:MM; without a.m. or p.m. only where a clinic's hours leave no choice.

    `around` is the part of the day that the talk was about.
    """
    hour, half = clock.hour, clock.half or _SURE.get(clock.part or "")
    if hour > 12 or hour == 0:
        return f"{hour:02}:{clock.minute:02}"
    if half is None:
        half = _by_office_hours(hour, around)
    if half is None or (half == "a" and hour == 12):
        return None
    return f"{hour % 12 + (12 if half == 'p' else 0):02}:{clock.minute:02}"


def _by_office_hours(hour: int, around: str | None) -> str | None:
    if hour == 7:
        return _SURE.get(around or "")
    if hour in (8, 9, 10, 11):
        return None if around == "evening" else "a"
    return None if hour == 6 and around == "morning" else "p"
