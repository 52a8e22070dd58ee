"""The real template, deployed to the emulated cloud."""

from collections.abc import Mapping
from pathlib import Path

from local import cloud, http_api, sam
from local.deployed import Deployed

STACK_NAME = "ringbook"
# As the tag `ms-custom-id` it becomes the API's id, so that the URL is known before the deployment.
_API_ID = "ringbook"
_ARTEFACTS = "ringbook-artefacts"


def api_url(endpoint_url: str) -> str:
    return f"{endpoint_url}/_aws/execute-api/{_API_ID}"


def deploy(template: Path, endpoint_url: str, parameters: Mapping[str, str], log: Path) -> None:
    deployed = Deployed(STACK_NAME, **cloud.client_options(endpoint_url))
    deployed.client("s3").create_bucket(Bucket=_ARTEFACTS)
    sam.run(
        "deploy",
        *["--template-file", str(template), "--stack-name", STACK_NAME, "--s3-bucket", _ARTEFACTS],
        *["--tags", f"ms-custom-id={_API_ID}", "--parameter-overrides"],
        *[f"{name}={value}" for name, value in parameters.items() if value],
        log=log,
        env=cloud.operator_environment(endpoint_url),
    )
    http_api.create_routes(deployed)
    # The bucket refuses plain HTTP, and the emulated cloud speaks nothing else.
    deployed.client("s3").delete_bucket_policy(Bucket=deployed.outputs["FilesBucket"])
