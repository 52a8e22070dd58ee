"""Decides from a call's words whether an appointment was booked, and quotes the words that say so.

python -m calls.booking < conversations.jsonl > verdicts.jsonl
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO, TextIO

from calls import dialogue_acts as acts
from calls import likelihood
from calls.negotiation import SETTLED_NOT, Negotiation, Turn
from calls.summary_outcome import Told, told_by
from calls.utterances import Heard, clauses, clauses_of_turn, is_turn, whole

ENGINE = "acts-14"

LEAST_SURE = 0.6  # of less, the verdict is unknown
SURE_OF_AGREED = 0.75  # what nobody confirmed, in a call that nobody closed: it may be cut off
SURE_ANYWAY = 0.9  # without a word of care, or with a sign that the speakers are exchanged
SURE_IN_CONFLICT = 0.75  # the transcript outweighs a summary that differs only if so sure
DOUBT_LEFT = 0.5  # a summary that agrees halves the doubt
# Of the log-odds, for how sure to say it is: what the weights learnt from is harder than a clinic's day.
OF_ORDINARY_CALLS = 1.25

Evidence = dict[str, Any]
Appointment = dict[str, str]


class BadRowError(ValueError):
    """A line of the input is not a conversation."""


@dataclass(frozen=True)
class Verdict:
    """Whether an appointment was booked, how sure that is, and why.

    `booked` is None where the words do not settle it. `confidence` is the probability, 0 to 1,
    that the verdict is right. Each of `evidence` is `{"quote", "source", "speaker"?, "start"?}`,
    `source` being "transcript" or "summary" and `start` in seconds; the quote stands verbatim in
    one turn or in the summary. `appointment` says what was booked, see calls.appointment.
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
class Finding:
    """What the transcript and the summary come to; booked None: they do not settle it."""

    booked: bool | None
    confidence: float
    reason: str
    proof: tuple[Heard, ...] = ()


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
    spoken = [turn for turn in turns or () if is_turn(turn)]
    heard = [cut for n, turn in enumerate(spoken) if (cut := clauses_of_turn(turn, n))]
    heard = [cut for cut in heard if cut[0].speaker == "agent" or not acts.MACHINE.first_of(cut)]
    told = told_by(list(clauses(summary, "summary")) if isinstance(summary, str) else [])
    if heard:
        finding = _together(_from_transcript(heard), told)
    else:
        finding = _from_summary_alone(told, silent=bool(turns))
    evidence = _without_repeats(one.as_evidence() for one in finding.proof)
    what = _appointment(finding, spoken, summary, at, timezone) if finding.booked else None
    confidence = round(_of_ordinary_calls(finding.confidence), 3)
    return Verdict(finding.booked, confidence, finding.reason, evidence, what)


def _of_ordinary_calls(confidence: float) -> float:
    """Give the confidence that calls deserve as they come; it leaves 0.5, and what is decided."""
    for_it = math.pow(confidence, OF_ORDINARY_CALLS)
    against_it = math.pow(1 - confidence, OF_ORDINARY_CALLS)
    return for_it / (for_it + against_it)


def _appointment(
    finding: Finding,
    spoken: Sequence[Mapping[str, Any]],
    summary: str | None,
    at: datetime | str | None,
    timezone: str | None,
) -> Appointment | None:
    # Imported only for a booking: it brings the calendar and the words for days and times.
    from calls.appointment import appointment

    said = [heard.clause.turn for heard in finding.proof if heard.clause.turn is not None]
    return appointment(spoken, max(said, default=None), summary, _instant(at), timezone)


def _instant(at: datetime | str | None) -> datetime | None:
    if isinstance(at, str):
        try:
            return datetime.fromisoformat(at)
        except ValueError:
            return None
    return at if isinstance(at, datetime) else None


def _without_repeats(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    kept: list[Evidence] = []
    for one in evidence:
        if one not in kept:
            kept.append(one)
    return tuple(kept)


def _from_transcript(turns: Sequence[Turn]) -> Finding:
    """Say what the turns settle; `turns` holds the clauses of each turn that has words."""
    speakers = {turn[0].speaker for turn in turns}
    if "caller" not in speakers:
        return Finding(None, 0.5, "no_conversation")
    if "agent" not in speakers:
        return _from_one_voice(turns)
    talk = Negotiation.of(turns)
    likely = likelihood.of_booking(talk, turns)
    confirmed = (talk.state == "booked" and talk.firm) or likelihood.closed(turns)
    enough = LEAST_SURE if confirmed else SURE_OF_AGREED
    if not talk.all_care:
        enough = SURE_ANYWAY
    if LEAST_SURE <= likely < enough or (talk.open and not confirmed and likely < enough):
        return Finding(None, 0.5, "unsettled", tuple(talk.proof[-1:]))
    if likely >= LEAST_SURE:
        exchanged = _exchanged(turns)
        if exchanged > 1 or (exchanged == 1 and likely < SURE_ANYWAY):
            return Finding(None, 0.5, "speakers_swapped", tuple(talk.proof[-2:]))
        return _booked(talk, likely, turns)
    refused_without_offer = talk.state in SETTLED_NOT and talk.offer is None
    if likely > 1 - LEAST_SURE and not refused_without_offer:
        return Finding(None, 0.5, "unsettled", tuple(talk.proof[-2:]))
    return _not_booked(talk, max(LEAST_SURE, 1 - likely), turns)


def _exchanged(turns: Sequence[Turn]) -> int:
    """Count how much more often a speaker says what only the other one would than the other way."""
    more = 0
    for turn in turns:
        for phrases, speaker in ((acts.AGENT_ALONE, "agent"), (acts.CALLER_ALONE, "caller")):
            if phrases.first_of(turn):
                more += 1 if turn[0].speaker != speaker else -1
    return more


def _booked(talk: Negotiation, likely: float, turns: Sequence[Turn]) -> Finding:
    if talk.state == "booked":
        return Finding(True, likely, "confirmed", tuple(talk.proof[-2:]))
    proof = tuple(heard for heard in (talk.offer or talk.named, talk.accepted) if heard)
    return Finding(True, likely, "agreed", proof or (likelihood.weightiest(turns),))


def _not_booked(talk: Negotiation, surely: float, turns: Sequence[Turn]) -> Finding:
    said = [clause for turn in turns for clause in turn if clause.speaker == "caller"]
    unclear = talk.state == "silent" and not likelihood.closed(turns)
    if unclear and sum(len(clause.words) for clause in said) < 4:
        return Finding(None, 0.5, "no_conversation")
    reason, proof = _why_not(talk)
    return Finding(False, surely, reason, tuple(proof[-2:]) or (whole(said[0]),))


def _why_not(talk: Negotiation) -> tuple[str, Sequence[Heard]]:
    if talk.full and (talk.state == "declined" or (talk.refused and talk.state == "asked")):
        return "nothing_available", (talk.full, *talk.proof[-1:])
    if talk.state == "offered" and talk.left:
        return SETTLED_NOT[talk.left[0]], talk.left[1]
    if talk.state in SETTLED_NOT:
        return SETTLED_NOT[talk.state], talk.proof
    if talk.other or talk.elsewhere:
        return "other_transaction", (talk.other,) if talk.other else talk.proof
    if talk.refused:
        return "declined", talk.proof[-1:]
    if talk.state == "silent":
        return "not_discussed", ()
    return "asked_only" if talk.open else "not_settled", talk.proof[-1:]


def _from_one_voice(turns: Sequence[Turn]) -> Finding:
    said = [clause for turn in turns for clause in turn]
    if left := acts.MESSAGE_LEFT.first_of(said):
        return Finding(False, 0.95, "message_left", (left,))
    return Finding(None, 0.5, "no_conversation", (whole(said[0]),))


def _from_summary_alone(told: Told, silent: bool) -> Finding:
    """Take the summary's word, except for a booking when the call is known to hold no words."""
    if told.booked and silent:
        return Finding(None, 0.5, "no_conversation", told.proof)
    return Finding(told.booked, told.confidence, told.reason, told.proof)


def _together(said: Finding, told: Told) -> Finding:
    """Weigh both witnesses: the transcript is the better one."""
    if told.booked is None:
        return said
    both = said.proof + told.proof
    if said.booked is None:
        return _from_told(said, told)
    if said.booked == told.booked:
        doubt = (1 - said.confidence) * DOUBT_LEFT
        return Finding(said.booked, 1 - doubt, said.reason, both)
    if said.confidence >= SURE_IN_CONFLICT:
        return Finding(said.booked, 0.5 + (said.confidence - 0.5) / 2, "conflict", both)
    return Finding(None, 0.5, "conflict", both)


def _from_told(said: Finding, told: Told) -> Finding:
    if not told.booked:
        return Finding(False, told.confidence, told.reason, told.proof)
    if said.reason == "unsettled":
        return Finding(True, told.confidence, told.reason, said.proof + told.proof)
    return Finding(None, 0.5, said.reason, said.proof + told.proof)


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
