"""Measures the verdict on labelled conversations: `python -m local.evaluation FILE… [--folds N]`."""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local import judging, labelled, scores
from local.judging import Judged
from local.labelled import Labelled
from local.progress import Progress
from local.scores import Outcome

_NAME_WIDTH = 44
_ROWS_OF_A_KIND = 5
_WORDS = {True: "booked", False: "not booked", None: "unknown"}

Groups = dict[str, list[Judged]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.evaluation")
    parser.add_argument("--errors", type=int, default=10, help="how many of the worst to show")
    parser.add_argument(
        "--folds", type=int, help="learn anew for each part of the batches, from the other parts"
    )
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    if arguments.folds is not None and arguments.folds < 2:
        parser.error("--folds must be 2 or more")
    say = Progress()
    try:
        rows = labelled.read(arguments.files)
        if arguments.folds:
            judged = judging.judge_out_of_fold(rows, arguments.folds, say)
        else:
            judged = judging.judge(rows, say)
    except (labelled.BadFile, judging.EngineFailed) as error:
        sys.exit(str(error))
    say("drawing resamples")
    for line in report(judged, arguments.errors):
        print(line)
    if any(one.lost_quotes for one in judged):
        sys.exit("a quote is not verbatim: that is a bug of the engine")


def report(judged: Sequence[Judged], errors: int) -> Iterator[str]:
    yield from _table(judged)
    yield ""
    yield from _about_quotes(judged)
    yield from _about_appointments(judged)
    yield ""
    yield from _worst(judged, errors)


def _table(judged: Sequence[Judged]) -> Iterator[str]:
    engines = ", ".join(sorted({one.verdict["engine"] for one in judged}))
    yield f"{engines}, with 95 % intervals of {scores.RESAMPLES:,} resamples by batch:"
    yield _line("", "rows", "booked", *scores.NAMES)
    yield from _measured("all", judged)
    for title, grouped in _GROUPINGS.items():
        groups = grouped(judged)
        if groups:
            yield f"by {title}"
        for name in sorted(groups):
            yield from _measured(f"  {name}", groups[name])


def _by_source(judged: Sequence[Judged]) -> Groups:
    return _grouped((one.row.source, one) for one in judged)


def _by_domain(judged: Sequence[Judged]) -> Groups:
    named = (one for one in judged if one.row.domain)
    return _grouped((f"{one.row.source}: {one.row.domain}", one) for one in named)


def _by_kind(judged: Sequence[Judged]) -> Groups:
    """Kinds with a handful of rows are taken together: alone they say nothing."""
    counts = Counter((one.row.source, one.row.kind) for one in judged)

    def name(row: Labelled) -> str:
        is_rare = counts[row.source, row.kind] < _ROWS_OF_A_KIND
        return f"{row.source}: {'rarer kinds' if is_rare else row.kind}"

    return _grouped((name(one.row), one) for one in judged)


def _grouped(named: Iterable[tuple[str, Judged]]) -> Groups:
    groups: Groups = defaultdict(list)
    for name, one in named:
        groups[name].append(one)
    return groups


_GROUPINGS: dict[str, Callable[[Sequence[Judged]], Groups]] = {
    "source": _by_source,
    "domain": _by_domain,
    "kind": _by_kind,
}


def _measured(name: str, judged: Sequence[Judged]) -> Iterator[str]:
    batches: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for one in judged:
        batches[one.row.batch][one.outcome] += 1
    found = scores.scores(sum(batches.values(), Counter()))
    between = scores.intervals(batches.values())
    booked = sum(one.row.booked is True for one in judged)
    yield _line(name, len(judged), booked, *[_figure(found[n]) for n in scores.NAMES])
    if between:
        yield _line("", "", "", *[_interval(between.get(n)) for n in scores.NAMES])


def _line(name: str, *cells: object) -> str:
    rows, booked, *figures = map(str, cells)
    shown = name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"
    return (
        f"{shown:{_NAME_WIDTH}}{rows:>6}{booked:>8}  "
        + "".join(f"{f:<13}" for f in figures).rstrip()
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(between: tuple[float, float] | None) -> str:
    return "" if between is None else f"{between[0]:.3f}..{between[1]:.3f}"


def _about_quotes(judged: Sequence[Judged]) -> Iterator[str]:
    quotes = sum(len(one.verdict["evidence"]) for one in judged)
    lost = [(one.row.id, quote) for one in judged for quote in one.lost_quotes]
    yield f"{quotes} quotes, {len(lost)} of them not verbatim ({len(lost) / max(1, quotes):.1%})"
    for row_id, quote in lost:
        yield f"  {row_id}: “{quote}”"
    bare = [o.row.id for o in judged if o.verdict["booked"] and not o.verdict["evidence"]]
    if bare:
        yield f"{len(bare)} booked without a quote: {', '.join(bare[:10])}"


def _about_appointments(judged: Sequence[Judged]) -> Iterator[str]:
    """How often the day and the time of what was booked are those of the label."""
    both = [one for one in judged if one.row.appointment and one.verdict["booked"]]
    for name in ("date", "time"):
        told = Counter(_compared(one, name) for one in both)
        if both:
            yield f"{name}s of {len(both)} booked: " + ", ".join(
                f"{n} {how}" for how, n in sorted(told.items())
            )


def _compared(one: Judged, name: str) -> str:
    given = (one.verdict["appointment"] or {}).get(name)
    true = (one.row.appointment or {}).get(name)
    if given == true:
        return "right" if true else "rightly left open"
    if given is None:
        return "left open"
    return "wrong" if true else "given where the label leaves it open"


def _worst(judged: Sequence[Judged], most: int) -> Iterator[str]:
    """The wrong verdicts, the most confident first."""
    wrong = [one for one in judged if one.outcome.said is not None and not one.outcome.is_right]
    wrong.sort(key=lambda one: -one.outcome.confidence)
    yield f"{len(wrong)} wrong verdicts, {_missed(judged)} bookings left unknown"
    for number, one in enumerate(wrong[:most], start=1):
        yield f"{number:3}. {one.row.id} ({one.row.source}: {one.row.kind})"
        yield (
            f"     {_WORDS[one.outcome.said]} at {one.outcome.confidence:.2f}"
            f" ({one.verdict['reason']}), truly {_WORDS[one.outcome.truth]}"
        )
        yield from (f"     “{e['quote']}” ({_from(e)})" for e in one.verdict["evidence"])


def _missed(judged: Sequence[Judged]) -> int:
    return sum(one.outcome.said is None and one.outcome.truth is True for one in judged)


def _from(evidence: Mapping[str, Any]) -> str:
    return str(evidence.get("speaker") or evidence["source"])


if __name__ == "__main__":
    main()
