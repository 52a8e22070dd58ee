"""Places calls while everything fails in turns, and compares the whole log with what really happened."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from local import bring_up, chaos_calls, chaos_report, chores, simulator
from local.api import Api
from local.chaos_calls import Planned
from local.fault_proxy import DEPENDENCIES, FAULTS, FaultProxies
from local.killer import Killer
from local.processes import Processes
from local.progress import Progress
from local.stack import Stack
from local.truth import SECONDS_OFF

HOME = Path(".local/chaos")
CALL_LOGS = "/api/twilio/call-logs"

# Of life's speed: two processors bear four calls at once so.
_TIME_SCALE = 0.1
_AT_ONCE = 4
_CALLBACK_FAULTS = {"drop": 0.2, "repeat": 0.2, "delay": [0, 5], "reorder": True}
# A message whose work failed is seen again after this, in place of the template's six minutes.
_SECONDS_UNTIL_RETRY = 20
# Functions that nobody waits for; a worker more is half a second of processor time.
_BOUNDED = ("CallStatus", "RecordingReady", "LiveTranscript", "TranscriptReady", "SummarizeCall")
_WORKERS_EACH = 3
_PATIENCE_SECONDS = 300.0

Json = dict[str, Any]


def run(calls: int, seed: int, kill: str = "midway", home: Path = HOME) -> bool:
    """Whether all was well. Prints what was not, and as its last line the run's figures as JSON."""
    say, began = Progress(), time.monotonic()
    say(f"chaos with {calls} calls, seed {seed}")
    killer = Killer(Processes(home / "processes.json"), seed, kill)
    with FaultProxies(killer) as proxies, bring_up.running(home, say, proxies=proxies) as stack:
        planned = chaos_calls.drawn(seed, calls, chaos_calls.connected(stack))
        since = datetime.now(UTC)
        with _fit_for_one_machine(stack), _faults_in_turns(stack, proxies, killer, say):
            placed = place_all(stack, planned, say)
        say(f"killed {killer.killed} functions at work; now all is well")
        figures, wrong = mended(stack, placed, since, say)
    for line in wrong:
        print(line)
    figures |= {"seed": seed, "seconds": round(time.monotonic() - began)}
    print(json.dumps(figures, separators=(",", ":")))
    return chaos_report.is_flawless(figures)


def place_all(stack: Stack, planned: Sequence[Planned], say: Progress) -> dict[str, Planned]:
    """By SID, every call, once Twilio has told all about them."""
    placed: dict[str, Planned] = {}
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        for done in as_completed([pool.submit(_place, stack, plan) for plan in planned]):
            sid, plan = done.result()
            placed[sid] = plan
            if len(placed) % 10 == 0:
                say(f"{len(placed)} of {len(planned)} calls are over")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for sid in placed:
        _until(partial(_is_done, stack, sid))
    return placed


def mended(
    stack: Stack, placed: Mapping[str, Planned], since: datetime, say: Progress
) -> tuple[Json, list[str]]:
    """After a bad day the reconciler runs; what then is wrong still, as figures and lines.

    `since` is when the first of the calls was placed. What still waits in the queue is noted
    first: a run that comes before it cannot know a call to a number that is nobody's.
    """
    _until(partial(_queue_is_idle, stack))
    for report in chores.reconcile(stack.deployed()):
        say(f"the reconciler: {json.dumps(report)}")
    _until(lambda: not _unsettled(stack, placed) and _queue_is_idle(stack))
    say("comparing the log with what Twilio knows")
    calls = [simulator.call(stack, sid) for sid in placed]
    figures, wrong = chaos_report.judged(calls, _read_log(stack, since), placed)
    unsettled = _unsettled(stack, placed)
    wrong += [f"{sid}: unsettled" for sid in unsettled]
    return figures | {"unsettled": len(unsettled)}, wrong


def turns(seed: int) -> Iterator[tuple[float, dict[str, str], float]]:
    """Endlessly: seconds of peace, then which dependency fails how, and for how many seconds."""
    chance = Random(seed)
    while True:
        deck = [(name, fault) for name in DEPENDENCIES for fault in FAULTS]
        chance.shuffle(deck)
        for name, fault in deck:
            faults = {name: fault}
            if chance.random() < 0.2:
                faults |= {chance.choice(DEPENDENCIES): chance.choice(FAULTS)}
            yield chance.uniform(1, 3), faults, chance.uniform(2, 6)


@contextmanager
def _faults_in_turns(
    stack: Stack, proxies: FaultProxies, killer: Killer, say: Progress
) -> Iterator[None]:
    over = Event()

    def break_and_mend() -> None:
        for peace, faults, seconds in turns(killer.seed):
            if over.wait(peace):
                return
            say(f"for {seconds:.0f} s: " + ", ".join(f"{n} {f}" for n, f in faults.items()))
            proxies.set_faults(faults)
            over.wait(seconds)
            proxies.set_faults({})

    faults = {"seed": killer.seed, **_CALLBACK_FAULTS}
    simulator.tell(stack, "settings", {"timeScale": _TIME_SCALE})
    simulator.tell(stack, "faults", faults)
    killer.armed = True
    breaking = Thread(target=break_and_mend, daemon=True)
    breaking.start()
    try:
        yield
    finally:
        over.set()
        breaking.join()
        killer.armed = False
        simulator.tell(stack, "faults", {})


def _place(stack: Stack, plan: Planned) -> tuple[str, Planned]:
    sid = plan.place(stack)
    while simulator.call(stack, sid)["endTime"] is None:
        time.sleep(0.3)
    return sid, plan


def _is_done(stack: Stack, sid: str) -> bool:
    """Whether Twilio has told everything about a call."""
    return bool(simulator.call(stack, sid)["done"])


def _until(holds: Callable[[], bool]) -> None:
    """Returns when it holds, or patience ends; what does not hold then shows in the figures."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(1)


def _unsettled(stack: Stack, placed: Mapping[str, Planned]) -> list[str]:
    deployed = stack.deployed()
    pages = (
        deployed.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=deployed.outputs["CallLogsTable"],
            IndexName="Unsettled",
            KeyConditionExpression="unsettled = :unsettled",
            ExpressionAttributeValues={":unsettled": {"S": "unsettled"}},
        )
    )
    sids = [item["callSid"]["S"] for page in pages for item in page["Items"]]
    return [sid for sid in sids if sid in placed]


def _queue_is_idle(stack: Stack) -> bool:
    """Nothing waits to be done now; a look at what is done already may still lie ahead."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deployed = stack.deployed()
    answer = deployed.client("sqs").get_queue_attributes(
        QueueUrl=deployed.resources["WorkQueue"], AttributeNames=names
    )
    return all(answer["Attributes"][name] == "0" for name in names)


@contextmanager
def _fit_for_one_machine(stack: Stack) -> Iterator[None]:
    """Failed work is tried again soon; of what hangs, no more is taken on than two processors bear."""
    deployed = stack.deployed()
    deployed.client("sqs").set_queue_attributes(
        QueueUrl=deployed.resources["WorkQueue"],
        Attributes={"VisibilityTimeout": str(_SECONDS_UNTIL_RETRY)},
    )
    functions = [deployed.resources[name] for name in _BOUNDED]
    client = deployed.client("lambda")
    for name in functions:
        client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=_WORKERS_EACH
        )
    try:
        yield
    finally:
        for name in functions:
            client.delete_function_concurrency(FunctionName=name)


def _read_log(stack: Stack, since: datetime) -> list[Json]:
    """Every call as the admin reads it, and as its clinic does where that differs."""
    admin, log = stack.as_admin(), []
    period = {"from": (since - timedelta(seconds=SECONDS_OFF)).isoformat()}
    for clinic_id in [*stack.lines, "none"]:
        read = list(_pages(admin, **period, clinicId=clinic_id))
        log += read
        if clinic_id != "none":
            own = list(_pages(stack.as_customer(clinic_id), **period))
            log += [call for call in own if call not in read]
    return log


def _pages(api: Api, **query: str) -> Iterator[Json]:
    while True:
        page = api.get(CALL_LOGS, limit="100", **query)
        yield from page["calls"]
        if page["cursor"] is None:
            return
        query["cursor"] = page["cursor"]
