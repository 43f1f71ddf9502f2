"""The `hemline` command: every module of this package registers what it offers."""

import typer

from cli import (
    certificates,
    chaos,
    drain,
    explain,
    forecast,
    importing,
    policy,
    promote,
    regions,
    season,
    stock,
    tenant,
    token,
    trace,
    verify,
    world,
)


def main() -> None:
    app = typer.Typer(
        name="hemline",
        help="Residency-strict retail analytics: the world on one machine, and a client for it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for module in (
        world,
        promote,
        chaos,
        certificates,
        drain,
        policy,
        regions,
        explain,
        trace,
        token,
        tenant,
        importing,
        season,
        forecast,
        stock,
        verify,
    ):
        module.register(app)
    app()
