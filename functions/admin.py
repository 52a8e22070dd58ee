"""An admin lists and connects numbers, and keeps clinics and their users."""

from typing import Any

from aws_lambda_powertools import Logger

from calls import clinic_users, clinics, connection, json_api, line_store, rejudging, replaying
from calls.call_query import EARLIEST, LATEST
from calls.clinics import ClinicChange, NewClinic, NewUser
from calls.connection import Connect, Disconnect
from calls.problems import Problem

logger = Logger()
app = json_api.resolver()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request through the API, or a chore that an operator invokes with AWS credentials."""
    if event.get("chore") == "resync":
        return connection.resync(event["baseUrl"])
    if event.get("chore") == "rejudge":
        return rejudging.rejudge(event.get("cursor"), apply=event.get("apply") is True)
    if event.get("chore") == "replay":
        return _replay(event, apply=event.get("apply") is True)
    return app.resolve(event, context)


def _replay(event: dict[str, Any], *, apply: bool) -> dict[str, Any]:
    if call_sid := event.get("callSid"):
        return replaying.replay_one(call_sid, apply=apply)
    start, end = event.get("from") or EARLIEST, event.get("to") or LATEST
    return replaying.replay(event.get("cursor"), start, end, apply=apply)


@app.get("/api/twilio/numbers")
def list_numbers() -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return {"numbers": list(connection.numbers(json_api.base_url(app)))}


@app.post("/api/twilio/connect")
def connect() -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return connection.connect(json_api.body(app, Connect), json_api.base_url(app))


@app.post("/api/twilio/disconnect")
def disconnect() -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return connection.disconnect(json_api.body(app, Disconnect), json_api.base_url(app))


@app.get("/api/clinics")
def list_clinics() -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return {"clinics": sorted(line_store.clinics(), key=lambda clinic: str(clinic["name"]))}


@app.post("/api/clinics")
def add_clinic() -> tuple[dict[str, Any], int]:
    json_api.user(app).must_be_admin()
    return clinics.add(json_api.body(app, NewClinic)), 201


@app.get("/api/clinics/<clinic_id>")
def show_clinic(clinic_id: str) -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return clinics.customer(clinic_id)


@app.patch("/api/clinics/<clinic_id>")
def change_clinic(clinic_id: str) -> dict[str, Any]:
    json_api.user(app).must_be_admin()
    return clinics.change(clinic_id, json_api.body(app, ClinicChange))


@app.post("/api/clinics/<clinic_id>/users")
def add_user(clinic_id: str) -> tuple[dict[str, Any], int]:
    json_api.user(app).must_be_admin()
    clinics.customer(clinic_id)
    email = json_api.body(app, NewUser).email
    try:
        username = clinic_users.invite(email, clinic_id)
    except clinic_users.AlreadyExists as error:
        raise Problem(409, "User exists", f"{email} has a user already.", field="email") from error
    except clinic_users.NotAnAddress as error:
        raise Problem(400, "Bad input", "email: is no e-mail address", field="email") from error
    return {"username": username, "email": email}, 201
