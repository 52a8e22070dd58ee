"""The phone rings and nothing is lost, whatever fails: small runs of `make chaos`, and a day's outage."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import chaos, chaos_calls, simulator
from local.progress import Progress

CALLS = 12


@pytest.mark.parametrize(
    ("seed", "kill", "fewest_killed"), [(1, "midway", 0), (2, "answer", CALLS)]
)
def test_every_call_rings_and_ends_whole_in_the_log(seed, kill, fewest_killed, capsys):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    is_flawless = chaos.run(CALLS, seed, kill, Path(f".local/chaos-{worker}"))

    printed = capsys.readouterr().out
    last_line = printed.splitlines()[-1]
    seconds = json.loads(last_line)["seconds"]
    assert last_line == (
        f'{{"calls":{CALLS},"rang":{CALLS},"lost":0,"duplicated":0,"wrong_fields":0,'
        f'"transcripts_ordered_twice":0,"unsettled":0,"seed":{seed},"seconds":{seconds}}}'
    ), printed
    assert is_flawless
    assert int(re.findall(r"killed (\d+) functions", printed)[0]) >= fewest_killed


def test_a_days_outage_of_callbacks_is_repaired_by_one_run_of_the_reconciler(stack, capsys):
    say, since = Progress(), datetime.now(UTC)
    planned = chaos_calls.drawn(3, CALLS, chaos_calls.sample_lines(stack))

    simulator.tell(stack, "faults", {"drop": 1.0})
    try:
        placed = chaos.place_all(stack, planned, say)
    finally:
        simulator.tell(stack, "faults", {})
    figures, wrong = chaos.mended(stack, placed, since, say)

    assert wrong == []
    assert (figures["calls"], figures["rang"], figures["lost"]) == (CALLS, CALLS, 0)
    assert capsys.readouterr().out.count("the reconciler:") == 1
