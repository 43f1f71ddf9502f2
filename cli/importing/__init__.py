"""`hemline import`: sales and stock from files, checked row by row, all or nothing."""

from cli.importing.commands import register

__all__ = ["register"]
