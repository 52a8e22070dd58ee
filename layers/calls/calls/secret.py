"""Twilio's credentials and the CI webhook's key, from Secrets Manager."""

import json
import time
from dataclasses import dataclass, field
from functools import cache

from aws_lambda_powertools.utilities.parameters import SecretsProvider

from calls.aws import client, name_of

KEEP_SECONDS = 300
# A forged signature must not become a request to Secrets Manager each time.
REREAD_SECONDS = 60


@dataclass(frozen=True)
class TwilioSecret:
    auth_token: str = field(repr=False)
    previous_auth_token: str = field(repr=False)
    api_key_sid: str = field(repr=False)
    api_key_secret: str = field(repr=False)
    ci_webhook_key: str = field(repr=False)

    @property
    def auth_tokens(self) -> list[str]:
        return [token for token in (self.auth_token, self.previous_auth_token) if token]


class _Reread:
    last = 0.0


def read() -> TwilioSecret:
    """The secret, at most five minutes old."""
    return _read(force=False)


def reread() -> TwilioSecret:
    """The secret as it is now, asked for at most once a minute (a token may have been rotated)."""
    due = time.monotonic() - _Reread.last > REREAD_SECONDS
    if due:
        _Reread.last = time.monotonic()
    return _read(force=due)


@cache
def _provider() -> SecretsProvider:
    return SecretsProvider(boto3_client=client("secretsmanager"))


def _read(*, force: bool) -> TwilioSecret:
    text = _provider().get(name_of("TWILIO_SECRET_ARN"), max_age=KEEP_SECONDS, force_fetch=force)
    stored = json.loads(str(text))
    return TwilioSecret(
        auth_token=stored["authToken"],
        previous_auth_token=_given(stored, "previousAuthToken"),
        api_key_sid=_given(stored, "apiKeySid"),
        api_key_secret=_given(stored, "apiKeySecret"),
        ci_webhook_key=stored["ciWebhookKey"],
    )


def _given(stored: dict[str, str], name: str) -> str:
    """`sam deploy --guided` lets no secret be left empty, so the template calls that none."""
    value = stored.get(name, "")
    return "" if value == "none" else value
