"""How Twilio's REST APIs answer: their errors, their pages, their idea of dates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from aiohttp import web

MAX_PAGE_SIZE = 1000
T = TypeVar("T")


class Listed(Protocol):
    """Anything with a SID can stand in a list."""

    @property
    def sid(self) -> str: ...


class TwilioError(Exception):
    """Answered as Twilio's error JSON."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> web.Response:
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status)


def not_found(request: web.Request) -> TwilioError:
    return TwilioError(404, 20404, f"The requested resource {request.path} was not found")


def found(request: web.Request, thing: T | None) -> T:
    if thing is None:
        raise not_found(request)
    return thing


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first; a page token names the last item of the page before."""

    items: Sequence[Any]
    number: int
    size: int
    start: int
    query: dict[str, str]
    next_token: str | None

    def path(self, request: web.Request, number: int, token: str | None = None) -> str:
        query = self.query | {"PageSize": str(self.size), "Page": str(number)}
        if token is not None:
            query["PageToken"] = token
        return f"{request.path}?{urlencode(query)}"

    def next_path(self, request: web.Request) -> str | None:
        if self.next_token is None:
            return None
        return self.path(request, self.number + 1, self.next_token)

    def previous_path(self, request: web.Request) -> str | None:
        return None if self.number == 0 else self.path(request, self.number - 1)


def page_of(
    request: web.Request, listed: Sequence[Listed], max_page_size: int = MAX_PAGE_SIZE
) -> Page:
    size = min(max_page_size, max(1, _whole_number(request, "PageSize", 50)))
    number = _whole_number(request, "Page", 0)
    start = number * size
    if token := request.query.get("PageToken"):
        sids = [item.sid for item in listed]
        start = sids.index(token[2:]) + 1 if token[2:] in sids else start
    items = listed[start : start + size]
    more = start + size < len(listed)
    paging = ("PageSize", "Page", "PageToken")
    query = {name: value for name, value in request.query.items() if name not in paging}
    return Page(items, number, size, start, query, f"PA{items[-1].sid}" if more else None)


def v2010_list(
    request: web.Request, key: str, listed: Sequence[Listed], render: Callable[[Any], Any]
) -> web.Response:
    """The list of an API of 2010: relative URIs beside the items."""
    page = page_of(request, listed)
    return web.json_response(
        {
            key: [render(item) for item in page.items],
            "page": page.number,
            "page_size": page.size,
            "start": page.start,
            "end": max(page.start, page.start + len(page.items) - 1),
            "uri": request.path_qs,
            "first_page_uri": page.path(request, 0),
            "next_page_uri": page.next_path(request),
            "previous_page_uri": page.previous_path(request),
        }
    )


def v2_list(
    request: web.Request,
    base_url: str,
    key: str,
    listed: Sequence[Listed],
    render: Callable[[Any], Any],
    max_page_size: int = MAX_PAGE_SIZE,
) -> web.Response:
    """The list of a newer API: `meta` with absolute URLs."""
    page = page_of(request, listed, max_page_size)

    def absolute(path: str | None) -> str | None:
        return None if path is None else base_url + path

    meta = {
        "key": key,
        "page": page.number,
        "page_size": page.size,
        "url": absolute(request.path_qs),
        "first_page_url": absolute(page.path(request, 0)),
        "next_page_url": absolute(page.next_path(request)),
        "previous_page_url": absolute(page.previous_path(request)),
    }
    return web.json_response({key: [render(item) for item in page.items], "meta": meta})


def _whole_number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdigit():
        raise TwilioError(400, 20001, f"{name} must be a whole number")
    return int(text)


def within(request: web.Request, name: str, instant: datetime | None) -> bool:
    """Whether an instant passes the filters `Name`, `Name<` and `Name>` (both inclusive).

    A value is a date, meaning its midnight in UTC, or an instant of ISO 8601; `Name` itself asks
    for the day that begins there.
    """
    on, until, since = (request.query.get(name + sign) for sign in ("", "<", ">"))
    if instant is None:
        return not (on or until or since)
    whole = instant.replace(microsecond=0)
    if on:
        start = parse_instant(on)
        if not start <= whole < start + timedelta(days=1):
            return False
    return not (
        (until and whole > parse_instant(until)) or (since and whole < parse_instant(since))
    )


def parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise TwilioError(400, 20001, f"'{text}' is no date") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
