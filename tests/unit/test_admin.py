"""An admin lists and connects numbers, and keeps clinics and their users."""

import json
import re
from typing import Any

import pytest

from calls import clinics, connection
from tests.unit.signed import BASE_URL, call, person_event
from tests.unit.twilio_server import SERVICE_SID, TwilioServer

NUMBER = "+13125550140"
OTHER_NUMBER = "+13125550141"
FORWARD = "+13125550188"
OVERRIDES = "#ct=2000&rt=4500&tt=14000&rc=2&rp=5xx,ct,rt"
THEIR_URL = "https://elsewhere.example.test/voice"

NUMBERS, CONNECT, DISCONNECT = (
    f"/api/twilio/{route}" for route in ("numbers", "connect", "disconnect")
)
CLINICS = "/api/clinics"
RESYNC = {"chore": "resync", "baseUrl": BASE_URL}
EVERY_ROUTE = [
    ("GET", NUMBERS),
    ("POST", CONNECT),
    ("POST", DISCONNECT),
    ("GET", CLINICS),
    ("POST", CLINICS),
    ("GET", f"{CLINICS}/lakeside"),
    ("PATCH", f"{CLINICS}/lakeside"),
    ("POST", f"{CLINICS}/lakeside/users"),
]


def asks(method: str, path: str, body: Any = None, **who: Any) -> tuple[int, dict[str, Any]]:
    """The status and the JSON that an admin gets, or whoever else asks."""
    event = person_event(method, path, body=body, **({"groups": "[admin]"} | who))
    answer = call("admin", event)
    return answer["statusCode"], json.loads(answer["body"])


def new_clinic(name: str = "Lakeside Dental", **settings: Any) -> str:
    body = {"name": name, "timezone": "America/Chicago", "settings": settings}
    return str(asks("POST", CLINICS, body)[1]["clinicId"])


def connected(clinic_id: str, number: str = NUMBER, **request: Any) -> dict[str, Any]:
    body = {"clinicId": clinic_id, "phoneNumber": number, "forwardNumber": FORWARD} | request
    status, answer = asks("POST", CONNECT, body)
    assert status == 200, answer
    return answer


def stored_line(cloud: Any, number: str = NUMBER) -> dict[str, Any] | None:
    answer = cloud.dynamodb.Table("LinesTable").get_item(Key={"phoneNumber": number})
    return answer.get("Item")


@pytest.fixture
def twilio(twilio: TwilioServer) -> TwilioServer:
    for number in (NUMBER, OTHER_NUMBER):
        twilio.account.add_number(number)
    return twilio


def on_twilio(twilio: TwilioServer, number: str = NUMBER) -> dict[str, Any]:
    """A number's settings as they stand at Twilio."""
    found = twilio.account.number_called(number)
    assert found
    return found.settings


def unversioned(line: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (line or {}).items() if name != "version"}


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "who",
        [
            {"groups": "[customer]", "clinic_id": "lakeside"},
            {"groups": ""},
            {"groups": "[administrators]"},
            {"token_use": "access"},
        ],
        ids=["customer", "no group", "another group", "access token"],
    )
    def test_only_an_admin_with_an_id_token(self, cloud: Any, who: dict[str, Any]) -> None:
        for method, path in EVERY_ROUTE:
            status, problem = asks(method, path, {}, **who)

            assert (status, problem["status"]) == (403, 403), path
            assert problem["detail"]

    @pytest.mark.parametrize("groups", ["[admin]", "[admin customer]", "[customer, admin]"])
    def test_an_admin_of_several_groups(self, cloud: Any, groups: str) -> None:
        assert asks("GET", CLINICS, groups=groups) == (200, {"clinics": []})

    def test_an_address_that_does_not_exist_is_404(self, cloud: Any) -> None:
        status, problem = asks("GET", "/api/clinics/lakeside/nurses")

        assert (status, problem["title"]) == (404, "No such address")

    def test_errors_are_problem_json(self, cloud: Any) -> None:
        answer = call("admin", person_event("GET", CLINICS))

        content_types = {k.lower(): v for k, v in answer.get("headers", {}).items()} | {
            k.lower(): v[0] for k, v in answer.get("multiValueHeaders", {}).items()
        }
        assert content_types["content-type"] == "application/problem+json"


class TestNumbers:
    def test_shows_every_number_of_the_account(self, cloud: Any, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)

        status, answer = asks("GET", NUMBERS)

        assert status == 200
        ours, free = answer["numbers"]
        number = twilio.account.number_called(NUMBER)
        assert number
        assert ours == {
            "sid": number.sid,
            "phoneNumber": NUMBER,
            "friendlyName": "Line 0140",
            "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
            "status": "in-use",
            "clinicId": clinic_id,
            "webhooksCurrent": True,
        }
        assert (free["clinicId"], free["webhooksCurrent"]) == (None, False)

    def test_follows_all_pages(self, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("local.simulated_twilio.rest_answers.MAX_PAGE_SIZE", 2)
        monkeypatch.setattr("local.simulated_twilio.rest_answers.page_of.__defaults__", (2,))
        for line in range(5):
            twilio.account.add_number(f"+1312555020{line}")

        _, answer = asks("GET", NUMBERS)

        assert len({number["sid"] for number in answer["numbers"]}) == 7
        assert len(twilio.requests("GET", "/IncomingPhoneNumbers.json")) == 4

    @pytest.mark.parametrize(
        "setting",
        [
            "voice_url",
            "voice_method",
            "voice_fallback_url",
            "voice_fallback_method",
            "status_callback",
            "status_callback_method",
            "voice_application_sid",
            "trunk_sid",
        ],
    )
    def test_webhooks_that_somebody_changed_are_not_current(
        self, twilio: TwilioServer, setting: str
    ) -> None:
        connected(new_clinic())
        on_twilio(twilio)[setting] = "GET" if setting.endswith("method") else THEIR_URL

        _, answer = asks("GET", NUMBERS)

        assert answer["numbers"][0]["webhooksCurrent"] is False

    def test_is_502_while_twilio_is_down(self, twilio: TwilioServer) -> None:
        twilio.fails("GET", "/IncomingPhoneNumbers.json", 503, times=3)

        status, problem = asks("GET", NUMBERS)

        assert (status, problem["title"]) == (502, "Twilio refused")


class TestConnect:
    def test_sets_the_webhooks_and_clears_what_overrides_them(self, twilio: TwilioServer) -> None:
        on_twilio(twilio).update(voice_url=THEIR_URL, voice_method="GET", trunk_sid="TK" + "0" * 32)

        connected(new_clinic())

        settings = on_twilio(twilio)
        assert {name: settings[name] for name in settings if settings[name]} == {
            "voice_url": f"{BASE_URL}/api/twilio/voice/incoming{OVERRIDES}",
            "voice_method": "POST",
            "voice_fallback_url": f"{BASE_URL}/api/twilio/voice/fallback"
            f"?number=%2B13125550188{OVERRIDES}",
            "voice_fallback_method": "POST",
            "status_callback": f"{BASE_URL}/api/twilio/voice/status-callback{OVERRIDES}",
            "status_callback_method": "POST",
            "sms_method": "POST",
            "sms_fallback_method": "POST",
            "voice_receive_mode": "voice",
        }

    def test_clears_an_application_too(self, twilio: TwilioServer) -> None:
        on_twilio(twilio)["voice_application_sid"] = "AP" + "0" * 32

        connected(new_clinic())

        assert not on_twilio(twilio)["voice_application_sid"]

    def test_answers_the_clinic_and_its_line(self, cloud: Any, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()

        answer = connected(
            clinic_id,
            forwardNumberNew="+13125550111",
            forwardNumberExisting="+13125550122",
            menuMessage="Press 1 or 2.",
        )

        number = twilio.account.number_called(NUMBER)
        assert answer["clinic"]["clinicId"] == clinic_id
        line = answer["line"]
        since = line.pop("connectedAt")
        assert line == {
            "phoneNumber": NUMBER,
            "clinicId": clinic_id,
            "numberSid": number.sid if number else None,
            "forwardNumber": FORWARD,
            "forwardNumberNew": "+13125550111",
            "forwardNumberExisting": "+13125550122",
            "menuMessage": "Press 1 or 2.",
            "owners": [{"clinicId": clinic_id, "from": since, "to": None}],
        }
        assert (stored_line(cloud) or {})["connectedAt"] == since
        assert since.endswith(".000Z")  # a call of this very second is the clinic's

    @pytest.mark.parametrize(
        "written", ["3125550140", "(312) 555-0140", "1 312 555 0140", " +1 312-555-0140 "]
    )
    def test_normalises_the_numbers(self, twilio: TwilioServer, written: str) -> None:
        answer = connected(new_clinic(), written, forwardNumber="312.555.0188")

        assert answer["line"]["phoneNumber"] == NUMBER
        assert answer["line"]["forwardNumber"] == FORWARD

    @pytest.mark.parametrize("nothing", [{}, {"forwardNumber": ""}, {"forwardNumber": None}])
    def test_no_forward_number_means_voicemail(
        self, twilio: TwilioServer, nothing: dict[str, Any]
    ) -> None:
        body = {"clinicId": new_clinic(), "phoneNumber": NUMBER} | nothing

        status, answer = asks("POST", CONNECT, body)

        assert (status, answer["line"]["forwardNumber"]) == (200, None)
        assert on_twilio(twilio)["voice_fallback_url"].startswith(f"{BASE_URL}/api/twilio/voice/")

    def test_the_fallback_rings_whom_the_line_rings(self, twilio: TwilioServer) -> None:
        connected(new_clinic(), forwardNumber=None, forwardNumberExisting="+13125550122")

        assert "number=%2B13125550122" in on_twilio(twilio)["voice_fallback_url"]

    def test_again_changes_the_line_and_keeps_since_when(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        before = connected(clinic_id)["line"]

        after = connected(clinic_id, forwardNumber="+13125550199")["line"]

        assert after == before | {"forwardNumber": "+13125550199"}
        assert "number=%2B13125550199" in on_twilio(twilio)["voice_fallback_url"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"clinicId": None}, "clinicId"),
            ({"clinicId": 7}, "clinicId"),
            ({"phoneNumber": None}, "phoneNumber"),
            ({"phoneNumber": "front desk"}, "phoneNumber"),
            ({"phoneNumber": "+1312"}, "phoneNumber"),
            ({"phoneNumber": ""}, "phoneNumber"),
            ({"phoneNumber": 13125550140}, "phoneNumber"),
            ({"forwardNumber": "555"}, "forwardNumber"),
            ({"forwardNumberNew": "+0"}, "forwardNumberNew"),
            ({"forwardNumberExisting": "+1312555018800000"}, "forwardNumberExisting"),
            ({"menuMessage": "x" * 1001}, "menuMessage"),
            ({"menuMessage": ["Press 1"]}, "menuMessage"),
            ({"forwardNumer": FORWARD}, "forwardNumer"),
        ],
    )
    def test_bad_input_is_400_and_names_the_field(
        self, cloud: Any, twilio: TwilioServer, changes: dict[str, Any], field: str
    ) -> None:
        body = {"clinicId": "lakeside", "phoneNumber": NUMBER} | changes

        status, problem = asks("POST", CONNECT, body)

        assert (status, problem["field"]) == (400, field)
        assert problem["detail"].startswith(field)
        assert twilio.asked == []

    @pytest.mark.parametrize("missing", ["clinicId", "phoneNumber"])
    def test_a_missing_field_is_400(self, twilio: TwilioServer, missing: str) -> None:
        body = {"clinicId": "lakeside", "phoneNumber": NUMBER}
        del body[missing]

        status, problem = asks("POST", CONNECT, body)

        assert (status, problem["field"]) == (400, missing)

    @pytest.mark.parametrize("body", ["{", "", "[]", '"lakeside"', "null", None])
    def test_a_body_that_is_no_object_is_400(self, cloud: Any, body: str | None) -> None:
        status, problem = asks("POST", CONNECT, body)

        assert status == 400
        assert "JSON" in problem["detail"]

    def test_a_clinic_that_does_not_exist_is_404(self, cloud: Any, twilio: TwilioServer) -> None:
        status, problem = asks("POST", CONNECT, {"clinicId": "nowhere", "phoneNumber": NUMBER})

        assert (status, problem["field"]) == (404, "clinicId")
        assert stored_line(cloud) is None

    def test_a_clinic_that_is_no_customer_is_404(self, cloud: Any, twilio: TwilioServer) -> None:
        clinic = {"clinicId": "us", "name": "Us", "role": "admin", "timezone": "UTC"}
        cloud.dynamodb.Table("ClinicsTable").put_item(Item=clinic)

        status, problem = asks("POST", CONNECT, {"clinicId": "us", "phoneNumber": NUMBER})

        assert (status, problem["field"]) == (404, "clinicId")

    def test_a_number_that_is_not_in_the_account_is_404(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        body = {"clinicId": new_clinic(), "phoneNumber": "+13125550149"}

        status, problem = asks("POST", CONNECT, body)

        assert (status, problem["field"]) == (404, "phoneNumber")
        assert stored_line(cloud, "+13125550149") is None

    def test_another_clinics_number_is_409(self, cloud: Any, twilio: TwilioServer) -> None:
        connected(new_clinic())
        before = stored_line(cloud)

        status, problem = asks(
            "POST", CONNECT, {"clinicId": new_clinic("Hilltop"), "phoneNumber": NUMBER}
        )

        assert (status, problem["field"]) == (409, "phoneNumber")
        assert stored_line(cloud) == before

    @pytest.mark.parametrize("status_at_twilio", [400, 503])
    def test_a_refusal_leaves_no_line(
        self, cloud: Any, twilio: TwilioServer, status_at_twilio: int
    ) -> None:
        clinic_id = new_clinic()
        twilio.fails("POST", ".json", status_at_twilio, times=3)

        status, problem = asks("POST", CONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert (status, problem["title"]) == (502, "Twilio refused")
        assert stored_line(cloud) is None
        assert on_twilio(twilio)["voice_url"] == ""

    def test_a_refusal_leaves_an_older_line_as_it_was(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        before = stored_line(cloud)
        twilio.fails("POST", ".json", 400)

        status, _ = asks(
            "POST",
            CONNECT,
            {"clinicId": clinic_id, "phoneNumber": NUMBER, "forwardNumber": "+13125550199"},
        )

        assert status == 502
        assert unversioned(stored_line(cloud)) == unversioned(before)

    def test_of_two_clinics_at_once_one_gets_the_number(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        ours, theirs = new_clinic(), new_clinic("Hilltop")
        twilio.meanwhile("GET", "/IncomingPhoneNumbers.json", lambda: connected(theirs))

        status, problem = asks("POST", CONNECT, {"clinicId": ours, "phoneNumber": NUMBER})

        assert (status, problem["field"]) == (409, "phoneNumber")
        assert (stored_line(cloud) or {})["clinicId"] == theirs


class TestAFallbackElsewhere:
    """FallbackUrlTemplate: the clinic rings although all of ours is down."""

    ELSEWHERE = "https://static.example.test/{number}/ring.xml"
    FOR_FORWARD = f"https://static.example.test/%2B13125550188/ring.xml{OVERRIDES}"

    @pytest.fixture(autouse=True)
    def elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FALLBACK_URL_TEMPLATE", self.ELSEWHERE)

    def fallback(self, twilio: TwilioServer) -> tuple[str, str]:
        settings = on_twilio(twilio)
        return settings["voice_fallback_url"], settings["voice_fallback_method"]

    def test_is_what_twilio_gets_with_the_clinics_number(self, twilio: TwilioServer) -> None:
        connected(new_clinic())

        assert self.fallback(twilio) == (self.FOR_FORWARD, "GET")
        assert on_twilio(twilio)["voice_method"] == "POST"

    def test_keeps_a_fragment_of_its_own(
        self, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FALLBACK_URL_TEMPLATE", "https://static.example.test/?n={number}#rc=3")

        connected(new_clinic())

        assert self.fallback(twilio)[0] == "https://static.example.test/?n=%2B13125550188#rc=3"

    def test_rings_whom_ours_would_ring(self, twilio: TwilioServer) -> None:
        connected(new_clinic(), forwardNumber=None, forwardNumberExisting="+13125550122")

        assert "%2B13125550122" in self.fallback(twilio)[0]

    def test_of_a_line_that_rings_nobody_is_ours_which_takes_a_message(
        self, twilio: TwilioServer
    ) -> None:
        connected(new_clinic(), forwardNumber=None)

        url, method = self.fallback(twilio)
        assert (url.startswith(f"{BASE_URL}/api/twilio/voice/fallback"), method) == (True, "POST")

    def test_is_current_as_long_as_it_is_the_deployments(
        self, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connected(new_clinic())

        before = asks("GET", NUMBERS)[1]["numbers"][0]["webhooksCurrent"]
        monkeypatch.setenv("FALLBACK_URL_TEMPLATE", "https://moved.example.test/{number}")
        after = asks("GET", NUMBERS)[1]["numbers"][0]["webhooksCurrent"]

        assert (before, after) == (True, False)

    @pytest.mark.parametrize(
        ("configured", "wanted"),
        [
            (
                "https://moved.example.test/?n={number}",
                (f"https://moved.example.test/?n=%2B13125550188{OVERRIDES}", "GET"),
            ),
            (
                "",
                (
                    f"{BASE_URL}/api/twilio/voice/fallback?number=%2B13125550188{OVERRIDES}",
                    "POST",
                ),
            ),
        ],
        ids=["another", "none"],
    )
    def test_is_set_on_every_number_again_by_resync(
        self,
        twilio: TwilioServer,
        monkeypatch: pytest.MonkeyPatch,
        configured: str,
        wanted: tuple[str, str],
    ) -> None:
        connected(new_clinic())
        monkeypatch.setenv("FALLBACK_URL_TEMPLATE", configured)

        report = call("admin", RESYNC)

        assert (report["changed"], report["failed"]) == ([NUMBER], {})
        assert self.fallback(twilio) == wanted
        assert call("admin", RESYNC)["current"] == [NUMBER]

    def test_is_cleared_with_our_urls(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)

        asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert self.fallback(twilio)[0] == ""

    @pytest.mark.parametrize(
        "wrong",
        [
            "http://static.example.test/{number}",
            "https://static.example.test/",
            "https://static.example.test/{number}/{clinic}",
            "https://static.example.test/{number}/{number}",
            "https://static.example.test/{number} ",
            "{number}",
        ],
    )
    def test_that_could_never_ring_is_refused_and_nothing_changes(
        self,
        cloud: Any,
        twilio: TwilioServer,
        template: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        wrong: str,
    ) -> None:
        clinic_id = new_clinic()
        monkeypatch.setenv("FALLBACK_URL_TEMPLATE", wrong)

        status, problem = asks("POST", CONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert status == 500
        assert "https://" in problem["title"]
        assert "{number}" in problem["title"]
        assert wrong in problem["detail"]
        assert (stored_line(cloud), on_twilio(twilio)["voice_url"]) == (None, "")
        pattern = template["Parameters"]["FallbackUrlTemplate"]["AllowedPattern"]
        assert not re.fullmatch(pattern, wrong)

    def test_is_checked_by_the_template_as_by_the_code(self, template: dict[str, Any]) -> None:
        pattern = template["Parameters"]["FallbackUrlTemplate"]["AllowedPattern"]

        assert pattern == f"^({connection.FALLBACK_URL_TEMPLATE})?$"
        assert re.fullmatch(pattern, self.ELSEWHERE)
        assert re.fullmatch(pattern, "")


class TestTheIntelligenceService:
    def test_gets_our_webhook_with_the_key(self, cloud: Any, twilio: TwilioServer) -> None:
        answer = connected(new_clinic())

        assert twilio.service.webhook_url == f"{BASE_URL}/api/twilio/ci-status/{'k' * 48}"
        assert twilio.service.webhook_http_method == "POST"
        assert answer["warnings"] == []

    def test_a_missing_summary_operator_is_reported(self, twilio: TwilioServer) -> None:
        twilio.service.operator_sids.clear()

        (warning,) = connected(new_clinic())["warnings"]

        assert "Conversation Summary" in warning

    def test_auto_transcribe_is_reported(self, twilio: TwilioServer) -> None:
        twilio.service.auto_transcribe = True

        (warning,) = connected(new_clinic())["warnings"]

        assert "auto-transcribe" in warning

    def test_a_missing_service_is_reported(
        self, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_VI_SERVICE_SID", "")

        (warning,) = connected(new_clinic())["warnings"]

        assert "TwilioViServiceSid" in warning

    def test_its_refusal_does_not_undo_the_connection(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        twilio.fails("POST", SERVICE_SID, 404)

        (warning,) = connected(new_clinic())["warnings"]

        assert "make resync" in warning
        assert stored_line(cloud)


class TestDisconnect:
    def test_frees_the_number_and_clears_our_urls(self, cloud: Any, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        since = connected(clinic_id)["line"]["connectedAt"]

        status, line = asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert status == 200
        assert (line["clinicId"], line["connectedAt"]) == (None, None)
        (owner,) = line["owners"]
        assert (owner["clinicId"], owner["from"]) == (clinic_id, since)
        assert owner["to"] >= since
        urls = ("voice_url", "voice_fallback_url", "status_callback")
        assert [on_twilio(twilio)[url] for url in urls] == ["", "", ""]

    def test_leaves_a_url_that_is_not_ours(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        on_twilio(twilio)["status_callback"] = THEIR_URL

        asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert on_twilio(twilio)["status_callback"] == THEIR_URL
        assert on_twilio(twilio)["voice_url"] == ""

    def test_of_a_number_that_left_the_account_still_frees_the_line(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        twilio.account.numbers.clear()

        status, line = asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert (status, line["clinicId"]) == (200, None)

    def test_then_another_clinic_may_connect(self, twilio: TwilioServer) -> None:
        first, second = new_clinic(), new_clinic("Hilltop")
        connected(first)
        asks("POST", DISCONNECT, {"clinicId": first, "phoneNumber": NUMBER})

        owners = connected(second)["line"]["owners"]

        assert [owner["clinicId"] for owner in owners] == [first, second]
        assert (owners[0]["to"] is not None, owners[1]["to"]) == (True, None)

    @pytest.mark.parametrize("number", [NUMBER, OTHER_NUMBER])
    def test_of_another_clinics_or_nobodys_number_is_404(
        self, cloud: Any, twilio: TwilioServer, number: str
    ) -> None:
        connected(new_clinic())
        before = stored_line(cloud)

        status, problem = asks(
            "POST", DISCONNECT, {"clinicId": new_clinic("Hilltop"), "phoneNumber": number}
        )

        assert (status, problem["field"]) == (404, "phoneNumber")
        assert stored_line(cloud) == before

    def test_is_502_when_twilio_refuses_and_nothing_changes(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        before = stored_line(cloud)
        twilio.fails("POST", ".json", 400)

        status, _ = asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        assert status == 502
        assert unversioned(stored_line(cloud)) == unversioned(before)
        assert on_twilio(twilio)["voice_url"].startswith(BASE_URL)

    def test_of_a_number_that_is_not_e164_is_400(self, cloud: Any) -> None:
        status, problem = asks("POST", DISCONNECT, {"clinicId": "lakeside", "phoneNumber": "12"})

        assert (status, problem["field"]) == (400, "phoneNumber")


class TestClinics:
    def test_a_new_clinic_is_201_and_can_be_read(self, cloud: Any) -> None:
        body = {
            "name": " Lakeside Dental ",
            "timezone": "America/Chicago",
            "settings": {"enableMenu": True, "voice": None},
        }

        status, clinic = asks("POST", CLINICS, body)

        clinic_id = clinic["clinicId"]
        assert status == 201
        assert clinic == {
            "clinicId": clinic_id,
            "name": "Lakeside Dental",
            "role": "customer",
            "timezone": "America/Chicago",
            "settings": {"enableMenu": True},
        }
        assert asks("GET", f"{CLINICS}/{clinic_id}") == (200, clinic)

    def test_are_listed_by_name(self, cloud: Any) -> None:
        for name in ("Lakeside", "Hilltop", "Riverbank"):
            new_clinic(name)

        _, answer = asks("GET", CLINICS)

        names = [clinic["name"] for clinic in answer["clinics"]]
        assert names == ["Hilltop", "Lakeside", "Riverbank"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"timezone": "UTC"}, "name"),
            ({"name": "", "timezone": "UTC"}, "name"),
            ({"name": "  ", "timezone": "UTC"}, "name"),
            ({"name": "x" * 201, "timezone": "UTC"}, "name"),
            ({"name": "Lakeside"}, "timezone"),
            ({"name": "Lakeside", "timezone": "Chicago"}, "timezone"),
            ({"name": "Lakeside", "timezone": "UTC", "role": "admin"}, "role"),
            ({"name": "Lakeside", "timezone": "UTC", "clinicId": "mine"}, "clinicId"),
            (
                {"name": "Lakeside", "timezone": "UTC", "settings": {"enableMenus": True}},
                "settings.enableMenus",
            ),
            (
                {"name": "Lakeside", "timezone": "UTC", "settings": {"enableMenu": "maybe"}},
                "settings.enableMenu",
            ),
        ],
    )
    def test_bad_input_is_400_and_names_the_field(
        self, cloud: Any, body: dict[str, Any], field: str
    ) -> None:
        status, problem = asks("POST", CLINICS, body)

        assert (status, problem["field"]) == (400, field)
        assert asks("GET", CLINICS)[1] == {"clinics": []}

    def test_a_change_touches_only_what_it_names(self, cloud: Any) -> None:
        clinic_id = new_clinic(enableMenu=True, voice="alice")

        status, clinic = asks(
            "PATCH",
            f"{CLINICS}/{clinic_id}",
            {"timezone": "UTC", "settings": {"enableRecording": True, "voice": None}},
        )

        assert status == 200
        assert clinic == {
            "clinicId": clinic_id,
            "name": "Lakeside Dental",
            "role": "customer",
            "timezone": "UTC",
            "settings": {"enableMenu": True, "enableRecording": True},
        }
        assert asks("GET", f"{CLINICS}/{clinic_id}") == (200, clinic)

    def test_a_clinics_settings_reach_its_lines_and_no_others(
        self, cloud: Any, twilio: TwilioServer
    ) -> None:
        ours, theirs = new_clinic(enableMenu=True), new_clinic("Hilltop")
        connected(ours)
        connected(theirs, OTHER_NUMBER)

        asks("PATCH", f"{CLINICS}/{ours}", {"settings": {"enableVoicemail": False}})

        settings = {"enableMenu": True, "enableVoicemail": False}
        assert (stored_line(cloud) or {})["settings"] == settings
        assert (stored_line(cloud, OTHER_NUMBER) or {})["settings"] == {}

    def test_every_setting_may_be_set(self, cloud: Any) -> None:
        settings: dict[str, Any] = {
            "enableMenu": False,
            "menuMessage": "Press 1 or 2.",
            "enableRecording": True,
            "consentMessage": "We record.",
            "enableTranscription": True,
            "enableVoicemail": False,
            "voice": "alice",
        }

        clinic_id = new_clinic(**settings)

        assert asks("GET", f"{CLINICS}/{clinic_id}")[1]["settings"] == settings
        assert len(clinics.ClinicSettings.model_fields) == len(settings)

    @pytest.mark.parametrize(
        ("method", "more", "body"),
        [
            ("GET", "", None),
            ("PATCH", "", {"name": "Nowhere"}),
            ("POST", "/users", {"email": "ann@example.test"}),
        ],
    )
    def test_one_that_does_not_exist_is_404(
        self, cloud: Any, method: str, more: str, body: Any
    ) -> None:
        status, problem = asks(method, f"{CLINICS}/nowhere{more}", body)

        assert (status, problem["title"]) == (404, "No such clinic")


class TestUsers:
    def test_a_new_user_reads_the_clinics_calls(self, cloud: Any) -> None:
        clinic_id = new_clinic()

        status, user = asks("POST", f"{CLINICS}/{clinic_id}/users", {"email": "ann@example.test"})

        assert (status, user["email"]) == (201, "ann@example.test")
        pool, username = cloud.names["USER_POOL_ID"], user["username"]
        made = cloud.cognito.admin_get_user(UserPoolId=pool, Username=username)
        attributes = {a["Name"]: a["Value"] for a in made["UserAttributes"]}
        assert attributes["custom:clinic_id"] == clinic_id
        assert attributes["email_verified"] == "true"
        groups = cloud.cognito.admin_list_groups_for_user(UserPoolId=pool, Username=username)
        assert [group["GroupName"] for group in groups["Groups"]] == ["customer"]

    def test_one_that_exists_is_409(self, cloud: Any) -> None:
        clinic_id, other = new_clinic(), new_clinic("Hilltop")
        asks("POST", f"{CLINICS}/{clinic_id}/users", {"email": "ann@example.test"})

        status, problem = asks("POST", f"{CLINICS}/{other}/users", {"email": "ann@example.test"})

        assert (status, problem["field"]) == (409, "email")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": ""},
            {"email": "ann"},
            {"email": "ann@example"},
            {"email": "ann bell@example.test"},
            {"email": None},
        ],
    )
    def test_a_bad_address_is_400(self, cloud: Any, body: dict[str, Any]) -> None:
        status, problem = asks("POST", f"{CLINICS}/{new_clinic()}/users", body)

        assert (status, problem["field"]) == (400, "email")

    def test_one_who_could_not_join_the_group_is_not_left_behind(self, cloud: Any) -> None:
        clinic_id, pool = new_clinic(), cloud.names["USER_POOL_ID"]
        cloud.cognito.delete_group(UserPoolId=pool, GroupName="customer")
        event = person_event(
            "POST",
            f"{CLINICS}/{clinic_id}/users",
            body={"email": "ann@example.test"},
            groups="[admin]",
        )

        answer = call("admin", event)

        assert answer["statusCode"] == 503
        assert cloud.cognito.list_users(UserPoolId=pool)["Users"] == []


class TestResync:
    def test_sets_again_what_somebody_changed(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        connected(clinic_id, OTHER_NUMBER)
        on_twilio(twilio)["voice_url"] = THEIR_URL
        twilio.service.webhook_url = THEIR_URL

        report = call("admin", RESYNC)

        assert report == {
            "current": [OTHER_NUMBER],
            "changed": [NUMBER],
            "missing": [],
            "failed": {},
            "warnings": [],
        }
        assert on_twilio(twilio)["voice_url"].startswith(BASE_URL)
        assert twilio.service.webhook_url.startswith(BASE_URL)

    def test_sets_every_number_again_when_the_address_changed(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        for number in (NUMBER, OTHER_NUMBER):
            connected(clinic_id, number)
        moved = "https://moved.example.test"

        report = call("admin", RESYNC | {"baseUrl": moved})

        assert sorted(report["changed"]) == [NUMBER, OTHER_NUMBER]
        for number in (NUMBER, OTHER_NUMBER):
            for url in ("voice_url", "voice_fallback_url", "status_callback"):
                assert on_twilio(twilio, number)[url].startswith(f"{moved}/api/twilio/voice/")
        assert twilio.service.webhook_url.startswith(f"{moved}/api/twilio/ci-status/")

    def test_reports_a_number_that_left_the_account_and_goes_on(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        connected(clinic_id, OTHER_NUMBER)
        gone = twilio.account.number_called(NUMBER)
        assert gone
        del twilio.account.numbers[gone.sid]

        report = call("admin", RESYNC)

        assert (report["missing"], report["current"]) == ([NUMBER], [OTHER_NUMBER])

    def test_reports_a_refusal_and_goes_on(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        for number in (NUMBER, OTHER_NUMBER):
            connected(clinic_id, number)
            on_twilio(twilio, number)["voice_url"] = THEIR_URL
        twilio.fails("POST", ".json", 400)

        report = call("admin", RESYNC)

        assert len(report["failed"]) == len(report["changed"]) == 1

    def test_leaves_a_number_alone_that_is_nobodys(self, twilio: TwilioServer) -> None:
        clinic_id = new_clinic()
        connected(clinic_id)
        asks("POST", DISCONNECT, {"clinicId": clinic_id, "phoneNumber": NUMBER})

        report = call("admin", RESYNC)

        assert (report["changed"], on_twilio(twilio)["voice_url"]) == ([], "")
