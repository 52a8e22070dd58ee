"""A running system as a JSON file describes it, so that any program can use it."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local import cloud, users
from local.api import Api
from local.deployed import Deployed
from local.deployment import STACK_NAME


@dataclass
class User:
    """A customer of one clinic, or with no clinic an admin."""

    username: str
    password: str
    clinic_id: str | None = None


@dataclass
class Stack:
    """The file has these names in camelCase. `api_url` + `/api/…` is the URL that is requested and signed."""

    api_url: str
    twilio_url: str
    account_sid: str
    auth_token: str
    intelligence_service: str
    endpoint_url: str
    ci_key: str = ""
    admin_token: str = ""
    customer_tokens: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)
    simulated: bool = True
    region: str = cloud.REGION
    stack_name: str = STACK_NAME
    access_key_id: str = cloud.ACCESS_KEY_ID
    secret_access_key: str = cloud.SECRET_ACCESS_KEY

    def write(self, file: Path) -> None:
        content = {_camel(name): value for name, value in asdict(self).items()}
        content["users"] = [
            {_camel(name): value for name, value in asdict(user).items()} for user in self.users
        ]
        file.write_text(json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, file: Path) -> "Stack":
        content = json.loads(file.read_text())
        values = {name: content[_camel(name)] for name in cls.__dataclass_fields__}
        values["users"] = [
            User(**{name: user[_camel(name)] for name in User.__dataclass_fields__})
            for user in values["users"]
        ]
        return cls(**values)

    def deployed(self) -> Deployed:
        return Deployed(self.stack_name, **cloud.client_options(self.endpoint_url))

    def as_admin(self) -> Api:
        return Api(self.api_url, self.admin_token)

    def as_customer(self, clinic_id: str) -> Api:
        return Api(self.api_url, self.customer_tokens[clinic_id])

    def add_user(self, username: str, clinic_id: str | None) -> None:
        """Gives a user of the user pool a password, and logs them in."""
        user = User(username, f"Aa1{secrets.token_urlsafe(16)}", clinic_id)
        users.set_password(self.deployed(), username, user.password)
        self.users.append(user)
        self._log_in(user)

    def renew_tokens(self) -> None:
        for user in self.users:
            self._log_in(user)

    def _log_in(self, user: User) -> None:
        token = users.id_token(self.deployed(), user.username, user.password)
        if user.clinic_id is None:
            self.admin_token = token
        else:
            self.customer_tokens[user.clinic_id] = token


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
