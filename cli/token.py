"""`hemline token`: an enriched token for scripts and grpcurl, and what stands in one."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
import typer

from cli import output
from cli.problems import Problem, report_errors
from cli.session import sign_in

TIMES = ("iat", "nbf", "exp", "auth_time")
UNVERIFIED = "The signature was not verified: these are claims, not facts."


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(token)
    group.command("inspect")(inspect)
    app.add_typer(group, name="token")


def token(
    context: typer.Context,
    *,
    user: Annotated[str, typer.Option(help="E-mail of an account of the local world.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="With home region and expiry.")] = False,
) -> None:
    """Sign in and print an enriched token: T=$(hemline token --user EMAIL)."""
    if context.invoked_subcommand is not None:
        return
    if not user:
        raise typer.BadParameter("whose token? Give --user EMAIL.", context)
    with report_errors():
        session = sign_in(user)
        if not as_json:
            typer.echo(session.token)
            return
        answer = {
            "token": session.token,
            "expires_in_seconds": session.expires_in_seconds,
            "home_region": session.home_region,
            "home_endpoint": session.home_endpoint,
        }
        output.print_json(answer)


def inspect(
    text: Annotated[
        str, typer.Argument(metavar="[TOKEN|-]", help="A token; - or nothing reads it from input.")
    ] = "-",
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show the claims of a token, without checking its signature."""
    with report_errors():
        if text == "-":
            if sys.stdin.isatty():
                raise Problem("no token", "give one, or pipe one in")
            text = sys.stdin.read()
        header, claims = _read(text)
        if as_json:
            shown = {"verified": False, "header": header, "claims": claims}
            output.print_json(shown)
            return
        typer.echo(UNVERIFIED)
        typer.echo(_table({**header, **claims}, datetime.now(UTC)))


def _read(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns header and claims. Never the signature, which is what makes a token usable."""
    bare = text.strip().removeprefix("Bearer ").strip()
    try:
        parts = jwt.decode_complete(bare, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Problem("not a token", "want three parts of base64url with dots between") from None
    return parts["header"], parts["payload"]


def _table(claims: dict[str, Any], now: datetime) -> str:
    width = max(len(name) for name in claims)
    return "\n".join(f"{name:<{width}}  {_shown(name, claims[name], now)}" for name in claims)


def _shown(name: str, value: Any, now: datetime) -> str:
    if name in TIMES and isinstance(value, (int, float)):
        try:
            moment = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return str(value)
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({_distance(moment, now)})"
    if isinstance(value, list):
        return " ".join(map(str, value))
    # One line a claim, whatever stands in it; a terminal obeys control characters.
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def _distance(moment: datetime, now: datetime) -> str:
    seconds = round((moment - now).total_seconds())
    minutes, rest = divmod(abs(seconds), 60)
    length = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"in {length}" if seconds > 0 else f"{length} ago"
