"""Tells an operator what stored calls become when their webhooks are told again."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from local import chores
from local.deployed import Deployed
from local.progress import Progress


def told(deployed: Deployed, say: Progress, *, apply: bool, **which: str | None) -> Iterator[str]:
    """Each call that changes, and at last what all came to; stored only if `apply` is true."""
    counts: Counter[str] = Counter()
    for report in chores.replay(deployed, apply=apply, **which):
        yield from map(_change, report["changes"])
        counts.update(seen=report["seen"], expired=report["expired"])
        counts.update(changed=len(report["changes"]))
        say(f"{counts['seen']} calls seen")
    if counts["expired"]:
        yield (
            f"of {counts['expired']} calls webhooks are not kept any more: "
            "what these may have told was left as it is"
        )
    yield _result(counts, apply=apply)


def _change(change: Mapping[str, Any]) -> str:
    before, after = change["outcome"]
    outcome = after if before == after else f"{before or 'not in the log'} -> {after}"
    return f"{change['callSid']}  {outcome}  ({', '.join(change['told'])})"


def _result(counts: Mapping[str, int], *, apply: bool) -> str:
    seen, changed = counts["seen"], counts["changed"]
    if not seen:
        return "no such call, and no webhook of one is kept"
    if apply:
        return f"stored {changed} of {seen} calls anew"
    advice = "; nothing was stored: add APPLY=1 to store it" if changed else ""
    return f"{changed} of {seen} calls would change{advice}"
