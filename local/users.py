"""The user pool as its operator uses it: users, their groups, passwords and tokens."""

from local.deployed import Deployed


def create_admin(deployed: Deployed, email: str, *, invited: bool) -> None:
    """An invited admin gets a first password by e-mail from Cognito."""
    pool = deployed.outputs["UserPoolId"]
    cognito = deployed.client("cognito-idp")
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=email,
        UserAttributes=[
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ],
        **({"DesiredDeliveryMediums": ["EMAIL"]} if invited else {"MessageAction": "SUPPRESS"}),
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName="admin")


def set_password(deployed: Deployed, username: str, password: str) -> None:
    deployed.client("cognito-idp").admin_set_user_password(
        UserPoolId=deployed.outputs["UserPoolId"],
        Username=username,
        Password=password,
        Permanent=True,
    )


def id_token(deployed: Deployed, username: str, password: str) -> str:
    answer = deployed.client("cognito-idp").admin_initiate_auth(
        UserPoolId=deployed.outputs["UserPoolId"],
        ClientId=deployed.outputs["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
