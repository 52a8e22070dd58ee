"""Work about a call, one message at a time: what is not ready yet gets a successor message."""

from typing import Any

from aws_lambda_powertools import Logger

from calls import aftercare, call_store, summaries, twilio_api, work_queue
from calls.call_store import Event
from calls.summaries import NotReady
from calls.work_queue import Work

logger = Logger()

# The attribute that says that a kind of work was given up.
FAILURES = {
    "decide_transcript": "summaryFailure",
    "order_transcript": "summaryFailure",
    "fetch_summary": "summaryFailure",
    "copy_audio": "audioFailure",
    "fetch_price": "priceFailure",
}


def handler(event: dict[str, Any], _context: object) -> None:
    for record in event["Records"]:
        work = work_queue.received(record["body"])
        logger.append_keys(call_sid=work.call_sid, kind=work.kind, attempt=work.attempt)
        try:
            perform(work)
        except (NotReady, twilio_api.Unavailable) as reason:
            _try_later(work, str(reason))
        except twilio_api.Refused as error:
            logger.error("Twilio refused", status=error.status, code=error.code)
            _give_up(work, f"twilio_{error.code or error.status}")


def perform(work: Work) -> None:
    match work.kind:
        case "note":
            call_store.note(Event(**(work.event or {})))
        case "decide_transcript":
            if wanted := summaries.decide_transcript(work):
                work_queue.put(wanted)
        case "order_transcript":
            if ordered := summaries.order_transcript(work):
                work_queue.put(ordered, work_queue.SECONDS_UNTIL_A_LOOK)
        case "fetch_summary":
            summaries.ask_a_second_opinion(summaries.fetch_summary(work))
        case "copy_audio":
            aftercare.copy_audio(work)
        case "fetch_price":
            aftercare.fetch_price(work)
        case unknown:
            raise ValueError(f"no such work: {unknown}")


def _try_later(work: Work, reason: str) -> None:
    if work.is_too_old:
        _give_up(work, "gave_up")
        return
    successor, delay = work.later()
    logger.info("not ready", reason=reason, delay=delay)
    work_queue.put(successor, delay)


def _give_up(work: Work, reason: str) -> None:
    logger.error("work given up", reason=reason)
    failed = {FAILURES[work.kind]: reason}
    if not (work.call_sid and call_store.get(work.call_sid)):
        logger.warning("work dropped, it is about no known call")
    elif work.recording_sid:
        of = "audioOf" if work.kind == "copy_audio" else "transcriptOf"
        failed[of] = work.recording_sid
        call_store.finish_about(work.call_sid, work.recording_sid, **failed)
    else:
        call_store.finish(work.call_sid, **failed)
