"""The web server: Twilio's two APIs behind their credentials, and the simulator's own controls."""

import base64
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from aiohttp import web

from .account import Account
from .callbacks import Callbacks
from .control import Control
from .inbound_call import Switchboard
from .intelligence_rest import IntelligenceRest
from .rest_answers import TwilioError, not_found
from .transcripts import Intelligence
from .voice_rest import VoiceRest
from .webhooks import Webhooks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(account: Account, session: aiohttp.ClientSession) -> web.Application:
    """The whole simulator; `session` makes the requests to Ringbook's webhooks."""
    webhooks = Webhooks(account, session)
    callbacks = Callbacks(account, webhooks)
    intelligence = Intelligence(account, callbacks)
    control = Control(Switchboard(account, webhooks, callbacks, intelligence))

    @web.middleware
    async def as_twilio(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/simulator/"):
            return await handler(request)
        try:
            await control.outage.strike()
            _authenticate(account, request)
            return await handler(request)
        except TwilioError as error:
            return error.response()
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return not_found(request).response()

    app = web.Application(middlewares=[as_twilio])
    app.add_routes(VoiceRest(account).routes())
    app.add_routes(IntelligenceRest(account, intelligence).routes())
    app.add_routes(control.routes())
    app.cleanup_ctx.append(_calls_end_with_the_server(account))
    return app


def _calls_end_with_the_server(
    account: Account,
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        for trace in account.traces.values():
            for task in list(trace.tasks):
                task.cancel()

    return context


def webhook_session() -> aiohttp.ClientSession:
    """One new connection per request: a kept one that the server closes looks like a failure."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _authenticate(account: Account, request: web.Request) -> None:
    allowed = (
        (account.sid, account.auth_token),
        (account.api_key_sid, account.api_key_secret),
    )
    given = request.headers.get("Authorization", "").encode()
    expected = (b"Basic " + base64.b64encode(":".join(pair).encode()) for pair in allowed)
    if not any(hmac.compare_digest(given, header) for header in expected):
        raise TwilioError(401, 20003, "Authenticate")
