"""Audio copies, transcripts and operator results, in S3: they outgrow an item."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from calls import instants
from calls.aws import AwsError, client, error_code, name_of

LINK_SECONDS = 900


class Gone(Exception):
    """A file is not kept any more, though its call is: `RetentionDays` was made shorter."""


def put_audio(clinic_id: str, call_sid: str, recording_sid: str, mp3: bytes) -> str:
    """Store a recording of a call; the answer is its key."""
    return _put(f"{clinic_id}/{call_sid}/{recording_sid}.mp3", mp3, "audio/mpeg")


def put_transcript(
    clinic_id: str, call_sid: str, transcript_sid: str, document: dict[str, Any]
) -> str:
    """Store a transcript of a call, `{"turns", "operatorResults"}`; the answer is its key."""
    body = json.dumps(document).encode()
    return _put(f"{clinic_id}/{call_sid}/{transcript_sid}.json", body, "application/json")


def transcript(key: str) -> dict[str, Any]:
    """A call's transcript as it was put. Raises Gone."""
    try:
        answer = client("s3").get_object(Bucket=name_of("FILES_BUCKET"), Key=key)
    except AwsError as error:
        # Who may not list a bucket is denied what is not in it (AWS docs, "GetObject").
        if error_code(error) in ("NoSuchKey", "AccessDenied"):
            raise Gone(error_code(error)) from error
        raise
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
