"""Audio copies, transcripts and operator results, in S3: they outgrow an item."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from calls import instants
from calls.aws import client, name_of

LINK_SECONDS = 900


def put_audio(clinic_id: str, call_sid: str, mp3: bytes) -> str:
    """Store a call's recording; the answer is its key."""
    return _put(f"{clinic_id}/{call_sid}/recording.mp3", mp3, "audio/mpeg")


def put_transcript(clinic_id: str, call_sid: str, document: dict[str, Any]) -> str:
    """Store a call's transcript, `{"turns", "operatorResults"}`; the answer is its key."""
    body = json.dumps(document).encode()
    return _put(f"{clinic_id}/{call_sid}/transcript.json", body, "application/json")


def transcript(key: str) -> dict[str, Any]:
    answer = client("s3").get_object(Bucket=name_of("FILES_BUCKET"), Key=key)
    return dict(json.loads(answer["Body"].read()))


def audio_link(key: str) -> tuple[str, str]:
    """An address from which the audio can be fetched for a quarter of an hour, and its end."""
    url = client("s3").generate_presigned_url(
        "get_object",
        Params={"Bucket": name_of("FILES_BUCKET"), "Key": key},
        ExpiresIn=LINK_SECONDS,
    )
    return str(url), instants.iso(datetime.now(UTC) + timedelta(seconds=LINK_SECONDS))


def _put(key: str, body: bytes, content_type: str) -> str:
    client("s3").put_object(
        Bucket=name_of("FILES_BUCKET"), Key=key, Body=body, ContentType=content_type
    )
    return key
