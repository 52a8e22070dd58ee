"""Brings the whole system up on free ports, and takes it down again."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import requests

from local import build, cloud, deployment, function_logs, sample_clinics, twilio_account, users
from local.api import Unexpected
from local.deployed import Deployed
from local.fault_proxy import FaultProxies
from local.processes import Processes
from local.progress import Progress
from local.stack import Stack
from local.twilio_account import TwilioAccount

_ADMIN = "admin@ringbook.example"
_SECONDS_TO_WARM_UP = 60
# Of each function: calls overlap, and starting a worker costs half a second of processor time.
_WARM_WORKERS = 2


def file_of(home: Path) -> Path:
    """`.local/stack` is described by `.local/stack.json`."""
    return home.with_suffix(".json")


def up(
    home: Path,
    account: TwilioAccount,
    say: Progress,
    model: cloud.Model | None = None,
    proxies: FaultProxies | None = None,
) -> Stack:
    """Returns when calls can be placed. If anything fails, nothing is left running.

    The functions call AWS and Twilio through the `proxies`, if there are any.
    """
    if down(home):
        say("stopped what was running")
    home.mkdir(parents=True)
    processes = Processes(home / "processes.json")
    with ExitStack() as undo:
        undo.callback(processes.stop)
        stack = _start_servers(home, account, processes, say, model, proxies)
        twilio_url = proxies.url("twilio") if proxies else stack.twilio_url
        _deploy(stack, account.parameters(twilio_url), home / "sam.log", say, model)
        _furnish(stack, say)
        stack.write(file_of(home))
        undo.pop_all()
    return stack


def down(home: Path) -> bool:
    """Whether anything was running."""
    stopped = Processes(home / "processes.json").stop()
    file_of(home).unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    return stopped > 0


@contextmanager
def running(
    home: Path,
    say: Progress,
    model: cloud.Model | None = None,
    proxies: FaultProxies | None = None,
) -> Iterator[Stack]:
    """A system of its own with a simulated Twilio, for as long as the block lasts."""
    try:
        stack = up(home, TwilioAccount.simulated(), say, model, proxies)
        with function_logs.told_on_failure(stack.deployed()):
            yield stack
    finally:
        down(home)


def _start_servers(
    home: Path,
    account: TwilioAccount,
    processes: Processes,
    say: Progress,
    model: cloud.Model | None,
    proxies: FaultProxies | None,
) -> Stack:
    say("starting the local cloud")
    endpoint_url = cloud.start(home, processes, model, proxies.environment if proxies else {})
    twilio_url = account.url
    if not twilio_url:
        say("starting the simulated Twilio")
        numbers = sample_clinics.NUMBERS
        twilio_url = twilio_account.simulate(account, numbers, home, processes)
    if proxies:
        proxies.stand_before(aws=endpoint_url, twilio=twilio_url)
    return Stack(
        api_url=deployment.api_url(endpoint_url),
        twilio_url=twilio_url,
        account_sid=account.sid,
        auth_token=account.auth_token,
        intelligence_service=account.intelligence_service,
        endpoint_url=endpoint_url,
        simulated=not account.url,
    )


def _deploy(
    stack: Stack, twilio: dict[str, str], log: Path, say: Progress, model: cloud.Model | None
) -> None:
    say("building the functions")
    template = build.build(log)
    say("deploying the template")
    parameters = twilio | {
        "TwilioEnableRecording": "true",
        "TwilioEnableTranscription": "true",
        "BackendUrl": stack.api_url,
        "BedrockModelId": model.id if model else "",
    }
    deployment.deploy(template, stack.endpoint_url, parameters, log)


def _furnish(stack: Stack, say: Progress) -> None:
    """The admin, the clinics and their lines; and no caller has to wait for a function's first start."""
    deployed = stack.deployed()
    stack.ci_key = _ci_key(deployed)
    users.create_admin(deployed, _ADMIN, invited=False)
    stack.add_user(_ADMIN, clinic_id=None)
    say("warming the functions up")
    _warm_up(stack, deployed)
    say("setting up the sample clinics")
    with function_logs.told_on_failure(deployed):
        clinic_ids = _add_clinics(stack)
        _connect_lines(stack, clinic_ids, say)


def _add_clinics(stack: Stack) -> list[str]:
    admin = stack.as_admin()
    clinic_ids = sample_clinics.create(admin)
    for clinic_id, clinic in zip(clinic_ids, sample_clinics.CLINICS, strict=True):
        stack.add_user(sample_clinics.create_user(admin, clinic_id, clinic), clinic_id)
    return clinic_ids


def _connect_lines(stack: Stack, clinic_ids: list[str], say: Progress) -> None:
    """Somebody else's Twilio may have no numbers, or be down; ours may not."""
    try:
        stack.lines = sample_clinics.connect(stack.as_admin(), clinic_ids)
    except Unexpected as error:
        if stack.simulated:
            raise
        say(f"no line is connected: {error}")
        return
    missing = len(clinic_ids) - len(stack.lines)
    if missing:
        say(f"{stack.twilio_url} has too few numbers: {missing} of the clinics have no line")


def _ci_key(deployed: Deployed) -> str:
    secret = deployed.client("secretsmanager").get_secret_value(
        SecretId=deployed.outputs["TwilioSecretArn"]
    )
    return str(json.loads(secret["SecretString"])["ciWebhookKey"])


def _warm_up(stack: Stack, deployed: Deployed) -> None:
    """Some requests at once to each function; that most of them are refused does not matter."""
    gateway, api_id = deployed.client("apigatewayv2"), deployed.resources["Api"]
    integrations = gateway.get_integrations(ApiId=api_id)["Items"]
    functions = {f"integrations/{i['IntegrationId']}": i["IntegrationUri"] for i in integrations}
    routes = gateway.get_routes(ApiId=api_id)["Items"]
    one_each = {functions[route["Target"]]: route["RouteKey"] for route in routes}
    with ThreadPoolExecutor(max_workers=_WARM_WORKERS) as pool:
        for _ in range(_WARM_WORKERS):
            pool.submit(_start_worker, deployed)
        list(pool.map(partial(_knock, stack), sorted([*one_each.values()] * _WARM_WORKERS)))


def _start_worker(deployed: Deployed) -> None:
    deployed.client("lambda").invoke(
        FunctionName=deployed.resources["SummarizeCall"], Payload=b'{"Records": []}'
    )


def _knock(stack: Stack, route_key: str) -> None:
    method, path = route_key.split()
    requests.request(
        method,
        stack.api_url + path.replace("{", "").replace("}", ""),
        headers={"Authorization": f"Bearer {stack.admin_token}"},
        timeout=_SECONDS_TO_WARM_UP,
    )
