"""The commands that `make` calls."""

import argparse
import json
import secrets
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from local import (
    bring_up,
    chaos,
    chores,
    demo,
    function_logs,
    killer,
    placing,
    redriving,
    rejudged,
    replayed,
    users,
)
from local.deployed import Deployed
from local.progress import Progress
from local.simulated_twilio.scenario import CLINIC_BEHAVIOURS
from local.stack import Stack
from local.twilio_account import TwilioAccount

HOME = Path(".local/stack")
FILE = bring_up.file_of(HOME)


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _leave)  # as with Ctrl-C, what was started is stopped
    try:
        arguments.run(arguments)
    except RuntimeError as error:
        sys.exit("\n".join([str(error), *getattr(error, "__notes__", ())]))
    except (BotoCoreError, ClientError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local")
    commands = parser.add_subparsers(required=True)
    for run in (_demo, _up, _down, _token, _logs):
        commands.add_parser(run.__name__[1:]).set_defaults(run=run)
    call = commands.add_parser("call")
    call.set_defaults(run=_call)
    call.add_argument("--to", help="the first connected line, when left out")
    call.add_argument("--from", dest="from_number", default="+12175550130")
    call.add_argument("--digits", default="")
    call.add_argument("--clinic", choices=CLINIC_BEHAVIOURS, default="answer")
    call.add_argument("--script", type=Path)
    wild = commands.add_parser("chaos")
    wild.set_defaults(run=_chaos)
    wild.add_argument("--calls", type=int, default=200)
    wild.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    wild.add_argument("--kill", choices=killer.KILLS, default="midway")
    for run in (_admin, _resync, _reconcile, _rejudge, _replay, _redrive):
        chore = commands.add_parser(run.__name__[1:])
        chore.set_defaults(run=run)
        chore.add_argument("--stack", help="a deployed stack; the running local one, when left out")
    commands.choices["admin"].add_argument("email")
    replay = commands.choices["replay"]
    replay.add_argument("--call", help="one call's SID; all calls, when left out")
    replay.add_argument("--from", dest="start", type=_instant, help="a day or an instant, UTC")
    replay.add_argument("--to", dest="end", type=_instant, help="the first that is left out")
    for name in ("rejudge", "replay"):
        commands.choices[name].add_argument("--apply", action="store_true")
    return parser.parse_args()


def _demo(arguments: argparse.Namespace) -> None:
    if not demo.run():
        sys.exit(1)


def _chaos(arguments: argparse.Namespace) -> None:
    if not chaos.run(arguments.calls, arguments.seed, arguments.kill):
        sys.exit(1)


def _up(arguments: argparse.Namespace) -> None:
    say = Progress()
    stack = bring_up.up(HOME, TwilioAccount.from_environment(), say)
    say(f"up: {stack.api_url}, described in {FILE}; make down stops it")


def _down(arguments: argparse.Namespace) -> None:
    print("stopped" if bring_up.down(HOME) else "nothing was running")


def _token(arguments: argparse.Namespace) -> None:
    stack = _running()
    stack.renew_tokens()
    stack.write(FILE)
    print(f"renewed the tokens in {FILE}")


def _logs(arguments: argparse.Namespace) -> None:
    for line in function_logs.lines(_running().deployed()):
        print(line)


def _call(arguments: argparse.Namespace) -> None:
    stack = _running()
    script = arguments.script.read_text() if arguments.script else None
    to = arguments.to or next(iter(stack.lines.values()))
    call_sid = placing.place(
        stack,
        to=to,
        from_number=arguments.from_number,
        digits=arguments.digits,
        clinic=arguments.clinic,
        script=script,
    )
    print(f"{call_sid} rings", flush=True)
    call = placing.settled(stack, stack.as_admin(), call_sid)
    print(json.dumps(call, indent=2, ensure_ascii=False))


def _admin(arguments: argparse.Namespace) -> None:
    email = arguments.email
    if "@" not in email:
        sys.exit("which address? make admin EMAIL=name@clinic.example")
    if arguments.stack:
        users.create_admin(Deployed(arguments.stack), email, invited=True)
        print(f"{email} is an admin; Cognito sends a first password to that address")
        return
    password = f"Aa1{secrets.token_urlsafe(12)}"
    deployed = _running().deployed()
    users.create_admin(deployed, email, invited=False)
    users.set_password(deployed, email, password)
    print(f"{email} is an admin with the password {password}")


def _resync(arguments: argparse.Namespace) -> None:
    print(json.dumps(chores.resync(_named_or_running(arguments)), indent=2))


def _reconcile(arguments: argparse.Namespace) -> None:
    total: Counter[str] = Counter()
    say = Progress()
    for report in chores.reconcile(_named_or_running(arguments)):
        total.update({name: report[name] for name in chores.COUNTED})
        stopped = f", stopped: {report['stopped']}" if report["stopped"] else ""
        say(f"{total['checked']} calls checked, {total['created']} created{stopped}")
    print(json.dumps(report | total, indent=2))


def _rejudge(arguments: argparse.Namespace) -> None:
    for line in rejudged.told(_named_or_running(arguments), Progress(), apply=arguments.apply):
        print(line)


def _replay(arguments: argparse.Namespace) -> None:
    which = {"callSid": arguments.call, "from": arguments.start, "to": arguments.end}
    told = replayed.told(_named_or_running(arguments), Progress(), apply=arguments.apply, **which)
    for line in told:
        print(line)


def _redrive(arguments: argparse.Namespace) -> None:
    # The local cloud cannot move messages itself.
    redrive = redriving.moved_by_sqs if arguments.stack else redriving.moved_by_hand
    print(redriving.told(redrive(_named_or_running(arguments))))


def _instant(text: str) -> str:
    """As calls are stored: ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromisoformat(text)
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return in_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named_or_running(arguments: argparse.Namespace) -> Deployed:
    return Deployed(arguments.stack) if arguments.stack else _running().deployed()


def _running() -> Stack:
    if not FILE.exists():
        sys.exit(f"{FILE} is not there: nothing is running; make up starts it")
    return Stack.read(FILE)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
