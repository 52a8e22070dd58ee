"""The people who read a clinic's calls, in Cognito."""

from calls.aws import AwsError, client, name_of


class AlreadyExists(Exception):
    """A user with this address exists already."""


class NotAnAddress(Exception):
    """Cognito takes this for no e-mail address."""


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
    except cognito.exceptions.InvalidParameterException as error:
        raise NotAnAddress from error
    username = str(answer["User"]["Username"])
    try:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName="customer")
    except AwsError:
        # Outside the group the user may do nothing, and a second try would find them existing.
        cognito.admin_delete_user(UserPoolId=pool, Username=username)
        raise
    return username
