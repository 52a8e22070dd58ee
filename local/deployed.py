"""A deployed stack as its operator sees it, on the emulated cloud or in an AWS account."""

from functools import cached_property
from typing import Any

import boto3


class Deployed:
    """`client_options` go to every client; with none, the person's own AWS settings hold."""

    def __init__(self, stack_name: str, **client_options: str) -> None:
        self.stack_name = stack_name
        self._options = client_options

    def client(self, service: str) -> Any:
        return boto3.client(service, **self._options)

    @cached_property
    def outputs(self) -> dict[str, str]:
        stack = self.client("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"][
            0
        ]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical ids by the template's logical ids."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.stack_name)
            for resource in page["StackResourceSummaries"]
        }
