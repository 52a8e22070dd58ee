"""Follows the talk about a visit, turn by turn: asked, offered, agreed, and how it was settled."""

from collections.abc import Sequence

from calls import dialogue_acts as acts
from calls.utterances import Clause, Heard, whole

Turn = Sequence[Clause]

SETTLED_NOT = {
    "unavailable": "nothing_available",
    "declined": "declined",
    "existing": "existing_appointment",
    "moving": "rescheduled",
    "cancelling": "cancelled",
    "callback": "call_back",
    "selfservice": "call_back",
    "waitlist": "wait_list",
    "message": "message_left",
}


class Negotiation:
    """Where the talk about a visit stands, as the turns go by.

    `state` goes from silent through asked, offered and agreed to a settled one, which is booked or
    one of SETTLED_NOT; a later settled state replaces an earlier one. `purpose` is new, or what
    else a visit is talked about for: existing, moving, cancelling. `acts` tells in which turn who
    did what.
    """

    def __init__(self) -> None:
        self.state = "silent"
        self.purpose = "new"
        self.firm = self.refused = self.was_booked = False
        self.hesitates = self.proposed = False
        self.care, self.other_care = 0.0, 0.0
        self.all_care = self.all_other = self.strayed = 0.0
        self.need = self.plainly_care = self.just_offered = self.wants_other = False
        self.just_full: Heard | None = None
        self.left: tuple[str, list[Heard]] | None = None
        self.wished_time = False
        self.wrapping_up = False
        self.followed = 0
        self.confirms = 0
        self.promises = 0
        self.details = 0
        self.accepts = 0
        self.turns = 0
        self.acts: list[tuple[int, str, str]] = []
        self.proof: list[Heard] = []
        self.other: Heard | None = None
        self.request: Heard | None = None
        self.offer: Heard | None = None
        self.named: Heard | None = None
        self.accepted: Heard | None = None
        self.full: Heard | None = None

    @classmethod
    def of(cls, turns: Sequence[Turn]) -> "Negotiation":
        talk = cls()
        for turn in turns:
            talk.hear(turn)
        return talk

    def hear(self, turn: Turn) -> None:
        if turn[0].speaker == "caller":
            self.caller_turn(turn)
        else:
            self.agent_turn(turn)
        self.turns += 1

    @property
    def open(self) -> bool:
        return self.state in ("asked", "offered", "agreed")

    @property
    def heard_whole(self) -> bool:
        """Whether all of a booking was heard: asked for, offered, agreed and firmly confirmed.

        Of a call of three turns the request and the confirmation are enough: there was no room
        for more. Where the talk has gone elsewhere since, it must plainly have been a visit.
        """
        standing = self.state == "booked" and self.firm and self.purpose == "new"
        agreed = self.turns <= 3 or (self.offer and self.accepted)
        of_a_visit = self.plainly_care or not self.elsewhere
        return bool(standing and self.request and agreed and of_a_visit)

    def settle(self, state: str, heard: Heard, firm: bool = True) -> None:
        kept: list[Heard] = []
        if state == "booked" and self.accepted:
            kept = [self.accepted]
        elif state == self.state:
            kept = self.proof[:1]
        self.was_booked = self.was_booked or self.state == "booked"
        self.strayed, self.wants_other = 0.0, False
        self.plainly_care = self.care > self.other_care + 1
        self.firm = firm or (self.firm and state == self.state)
        self.state, self.proof = state, [*kept, heard]

    # -- the agent

    def agent_turn(self, clauses: Turn) -> None:
        self.fade()
        self.proposed = self.just_offered = False
        self.just_full = None
        self.wrapping_up = acts.ANYTHING_ELSE.first_of(clauses) is not None
        if self.state in ("agreed", "booked"):
            self.followed += 1
        if self.wished_time and self.state == "asked" and acts.ASSENT.opens(clauses[0].plain):
            self.agree(whole(clauses[0]))
        for clause in clauses:
            self.note_subject(clause)
            if time := acts.TIME.first_in(clause.plain):
                self.named = Heard("named", clause, *time.span())
            heard_acts = acts.acts_of(clause, acts.AGENT)
            for heard in heard_acts:
                if not (heard.act == "unavailable" and self.stands):
                    self.acts.append((self.turns, "agent", heard.act))
                getattr(self, "agent_" + heard.act)(heard)
            if not any(heard.act != "details" for heard in heard_acts):
                self.agent_bare_time(clause)

    def agent_bare_time(self, clause: Clause) -> None:
        if self.wanted and (time := acts.TIME.first_in(clause.plain)):
            self.agent_offer(Heard("offer", clause, *time.span()))

    @property
    def wanted(self) -> bool:
        """Whether a time that is named can be meant for a new visit."""
        return self.purpose == "new"

    @property
    def stands(self) -> bool:
        """Whether a visit is settled for good, so that what else is not to be had is no refusal."""
        return self.state == "booked" and (self.firm or self.followed > 1)

    @property
    def went_on(self) -> bool:
        """Whether other business was begun after a visit was settled; what then fails is that."""
        return self.state == "booked" and self.strayed > 0

    @property
    def gave_up(self) -> bool:
        """Whether other business was begun after no visit was to be had; what is then booked is that."""
        return self.state in ("unavailable", "declined") and self.wants_other

    def note_subject(self, clause: Clause) -> None:
        cares = [0.5 if match.lastgroup else 1.0 for match in acts.CARE.all_in(clause.plain)]
        self.care += sum(cares)
        self.all_care += sum(cares)
        others = sum(1 for _ in acts.OTHER.all_in(clause.plain))
        self.other_care += others
        self.all_other += others
        self.strayed += others - sum(cares)  # since something was settled
        if clause.speaker == "caller":
            self.need = self.need or bool(cares)
            wants = bool(others and acts.WISH.first_in(clause.plain))
            self.wants_other = not cares and (wants or self.wants_other)

    @property
    def elsewhere(self) -> bool:
        """Whether the last turns spoke of another thing than a visit."""
        return self.other_care > self.care

    def about_other(self, heard: Heard) -> bool:
        return (self.elsewhere or self.gave_up) and not (
            acts.APPOINTMENT.first_in(heard.said) and self.other_care < 2 * self.care + 0.5
        )

    def fade(self) -> None:
        """Let what was spoken of earlier weigh less."""
        self.care *= 0.9
        self.other_care *= 0.9

    def agent_confirm(self, heard: Heard) -> None:
        if only_asked(heard) and self.wished_time and self.state == "asked":
            self.agent_offer(heard)
        elif only_asked(heard):
            self.agent_bare_time(heard.clause)
        elif self.about_other(heard):
            self.other = heard
            if self.state == "agreed":
                self.state, self.accepted = "asked", None
        elif self.state in ("callback", "waitlist") and not self.accepted:
            return
        elif self.state == "silent" and not self.need and not acts.YOU.first_in(heard.said):
            self.purpose = "existing"
            self.settle("existing", heard)
        elif self.purpose == "new" or self.state == "booked":
            self.confirms += 1
            self.settle("booked", heard)
        else:
            self.settle(self.purpose, heard)

    def agent_promise(self, heard: Heard) -> None:
        if only_asked(heard) or self.about_other(heard):
            return
        if self.purpose != "new":
            if self.state != self.purpose and self.state not in SETTLED_NOT:
                self.settle(self.purpose, heard)
        elif self.open and asks_after(heard):
            self.agent_offer(heard)
        elif self.open or self.state == "booked":
            self.promises += 1
            self.settle("booked", heard, firm=False)

    def agent_moved(self, heard: Heard) -> None:
        if self.about_other(heard):
            return
        if self.purpose != "new" or (self.accepted and not self.firm):
            self.settle("moving", heard)
        elif self.open and not self.accepted and acts.TIME.first_in(heard.clause.plain):
            self.agent_offer(heard)

    def agent_moving(self, heard: Heard) -> None:
        unasked = self.just_offered and not (self.request or self.need)
        if self.state in ("silent", "existing") or unasked:
            self.purpose = "moving"
            self.settle("moving", heard)

    def agent_existing(self, heard: Heard) -> None:
        if only_asked(heard) or self.state == "booked":
            return
        if self.state == "agreed":
            self.agent_promise(heard)
        elif self.request or self.offer or self.wished_time or self.state == "asked":
            self.agent_bare_time(heard.clause)
        else:
            self.purpose = "existing"
            self.settle("existing", heard)

    def agent_already(self, heard: Heard) -> None:
        if self.state != "booked" and not self.about_other(heard):
            self.purpose = "existing"
            self.settle("existing", heard)

    def agent_undone(self, heard: Heard) -> None:
        about_other = self.about_other(heard) or self.went_on
        if not about_other and (self.open or self.state == "booked"):
            self.full = self.just_full = heard
            self.settle("unavailable", heard)

    def agent_unavailable(self, heard: Heard) -> None:
        if not self.about_other(heard) and not self.stands and self.purpose == "new":
            self.full = self.just_full = heard
            if self.request or self.open or self.state == "booked":
                self.settle("unavailable", heard)

    def agent_cancelled(self, heard: Heard) -> None:
        if self.purpose != "existing" and not self.about_other(heard):
            self.settle("cancelling", heard)

    def agent_waitlist(self, heard: Heard) -> None:
        if self.state == "agreed" and acts.TIME.first_in(heard.clause.plain):
            self.agent_promise(heard)
        elif self.state not in ("booked", "agreed"):
            self.settle("waitlist", heard)

    def agent_callback(self, heard: Heard) -> None:
        for_the_number = acts.NUMBER_TO_CALL.first_in(heard.clause.plain, 0, heard.begin)
        if self.state not in ("booked", "agreed") and not for_the_number:
            self.settle("callback", heard)

    def agent_ringing(self, heard: Heard) -> None:
        """To be rung at a time is no visit, even where the time was agreed."""
        if self.purpose == "new" and not (self.state == "booked" and self.firm):
            self.settle("callback", heard)

    def agent_selfservice(self, heard: Heard) -> None:
        if self.state not in ("booked", "agreed") and not heard.clause.asks:
            self.settle("selfservice", heard)

    def agent_message(self, heard: Heard) -> None:
        if self.purpose == "new" and not (self.elsewhere or self.state in ("booked", "agreed")):
            self.settle("message", heard)

    def agent_reminding(self, heard: Heard) -> None:
        self.details += self.state in ("agreed", "booked")

    def agent_details(self, heard: Heard) -> None:
        self.details += self.state in ("agreed", "booked")

    def agent_propose(self, heard: Heard) -> None:
        self.proposed = not self.about_other(heard)
        self.request = self.request or (heard if self.proposed else None)
        if self.proposed:
            self.agent_bare_time(heard.clause)

    def agent_offer(self, heard: Heard) -> None:
        if self.about_other(heard) or self.state == "booked" or self.purpose != "new":
            return
        said = heard.clause.plain
        if acts.ANYTHING_ELSE.first_in(said):
            return
        if not self.request and any(p.first_in(said) for p in acts.NO_OFFER):
            return
        if self.state == "agreed" and self.restates(heard):
            self.promises += 1
            self.settle("booked", heard, firm=False)
            return
        if self.state == "agreed" and heard.act == "offer" and not self.reopens(heard.clause):
            return
        if self.state in SETTLED_NOT:
            self.left = (self.state, self.proof)
        self.offer, self.state, self.proof = heard, "offered", [heard]
        self.just_offered, self.followed = True, 0
        self.wrapping_up = self.hesitates = False

    def restates(self, heard: Heard) -> bool:
        """Whether the agent says an agreed time again, without asking or offering another."""
        return not (asks(heard.clause) or acts.DISSENT.first_in(heard.clause.plain))

    def reopens(self, clause: Clause) -> bool:
        """Whether an agreed time is put to the caller again, or another one is."""
        said = clause.plain
        return bool(acts.ASKS_AFTER.first_in(said) or acts.DISSENT.first_in(said))

    # -- the caller

    def caller_turn(self, clauses: Turn) -> None:
        before = self.state
        self.fade()
        self.wished_time = False
        for clause in clauses:
            self.note_subject(clause)
            for heard in acts.acts_of(clause, acts.CALLER):
                self.acts.append((self.turns, "caller", heard.act))
                getattr(self, "caller_" + heard.act)(heard)
        if before == self.state and not self.wrapping_up:
            self.reply(clauses)

    def reply(self, clauses: Turn) -> None:
        """Take the turn as the answer to what the agent offered or proposed."""
        said = Reply(clauses)
        if said.accepts and self.takes(said):
            self.agree(said.heard)
        elif self.state == "offered":
            self.not_taken(said)
        elif self.proposed and said.dissents and not said.accepts and self.state != "booked":
            self.settle("declined", said.heard)
        elif self.proposed and said.accepts and self.state in ("silent", "asked", *SETTLED_NOT):
            self.purpose = "new" if self.purpose == "existing" else self.purpose
            self.state, self.refused = "asked", False

    def takes(self, said: "Reply") -> bool:
        """Whether an acceptance is one of the visit that was offered last."""
        if self.state == "offered":
            return self.just_offered or said.firm
        turned_down = self.state in ("declined", "unavailable") and not self.gave_up
        return turned_down and bool(self.offer and said.firm)

    def not_taken(self, said: "Reply") -> None:
        if said.dissents and self.just_offered and self.just_full and not self.wished_time:
            self.settle("unavailable", said.heard)
            self.proof = [self.just_full, said.heard]
            self.offer = self.accepted = None
        elif said.dissents and self.just_offered:
            self.state, self.refused, self.proof = "asked", True, [said.heard]
            self.accepted = None
        else:
            self.hesitates = self.hesitates or said.hesitates

    def agree(self, heard: Heard) -> None:
        self.accepts += 1
        self.accepted = heard
        self.state, self.proof, self.refused, self.followed = "agreed", [heard], False, 0

    def caller_request(self, heard: Heard) -> None:
        if self.about_other(heard):
            return
        if self.purpose == "existing" and acts.APPOINTMENT.first_in(heard.clause.plain):
            self.purpose = "new"
        if self.purpose == "cancelling" and self.state == "cancelling":
            self.purpose = "new"
        if self.purpose == "new":
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
        elif self.state == "offered":  # what was offered, to another time
            self.caller_time(heard)

    def caller_existing(self, heard: Heard) -> None:
        if self.state == "silent" and not acts.BOOKING_BEFORE.first_in(heard.before(5)):
            self.purpose = "existing"
            self.settle("existing", heard)

    def caller_callback(self, heard: Heard) -> None:
        standing = self.state == "booked" and self.firm
        if not standing and not acts.THANKS.first_in(heard.before(4)):
            self.settle("callback", heard)

    def caller_keep(self, heard: Heard) -> None:
        if self.was_booked and self.state in SETTLED_NOT:
            self.purpose = "new"
            self.settle("booked", heard)

    def caller_selfservice(self, heard: Heard) -> None:
        if self.state != "booked" and self.offer and not heard.clause.asks:
            self.settle("selfservice", heard)

    def caller_waitlist(self, heard: Heard) -> None:
        if self.state != "booked":
            self.settle("waitlist", heard)

    def caller_scrap(self, heard: Heard) -> None:
        about_other = self.elsewhere or (self.stands and self.went_on)
        if not about_other and self.state != "silent":
            self.settle("declined", heard)

    def caller_unsuited(self, heard: Heard) -> None:
        """What was booked a moment ago does not suit: it may be another time than was agreed."""
        if self.state != "booked" or self.elsewhere:
            return
        booked_in = self.proof[-1].clause.turn or 0
        if (heard.clause.turn or 0) - booked_in <= 2:
            self.settle("declined", heard)

    def caller_decline(self, heard: Heard) -> None:
        if not (self.elsewhere or self.wrapping_up) and (self.open or self.proposed):
            self.settle("declined", heard)


class Reply:
    """Whether a turn accepts what was offered, or does not."""

    def __init__(self, clauses: Turn) -> None:
        self.accepts = self.dissents = self.hesitates = self.firm = False
        self.heard = whole(clauses[0])
        asking = any(clause.asks for clause in clauses)
        for clause in clauses:
            self._weigh(clause, asking)

    def _weigh(self, clause: Clause, asking: bool) -> None:
        firm = acts.FIRM_ACCEPT.first_in(clause.plain)
        accept = firm or acts.ACCEPT.first_in(clause.plain)
        dissent = acts.DISSENT.first_in(clause.plain)
        back = dissent and acts.TAKES_BACK.first_in(clause.plain)
        wonders = bool(acts.HESITATES.first_in(clause.plain))
        self.hesitates = self.hesitates or wonders
        if accept and clause.asks and not acts.YES.opens(clause.plain):
            accept = firm = None
        if accept and not firm and asking and acts.MILD_ACCEPT.first_in(accept.group()):
            accept = None
        if accept and (not dissent or (firm and not back)):
            if not self.accepts:
                self.heard = Heard("accept", clause, *accept.span())
            self.accepts, self.firm = True, self.firm or bool(firm)
        elif dissent and (not self.accepts or back):
            self.accepts, self.dissents, self.firm = False, True, False
            self.heard = Heard("dissent", clause, *dissent.span())
        elif not (dissent or clause.asks or wonders) and acts.TIME.first_in(clause.plain):
            self.accepts, self.heard = True, whole(clause)


def only_asked(heard: Heard) -> bool:
    """Whether the words before it, up to a comma, make a confirming phrase something else."""
    if heard.clause.asks and acts.ASKED_FIRST.opens(heard.clause.plain):
        return True
    before = heard.before(5)
    return bool(acts.NOT_YET.first_in(before) or acts.ASKED_FIRST.first_in(heard.before(1)))


def asks_after(heard: Heard) -> bool:
    return heard.clause.asks or bool(acts.ASKS_AFTER.first_in(heard.after()))


def asks(clause: Clause) -> bool:
    return clause.asks or bool(acts.ASKS_AFTER.first_in(clause.plain))
