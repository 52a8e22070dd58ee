"""Places calls while everything fails in turns, and compares the whole log with what really happened."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import psutil
import requests

from local import bring_up, chaos_calls, chores, truth
from local.api import Api
from local.chaos_calls import Planned
from local.fault_proxy import DEPENDENCIES, FAULTS, Asked, FaultProxies
from local.processes import Processes
from local.progress import Progress
from local.stack import Stack
from local.truth import Line, Wrong

HOME = Path(".local/chaos")
CALL_LOGS = "/api/twilio/call-logs"

# Of life's speed: two processors bear four calls at once so.
_TIME_SCALE = 0.1
_AT_ONCE = 4
_CALLBACK_FAULTS = {"drop": 0.2, "repeat": 0.2, "delay": [0, 5], "reorder": True}
# One request in so many costs the function that sent it its life.
_REQUESTS_PER_KILL = 300
KILLS = ("midway", "answer")
_ANSWER_ROUTES = ("incoming", "dial-status", "voicemail")
# A message whose work failed is seen again after this, in place of the template's six minutes.
_SECONDS_UNTIL_RETRY = 20
# Functions that nobody waits for; a worker more is half a second of processor time.
_BOUNDED = ("CallStatus", "RecordingReady", "LiveTranscript", "TranscriptReady", "SummarizeCall")
_WORKERS_EACH = 3
_PATIENCE_SECONDS = 300.0

Json = dict[str, Any]


def run(calls: int, seed: int, kill: str = "midway", home: Path = HOME) -> Json:
    """The run's report; every number but `seconds` and `seed` says how many calls. Prints what is wrong."""
    say, began = Progress(), time.monotonic()
    say(f"chaos with {calls} calls, seed {seed}")
    killer = Killer(Processes(home / "processes.json"), seed, kill)
    with FaultProxies(killer) as proxies, bring_up.running(home, say, proxies=proxies) as stack:
        lines = chaos_calls.connected(stack)
        placed = _place_all(stack, proxies, killer, chaos_calls.drawn(seed, calls, lines), say)
        say(f"killed {killer.killed} functions at work; now all is well, and the log is mended")
        _mend(stack, say)
        report, wrong = judged(read_truth(stack, placed), read_log(stack), placed)
        report["unsettled"] = len(_unsettled(stack))
    for line in wrong:
        print(line)
    return report | {"seed": seed, "seconds": round(time.monotonic() - began)}


def is_flawless(report: Mapping[str, Any]) -> bool:
    faults = ("lost", "duplicated", "wrong_fields", "transcripts_ordered_twice", "unsettled")
    return report["rang"] == report["calls"] and not any(report[name] for name in faults)


@dataclass
class Killer:
    """Kills functions in the middle of their work: while they wait for what they asked, or for its answer.

    "midway" strikes at random; "answer" strikes once at each answer that a caller waits for.
    """

    processes: Processes
    seed: int
    how: str
    armed: bool = False
    killed: int = 0
    _struck: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)

    async def __call__(self, asked: Asked, done: bool) -> bool:
        if not self.armed or not self._strikes(asked, done):
            return False
        died = await asyncio.to_thread(self._kill_sender, asked.port)
        self.killed += died
        return died

    def _strikes(self, asked: Asked, done: bool) -> bool:
        if self.how == "midway":
            return self._chance.random() < 0.5 / _REQUESTS_PER_KILL
        answer = _answer_kept_by(asked)
        if answer is None or answer in self._struck:
            return False
        # Before the webhook is written, or after it: half of them each.
        strikes = done or self._chance.random() < 0.5
        if strikes:
            self._struck.add(answer)
        return strikes

    def _kill_sender(self, port: int) -> bool:
        for process in self.processes.children():
            try:
                if any(c.laddr.port == port for c in process.net_connections("tcp")):
                    process.kill()
                    return True
            except psutil.Error:
                continue
        return False


def _answer_kept_by(asked: Asked) -> tuple[str, str] | None:
    """The call and the route, if the request stores a webhook whose answer a caller waits for."""
    if asked.dependency != "dynamodb" or b'"eventId"' not in asked.body:
        return None
    item = json.loads(asked.body).get("Item", {})
    route = item.get("route", {}).get("S", "").rpartition("/")[2]
    return (item["callSid"]["S"], route) if route in _ANSWER_ROUTES else None


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
    _tell_simulator(stack, "settings", {"timeScale": _TIME_SCALE})
    _tell_simulator(stack, "faults", faults)
    killer.armed = True
    breaking = Thread(target=break_and_mend, daemon=True)
    breaking.start()
    try:
        yield
    finally:
        over.set()
        breaking.join()
        killer.armed = False
        _tell_simulator(stack, "faults", {})


def _place_all(
    stack: Stack,
    proxies: FaultProxies,
    killer: Killer,
    planned: list[Planned],
    say: Progress,
) -> dict[str, Planned]:
    """By SID, every call, once all of them are over."""
    _retry_soon(stack)
    placed: dict[str, Planned] = {}
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    with _few_workers(stack), _faults_in_turns(stack, proxies, killer, say):
        try:
            calls = [pool.submit(_place, stack, plan) for plan in planned]
            for done in as_completed(calls):
                sid, plan = done.result()
                placed[sid] = plan
                if len(placed) % 10 == 0:
                    say(f"{len(placed)} of {len(planned)} calls are over")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return placed


def _place(stack: Stack, plan: Planned) -> tuple[str, Planned]:
    sid = plan.place(stack)
    while _call(stack, sid)["endTime"] is None:
        time.sleep(0.3)
    return sid, plan


def _mend(stack: Stack, say: Progress) -> None:
    """What an operator does after a bad day: let the reconciler run, and wait."""
    for sid in [call["callSid"] for call in _calls(stack)]:
        _until(lambda sid=sid: bool(_call(stack, sid)["done"]), f"{sid} to be over")
    for report in chores.reconcile(stack.deployed()):
        say(f"the reconciler: {json.dumps(report)}")
    _until(lambda: not _unsettled(stack) and _queue_is_idle(stack), "the log to settle")
    say("settled")


def _until(holds: Any, what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(1)


def _unsettled(stack: Stack) -> list[str]:
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
    return [item["callSid"]["S"] for page in pages for item in page["Items"]]


def _queue_is_idle(stack: Stack) -> bool:
    """Nothing waits to be done now; a look at what is done already may still lie ahead."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deployed = stack.deployed()
    answer = deployed.client("sqs").get_queue_attributes(
        QueueUrl=deployed.resources["WorkQueue"], AttributeNames=names
    )
    return all(answer["Attributes"][name] == "0" for name in names)


def _retry_soon(stack: Stack) -> None:
    deployed = stack.deployed()
    deployed.client("sqs").set_queue_attributes(
        QueueUrl=deployed.resources["WorkQueue"],
        Attributes={"VisibilityTimeout": str(_SECONDS_UNTIL_RETRY)},
    )


@contextmanager
def _few_workers(stack: Stack) -> Iterator[None]:
    """While requests hang, no more of them are taken on than two processors bear; the others get 429."""
    deployed = stack.deployed()
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


def read_truth(stack: Stack, placed: Mapping[str, Planned]) -> list[Json]:
    return [_call(stack, sid) for sid in placed]


def read_log(stack: Stack) -> list[Json]:
    """Every call as the admin reads it, and as its clinic does where that differs."""
    admin, log = stack.as_admin(), []
    for clinic_id in [*stack.lines, "none"]:
        read = list(_pages(admin, clinicId=clinic_id))
        log += read
        if clinic_id != "none":
            own = list(_pages(stack.as_customer(clinic_id)))
            log += [call for call in own if call not in read]
    return log


def _pages(api: Api, **query: str) -> Iterator[Json]:
    while True:
        page = api.get(CALL_LOGS, limit="100", **query)
        yield from page["calls"]
        if page["cursor"] is None:
            return
        query["cursor"] = page["cursor"]


def judged(
    calls: list[Json], log: list[Json], placed: Mapping[str, Planned]
) -> tuple[Json, list[str]]:
    """The run's figures, and a line for everything that is wrong."""
    by_sid: dict[str, list[Json]] = {}
    for logged in log:
        by_sid.setdefault(logged["callSid"], []).append(logged)
    lines = {sid: plan.line for sid, plan in placed.items()}
    unreached = [c["callSid"] for c in calls if not truth.reached(c, lines[c["callSid"]])]
    lost = [sid for sid in _lost(calls, lines) if sid not in by_sid]
    made_up = [sid for sid in by_sid if sid not in lines]
    twice = [sid for sid, logs in by_sid.items() if len(logs) > 1]
    wrong = [w for c in calls if c["callSid"] in by_sid for w in _wrong(c, placed, by_sid)]
    too_many = [c["callSid"] for c in calls for _ in range(truth.transcripts_too_many(c))]
    report = {
        "calls": len(calls),
        "rang": len(calls) - len(unreached),
        "lost": len(lost),
        "duplicated": len(twice) + len(made_up),
        "wrong_fields": len(wrong),
        "transcripts_ordered_twice": len(too_many),
        "unsettled": 0,
    }
    told = {
        "did not reach what it should": unreached,
        "lost": lost,
        "logged more than once": twice,
        "logged and never placed": made_up,
        "transcribed twice": too_many,
    }
    return report, [f"{sid}: {what}" for what, sids in told.items() for sid in sids] + [
        str(w) for w in wrong
    ]


def _lost(calls: list[Json], lines: Mapping[str, Line]) -> list[str]:
    return [c["callSid"] for c in calls if truth.must_be_logged(c, lines[c["callSid"]])]


def _wrong(
    call: Json, placed: Mapping[str, Planned], by_sid: Mapping[str, list[Json]]
) -> Iterator[Wrong]:
    plan = placed[call["callSid"]]
    for logged in by_sid[call["callSid"]]:
        yield from truth.wrong_fields(call, plan.line, plan.words.booked, logged)


def _calls(stack: Stack) -> list[Json]:
    return list(_ask_simulator(stack, "calls")["calls"])


def _call(stack: Stack, sid: str) -> Json:
    return dict(_ask_simulator(stack, f"calls/{sid}"))


def _ask_simulator(stack: Stack, path: str) -> Any:
    return requests.get(f"{stack.twilio_url}/simulator/{path}", timeout=30).json()


def _tell_simulator(stack: Stack, path: str, body: Json) -> None:
    answer = requests.post(f"{stack.twilio_url}/simulator/{path}", json=body, timeout=30)
    answer.raise_for_status()
