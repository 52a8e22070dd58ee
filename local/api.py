"""Ringbook's HTTP API as a program with a token uses it."""

from typing import Any

import requests

_SECONDS = 60


class Unexpected(RuntimeError):
    """The API answered something else than it should."""


class Api:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy of the person's stands between
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> Any:
        return self._ask("GET", path, 200, params=query)

    def find(self, path: str) -> Any | None:
        """None where there is nothing."""
        answer = self._send("GET", path)
        if answer.status_code == requests.codes.not_found:
            return None
        return _expected(answer, requests.codes.ok)

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        return self._ask("POST", path, status, json=body)

    def _ask(self, method: str, path: str, status: int, **content: Any) -> Any:
        return _expected(self._send(method, path, **content), status)

    def _send(self, method: str, path: str, **content: Any) -> requests.Response:
        try:
            return self._session.request(method, self._url + path, timeout=_SECONDS, **content)
        except requests.RequestException as error:
            raise Unexpected(f"{method} {path} was not answered: {error}") from error


def _expected(answer: requests.Response, status: int) -> Any:
    if answer.status_code != status:
        asked = f"{answer.request.method} {answer.request.path_url}"
        raise Unexpected(f"{asked} answered {answer.status_code}: {answer.text[:500]}")
    return answer.json()
