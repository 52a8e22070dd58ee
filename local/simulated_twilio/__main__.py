"""Runs the simulated Twilio on 127.0.0.1 until it is stopped."""

import argparse
import asyncio
import logging

from aiohttp import web

from .account import Account
from .server import application, webhook_session
from .timing import Clock


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.simulated_twilio")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--account-sid", required=True)
    parser.add_argument("--auth-token", required=True)
    parser.add_argument("--api-key-sid", required=True)
    parser.add_argument("--api-key-secret", required=True)
    parser.add_argument("--numbers", default="", help="comma-separated, E.164")
    parser.add_argument("--intelligence-service", required=True, metavar="GA…")
    parser.add_argument("--time-scale", type=float, default=0.05, help="of simulated durations")
    parser.add_argument("--http-time-scale", type=float, default=1.0, help="of HTTP time-outs")
    parser.add_argument("--verbose", action="store_true", help="one line per call")
    return parser.parse_args()


def _account(arguments: argparse.Namespace) -> Account:
    account = Account(
        sid=arguments.account_sid,
        auth_token=arguments.auth_token,
        api_key_sid=arguments.api_key_sid,
        api_key_secret=arguments.api_key_secret,
        base_url=f"http://127.0.0.1:{arguments.port}",
        clock=Clock(arguments.time_scale, arguments.http_time_scale),
    )
    for number in filter(None, arguments.numbers.split(",")):
        account.add_number(number.strip())
    account.add_service(arguments.intelligence_service)
    return account


async def _serve(arguments: argparse.Namespace) -> None:
    async with webhook_session() as session:
        runner = web.AppRunner(application(_account(arguments), session), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING, format="%(message)s"
    )
    try:
        asyncio.run(_serve(arguments))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
