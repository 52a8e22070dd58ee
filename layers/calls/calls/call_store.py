"""Calls and the webhooks they were made from, in DynamoDB."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from calls import call as calls
from calls import facts, instants, line_store, settings
from calls.aws import AwsError, client, error_code, from_item, name_of, to_item
from calls.call import Call
from calls.line import NOBODY, Line

TRIES = 12
Change = Callable[[Call], Call]


class Contended(Exception):
    """Others wrote the same call again and again; the webhook or the message is to be retried."""


@dataclass(frozen=True)
class Event:
    """One webhook of Twilio's, kept once. `call_sid` is the parent's for a leg's callback."""

    call_sid: str
    route: str
    params: Mapping[str, str]
    received_at: str

    @property
    def event_id(self) -> str:
        said = json.dumps([self.route, sorted(self.params.items())])
        return hashlib.sha256(said.encode()).hexdigest()


def note(event: Event, line: Line | None = None, *awaits: str) -> Call:
    """Keep a webhook and add what it says to its call.

    `line` is the called line where it is at hand; `awaits` is work that is now expected.
    """
    kept = keep(event)
    new = facts.facts_from(kept.route, kept.params, kept.received_at)
    return change(
        event.call_sid,
        lambda call: with_facts(call, facts.merged(call["facts"], new), line, awaits),
    )


def keep(event: Event) -> Event:
    """Store a webhook once, and what is stored is the answer: of repetitions, the earliest holds."""
    item = {
        "callSid": event.call_sid,
        "eventId": event.event_id,
        "route": event.route,
        "params": dict(event.params),
        "receivedAt": event.received_at,
        "expiresAt": _expires_at(event.received_at),
    }
    try:
        client("dynamodb").put_item(
            TableName=name_of("CALL_EVENTS_TABLE"),
            Item=to_item(item),
            # A try that stalled may come after Twilio's next one, and was received before it.
            ConditionExpression="attribute_not_exists(eventId) OR receivedAt > :received",
            ExpressionAttributeValues=to_item({":received": event.received_at}),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except client("dynamodb").exceptions.ConditionalCheckFailedException as repeated:
        return _event(from_item(repeated.response["Item"]))
    return event


def events_of(call_sid: str) -> Iterator[Event]:
    """Every webhook about a call, in no particular order."""
    return (event for event, _ in kept(call_sid))


def kept(call_sid: str) -> Iterator[tuple[Event, int]]:
    """Every webhook about a call and until when it is kept, epoch seconds; in no particular order."""
    pages = (
        client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=name_of("CALL_EVENTS_TABLE"),
            KeyConditionExpression="callSid = :sid",
            ExpressionAttributeValues=to_item({":sid": call_sid}),
            ConsistentRead=True,
        )
    )
    for page in pages:
        for item in map(from_item, page["Items"]):
            yield _event(item), int(item["expiresAt"])


def facts_of(events: Iterable[Event]) -> facts.Facts:
    """What webhooks say together; their order makes no difference."""
    told: facts.Facts = {}
    for event in events:
        new = facts.facts_from(event.route, event.params, event.received_at)
        told = facts.merged(told, new)
    return told


def get(call_sid: str) -> dict[str, Any] | None:
    """The stored item, or None."""
    answer = client("dynamodb").get_item(
        TableName=name_of("CALL_LOGS_TABLE"),
        Key=to_item({"callSid": call_sid}),
        ConsistentRead=True,
    )
    return from_item(answer["Item"]) if "Item" in answer else None


def find(call_sid: str) -> Call | None:
    """The call as it is stored, without what is computed from it."""
    stored = get(call_sid)
    return _call(stored) if stored else None


def of_clinic(call_sid: str, clinic_id: str | None) -> dict[str, Any] | None:
    """The stored item if the call is this clinic's (None: whoever's it is), else None."""
    query: dict[str, Any] = {
        "TableName": name_of("CALL_LOGS_TABLE"),
        "KeyConditionExpression": "callSid = :sid",
        "ExpressionAttributeValues": to_item({":sid": call_sid, ":clinic": clinic_id}),
        "ConsistentRead": True,
    }
    if clinic_id is not None:
        query["FilterExpression"] = "customerId = :clinic"
    return next((from_item(item) for item in client("dynamodb").query(**query)["Items"]), None)


def change(call_sid: str, how: Change) -> Call:
    """Read a call, change it and write it back, again when somebody else wrote in between.

    `how` is a pure function of the call and may run more than once. A call that does not exist yet
    starts empty. Raises Contended when the call never held still.
    """
    for attempt in range(TRIES):
        stored = get(call_sid)
        before = _call(stored) if stored else calls.new(call_sid)
        after = how(before)
        if stored and after == before and is_told_by(stored, after):
            return after
        if _put(after, (stored or {}).get("version", 0)):
            return after
        time.sleep(random.uniform(0, min(0.2, 0.02 * 2**attempt)))  # noqa: S311 - jitter, not a secret
    raise Contended(call_sid)


def expect(call_sid: str, *pieces: str) -> Call:
    """Write down that work about a call is awaited: "summary", "audio" or "price"."""
    return change(call_sid, lambda call: calls.awaiting(call, *pieces))


def finish(call_sid: str, **done: Any) -> Call:
    """Write down what work about a call came to."""
    return change(call_sid, lambda call: calls.with_work(call, **done))


def finish_about(call_sid: str, recording_sid: str, **done: Any) -> Call:
    """The same of a recording, unless by now another one speaks for the call."""

    def finished(call: Call) -> Call:
        speaks = calls.is_told_by(call["facts"], recording_sid)
        return calls.with_work(call, **done) if speaks else call

    return change(call_sid, finished)


def replace_verdict(call_sid: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Call:
    """Write a verdict in place of another, unless somebody else has replaced that one since."""

    def replaced(call: Call) -> Call:
        unchanged = call["work"].get("booking") == old
        return calls.with_work(call, booking=dict(new)) if unchanged else call

    return change(call_sid, replaced)


def by_transcript(transcript_sid: str) -> str | None:
    """The SID of the call that a transcript belongs to."""
    answer = client("dynamodb").query(
        TableName=name_of("CALL_LOGS_TABLE"),
        IndexName="ByTranscript",
        KeyConditionExpression="transcriptSid = :sid",
        ExpressionAttributeValues=to_item({":sid": transcript_sid}),
    )
    return next((str(from_item(item)["callSid"]) for item in answer["Items"]), None)


@dataclass(frozen=True)
class Selection:
    """Calls by one index: its key and value, instants from `start` to `end`, and what else holds."""

    index: str
    key: str
    value: str
    start: str = "0"
    end: str = "9999"
    also: tuple[tuple[str, Any], ...] = ()
    oldest_first: bool = False

    @property
    def is_empty(self) -> bool:
        return self.start > self.end


def newest(
    selection: Selection, limit: int, after: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], dict[str, str] | None]:
    """Up to `limit` stored items, and where the next page starts (None at the end).

    The newest come first, unless the selection says otherwise.
    """
    found: list[dict[str, Any]] = []
    start = dict(after) if after else None
    while True:
        page = _page(selection, start, limit + 1)
        found += [from_item(item) for item in page["Items"]]
        start = from_item(page["LastEvaluatedKey"]) if "LastEvaluatedKey" in page else None
        if len(found) > limit:
            return found[:limit], key_of(found[limit - 1], selection)
        if start is None or len(found) == limit:
            return found, start


def each(selection: Selection) -> Iterator[dict[str, Any]]:
    """Every stored item of a selection, newest first."""
    start = None
    while True:
        page = _page(selection, start)
        yield from (from_item(item) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        start = from_item(page["LastEvaluatedKey"])


def _page(
    selection: Selection, start: Mapping[str, str] | None, most: int | None = None
) -> dict[str, Any]:
    """Up to a megabyte of a selection, or `most` items where nothing filters them."""
    if selection.is_empty:
        return {"Items": []}  # DynamoDB refuses a BETWEEN whose end comes first.
    conditions = [f"#also{n} = :also{n}" for n in range(len(selection.also))]
    names = {"#key": selection.key} | {f"#also{n}": a[0] for n, a in enumerate(selection.also)}
    values = {":value": selection.value, ":start": selection.start, ":end": selection.end}
    values |= {f":also{n}": wanted for n, (_, wanted) in enumerate(selection.also)}
    query: dict[str, Any] = {
        "TableName": name_of("CALL_LOGS_TABLE"),
        "IndexName": selection.index,
        "KeyConditionExpression": "#key = :value AND startedAt BETWEEN :start AND :end",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
        "ScanIndexForward": selection.oldest_first,
    }
    if conditions:
        query["FilterExpression"] = " AND ".join(conditions)
    elif most:
        query["Limit"] = most
    if start:
        query["ExclusiveStartKey"] = to_item(dict(start))
    return dict(client("dynamodb").query(**query))


def key_of(item: Mapping[str, Any], selection: Selection) -> dict[str, str]:
    """Where the page starts that follows an item."""
    return {name: item[name] for name in ("callSid", selection.key, "startedAt")}


def item_of(call: Call) -> dict[str, Any]:
    """What is stored of a call, but for its version and its expiry: what it amounts to, and why."""
    described = calls.attributes(call)
    keys = calls.index_keys(described, settled=calls.is_settled(call))
    return described | keys | {"facts": call["facts"], "work": call["work"]}


def is_told_by(stored: Mapping[str, Any], call: Call) -> bool:
    """Whether a stored item is what today's code makes of the call."""
    return from_item(to_item(item_of(call))) == {
        name: value for name, value in stored.items() if name not in ("version", "expiresAt")
    }


def _put(call: Call, version: int) -> bool:
    """Write unless another wrote since `version`; says whether it was written."""
    item = item_of(call)
    started_at = item.get("startedAt") or instants.now()
    item |= {"version": version + 1, "expiresAt": _expires_at(started_at)}
    try:
        client("dynamodb").put_item(
            TableName=name_of("CALL_LOGS_TABLE"),
            Item=to_item(item),
            ConditionExpression="attribute_not_exists(callSid) OR version = :version",
            ExpressionAttributeValues=to_item({":version": version}),
        )
    except AwsError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


def with_facts(
    call: Call, known: facts.Facts, line: Line | None = None, awaits: tuple[str, ...] = ()
) -> Call:
    """The call with these facts in place of its own, and whose it then is."""
    noted = calls.about_main_recording(call | {"facts": known})
    noted = calls.awaiting(noted, *awaits) if awaits else noted
    # What is told late may say that the call began before its number changed hands.
    is_owned = noted["work"].get("customerId") and _where_and_when(noted) == _where_and_when(call)
    return noted if is_owned else _owned(noted, line)


def _owned(call: Call, line: Line | None) -> Call:
    """The call with the clinic that owned its number when it started."""
    number, started_at = _where_and_when(call)
    if not number or not started_at:
        return call
    line = line or line_store.find(number)
    known = call["work"].get("customerId") or NOBODY
    return calls.with_work(call, customerId=line.owner_at(started_at) if line else known)


def _where_and_when(call: Call) -> tuple[str | None, str | None]:
    number, started_at = (
        call["facts"].get(name, {}).get("value") for name in ("twilioPhoneNumber", "startedAt")
    )
    return number, started_at


def _call(item: Mapping[str, Any]) -> Call:
    return {"callSid": item["callSid"], "facts": item["facts"], "work": item["work"]}


def _event(item: Mapping[str, Any]) -> Event:
    return Event(item["callSid"], item["route"], item["params"], item["receivedAt"])


def _expires_at(since: str) -> int:
    return calls.expires_at(since, settings.load().retention_days)
