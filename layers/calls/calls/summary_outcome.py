"""Reads from a call's summary which outcome it states; a wish is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from calls import dialogue_acts as acts
from calls import likelihood
from calls.dialogue_acts import Phrases, Rules
from calls.negotiation import SETTLED_NOT
from calls.utterances import Clause, Heard

SURE = 0.75  # so likely, the words state an outcome though no known phrase does
SURE_OF_KNOWN = 0.25  # a known phrase of an outcome means what it says, unless it is less likely

_BOOKED = Phrases(
    r"(?:scheduled|booked|confirmed|arranged|secured|finali[sz]ed|reserved|set up|made|set|accepted"
    r"|secures?|books|schedules|confirms)"
    r"(?: (?!existing|upcoming|current|call|callback|message|<NO>)\S+){0,6} (?:<CARE>|slot|booking)",
    r"(?:<CARE>|booking|slot)(?: (?!<NO>|call|callback)\S+){0,8}"
    r" (?:was|is|were|has been|being|were both)(?: then| successfully| now| subsequently| tentatively)?"
    r" <DONE>(?! in error)",
    r"(?:scheduled|booked|penciled|pencilled|set)(?: (?!call|callback)\S+){0,6}"
    r" (?:for|on|at|in)(?: \S+){0,4} <TIME>",
    r"(?:agreed|settled|decided) (?:on|to|upon)(?: \S+){0,4} <TIME>|finali[sz]ed the details"
    r"|is (?:all )?set for",
    r"(?:able to|agreed to|proceeded to) (?:book|schedule|secure)(?: \S+){0,5} <CARE>",
    r"<CARE> (?:booked|scheduled|confirmed|reserved|arranged)",
    r"(?:secured|reserved|booked|took|accepted|chose|picked|confirmed) (?:a|an|the|that|this) (?:\S+ ){0,4}"
    r"(?:place|slot|spot|opening|time|option)",
    r"(?:on|onto|in|into) the (?:calendar|schedule|books|diary)",
    r"which (?:the |was )?(?:\S+ )?(?:took|accepted|chose)|(?:will be|to be) seen (?:on|at) (?:\S+ ){0,2}<TIME>",
)
_NOT_BOOKED: Rules = (
    ("waitlist", acts.WAIT_LIST),
    (
        "moving",
        Phrases(
            r"(?:reschedul(?:ed?|ing)|postponed?|rebooked)"
            r"|(?:moved?|moving|push(?:ed)? back|chang(?:ed?|ing))"
            r" (?:it|(?:the|her|his|their|an|a)(?: \S+){0,4} <APPT>)"
        ),
    ),
    (
        "cancelling",
        Phrases(r"cancell?(?:ed|ing)?(?: \S+){0,6} <APPT>|<APPT>(?: \S+){0,5} cancell?ed"),
    ),
    (
        "existing",
        Phrases(
            r"(?:existing|upcoming|already scheduled|already booked|previously scheduled|next)"
            r"(?: \S+){0,2} <APPT>",
            r"(?:confirm|check|verify|about|regarding|concerning|remind|of|missed|late for)"
            r"(?: (?:when|what time))?"
            r" (?:her|his|their|its|an existing|an upcoming|\S+s)(?: \S+){0,2} <APPT>",
            r"already (?:has|had|have)(?: \S+){0,2} <APPT>|checked in"
            r"|reminde?d?(?:ing)?(?: \S+){0,5} <APPT>|reminder",
        ),
    ),
    (
        "unavailable",
        Phrases(
            r"(?:fully|completely) booked|booked (?:up|solid|out)"
            r"|(?:no|not|nothing|without|lack of|any)(?: (?!but)\S+){0,5}"
            r" (?:available|availability|openings?|slots|appointments|free)"
            r"|unavailable|unsuccessful|failed|unavailability",
            r"(?:unable|not able|could not|couldnt|cannot|did not manage) (?:to )?(?:\S+ )?(?:book"
            r"|schedule|find|offer|secure|accommodate|make|be)",
            r"not (?:accepting|taking)(?: on)?(?: any)?(?: new)? patients",
        ),
    ),
    (
        "declined",
        Phrases(
            r"declined|decided (?:not|against)|chose not|opted (?:not|to)"
            r"|(?:did not|didnt|without|does not|not)(?: \S+){0,2}"
            r" (?:book|booking|schedule|scheduling|proceed|commit|make an)",
            r"(?:no|not) <APPT> (?:was|were|has been|could)|(?:think about|think it over|check)"
            r"(?: \S+){0,4} (?:before|and call|and decide|first)|would think|will think"
            r"|try (?:another|elsewhere)",
        ),
    ),
    (
        "callback",
        Phrases(
            r"(?:call|calls|calling|ring|phone|follow up|get|contact)(?: \S+){0,2}"
            r" (?:back|later|again)|callback|call ?back|(?:online|portal|website|referral)"
        ),
    ),
    (
        "message",
        Phrases(
            r"(?:left|leaving|leave|took|take|pass|passed)(?: \S+){0,3}"
            r" (?:message|voicemail|note)|voicemail"
        ),
    ),
)
_WISH = Phrases(
    r"(?:<BOOK>|booking|scheduling|making|arranging|see|seen|seeking|need|needs|needed|hoping|hopes"
    r"|hoped|want|wants|wanted|like|requested|requesting|requests|interested|for|visit|come)"
    r"(?: \S+){0,5} (?:<CARE>|dentist|doctor|seen|in)"
)
_NOT_YET = Phrases(
    r"(?:to|to be|to have|to get|asked|asking|asks|inquired|enquired|inquiring|about|whether|if|once"
    r"|when|would|will|could|needs|tried|attempted|wants|wanted|requested|requesting|not|no|never"
    r"|had|previously|already|until|hoping|regarding|that was|which was|being|unable)"
)
# After a booking is told, these tell of what else was said.
_TOLD_BESIDE = ("callback", "waitlist", "message", "existing", "unavailable")


@dataclass(frozen=True)
class Told:
    """What the summary states: booked or not, None for neither, how surely, and where."""

    booked: bool | None
    reason: str
    confidence: float = 0.5
    proof: tuple[Heard, ...] = ()


def told_by(clauses: Sequence[Clause]) -> Told:
    if not clauses:
        return Told(None, "no_conversation")
    stated, reason = _stated(clauses), reason_of(clauses)
    booked, not_booked = likelihood.by_summary(reason, clauses)
    if booked >= (SURE_OF_KNOWN if reason == "booked" else SURE):
        proof = stated if reason == "booked" else likelihood.weightiest([clauses], "summary booked")
        return Told(True, "confirmed", max(SURE, booked), _quoted(proof))
    if not_booked >= (SURE_OF_KNOWN if reason in SETTLED_NOT else SURE):
        found = stated if reason in SETTLED_NOT else None
        proof = found or likelihood.weightiest([clauses], "summary not booked")
        return Told(
            False, SETTLED_NOT.get(reason, "not_settled"), max(SURE, not_booked), _quoted(proof)
        )
    return Told(None, "unsettled", proof=_quoted(stated or _WISH.first_of(clauses)))


def reason_of(clauses: Sequence[Clause]) -> str:
    """Say what the phrases make of the summary: booked, one of SETTLED_NOT, a wish or nothing."""
    if stated := _stated(clauses):
        return stated.act
    return "wish" if _WISH.first_of(clauses) else "nothing"


def _quoted(heard: Heard | None) -> tuple[Heard, ...]:
    return (heard,) if heard else ()


def _stated(clauses: Sequence[Clause]) -> Heard | None:
    """Give the words of the outcome that stands at the end."""
    last: Heard | None = None
    for clause in clauses:
        for heard in acts.acts_of(clause, (*_NOT_BOOKED, ("booked", _BOOKED))):
            last = _later(last, heard)
    return last


def _later(last: Heard | None, heard: Heard) -> Heard | None:
    """Give the outcome that stands once `heard` was read."""
    if heard.act != "booked":
        kept = last is not None and last.act == "booked" and heard.act in _TOLD_BESIDE
        return last if kept else heard
    if _NOT_YET.first_in(heard.before(4)) or _of_something_else(heard):
        return last
    if last is not None and last.act in ("moving", "existing", "cancelling"):
        return last
    return heard


def _of_something_else(heard: Heard) -> bool:
    other = acts.OTHER.first_in(heard.clause.plain)
    return bool(other and not acts.APPOINTMENT.first_in(heard.said))
