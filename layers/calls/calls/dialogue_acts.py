"""The vocabulary of booking: which words of a caller or an agent offer, accept, confirm or refuse."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from calls.utterances import NUMBER, Clause, Heard


def _any_of(listed: str) -> str:
    """Give the pattern of any word in the list, by first letter: alternatives are tried one by one.

    A `_` stands for a space within one.
    """
    phrases = (phrase.replace("_", " ") for phrase in sorted(listed.split()))
    by_letter = groupby(phrases, key=itemgetter(0))
    some = (f"{letter}(?:{'|'.join(each[1:] for each in those)})" for letter, those in by_letter)
    return f"(?:{'|'.join(some)})"


_PARTS = {
    # Days and times of day stand in the plain words as marks, see calls.utterances.
    "DAY": r"(?:the )?DAY(?: _)*",
    "CLOCK": r"(?:(?:at|by|around) )?CLOCK(?: _)*",
    "HOUR": NUMBER,
    "TIME": r"(?:(?:the|at|by|around) )?(?:DAY|CLOCK)(?: _)*",
    # "appo…" also takes the commonest misspellings of appointment.
    "APPT": _any_of("""
        appo[a-z]{1,8}ts? appts? assessment booster check_?ups? cleaning consult consultation
        evaluation exam examination follow_up haircut mammogram physical screening session tour
        ultrasound viewing visit
    """),
    "CARE": "(?:<APPT>|"
    + _any_of("""
        adjustment blood_test blood_draw blood_work bloods crown extraction filling fitting
        hygienist intake jabs? massage mri nail_trim neuter procedure root_canal scan shots? spay
        test treatment vaccin[a-z]+ whitening x_?rays?
    """)
    + ")",
    "THING": r"(?:<APPT>|booking|reservation|schedul(?:e|ing)|slot|spot|time|place|request)",
    "NO": r"(?:not|isnt|wasnt|hasnt|havent|cannot|cant|couldnt|if|when|once|until|unless|will|but)",
    "SO": (
        r"(?:all|now|just|also|already|already been|successfully|been|officially|then|so|have|has"
        r"|indeed|definitely|you|both|back|go ahead and|went ahead and|gone ahead and|currently"
        r"|tentatively|right|here)"
    ),
    "DONE": _any_of("""
        a_success arranged book booked completed? confirmed created done entered finali[sz]ed fixed
        gone_through held locked_in made penciled pencilled placed reserved saved scheduled?
        secured set set_up sorted successful verified went_through went_thru
    """),
    "I": r"(?:i|ive|we|weve|i have|we have|ill have)",
    "DID": (
        r"(?:(?:was|were) (?:successfully )?able to (?:successfully )?(?:book|schedule|make|reserve"
        r"|confirm|secure|get|fit|set up)|managed to (?:book|get|fit)|got|gotten"
        r"|booked|scheduled|reserved|made|set up|set|confirmed|secured|added|arranged"
        r"|put|penciled|pencilled|slotted|squeezed|fitted|fit|popped|entered|locked|placed|blocked"
        r"|marked|signed)"
    ),
    "THEM": r"(?:you|him|her|them|that|it|this|both|everyone|y all|yall|ya)",
    "BE": r"(?:are|is|am|re|s|was|were|will be|being)",
    "THEYRE": (
        r"(?:you are|he is|she is|they are|it is|that is|this is|everything is|youre|youre|hes"
        r"|shes|theyre|its|thats|everythings|youll be|you will be|\S+s|\S+ is)"
    ),
    "BOOKS": r"(?:\S+ )?(?:book|books|diary|calendar|system|schedule|computer)",
    "BOOK": r"(?:book|schedule|make|set up|set|arrange|get|reserve|have|fix|come in|bring)",
    "CALL": r"(?:call|ring|phone|buzz|contact|text|email)",
    "WILL": r"(?:ill|i will|well|we will|let me|let us|lets|im going to|im gonna|im|were|can i)",
}
_NAME = re.compile(r"<([A-Z]+)>")


class Phrases:
    """Alternative phrases, matched as whole words; compiled when first looked for, not on import.

    They are looked for in a clause's `plain` or what is cut from it: a space before each word.
    """

    def __init__(self, *patterns: str) -> None:
        self.pattern = "|".join(patterns)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        pattern = self.pattern
        while _NAME.search(pattern):
            pattern = _NAME.sub(lambda name: _PARTS[name.group(1)], pattern)
        return re.compile(rf" (?:{pattern})(?!\S)")

    # The pattern's own methods: a long call asks ten thousand times.

    @cached_property
    def all_in(self) -> Callable[[str], Iterator[re.Match[str]]]:
        return self._compiled.finditer

    @cached_property
    def first_in(self) -> Callable[..., re.Match[str] | None]:
        return self._compiled.search

    @cached_property
    def opens(self) -> Callable[[str], re.Match[str] | None]:
        return self._compiled.match

    def first_of(self, clauses: Iterable[Clause]) -> Heard | None:
        for clause in clauses:
            if match := self.first_in(clause.plain):
                return Heard("said", clause, *match.span())
        return None


Rules = tuple[tuple[str, Phrases], ...]


def acts_of(clause: Clause, rules: Rules) -> list[Heard]:
    """Find what the clause does, in the order it does it; of two that overlap, the earlier rule."""
    kept: list[Heard] = []
    plain = clause.plain
    for act, phrases in rules:
        for match in phrases.all_in(plain):
            begin, end = match.span()
            if all(end <= other.begin or other.end <= begin for other in kept):
                kept.append(Heard(act, clause, begin, end))
    return sorted(kept, key=lambda heard: heard.begin)


WAIT_LIST = Phrases(
    r"(?:(?:put|add|pop|place|adding|putting|stick) (?:\S+ ){1,4})?(?:wait(?:ing)? ?list(?:ed)?"
    r"|cancel(?:l?ations?|ed)? list|short notice list|standby(?: list)?|call list|on (?:the|our) list|by list)",
    r"if (?:something|anything|a slot|a spot|one|somebody|someone|theres a cancellation)(?: \S+)?"
    r" (?:comes|opens|frees|cancels|becomes|drops)",
)
_CALL_BACK = Phrases(
    r"(?:call|ring|phone|get|come|calling|ringing|calls|rings|text|check|circle)"
    r"(?: (?:you|us|me|them|him|her|in))? back",
    r"<CALL> (?:you|us|me|them)(?: \S+){0,2} (?:later|<DAY>|again|when|once|with|as soon as)",
    r"(?:give|have|get) (?:(?!if)\S+ ){1,4}(?:a (?:call|ring|shout)|call you|ring you|contact you)",
    r"(?:ill|i will) (?:call|ring|phone|try) again|hear (?:back )?from (?:us|you)",
    r"(?:need|have|best) to (?:call|ring|phone)(?: \S+)?",
    r"(?:call|ring|phone)(?: us| in)? (?:at|<DAY>|first thing|in the morning|after|from|later)",
    r"check with (?:the )?(?:doctor|dr|dentist|nurse|vet|hygienist|manager|\S+ diary)",
    r"(?:will|someone|somebody|she|he|they|shell|hell|theyll)(?: \S+){0,4} (?:reach out|be in touch"
    r"|follow up with you|return your call)",
)
_SELF_SERVICE = Phrases(
    r"(?:book|schedule|do|request|sign up)(?: (?:it|that|this|one|your own|an <APPT>))?"
    r" (?:online|(?:on|in|through|via|using) (?:the|our|my|your) (?:website|site|app|portal|link))",
    r"(?:its|thats|theyre|those are|that is|all|all done|done) (?:all )?(?:done )?"
    r"(?:online|(?:in|through|on|via) (?:the|our) (?:portal|app|website|site|page))",
    r"through (?:the|our) (?:portal|app|website|site)",
    r"walk ins?|no appointment (?:needed|necessary)|urgent care",
    r"(?:need|needs|require|requires|get|want|wants|without|have) (?:\S+ ){0,2}referral",
    r"(?:transfer|connect|put|patch) you (?:over )?(?:through )?to|transferring you",
)

AGENT: Rules = (
    ("waitlist", WAIT_LIST),
    (
        "undone",
        Phrases(
            r"(?<! you )(?:unable|not able|wasnt able|werent able|couldnt|could not|cant|cannot"
            r"|can not|failed|wont be able)(?: (?!but)\S+){0,3}"
            r" (?:book|schedule|make|reserve|complete|confirm|process|obtain|secure)(?:ed|ing)?",
            r"<THING>(?: (?!<NO>)\S+){0,5} (?:failed|unsuccessful|(?:was|is|were) not (?:successful"
            r"|made|booked|confirmed|scheduled)|(?:wasnt|hasnt been|isnt|werent) (?:successful|made"
            r"|booked|scheduled|confirmed)|has not been \S+|didnt go through"
            r"|(?:did|could|would) not go through|could not be \S+|couldnt be \S+|declined)",
            r"(?:was|is|were|seems to be|been|had) (?:an?|some) (?:error|problem|issue)",
            r"(?:couldnt|could not|unable to|cant|wasnt able to)(?: \S+)? (?:arrange|set up|put|hold)(?: \S+){0,3}"
            r"|(?:wont|isnt|not) (?:let|letting|allowing) (?:me|us) (?:book|put|schedule|block|have|get|save)",
            r"(?:just|already|all|has|was|got|just been|has been|have been) (?:been )?taken(?! care)"
            r"|spoken for|without success|(?:taken|reserved|booked) by (?:another|someone|somebody)",
            r"(?:just )?(?:got )?snapped up|(?:just|already) (?:gone(?! CLOCK)|grabbed)|beat you to it",
            r"(?:i )?fail(?:ed)? to (?:book|schedule|fix|arrange|make|get|set)(?: \S+){0,2}"
            r"|(?:also|just|it|that) failed"
            r"|(?:couldnt|could not) (?:get (?:that|it) to work|be (?:achieved|made|booked|arranged))|nothing (?:there|then|available)(?: either)?",
            r"(?:unfortunately|sorry|apologies|afraid)(?: \S+){0,4} (?:cant|couldnt|could not|cannot|unable to|not able to)"
            r" (?:do|get|make|fit|book|schedule|arrange)(?: \S+){0,2}",
            r"(?:sorry|apologies|unfortunately|afraid)(?: \S+){0,5} (?:closes?|closed|shut)",
            r"(?:did not|didnt) succeed|(?:not|isnt) possible|(?:its|just) fro[sz]en?",
            r"system (?:is |went |just )?(?:down|froze|frozen|crashed)",
        ),
    ),
    (
        "unavailable",
        Phrases(
            r"(?:no|not|nothing|isnt|arent|dont|havent|wont|doesnt|none|never|without)"
            r"(?: (?!but)\S+){0,5}"
            r" (?:available|availability|openings?|slots|appointments|spaces?|free|left)",
            r"(?:no|not a|not any|nothing)"
            r" (?:slot|slots|opening|availability|space|appointments?)(?! (?:needed|necessary))",
            r"(?:dont|do not|cant|cannot|doesnt|does not) (?:see|show|find)(?: (?!but)\S+){0,12}"
            r" (?:available|availability|openings?|slots?|spaces?|free)",
            r"(?:fully|completely|totally|absolutely|pretty much) (?:booked|full)(?: up)?"
            r"|unavailable",
            r"(?:were|we are|they are|theyre|hes|shes|he is|she is|\S+ is|\S+ are) (?:all )?full(?: up)?",
            r"(?:were|we are|they are|theyre|hes|shes|he is|she is) all booked",
            r"(?:time|slot|day|one|that|<TIME>)(?: is| was|s| has been)(?: \S+)?"
            r" (?:taken(?! care)|gone(?! (?:through|in|over|on))|full|not free)"
            r"|(?:that|this) (?:time|slot|one|day)(?: slot)?(?: is| was|s)(?: \S+)? booked",
            r"booked (?:up|solid|out|right up|right through|through|until|the next)|chock ?a ?block"
            r"|(?:are|is|were|all)(?: all)? gone(?! (?:through|in|over|on))|slammed|jammed|packed",
            r"(?<! then )nothing(?! (?:to|but|hard|too))(?: \S+){0,2}"
            r" (?:until|till|for|before|<DAY>|this week|open|on|at)(?! (?:you|it))",
            r"(?:scheduling|booking) (?:out )?(?:into|for|in)(?: \S+)? (?:january|february|march|april|may|june|july|august|september|october|november|december)",
            r"(?:not|arent) (?:taking|accepting)(?: on)?(?: any)?(?: new)? (?:patients|clients)",
            r"(?:dont|do not|cant|not|no longer)(?: \S+)? (?:take|accept|see|treat|do|offer)(?: \S+){0,3}"
            r" (?:insurance|plan|patients|medicaid|medicare|those|kids|children|that here)",
            r"(?:cant|cannot|can not|couldnt|unable to|not able to|wont be able to)(?: \S+)? (?:do|find"
            r"|fit|get|squeeze|accommodate|offer|see)",
            r"rejected|bounced|fell through|turned (?:it|that|me|us|you) down|threw it (?:back|out)|snatched"
            r"|(?:somebody|someone)(?:s| has) (?:got|had) (?:it|that)",
            r"out of network|(?:arent|not|isnt) (?:contracted|in network|participating)",
        ),
    ),
    (
        "reminding",
        Phrases(
            r"(?:receive|get|send|sending|sent|text|email|emailing|texting)(?: \S+){0,4}"
            r" (?:confirmation|reminders?|details|forms?|paperwork|directions|link)",
            r"(?:call|text|email|remind) (?:you|them)(?: \S+){0,3}"
            r" (?:the day before|day before|remind|reminder|if (?:anything|something) changes)",
            r"(?:if you|you)(?: \S+){0,3} (?:need|have|want|wish) to"
            r" (?:cancel|reschedule|change)(?: \S+){0,6}",
            r"(?:hours|days?)(?: \S+)? (?:notice|in advance|ahead)(?: \S+){0,6}",
            r"(?:any|have) (?:other |more |further )?questions(?: \S+){0,6}",
        ),
    ),
    (
        "ringing",
        Phrases(
            r"(?:will|well|shell|hell|theyll|ill|can|could|to|ll) (?:ring|call|phone|buzz) you(?: (?:on|at|between|this|back))? (?:the )?<TIME>"
            r"|(?:give|gives|giving) you a (?:ring|call|buzz)(?: on| at| between)? <TIME>"
            r"|(?:dont|do not|doesnt) need (?:a slot|an appointment|a time|to come in)",
        ),
    ),
    ("callback", _CALL_BACK),
    ("selfservice", _SELF_SERVICE),
    (
        "message",
        Phrases(
            r"(?:take|leave|pass|pass on|pass along|give|relay)(?: \S+){0,3} (?:message|note)",
            r"(?:ill|i will|well|i can) (?:let|tell|ask) (?:the )?(?:doctor|dr|dentist|nurse|vet|him"
            r"|her|them)",
            r"pass (?:that|this|it)(?: \S+)? (?:on|along)",
        ),
    ),
    (
        "cancelled",
        Phrases(
            r"(?:ive|i have|we have|weve|is|has been|thats|its|been|i)"
            r" (?:now |just |all |gone ahead and )?cancell?ed",
            r"(?:cancell?ed|taken|took|take) (?:you|that|it|him|her|your|the)(?: \S+){0,3} (?:off|out)",
            r"(?:cancell?ed) (?:you|that|it|him|her|your|the)(?: \S+){0,3}|its off|thats off",
            r"(?:undo|undone|voided|released?) (?:that|it|this|your|the)(?: \S+){0,2}|been (?:undone|voided)",
        ),
    ),
    (
        "moving",
        Phrases(
            r"(?:want|like|wanna|wanting|looking|need) (?:me )?to (?:cancel (?:or|and) )?(?:reschedule"
            r"|(?:move|shift|change|push) (?:it|that|your|the))(?: \S+){0,3}"
            r"|(?:move|shift|reschedule) it|change it to|(?:make|do) (?:that|the) change"
            r"|(?:do|pick|find) (?:a )?different day"
        ),
    ),
    (
        "moved",
        Phrases(
            r"(?:moved|changed|switched|swapped|rescheduled|pushed)"
            r" (?:you|him|her|it|them|that|your|the|to)(?: \S+){0,3}",
            r"(?:been|is|are|youre) (?:now )?(?:moved|rescheduled|rearranged)(?: \S+){0,3}"
            r"|brought (?:you|him|her|it)(?: \S+)? (?:forward|up)"
            r"|(?:in place|instead) of (?:the |your )?<DAY>"
            r"|(?:taken|took) (?:the|your) (?:\S+ ){1,3}(?:out|off)"
            r"|thats changed|updated (?:it|that|your)(?: \S+){0,2}",
        ),
    ),
    (
        "confirm",
        Phrases(
            r"(?:<CARE>|booking|reservation|schedul(?:e|ing)|slot|spot|place)"
            r"(?: (?!<NO>)\S+){0,10} (?:is|are|was|has|have|been|s|its|being|get|got)"
            r"(?: <SO>){0,3} <DONE>",
            r"<THING> (?:successfully )?(?:booked|scheduled|confirmed|made|complete|reserved"
            r"|arranged|created|set)",
            r"<I>(?: <SO>){0,2} <DID>(?:(?: (?!<NO>)\S+){0,3} <THEM>"
            r" (?:in|down|up|over|at|on|for|a|an|the|with|now)"
            r"| (?:(?!<NO>)\S+ ){0,4}(?:<CARE>|slot|spot|booking|reservation|schedule|visits?"
            r"|(?:on|in) the <BOOKS>))",
            r"<I>(?: <SO>){0,2} (?:booked|scheduled|reserved|confirmed|secured|arranged"
            r"|(?:was|were) able to (?:book|schedule)|managed to book) (?:<THEM>|your \S+)",
            r"(?:<I>|have|got)(?: <SO>){0,2} (?:got |have )?(?:<THEM>|your \S+|\S+)(?: <SO>){0,2}"
            r" (?:down|booked|scheduled|confirmed|penciled|pencilled|on the <BOOKS>)(?: in)?(?! history)",
            r"<I>(?: <SO>)? (?:got |have )(?:<THEM>|\S+)(?: <SO>)? (?:in|set|set up|on)"
            r" (?:for|at|on|with|<TIME>)",
            r"<I> (?:put (?:<THEM>|your name|\S+ \S+) (?:down|in|on)|(?:put|got|have) (?:<THEM>|\S+) (?:in|down)"
            r"|(?:grabbed|popped) (?:it|that|you|him|her)|have you at"
            r"|added (?:the|a|an|your|his|her) (?:\S+ ){1,4}(?:at|on|for))",
            r"<THEYRE>(?:(?: <SO>){0,3} (?:booked|book|scheduled|confirmed|down for|down on|penciled in"
            r"|pencilled in|reserved|locked in|on for|slotted in)"
            r"|(?: <SO>)? (?:in|set) (?:for|at|on|with|<TIME>)"
            r"|(?: all)? (?:in|on|into) (?:the|our|my) <BOOKS>| in the (?:\S+ ){0,5}slot)",
            r"(?:you have|youve|it has|that has)(?: <SO>){0,3} (?:booked|scheduled|confirmed|reserved)",
            r"(?:youre|you are) (?:in|on it|on there)(?: with)?|popped (?:you|him|her) in"
            r"|grabbed it"
            r"|(?:thats|its|that is|has) gone (?:in|through|over)|all yours|definite|youve got it"
            r"|\S+ is in(?= for| with| on| at|$)|<TIME> is yours"
            r"|youre (?:officially )?on (?:his|her|their|the \S+|dr \S+) (?:calendar|schedule|list)|(?:its|thats|it is) (?:all )?yours",
            r"(?:it|thats|its) (?:saved|took it|gone through|went through)|written (?:in|down)"
            r"|wrote (?:you|him|her) in",
            r"all (?:set|booked|sorted|confirmed|done)(?: \S+){0,3} (?:for|with|on|at) (?:\S+ ){0,3}<TIME>",
            r"(?:all )?booked (?:in|for|you)|successfully (?:booked|scheduled|made"
            r"|created)|(?:<APPT>|that|it)(?: is| has been|s)? locked in",
            r"you (?:have )?(?:successfully|just) (?:booked|scheduled|made|make)(?: \S+){0,3}",
        ),
    ),
    (
        "already",
        Phrases(
            r"(?:you|he|she|they)(?: \S+)? already (?:have|has|made|got|booked|scheduled)(?: \S+){0,4}",
            r"as (?:planned|scheduled|before|arranged)"
            r"|keep (?:the |your )?<DAY>|your <TIME> (?:appointment|slot|visit|<CLOCK>)"
            r"|(?:still (?:good|on|ok|okay)|reminding you|reminder) (?:for|about|of)(?: \S+){0,3}",
            r"youve already (?:got|made|booked|scheduled)(?: \S+){0,4}",
        ),
    ),
    (
        "existing",
        Phrases(
            r"(?:you have|youve got|you have got|ive got|i have|you are|youre)(?: the| your| a| an| you)? (?:\S+ ){0,3}(?:on|at|for) (?:the )?<TIME> (?:already|still)",
            r"(?:just )?confirming (?:you|\S+|dr \S+)(?: \S+)? (?:for|on|at)"
            r"|still (?:ok|okay|good|alright|coming)(?: \S+)? (?:for|on|at|you)",
            r"(?:you|he|she|they)(?: already| currently)? (?:have|has|ve|got|have got)(?: got)?"
            r" (?:an|your|the|a)(?: \S+){0,2} <APPT>",
            r"your(?: \S+){0,3} <APPT>(?: (?:is|will be|s))(?: still)? (?:on|at|for|with|set|<TIME>)",
            r"your (?:next|upcoming|existing|current)(?: \S+)? <APPT>|(?:remind|reminding) you"
            r"|reminder",
            r"(?:regarding|about|confirming|confirm) (?:your|the|an)(?: \S+){0,3} <APPT>",
            r"see (?:that )?(?:you|youre|your|an)(?: \S+){0,4} (?:<APPT>|down|booked|scheduled)",
            r"(?:checked in|have a seat|still good for you|are you still coming)",
            r"(?:calling|call)(?: \S+){0,3} (?:confirm|remind)(?: \S+){0,4}",
        ),
    ),
    (
        "promise",
        Phrases(
            r"all (?:set|sorted|done|finali[sz]ed|squared away)|your name on it|good to go"
            r"|(?:youre|hes|shes) (?:down|set|sorted|done)|consider it done"
            r"|done and dusted|you are (?:down|set)|thats (?:done|sorted|taken care of)"
            r"|(?:ok|okay|right|great) done|done ,?",
            r"(?:well )?see (?:you|ya|yall)(?: all| both| guys)?"
            r" (?:<TIME>|then|there|soon|at|on|next|for|in|after|before|bright and early)"
            r"|see (?:\S+ ){1,2}(?:<TIME>|then|on|at|next)",
            r"(?:look|looking) forward to (?:seeing|meeting)|expect(?:ing)? (?:you|him|her|them)",
            r"(?:<WILL>)(?: <SO>| go ahead and| get| just){0,3} (?:book|put|pop|schedule|reserve|hold|lock|grab"
            r"|pencil|slot|squeeze|fit|booking|putting|popping|pencilling|penciling|block|mark|do)"
            r" (?:<THEM>|your|the|a|\S+) ?(?:<APPT>|name|slot|spot|in|down|up|on|for|at|<TIME>)?"
            r"(?! (?:through|on hold|to))",
            r"<WILL>(?: <SO>)? (?:get|have) (?:<THEM>|\S+) (?:in|booked|scheduled|down|set|set up|on the <BOOKS>)",
            r"confirmed|booked|scheduled|locked in",
        ),
    ),
    (
        "propose",
        Phrases(
            r"(?:would you like|do you want|did you want|did you wanna|do you wanna|wanna|shall i|should i"
            r"|shall we|want me|like me|can i|may i|do you wish"
            r"|do you need|want to|wish to|would you (?:wish|want|prefer)|you wish|you like|you want)"
            r"(?: \S+){0,5} (?:<BOOK>|visit|<CARE>|come in|booking|scheduling|that|it)",
        ),
    ),
    (
        "details",
        Phrases(
            r"(?:whats|what is|can i (?:get|have|grab|take)|could i (?:get|have)|may i (?:get|have)|i need"
            r"|ill need|ill just need|just need|confirm|spell|and|have)"
            r"(?: \S+){0,4} (?:name|surname|date of birth|dob|birthday|phone|number|mobile|cell|email|address"
            r"|insurance|member id|postcode)",
            r"(?:bring|wear|arrive|come|get (?:here|there)|show up|be here|fast|nothing to eat|no food|dont eat"
            r"|park)(?: \S+){0,6} (?:early|before|minutes|card|id|insurance|list|cards|forms?|licen[cs]e"
            r"|carrier|entrance|clothes|shorts|midnight|water|records?)",
        ),
    ),
    (
        "offer",
        Phrases(
            r"(?:how about|what about|earliest|next(?: available)?|would|does|do|could|can|have|got"
            r"|theres|there is|is|are|but|instead|try|offer|available|free|opening|slot|or|confirm|maybe|only|so|has|gots)"
            r"(?: (?!not)\S+){0,9} <TIME>",
            r"<TIME>(?: \S+){0,5} (?:works?|suits?|okay|ok|any good|be good|any use)",
        ),
    ),
)

CALLER: Rules = (
    ("waitlist", WAIT_LIST),
    (
        "cancelling",
        Phrases(
            r"cancel(?:l?ing)?(?: \S+){0,5} <APPT>"
            r"|(?:cancel|scrap|undo|bin|delete|drop) (?:it|that|them|this|everything|my|our)"
            r"|need to cancel|have to cancel|call off(?: \S+){0,3}"
            r"|(?:take|took|pull) (?:it|me|him|her|us|that) (?:off|out|down)(?: the <BOOKS>)?"
        ),
    ),
    (
        "moving",
        Phrases(
            r"(?:reschedul(?:e|ing)|rearrange|postpone|rebook|bump)(?: \S+){0,4}",
            r"(?:and not|instead of|in place of|rather than) (?:(?:my|the|on|at) )?(?:<TIME>|<HOUR>)",
            r"(?:move|change|push|push back|bring forward|bring|swap|switch|shift) (?:my|our|his|her|an|\S+s)"
            r"(?: \S+){0,3} (?:<APPT>|forward|back)",
            r"(?:move|swap|switch|shift|bump|push) (?:it|that|this|my (?!mind)\S+)(?: \S+)? ?(?:please|to|back|instead)?",
            r"(?:move|swap|switch|shift|bump|push|bring|change) (?:me|us|him|her|them)"
            r" (?:to|from|off|out|up|back|forward|along)(?: \S+){0,2}",
            r"change (?:it|that|this|my (?!mind)\S+) (?:please|to|from)",
            r"cant (?:make|come to|get to|attend|come in for) (?:my|our|it|his|her|that|the)(?: \S+){0,3}",
            r"(?:wont|not going to|not gonna) (?:be able to )?make (?:it|my|that|the)(?: \S+){0,3}",
        ),
    ),
    (
        "fresh",
        Phrases(
            r"(?:another|new|separate|second|also|as well as|one for my|additional)(?: \S+){0,6} <CARE>",
            r"<BOOK>(?: \S+){0,3} (?:one|<APPT>)(?: \S+){0,3} for (?:my|the|our) \S+",
            r"(?:also|as well|while (?:i|im|ive)(?: \S+){0,4})(?: \S+){0,9}"
            r" (?:book|schedule|make|come in|get in|seen|<CARE>)",
        ),
    ),
    (
        "request",
        Phrases(
            r"(?:book|schedule|make|set up|arrange|reserve) (?:my|our|an|a|the|his|her)(?: \S+){0,2} <APPT>"
        ),
    ),
    (
        "existing",
        Phrases(
            r"(?:check|confirm|verify|confirming|checking|remind me|what time is|whats|what time|when is"
            r"|whens|about|regarding|here for|late for|details of|time of|directions to|after"
            r"|before|until|lost"
            r"|forgotten|missed|ready for|prepare for) (?:when |about |what time |of )?"
            r"(?:my|our|his|her|\S+s)(?: \S+){0,2} <APPT>|for (?:my|our) appointment",
            r"(?:i|ive|we|weve|i do)(?: got| have| had| already have)(?: (?:an?|my|the|our))?(?: \S+){0,2}"
            r" (?:<CARE>|therapy|slot|\S+ with \S+)(?: \S+){0,4} <TIME>",
            r"(?:meant|supposed|due|scheduled|set) to (?:be|come|see|have|get|bring)(?: \S+){0,5}",
            r"(?:i|ive|we|weve|my \S+)(?: already| do)? (?:have|has|had|got|have got)"
            r" (?:an|my|a|our)(?: \S+){0,2} <APPT>"
            r" (?:at|on|with|this|next|coming|booked|scheduled|<TIME>)",
            r"(?:my|our|his|her|the)(?: \S+){0,2} <APPT> (?:is|was|<TIME>|on|at|next|this)",
            r"(?:im|i am|were|hes|shes|my \S+ is|my \S+s)(?: already)? (?:booked|scheduled|down for"
            r"|due in|set for|supposed to be in)(?: \S+)?",
            r"(?:i|we|ive|weve)(?: \S+){0,3} (?:booked|scheduled|made (?:an|my|our) <APPT>)(?: \S+){0,3}",
            r"(?:i|we|ive|weve) (?:have|got) (?:a|an|the) (?:<CLOCK>|\S+ <CLOCK>)",
            r"(?:im|i am|were|shes|hes) (?:coming in|in|with (?:dr )?\S+) (?:on |at )?(?:the )?<TIME>|when (?:i|we) come in(?: \S+)?",
            r"(?:you have|youve got|you had) (?:me|us|him|her) (?:with|in|down|on)(?: \S+){0,4}"
            r"|you(?:ve| guys)? (?:have|got|had) (?:me|us|him|her|our \S+)(?: \S+){0,3} <TIME>"
            r"|(?:i|we|ive|weve) (?:have|got|had|ve got|have got) (?:the |a )?<TIME>",
            r"(?:im|i am|i was|were|we are|hes|shes|he is|she is|he was|she was|my \S+ is)"
            r" (?:(?:all )?(?:on|down) for|due|expected|(?:in )?with (?:dr )?\S+)(?: \S+){0,4} <TIME>",
            r"(?:given|gave|sent) (?:me|us|him|her)(?: \S+){0,5} <TIME>"
            r"|letter(?: \S+){0,8} <TIME>|(?:wed|we had) said <TIME>|my <CLOCK>",
            r"(?:my|our|his|her|\S+s)(?: \S+){0,3} (?:<CARE>|check|checks|spay|review|surgery|operation)(?: is)?(?: on)? <TIME>",
            r"due in|(?:checking|check) in"
            r"|running (?:a bit |a little |about |like )?(?:\S+ minutes )?late|im here for"
            r"|in (?:the|your) (?:parking lot|car park)(?! at)",
            r"(?:cant|dont|forgot|forgotten|remember)(?: \S+){0,3} (?:when|what time|what day|remember when)"
            r"|am i (?:still |already )?(?:good|on|booked|down|in|set|scheduled)(?: \S+)?"
            r"|when (?:is|am|was) (?:it|i|my)(?: \S+)?"
            r"|already (?:booked|scheduled|made|have one)(?: \S+){0,2}",
            r"(?:got|missed|returning|getting) (?:a|your|this|the)(?: \S+){0,2} (?:reminder|text)(?: \S+){0,3}",
            r"confirming(?: \S+){0,3}(?:be there|appointment)?",
        ),
    ),
    ("callback", _CALL_BACK),
    ("selfservice", _SELF_SERVICE),
    (
        "keep",
        Phrases(
            r"(?:keep|leave) (?:it|me|him|her|that|us)(?: \S+)? (?:on|for|as|there|in)(?: \S+){0,2}|keep it|stick with (?:it|that)"
        ),
    ),
    (
        "scrap",
        Phrases(
            r"never ?mind|forget (?:it|about it|that|about that)|leave it|scratch that"
            r"|changed my mind",
            r"(?:dont|do not)(?: \S+){0,2} (?:book|schedule|bother)(?: \S+)?",
            r"(?:ill|i will|well|im going to|might|gonna)(?: \S+){0,3} (?:watch (?:it|her|him)|somewhere|someplace|elsewhere|another (?:place|practice|clinic|dentist)"
            r"|(?:the )?(?:er|urgent care|emergency room|walk in)|find out|try (?:there|them|another|the))(?: \S+)?",
        ),
    ),
    (
        "unsuited",
        Phrases(
            r"(?:that|it|this)(?: (?:one|time|day|slot))?(?: \S+)? (?:doesnt|does not|wont|will not)"
            r"(?: \S+)? (?:work|suit|fit)(?: \S+){0,2}",
            r"(?:i|we) (?:cant|cannot|can not|couldnt|wont be able to) (?:make|do|manage|come) (?:that|then)",
        ),
    ),
    (
        "decline",
        Phrases(
            r"hold off|no need(?! to shout)"
            r"|(?:not|wont)(?: \S+)? (?:right now|now|at the moment|yet|interested|necessary)",
            r"(?:ill|i will|i have to|ill have to|id have to|i need to|i want to|im going to|we will|well|id|id better)"
            r"(?: \S+){0,2} (?:think|shop|talk|speak|ask|go elsewhere|look elsewhere|look around|check with|leave it)(?: \S+)?",
            r"let me (?:think|talk|speak|ask|check with|discuss|sleep)(?: \S+)?",
            r"(?:just|only) (?:calling around|getting prices|shopping|asking|wanted (?:a|the|to know)|checking|looking|curious|wondering)(?: \S+)?",
            r"(?:dont|do not|wont)(?: \S+){0,4} (?:book|schedule|appointment|visit)",
            r"(?:let you know|calling (?:a few|around)|get back to you|(?:i|we) cant (?:do that|afford(?: \S+)?)|find (?:somebody|someone|somewhere)(?: \S+)?)",
            r"another (?:place|practice)|somewhere else|elsewhere"
            r"|too (?:expensive|far|late|much|long)",
        ),
    ),
    (
        "request",
        Phrases(
            r"(?:<BOOK>|need|want|like|looking|after|making|booking|scheduling|needing|wanting|wanna|do|needs|take|see|set up)(?: \S+){0,5} <CARE>",
            r"(?:come|get|fit|squeeze|bring|pop|getting|coming)(?: \S+){0,3} in|be seen|seen by"
            r"|(?:see|looking for|want|need) (?:the|a|an|dr|doctor|someone|somebody)(?: \S+){0,2}",
            r"(?:book|schedule|reserve|set up|make) (?:it|that|one|me|us|him|her|in|this|something|for)",
            r"(?:earliest|soonest|first available|next available|sooner)(?: \S+)?",
            r"(?:any|an|the|some) (?:openings?|availability|slots?|appointments?|spaces?|space)",
            r"(?:take|have) a look at|looked at|look at (?:it|him|her|my|me)|looking at it"
            r"|due for(?: \S+){0,3}",
            r"(?:could|can|would|will) (?:\S+ ){1,3}(?:see|fit|squeeze|check|take) (?:me|him|her|it|us|them|my \S+)",
            r"(?:whatve you got|what (?:do|have) you (?:have|got)|what(?: \S+)? (?:openings|times|slots|appointments))(?: \S+)?",
        ),
    ),
    ("time", Phrases(r"<TIME>")),
)

TIME = Phrases(r"<TIME>")
NO_VISIT = Phrases(r"(?:pick(?:ed)?|collect|collected|results?|ready|discharged)")
GREETING = Phrases(
    r"how (?:can|may|could) (?:i|we) (?:help|assist)|what can (?:i|we) do for you"
    r"|what brings you in|how are you(?: doing)? <DAY>"
)
HOURS = Phrases(
    r"(?:were open|we open|opens|close|closes|closed|hours|rating|rated|miles?|holiday|dollars|pounds"
    r"|born|birth|yesterday|last (?:week|month|year|night)|ago|ready|results?|ring again|call again|try at|try again)"
)
# A time in these is no offer, as long as nobody asked for a visit.
NO_OFFER = (HOURS, NO_VISIT, GREETING)
APPOINTMENT = Phrases(r"(?:<APPT>|new patient|with dr|with doctor)")
# What a visit is for, and with whom: the words of clinics, vets, salons and viewings.
CARE = Phrases(
    r"(?P<visit><APPT>|appointments|visits)|<CARE>",
    _any_of("""
    abscess ache aching acl adhd allergies allergist allergy ankle annual anxiety apartments?
    audiolog[a-z]* barber bedrooms? bleeding braces cardiolog[a-z]* cat chest chiropract[a-z]*
    clinic cough coughing counsell?ing counsell?or dental dentistry dentists? dentures?
    depress[a-z]+ derm[a-z]* diabetic dietiti?an dizz[a-z]+ docs? doctors? dog dr ears? elbow
    endodon[a-z]* eyes? feet fever flats? flu foot furnished goats? gout gp grief gums?
    gyn[a-z]* hair hairdresser headaches? health hearing highlights hip hospital hurting hurts?
    immuni[sz][a-z]+ infection injur[a-z]+ itch[a-z]* kitten knee landlord lettings? limping
    lump medical medicine midwife migraines? molar mole my_back nails neck neurolog[a-z]* nurse
    oncolog[a-z]* opticians? optom[a-z]* orthodon[a-z]* orthop[a-z]* pa?ediatri[a-z]+ pain
    patients? physio[a-z]* plaster podiatr[a-z]* poorly practice pregnan[a-z]+ property
    psychiatr[a-z]+ psycholog[a-z]+ pup puppy rabbit rash referral rheumatolog[a-z]* salons?
    scratching sedate sedation shoulder sinus skin sore sprain[a-z]* stitch stitches studio
    stylists? surgery swelling swollen symptoms? teeth therapists? therapy throat toenails?
    tooth toothache unfurnished urolog[a-z]* veterinar[a-z]+ vets? viewings wisdom wrist
    """),
)
# What else is booked, bought, repaired or settled by telephone.
OTHER = Phrases(
    r"pick (?:you|me|us) up",
    _any_of("""
    account accountant airlines? airport appeals? attorney auto balance bank baptised bike bill
    billing boiler brakes breakfast broadband bus buses cabs? card_services cars? certificate
    church cinema claims? class coffee collect collection concert conferences? consulate council
    court credit_card deliver[a-z]* dinner dispute driver electric[a-z]* elementary embassy
    engineer events? flights? frames games? garage gift_card glasses_are groomer grooming gym
    hatchback homework hotels? internet interview invoice kitchen lawyer lessons? library lift
    loan lunch lyft mass mechanic meeting meter mortgage mot motor_vehicles movies? music notary
    oil_change order ordered parcel parish party_of passports? pay payments? pest pharmacy pizza
    plumb[a-z]* prescriptions? pub recruiter refill refilled refills rental repair reservations?
    restaurants? rides? road_test roast router school screen sedan ship solicitor songs? spa
    spin squash surveyor suv table tax taxes taxi teacher technician theater theatre tickets?
    tires train transfer trip tutor tyres? uber valuation vehicle venue washing_machine wasps
    wedding worktops
    """),
)
WISH = Phrases(
    r"(?:need|want|like|find|book|reserve|order|get|search|look(?:ing)? for|what about|how about)"
)
YOU = Phrases(r"you|youre|your|youve|youll|him|her|them|theyre|\S+s|mr|for \S+")
# Before a confirming phrase these make it a question, a wish or a condition.
NOT_YET = Phrases(
    r"(?:if|may|whether|once|when|until|till|unless|would|should|shall|could|can i|can you|can we|want"
    r"|wants|wish|let me|wanted|like|see if|hope|hopefully|not sure|make sure|be sure|think|never"
    r"|please confirm|confirm that|havent|before|after|were you|have you|need to|shell|hell|theyll|youll have|usually|normally)"
)
NUMBER_TO_CALL = Phrases(r"(?:number|best)")
ASKED_FIRST = Phrases(
    r"(?:is|has|have|are|was|did|do|does|not|wasnt|isnt|hasnt|werent|arent|couldnt|cant)"
)
# After "I'll put you down for ten" these make it an offer.
ASKS_AFTER = Phrases(
    r"how does that|hows that|is that (?:ok|okay|right|correct|alright|all right|good|fine)"
    r"|(?:does|would|will) that (?:work|suit|be|sound)|sounds? (?:good|ok|okay|right)"
    r"|if (?:that|you|its|hes|shes)|make sure (?:hes|shes|its|that)|shall i|is this"
    r"|(?:please|can you|kindly|could you|just to|to) confirm"
    r"|confirm (?:the|that|your|following|these)"
    r"|(?:youd|you would) like|you (?:want|wish)|should i|shall we|would you|am i right|correct"
)
ANYTHING_ELSE = Phrases(
    r"(?:anything|something|what|any) else"
    r"|(?:other|further|more) (?:questions?|help|assistance)"
)
ACCEPT = Phrases(
    r"yes|yeah|yep|yea|ya|yah|sure|ok|okay|perfect|great|correct|right|fine|works?|good|lovely"
    r"|brilliant|absolutely|definitely|wonderful|excellent|ideal|ill take(?! a)|lets do|go ahead"
    r"|take it|take that|suits|thatll do|will do|smashing|super|agreed|awesome|cool"
    r"|grand|got it|it does|put (?:me|him|her|us|it) (?:down|in)|well take|can be there|go with"
    r"|well be there|ill be there|(?:can|could) (?:make|swing|manage|do) (?:it|that)"
    r"|<TIME> it is|agreeable|accurate|exactly|indeed|sign (?:me|him|her|us) up|lock it in"
    r"|(?:give|gimme|ill have|ill grab|i want|id like) (?:me )?(?:that|it|the first|the second|the)(?: one)?"
    r"|the (?:first|second|last|earlier|later) one|book it|please|mhm|mm hm|uh huh|alright"
    r"|count me in"
    r"|might as well|why not|you bet|(?:thats )?better|sold|easier|i suppose|i guess so|ought to"
    r"|kay|yup|lets go|grab (?:it|that)|brill|fab|accepted"
)
FIRM_ACCEPT = Phrases(
    r"thats (?:fine|great|perfect|good|ideal|lovely|okay|ok|right|correct|better)(?! for now)|works"
    r"|sounds (?:good|great|perfect|fine|wonderful|lovely)|ill take(?! a)|well take|take it"
    r"|go ahead"
    r"|please do|that is (?:fine|correct|right|good|great|perfect)"
    r"|would be (?:great|perfect|fine|good|wonderful|lovely|better|grand)"
    r"|that ?ll work|book it|ill do|go with|is (?:fine|perfect|good|great|better)"
    r"|(?:can|could|ill) (?:make|swing|manage) (?:it|that)|yes please|might as well|you bet"
    r"|you got it"
    r"|(?:put|pop|book|sign) (?:me|us|him|her) (?:in|down|up)|happy|lets say|say yes|we can come"
    r"|hell be there|shell be there|(?:ill|well) (?:be there|have (?:it|that|the)|grab|do that)"
    r"|that ?ll do|give me|lock it in"
    r"|go on|i want it|it would|i can|im coming|suits?(?: me)?|do that|sold|grab (?:it|that)"
    r"|(?:get|go for) (?:the|both|it|that)(?: \S+)?|lets go"
    r"|(?:ill|well|hell|shell|theyll) (?:have|take) (?:it|that|the|one|both)"
    r"|stick (?:me|him|her|us) in|lets do|thats easier|yes thats"
    r"|(?:ill|well|i can|we can|i could) (?:come|be) (?:then|there|in|before|over)(?: \S+)?"
    r"|both then|<TIME> (?:please|then|it is|is fine|is good|is perfect|works)"
)
DISSENT = Phrases(
    r"no|nope|nah|not|cant|cannot|wont|wouldnt|dont|doesnt|actually|instead|rather|earlier|later"
    r"|sooner|different|other|how about|what about|make it|change|another"
    r"|do you have|have you got|anything|prefer|else|maybe|might|too (?:early|late|far)|is there"
)
# These alone say little when a question follows them.
MILD_ACCEPT = Phrases(r"ok|okay|right|alright|great|good|oh|cool|brilliant|uh huh|mm hm|mhm|kay")
# A machine speaks on the other side.
MACHINE = Phrases(
    r"(?:reached|mailbox|voicemail) (?:the |of |is )\S+|message recorded"
    r"|(?:after|at) the (?:tone|beep)|not available to take your call"
)
THANKS = Phrases(r"thanks?(?: you)?|returning|appreciate")
YES = Phrases(r"yes|yeah|yep|yup|sure|perfect|great|absolutely|definitely|please")
# These take back an acceptance that was said before them.
TAKES_BACK = Phrases(
    r"actually|instead|no wait|cant|cannot|wont|never ?mind|rather not|on second thought"
)
HESITATES = Phrases(
    r"let me (?:see|check|look|pull|grab|find|get)|hang on|hold on|one (?:second|sec|moment|minute)"
    r"|just a (?:second|sec|moment|minute)|which|what time|whats that|what day|who|where"
)
CLOSE = Phrases(
    r"bye|goodbye|thanks|thank|cheers|take care|have a (?:\S+ )?(?:good|great|nice|lovely|wonderful"
    r"|fantastic|day|blessed|one)|thats all|that is all|see you|see ya|welcome|thatll be all|enjoy|feel better|ta"
)
ASSENT = Phrases(
    r"yes|yeah|yep|sure|ok|okay|of course|no problem|certainly|absolutely|perfect|great|fine|lovely"
    r"|thats fine|can do|alright|all right|right|wonderful|excellent|awesome|got it|done|mm hm"
    r"|good|sounds good|very good|brilliant|fantastic|super"
)
MESSAGE_LEFT = Phrases(
    r"(?:call|ring|phone|get back|text)(?: to)? (?:me|us)|call ?back|give (?:me|us) a"
    r"|my (?:number|name)"
    r"|leaving|message|this is|its|please (?:call|ring|let|phone)|i(?:d| would) like|i need"
    r"|calling|i want|wondering"
    r"|on behalf|booked|confirming|running|missed"
)
# Only the one who answers for the clinic says these, and only the one who rings it those.
AGENT_ALONE = Phrases(
    r"how (?:can|may) i (?:help|assist|direct)|(?:thank you|thanks) for calling|anything else i can"
    r"|(?:youre|you are) (?:all |now )?(?:booked|scheduled|set)"
    r"|<I> have you (?:down|scheduled|booked)"
    r"|would you like (?:me )?to (?:book|schedule|make)"
    r"|(?:whats|what is) your (?:name|date of birth|last name|surname|phone)"
    r"|(?:whats|what is|(?:can|could|may) i (?:get|have|take)) the (?:surname|last name|date of birth)"
    r"|can i (?:get|have|take) your|your <APPT> (?:is|has been)|<I> (?:booked|scheduled) you"
    r"|shall i (?:book|put)"
)
CALLER_ALONE = Phrases(
    r"(?:id|i would|wed) like (?:to (?:book|schedule|make|see|come)|an <APPT>)"
    r"|i need (?:to (?:see|book|schedule|make)|an <APPT>)"
    r"|i want (?:to (?:book|schedule|make|see)|an <APPT>)"
    r"|can i (?:book|make|schedule|come in)(?! (?:you|it|that|this))|book me"
    r"|calling to (?:book|schedule|make)"
    r"|i (?:called|rang|phoned)(?: you)? (?:earlier|before|yesterday|this morning|last week)"
)
BOOKING_BEFORE = Phrases(
    r"book|booking|schedule|scheduling|make|making|arrange|arranging|want|need|like|reserve"
)
