"""Who can sign in at the local provider: a file of accounts, and the calls to the provider.

The file holds passwords, random and of use nowhere else, so only its owner may read it. The
provider forgets everything when it stops and is filled from the file when it starts again.
"""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploy.local import atomic

CALL_SECONDS = 5
SIGN_IN = "AWSCognitoIdentityProviderService.InitiateAuth"
REFUSED = ("UserNotFoundException", "NotAuthorizedException")
# Cognito's default policy asks for a capital, a small letter, a digit and a symbol.
PASSWORD_PREFIX = "Aa1!"  # noqa: S105


class AccountsError(Exception):
    """An account or the provider is not as it should be. The message says what, in one line."""


class ProviderDown(AccountsError):
    """The provider does not answer."""


@dataclass(frozen=True, slots=True)
class Account:
    email: str
    password: str
    jurisdiction: str

    def __repr__(self) -> str:
        return f"Account({self.jurisdiction})"


@dataclass(frozen=True, slots=True)
class Pool:
    """The user pool of one jurisdiction, as it runs."""

    jurisdiction: str
    endpoint: str  # URL of the local provider.
    region: str
    pool_id: str
    client_id: str


def read(path: Path) -> tuple[Account, ...]:
    """Returns the accounts of ``path``, by e-mail; none if there is no such file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ()
    try:
        accounts = [Account(**entry) for entry in json.loads(text)]
    except (ValueError, TypeError):
        raise AccountsError(f"{path}: want a list of email, password, jurisdiction") from None
    return tuple(sorted(accounts, key=lambda account: account.email))


def add(path: Path, email: str, jurisdiction: str) -> Account:
    """Adds an account with a random password, or returns the one that is there.

    Raises:
        AccountsError: the e-mail has an account in another jurisdiction.
    """
    email = email.strip().lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        accounts = read(path)
        for account in accounts:
            if account.email == email and account.jurisdiction == jurisdiction:
                return account
            if account.email == email:
                raise AccountsError(
                    f"{email} signs in in {account.jurisdiction} already, not in {jurisdiction}"
                )
        made = Account(email, PASSWORD_PREFIX + secrets.token_urlsafe(24), jurisdiction)
        entries = [asdict(account) for account in (*accounts, made)]
        atomic.write(path, json.dumps(entries, indent=1))
    return made


def pools(providers_file: Path) -> dict[str, Pool]:
    """Reads the running pools, by jurisdiction, from what the provider wrote at its start.

    Raises:
        ProviderDown: there is no such file, so no provider has started here.
    """
    try:
        document = yaml.safe_load(providers_file.read_text("utf-8"))
    except FileNotFoundError:
        raise ProviderDown("no sign-in provider has been started") from None
    try:
        return {
            entry["jurisdiction"]: Pool(
                jurisdiction=entry["jurisdiction"],
                client_id=entry["client_id"],
                **entry["local"],
            )
            for entry in document["providers"]
            if "local" in entry
        }
    except (KeyError, TypeError):
        raise AccountsError(f"{providers_file}: not as the local provider writes it") from None


def pool(providers_file: Path, jurisdiction: str) -> Pool:
    """Returns the running pool of ``jurisdiction``. Raises AccountsError if there is none."""
    found = pools(providers_file)
    if jurisdiction not in found:
        raise AccountsError(f"{jurisdiction} has no local sign-in provider")
    return found[jurisdiction]


def register(pool: Pool, account: Account) -> None:
    """Makes ``account`` known to the running provider, its e-mail verified. Idempotent.

    Raises:
        ProviderDown: it does not answer.
    """
    attributes = {"email": account.email, "email_verified": "true"}
    with _calling(pool) as cognito:
        with suppress(cognito.exceptions.UsernameExistsException):
            cognito.admin_create_user(
                UserPoolId=pool.pool_id,
                Username=account.email,
                UserAttributes=[{"Name": name, "Value": attributes[name]} for name in attributes],
                MessageAction="SUPPRESS",
            )
        cognito.admin_set_user_password(
            UserPoolId=pool.pool_id,
            Username=account.email,
            Password=account.password,
            Permanent=True,
        )


def sign_in(pool: Pool, account: Account) -> str:
    """Signs in with the account's password. Returns the ID token.

    Raises:
        ProviderDown: the provider does not answer.
        AccountsError: it refuses the account, answers strangely, or is not called by plain HTTP.
    """
    asked = {
        "ClientId": pool.client_id,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": account.email, "PASSWORD": account.password},
    }
    status, answer = _posted(pool, asked)
    match answer:
        case {"AuthenticationResult": {"IdToken": str(token)}} if status == HTTPStatus.OK:
            return token
        case {"__type": str(kind)} if status != HTTPStatus.OK:
            code = kind.rpartition("#")[2]  # It may stand behind a namespace.
        case _:
            raise _unexpected(status)
    if code in REFUSED:
        raise AccountsError("the sign-in provider refuses the account's password")
    raise _refused(code)


def _posted(pool: Pool, asked: object) -> tuple[int, object]:
    """Status and body of the answer to a call of sign-in.

    Nobody signs this call, so plain HTTP will do. Most commands make it, and the AWS SDK takes a
    fifth of a second to import.
    """
    url = urlsplit(pool.endpoint)
    if url.scheme != "http":  # It would get the password in the clear.
        raise AccountsError(f"the sign-in provider at {pool.endpoint} is not local: want http://")
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": SIGN_IN}
    with closing(HTTPConnection(url.netloc, timeout=CALL_SECONDS)) as connection:
        try:
            connection.request("POST", "/", json.dumps(asked), headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            raise _down(pool) from None
    try:
        return response.status, json.loads(body)
    except ValueError:
        raise _unexpected(response.status) from None


def client(endpoint: str, region: str) -> Any:
    """A Cognito client of the local provider, deaf to the AWS account of whoever runs it."""
    # Half a second to import, which commands that never sign in need not wait for.
    import boto3
    import botocore.session
    from botocore.config import Config

    # Neither the user's AWS_PROFILE nor their files; an empty entry names no variable to read.
    unread = (None, None, None, None)
    session = botocore.session.Session(session_vars={"profile": unread, "config_file": unread})
    return boto3.session.Session(
        botocore_session=session,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - loopback; the provider checks no signature.
    ).client(
        "cognito-idp",
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=CALL_SECONDS,
            read_timeout=CALL_SECONDS,
            retries={"total_max_attempts": 2},
            proxies={},
        ),
    )


@contextmanager
def _calling(pool: Pool) -> Iterator[Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    cognito = client(pool.endpoint, pool.region)
    try:
        yield cognito
    except BotoCoreError:
        raise _down(pool) from None
    except ClientError as error:
        raise _refused(error.response.get("Error", {}).get("Code", "unknown")) from None
    finally:
        cognito.close()


def _down(pool: Pool) -> ProviderDown:
    return ProviderDown(f"the sign-in provider at {pool.endpoint} does not answer")


def _refused(code: str) -> AccountsError:
    return AccountsError(f"the sign-in provider refuses the call: {code}")


def _unexpected(status: int) -> AccountsError:
    return AccountsError(f"unexpected answer of the sign-in provider (status {status})")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps two writers of ``path`` apart. The lock ends with its process."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
