"""The Twilio account that a local system uses: made up and simulated, or on the server of someone else."""

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import requests

from local.processes import Processes, free_port

# Of simulated durations: a minute of talk takes three seconds.
_TIME_SCALE = 0.05


@dataclass(frozen=True)
class TwilioAccount:
    """With a `url`, the server there is Twilio; without, Twilio is simulated."""

    sid: str
    auth_token: str
    intelligence_service: str
    api_key_sid: str = ""
    api_key_secret: str = ""
    url: str = ""

    @classmethod
    def from_environment(cls) -> "TwilioAccount":
        """What TWILIO_URL, TWILIO_ACCOUNT_SID and so on do not fix is made up."""
        given = os.environ.get
        url = given("TWILIO_URL", "").rstrip("/")
        made_up = cls.simulated()
        own_key = url == ""  # another server knows no key that we made up
        return cls(
            sid=given("TWILIO_ACCOUNT_SID") or made_up.sid,
            auth_token=given("TWILIO_AUTH_TOKEN") or made_up.auth_token,
            intelligence_service=given("TWILIO_VI_SERVICE_SID") or made_up.intelligence_service,
            api_key_sid=given("TWILIO_API_KEY_SID") or own_key * made_up.api_key_sid,
            api_key_secret=given("TWILIO_API_KEY_SECRET") or own_key * made_up.api_key_secret,
            url=url,
        )

    @classmethod
    def simulated(cls) -> "TwilioAccount":
        return cls(
            sid=f"AC{_hex()}",
            auth_token=_hex(),
            intelligence_service=f"GA{_hex()}",
            api_key_sid=f"SK{_hex()}",
            api_key_secret=_hex(),
        )

    def parameters(self, url: str) -> dict[str, str]:
        """The template's parameters about Twilio, with the API at `url`."""
        return {
            "TwilioAccountSid": self.sid,
            "TwilioAuthToken": self.auth_token,
            "TwilioApiKeySid": self.api_key_sid,
            "TwilioApiKeySecret": self.api_key_secret,
            "TwilioViServiceSid": self.intelligence_service,
            "TwilioApiBaseUrl": url,
            "TwilioIntelligenceBaseUrl": url,
        }


def simulate(
    account: TwilioAccount, numbers: tuple[str, ...], folder: Path, processes: Processes
) -> str:
    """Starts the simulated Twilio and returns its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = {
        "--port": str(port),
        "--account-sid": account.sid,
        "--auth-token": account.auth_token,
        "--api-key-sid": account.api_key_sid,
        "--api-key-secret": account.api_key_secret,
        "--numbers": ",".join(numbers),
        "--intelligence-service": account.intelligence_service,
        "--time-scale": str(_TIME_SCALE),
    }
    processes.start(
        [sys.executable, "-m", "local.simulated_twilio", *sum(arguments.items(), ())],
        log=folder / "twilio.log",
        ready=lambda: _serves(url, account),
    )
    return url


def _serves(url: str, account: TwilioAccount) -> bool:
    try:
        health = requests.get(f"{url}/simulator/health", timeout=1)
    except requests.ConnectionError:
        return False
    return bool(health.ok and health.json()["accountSid"] == account.sid)


def _hex() -> str:
    return secrets.token_hex(16)
