"""The HTTP API's routes on the emulated cloud, which creates the API but leaves out SAM's OpenAPI body."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local import cloud
from local.deployed import Deployed


def create_routes(deployed: Deployed) -> None:
    """Integrations, authorizers and routes as the template's OpenAPI body has them."""
    gateway = deployed.client("apigatewayv2")
    body = _resolved(_body(deployed), deployed.resources)
    api_id = deployed.resources["Api"]
    authorizers = {
        name: _authorizer(gateway, api_id, name, scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in body["components"]["securitySchemes"].items()
    }
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            security = next(iter(operation.get("security", [{}])[0]), None)
            _route(
                gateway,
                api_id,
                f"{method.upper()} {path}",
                operation["x-amazon-apigateway-integration"],
                authorizers.get(security),
            )


def _body(deployed: Deployed) -> Any:
    template = deployed.client("cloudformation").get_template(
        StackName=deployed.stack_name, TemplateStage="Processed"
    )["TemplateBody"]
    parsed = json.loads(template) if isinstance(template, str) else template
    return parsed["Resources"]["Api"]["Properties"]["Body"]


def _resolved(node: Any, resources: Mapping[str, str]) -> Any:
    """The node with its `Ref` and `Fn::Sub` replaced by what they stand for."""
    if isinstance(node, list):
        return [_resolved(item, resources) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return resources.get(node["Ref"], node["Ref"])
    if set(node) == {"Fn::Sub"}:
        return re.sub(
            r"\$\{([^}]+)}", lambda name: _substitute(name[1], resources), node["Fn::Sub"]
        )
    return {key: _resolved(value, resources) for key, value in node.items()}


def _substitute(name: str, resources: Mapping[str, str]) -> str:
    pseudo = {
        "AWS::Region": cloud.REGION,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::AccountId": cloud.ACCOUNT_ID,
    }
    if name.endswith(".Arn"):
        function = resources[name.removesuffix(".Arn")]
        return f"arn:aws:lambda:{cloud.REGION}:{cloud.ACCOUNT_ID}:function:{function}"
    return pseudo.get(name) or resources[name]


def _authorizer(gateway: Any, api_id: str, name: str, authorizer: Mapping[str, Any]) -> str:
    created = gateway.create_authorizer(
        ApiId=api_id,
        Name=name,
        AuthorizerType="JWT",
        IdentitySource=[authorizer["identitySource"]],
        JwtConfiguration={
            "Issuer": authorizer["jwtConfiguration"]["issuer"],
            "Audience": authorizer["jwtConfiguration"]["audience"],
        },
    )
    return str(created["AuthorizerId"])


def _route(
    gateway: Any, api_id: str, key: str, integration: Mapping[str, str], authorizer: str | None
) -> None:
    created = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=integration["uri"],
        PayloadFormatVersion=integration["payloadFormatVersion"],
    )
    target = f"integrations/{created['IntegrationId']}"
    guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer} if authorizer else {}
    gateway.create_route(ApiId=api_id, RouteKey=key, Target=target, **guard)
