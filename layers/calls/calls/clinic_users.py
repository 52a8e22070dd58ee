"""The people who read a clinic's calls, in Cognito."""

from calls.aws import client, name_of


class AlreadyExists(Exception):
    """A user with this address exists already."""


def invite(email: str, clinic_id: str) -> str:
    """Create a clinic's user, who gets a temporary password by mail; the username."""
    cognito = client("cognito-idp")
    pool = name_of("USER_POOL_ID")
    try:
        answer = cognito.admin_create_user(
            UserPoolId=pool,
            Username=email,
            DesiredDeliveryMediums=["EMAIL"],
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "custom:clinic_id", "Value": clinic_id},
            ],
        )
    except cognito.exceptions.UsernameExistsException as error:
        raise AlreadyExists from error
    username = str(answer["User"]["Username"])
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName="customer")
    return username
