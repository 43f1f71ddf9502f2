"""The `hemline` command: every module registers what it offers."""

import sys
from importlib import import_module
from types import MappingProxyType

import typer

MODULES = MappingProxyType(
    {
        "world": ("up", "status", "down", "logs"),
        "promote": ("promote",),
        "chaos": ("chaos",),
        "certificates": ("certificates",),
        "drain": ("drain", "undrain"),
        "policy": ("policy",),
        "regions": ("regions", "proxies"),
        "explain": ("explain-route",),
        "trace": ("trace",),
        "token": ("token",),
        "tenant": ("tenant",),
        "importing": ("import",),
        "season": ("seed", "season"),
        "forecast": ("forecast",),
        "job": ("job",),
        "override": ("override",),
        "backtest": ("backtest",),
        "stock": ("stock",),
        "verify": ("verify", "receipt"),
    }
)
"""The commands of each module, in the order of the help."""


def main() -> None:
    app(sys.argv[1] if len(sys.argv) > 1 else "")()


def app(asked: str = "") -> typer.Typer:
    """The application with the module of the command ``asked``, or with all if none has it.

    All of them take half a second to import, which is more than most commands take to run.
    """
    made = typer.Typer(
        name="hemline",
        help="Residency-strict retail analytics: the world on one machine, and a client for it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    # With one command alone typer would leave its name out.
    made.callback()(_nothing)
    for module in [name for name, commands in MODULES.items() if asked in commands] or MODULES:
        import_module(f"cli.{module}").register(made)
    return made


def _nothing() -> None:
    pass
