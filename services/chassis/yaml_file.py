"""Reads a YAML file that a person wrote. What is wrong is one line that names the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

Parsed = TypeVar("Parsed")


def read(path: Path, parse: Callable[[Any], Parsed], error: type[Exception]) -> Parsed:
    """Returns what ``parse`` makes of the plain data in ``path``.

    Args:
        path: the file.
        parse: raises ``error`` for data that breaks a rule.
        error: what is raised for an unreadable file too, always with the file's name.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except OSError as problem:
        raise error(f"{path}: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise error(f"{path}: not YAML: {' '.join(str(problem).split())}") from None
    try:
        return parse(document)
    except error as problem:
        raise error(f"{path}: {problem}") from None
