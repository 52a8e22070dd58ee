"""The border to people with a token: requests as typed models, errors as problems."""

from typing import TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from calls import settings
from calls.api_user import ApiUser, user_of
from calls.aws import AwsError, error_code
from calls.problems import Problem, problem_answer

logger = Logger(child=True)

NOWHERE = Problem(404, "No such address", "There is nothing at this address.")

ModelT = TypeVar("ModelT", bound="Request")


class Request(BaseModel):
    """What a person sends: the API's camelCase outside, snake_case inside, nothing unknown."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True
    )


def resolver() -> APIGatewayHttpResolver:
    """A Powertools resolver that answers every Problem and validation error as problem+json."""
    app = APIGatewayHttpResolver()
    app.exception_handler(Problem)(_answer)
    app.exception_handler(ValidationError)(lambda error: _answer(_as_problem(error)))
    app.exception_handler(list(AwsError))(_broken)
    app.not_found(lambda _error: _answer(NOWHERE))
    return app


def body(app: APIGatewayHttpResolver, model: type[ModelT]) -> ModelT:
    """The request's JSON body. Raises Problem 400 or pydantic's ValidationError."""
    try:
        said = app.current_event.json_body
    except ValueError as error:
        raise Problem(400, "Not JSON", "The body could not be read as JSON.") from error
    if not isinstance(said, dict):
        raise Problem(400, "Not an object", "The body must be a JSON object.")
    return model.model_validate(said)


def query(app: APIGatewayHttpResolver, model: type[ModelT]) -> ModelT:
    """The request's query parameters. Raises pydantic's ValidationError."""
    return model.model_validate(app.current_event.query_string_parameters or {})


def user(app: APIGatewayHttpResolver) -> ApiUser:
    """Who asks. Raises Problem 403."""
    authorizer = app.current_event["requestContext"].get("authorizer", {})
    return user_of(authorizer.get("jwt", {}).get("claims", {}))


def base_url(app: APIGatewayHttpResolver) -> str:
    """The address at which Twilio reaches us."""
    domain_name = app.current_event["requestContext"]["domainName"]
    return settings.load().backend_url or f"https://{domain_name}"


def _answer(problem: Problem) -> Response[str]:
    answer = problem_answer(problem)
    return Response(
        status_code=problem.status,
        content_type=answer["headers"]["content-type"],
        body=answer["body"],
    )


def _broken(error: Exception) -> Response[str]:
    logger.error("AWS failed", error=type(error).__name__, code=error_code(error))
    return _answer(Problem(503, "Out of order", "Something of ours is broken: ask again later."))


def _as_problem(error: ValidationError) -> Problem:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return Problem(400, "Bad input", f"{field}: {message}", field=field or None)
