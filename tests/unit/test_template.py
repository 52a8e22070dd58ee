"""The template gives every function what it needs and no more, and keeps what must not be lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.conftest import resources
from tests.unit.signed import call, form_event

Template = dict[str, Any]
Statement = dict[str, Any]

FUNCTION, TABLE, QUEUE = (
    "AWS::Serverless::Function",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
)
POOL, CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
SECRET_PARAMETERS = {
    "TwilioAuthToken",
    "TwilioPreviousAuthToken",
    "TwilioApiKeySecret",
}
# Answers when nothing of ours works, the secret included, and says only what stood in the request.
NOT_SIGNED_FOR = {"/api/twilio/voice/fallback"}

ROUTES = {
    ("POST", "/api/twilio/voice/incoming"): "IncomingCall",
    ("POST", "/api/twilio/voice/dial-status"): "DialFinished",
    ("POST", "/api/twilio/voice/voicemail"): "VoicemailLeft",
    ("POST", "/api/twilio/voice/fallback"): "FallbackRoute",
    ("POST", "/api/twilio/voice/status-callback"): "CallStatus",
    ("POST", "/api/twilio/voice/transcription"): "LiveTranscript",
    ("POST", "/api/twilio/voice/recording-status"): "RecordingReady",
    ("POST", "/api/twilio/ci-status"): "TranscriptReady",
    ("POST", "/api/twilio/ci-status/{key}"): "TranscriptReady",
}
ROUTES_WITH_A_TOKEN = {
    ("GET", "/api/twilio/call-logs"): "CallLogs",
    ("GET", "/api/twilio/call-logs/stats"): "CallLogs",
    ("GET", "/api/twilio/call-logs/{callSid}"): "CallLogs",
    ("GET", "/api/twilio/call-logs/{callSid}/summary"): "CallLogs",
    ("GET", "/api/twilio/call-logs/{callSid}/transcript"): "CallLogs",
    ("GET", "/api/twilio/call-logs/{callSid}/recording"): "CallLogs",
    ("GET", "/api/twilio/numbers"): "Admin",
    ("POST", "/api/twilio/connect"): "Admin",
    ("POST", "/api/twilio/disconnect"): "Admin",
    ("GET", "/api/clinics"): "Admin",
    ("POST", "/api/clinics"): "Admin",
    ("GET", "/api/clinics/{clinicId}"): "Admin",
    ("PATCH", "/api/clinics/{clinicId}"): "Admin",
    ("POST", "/api/clinics/{clinicId}/users"): "Admin",
}

# What a caller needs of the key (AWS docs, "DynamoDB encryption at rest: Authorizing use of your
# customer managed key"; "Secret encryption in Secrets Manager"; "SSE-KMS: Permissions").
KEY_FOR_TABLES = {
    f"kms:{action}"
    for action in ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey")
}
KEY_FOR_ACTIONS = {
    "secretsmanager:GetSecretValue": {"kms:Decrypt"},
    "s3:GetObject": {"kms:Decrypt"},
    "s3:PutObject": {"kms:GenerateDataKey", "kms:Decrypt"},
    "sqs:SendMessage": {"kms:GenerateDataKey", "kms:Decrypt"},
}


def functions(template: Template) -> dict[str, Any]:
    return {name: f["Properties"] for name, f in resources(template, FUNCTION).items()}


def routes(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in functions(template).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                yield name, event["Properties"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def mentioned(value: Any) -> set[str]:
    """The logical ids that a value refers to, in whichever way."""
    if isinstance(value, dict):
        if "Ref" in value:
            return {value["Ref"]}
        if "Fn::GetAtt" in value:
            return {value["Fn::GetAtt"][0]}
        return set().union(*map(mentioned, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(mentioned, value)) if value else set()
    return set(re.findall(r"\$\{(\w+)", value)) if isinstance(value, str) else set()


def statements(template: Template, function: str) -> list[Statement]:
    """What a function's role may do: its own statements, and those of the policies it names."""
    found: list[Statement] = []
    for policy in functions(template)[function].get("Policies", []):
        if "Fn::If" in policy:
            _, policy, _ = policy["Fn::If"]
        if "Ref" in policy:
            policy = template["Resources"][policy["Ref"]]["Properties"]["PolicyDocument"]
        found += policy["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return found


def every_statement(template: Template) -> list[Statement]:
    return [s for function in functions(template) for s in statements(template, function)]


def is_encrypted_with_our_key(template: Template, logical_id: str) -> bool:
    resource = template["Resources"].get(logical_id, {"Type": "", "Properties": {}})
    settings = ("SSESpecification", "KmsKeyId", "BucketEncryption", "KmsMasterKeyId")
    properties = resource.get("Properties", {})
    return "Key" in mentioned([properties.get(name) for name in settings])


class TestRoutes:
    def test_are_those_of_the_contract(self, template: Template) -> None:
        found = {(r["Method"], r["Path"]): name for name, r in routes(template)}

        assert found == ROUTES | ROUTES_WITH_A_TOKEN

    def test_for_people_need_a_token(self, template: Template) -> None:
        authorizers = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]
        found = {(r["Method"], r["Path"]): r.get("Auth", {}) for _, r in routes(template)}

        for route in ROUTES_WITH_A_TOKEN:
            assert found[route]["Authorizer"] in authorizers
        assert {route for route, auth in found.items() if not auth} == ROUTES.keys()

    @pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
    def test_without_a_token_refuse_what_twilio_did_not_sign(
        self, cloud: Any, template: Template, method: str, path: str
    ) -> None:
        handler = functions(template)[ROUTES[method, path]]["Handler"]
        event = form_event(path.format(key="guessed"), {"CallSid": "CA1"}, token="")
        if "{key}" in path:
            event["pathParameters"] = {"key": "guessed"}

        answer = call(handler.removesuffix(".handler"), event)

        assert answer["statusCode"] == (200 if path in NOT_SIGNED_FOR else 403)

    def test_wait_no_longer_than_twilio_does(self, template: Template) -> None:
        for name in ("IncomingCall", "DialFinished", "VoicemailLeft", "FallbackRoute"):
            assert functions(template)[name]["Timeout"] == 4


class TestFunctions:
    def test_state_their_layers_themselves(self, template: Template) -> None:
        layers = {name: f.get("Layers") for name, f in functions(template).items()}

        assert "Layers" not in template["Globals"]["Function"]
        assert layers.pop("FallbackRoute") is None
        assert all(stated == [{"Ref": "CallsLayer"}] for stated in layers.values())

    def test_run_where_the_layer_was_built_for(self, template: Template) -> None:
        common = template["Globals"]["Function"]

        assert (common["Runtime"], common["Architectures"]) == ("python3.13", ["arm64"])
        layer = template["Resources"]["CallsLayer"]
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
        assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}

    def test_of_the_fallback_may_do_nothing(self, template: Template) -> None:
        assert statements(template, "FallbackRoute") == []

    def test_write_to_one_log_that_forgets(self, template: Template) -> None:
        (name,) = resources(template, "AWS::Logs::LogGroup")

        assert template["Resources"][name]["Properties"]["RetentionInDays"] > 0
        assert template["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": name}


class TestPolicies:
    def test_name_what_they_are_about(self, template: Template) -> None:
        for statement in every_statement(template):
            assert not {"*", "arn:aws:*"}.intersection(map(str, as_list(statement["Resource"])))
            assert mentioned(statement["Resource"]), statement

    def test_allow_no_whole_service(self, template: Template) -> None:
        wide = {
            action
            for statement in every_statement(template)
            for action in as_list(statement["Action"])
            if "*" in action
        }

        assert wide <= KEY_FOR_TABLES

    def test_never_allow_to_scan_the_calls(self, template: Template) -> None:
        scanned = {
            table
            for statement in every_statement(template)
            for action in as_list(statement["Action"])
            if action in ("dynamodb:Scan", "dynamodb:PartiQLSelect")
            for table in mentioned(statement["Resource"])
        }

        assert scanned == {"ClinicsTable", "LinesTable"}

    @pytest.mark.parametrize("function", sorted({*ROUTES.values(), *ROUTES_WITH_A_TOKEN.values()}))
    def test_give_the_key_that_the_encrypted_resources_need(
        self, template: Template, function: str
    ) -> None:
        self.check_the_key(template, function)

    def test_of_the_worker_too(self, template: Template) -> None:
        self.check_the_key(template, "SummarizeCall")

    def test_of_the_reconciler_too(self, template: Template) -> None:
        self.check_the_key(template, "ReconcileCalls")

    def check_the_key(self, template: Template, function: str) -> None:
        needed: dict[str, set[str]] = {}
        granted: dict[str, set[str]] = {}
        for statement in statements(template, function):
            for action in as_list(statement["Action"]):
                service = action.partition(":")[0]
                if service == "kms":
                    assert statement["Resource"] == {"Fn::GetAtt": ["Key", "Arn"]}
                    for via in via_services(statement):
                        granted.setdefault(via, set()).add(action)
                elif any(
                    is_encrypted_with_our_key(template, touched)
                    for touched in mentioned(statement["Resource"])
                ):
                    actions = KEY_FOR_TABLES if service == "dynamodb" else KEY_FOR_ACTIONS[action]
                    needed.setdefault(service, set()).update(actions)

        assert granted.keys() == needed.keys()
        for service, actions in needed.items():
            assert actions <= granted[service]

    def test_give_the_key_through_a_service_only(self, template: Template) -> None:
        for statement in every_statement(template):
            if any(action.startswith("kms:") for action in as_list(statement["Action"])):
                assert via_services(statement)


class TestTheModel:
    def test_is_asked_by_one_function_only(self, template: Template) -> None:
        told = {
            name
            for name, function in functions(template).items()
            if "BedrockModelId" in mentioned(function.get("Environment", {}))
        }
        allowed = {
            name
            for name in functions(template)
            for statement in statements(template, name)
            if "bedrock:InvokeModel" in as_list(statement["Action"])
        }

        assert told == allowed == {"SummarizeCall"}
        assert "BedrockModelId" not in mentioned(template["Globals"])

    def test_is_nobodys_business_unless_the_operator_names_one(self, template: Template) -> None:
        policy = template["Resources"]["AskTheModel"]

        assert template["Parameters"]["BedrockModelId"]["Default"] == ""
        assert policy["Condition"] == "HasBedrockModel"
        assert {
            "Fn::If": ["HasBedrockModel", {"Ref": "AskTheModel"}, {"Ref": "AWS::NoValue"}]
        } in functions(template)["SummarizeCall"]["Policies"]

    def test_may_be_no_other_than_that_one(self, template: Template) -> None:
        document = template["Resources"]["AskTheModel"]["Properties"]["PolicyDocument"]
        asking = [s for s in document["Statement"] if s["Action"] == "bedrock:InvokeModel"]

        for statement in asking:
            limits = statement.get("Condition") or statement["Resource"]
            assert "BedrockModelId" in mentioned(limits)
            assert all("${BedrockModelId}" in str(r) for r in as_list(limits))

    def test_has_an_id_that_opens_no_other_resource(self, template: Template) -> None:
        pattern = template["Parameters"]["BedrockModelId"]["AllowedPattern"]

        for good in ("", "amazon.nova-lite-v1:0", "us.anthropic.claude-3-5-haiku-20241022-v1:0"):
            assert re.fullmatch(pattern, good)
        for bad in ("*", "arn:aws:bedrock:us-east-1::foundation-model/x", "a?", "a b"):
            assert not re.fullmatch(pattern, bad)


def via_services(statement: Statement) -> list[str]:
    """The services through which a statement gives the key. Fails where it is given directly."""
    via = statement["Condition"]["StringEquals"]["kms:ViaService"]
    names = [named["Fn::Sub"] for named in as_list(via)]
    assert all(name.endswith(".${AWS::Region}.${AWS::URLSuffix}") for name in names)
    return [name.partition(".")[0] for name in names]


class TestQueues:
    def test_are_consumed_and_have_dead_letters_or_are_them(self, template: Template) -> None:
        queues = resources(template, QUEUE)
        consumed = {
            logical_id
            for function in functions(template).values()
            for event in function.get("Events", {}).values()
            if event["Type"] == "SQS"
            for logical_id in mentioned(event["Properties"]["Queue"])
        }
        redriven = {
            name: mentioned(queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
            for name, queue in queues.items()
            if "RedrivePolicy" in queue["Properties"]
        }
        dead_letters = set().union(*redriven.values())

        assert consumed == redriven.keys()
        assert consumed | dead_letters == queues.keys()
        assert not consumed & dead_letters

    def test_hide_a_message_six_times_as_long_as_the_work_may_take(
        self, template: Template
    ) -> None:
        worker = functions(template)["SummarizeCall"]
        queue = template["Resources"]["WorkQueue"]["Properties"]

        assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5  # AWS docs, "Lambda with SQS"
        assert worker["Events"]["Work"]["Properties"]["BatchSize"] == 1

    def test_of_dead_letters_keep_them_two_weeks_and_ring(self, template: Template) -> None:
        queue = template["Resources"]["DeadLetters"]["Properties"]
        alarmed = {
            logical_id
            for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
            for logical_id in mentioned(alarm["Properties"].get("Dimensions", []))
        }

        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert "DeadLetters" in alarmed


class TestWhatMustNotBeLost:
    @pytest.mark.parametrize("kind", [TABLE, "AWS::S3::Bucket", "AWS::KMS::Key", POOL])
    def test_stays_when_the_stack_goes(self, template: Template, kind: str) -> None:
        found = resources(template, kind)

        assert found
        for resource in found.values():
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"

    def test_is_protected_from_deletion(self, template: Template) -> None:
        for table in resources(template, TABLE).values():
            assert table["Properties"]["DeletionProtectionEnabled"] is True
        for pool in resources(template, POOL).values():
            assert pool["Properties"]["DeletionProtection"] == "ACTIVE"

    def test_can_be_taken_back_to_any_point_in_time(self, template: Template) -> None:
        for table in resources(template, TABLE).values():
            recovery = table["Properties"]["PointInTimeRecoverySpecification"]
            assert recovery == {"PointInTimeRecoveryEnabled": True}

    def test_is_encrypted_with_our_key(self, template: Template) -> None:
        kept = (
            *resources(template, TABLE),
            *resources(template, "AWS::S3::Bucket"),
            *resources(template, "AWS::SecretsManager::Secret"),
        )

        assert [name for name in kept if not is_encrypted_with_our_key(template, name)] == []

    def test_is_kept_as_long_as_the_operator_says(self, template: Template) -> None:
        for table in ("CallLogsTable", "CallEventsTable"):
            expiry = template["Resources"][table]["Properties"]["TimeToLiveSpecification"]
            assert expiry == {"Enabled": True, "AttributeName": "expiresAt"}
        lifecycle = template["Resources"]["Files"]["Properties"]["LifecycleConfiguration"]
        assert "RetentionDays" in mentioned(lifecycle)

    def test_is_never_public(self, template: Template) -> None:
        for bucket in resources(template, "AWS::S3::Bucket").values():
            assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


class TestTables:
    def test_have_string_keys_on_sparse_indexes(self, template: Template) -> None:
        for table in resources(template, TABLE).values():
            kinds = {
                a["AttributeName"]: a["AttributeType"]
                for a in table["Properties"]["AttributeDefinitions"]
            }
            assert set(kinds.values()) == {"S"}

    def test_of_calls_are_indexed_for_every_question(self, template: Template) -> None:
        indexes = {
            index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
            for index in template["Resources"]["CallLogsTable"]["Properties"][
                "GlobalSecondaryIndexes"
            ]
        }

        assert indexes == {
            "ByCustomer": ["customerId", "startedAt"],
            "ByNumber": ["twilioPhoneNumber", "startedAt"],
            "ByTranscript": ["transcriptSid"],
            "BySummary": ["customerSummary", "startedAt"],
            "ByBooked": ["customerBooked", "startedAt"],
            "Unsettled": ["unsettled", "startedAt"],
        }

    def test_are_paid_by_use(self, template: Template) -> None:
        for table in resources(template, TABLE).values():
            assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


class TestUsers:
    def test_cannot_sign_up_themselves(self, template: Template) -> None:
        for pool in resources(template, POOL).values():
            created = pool["Properties"]["AdminCreateUserConfig"]
            assert created["AllowAdminCreateUserOnly"] is True

    def test_cannot_change_whose_calls_they_read(self, template: Template) -> None:
        for client in resources(template, CLIENT).values():
            # Without the list a user may write every attribute.
            assert client["Properties"]["WriteAttributes"] == ["email"]
            assert "custom:clinic_id" in client["Properties"]["ReadAttributes"]

    def test_are_admins_or_customers(self, template: Template) -> None:
        groups = resources(template, "AWS::Cognito::UserPoolGroup").values()

        assert {g["Properties"]["GroupName"] for g in groups} == {"admin", "customer"}


class TestSecrets:
    def test_are_shown_to_nobody(self, template: Template) -> None:
        hidden = {n for n, p in template["Parameters"].items() if p.get("NoEcho") is True}

        assert hidden == SECRET_PARAMETERS

    def test_stand_in_the_one_secret_only(self, template: Template) -> None:
        where = {
            name
            for name, resource in template["Resources"].items()
            if SECRET_PARAMETERS & mentioned(resource)
        }

        assert where == {"TwilioSecret"}
        assert not SECRET_PARAMETERS & mentioned([template["Globals"], template["Outputs"]])


def test_every_parameter_says_what_it_is_and_is_used(template: Template) -> None:
    used = mentioned([template[part] for part in ("Globals", "Resources", "Outputs")])
    conditions = str(template["Conditions"])

    for name, parameter in template["Parameters"].items():
        assert parameter["Description"].endswith((".", ")")), name
        assert name in used or name in conditions, name
