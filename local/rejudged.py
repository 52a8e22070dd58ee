"""Tells an operator what today's engine makes of the stored verdicts of older ones."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from local import chores
from local.deployed import Deployed
from local.progress import Progress

_WORDS = {True: "booked", False: "not booked", None: "unknown"}


def told(deployed: Deployed, say: Progress, *, apply: bool) -> Iterator[str]:
    """Each verdict that changes, and at last what all came to; stored only if `apply` is true."""
    counts: Counter[str] = Counter()
    gone: list[str] = []
    for report in chores.rejudge(deployed, apply=apply):
        yield from map(_change, report["changes"])
        counts.update(seen=report["seen"], judged=report["judged"])
        counts.update(changed=len(report["changes"]))
        gone += report["gone"]
        say(f"{counts['seen']} calls seen, {counts['judged']} verdicts of older engines")
    if gone:
        yield f"not judged, since their words are not kept any more: {', '.join(gone)}"
    yield _result(counts, apply=apply)


def _change(change: Mapping[str, Any]) -> str:
    return f"{change['callSid']}  {_short(change['old'])}  ->  {_short(change['new'])}"


def _short(verdict: Mapping[str, Any]) -> str:
    said = f"{_WORDS[verdict['booked']]} {verdict['confidence']:.2f} ({verdict['reason']})"
    return f"{said} by {verdict['engine']}"


def _result(counts: Mapping[str, int], *, apply: bool) -> str:
    judged, changed = counts["judged"], counts["changed"]
    if apply:
        return f"stored {judged} verdicts, {changed} of them with another answer"
    advice = "; nothing was stored: make rejudge APPLY=1 stores them" if judged else ""
    return f"{changed} of {judged} verdicts of older engines would change{advice}"
