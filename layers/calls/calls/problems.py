"""Errors that a caller of the API can mend, as `application/problem+json` (RFC 9457)."""

import json
from typing import Any


class Problem(Exception):
    """An answer that is not 2xx: its status, a short title, the remedy, and the field at fault."""

    def __init__(self, status: int, title: str, detail: str, field: str | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.field = status, title, detail, field

    def as_json(self) -> dict[str, Any]:
        said = {"status": self.status, "title": self.title, "detail": self.detail}
        return said | ({"field": self.field} if self.field else {})


def problem_answer(problem: Problem) -> dict[str, Any]:
    """The problem as a Lambda proxy answer."""
    return {
        "statusCode": problem.status,
        "headers": {"content-type": "application/problem+json"},
        "body": json.dumps(problem.as_json()),
    }
