"""What is left of an exception in a log line."""

import sys
from typing import Any

import pytest

from services.chassis.scrub import exception_frames


@pytest.mark.parametrize("how", ["exception", "exc_info"])
def test_a_logged_exception_is_its_class_and_frames_without_its_text(how: str) -> None:
    try:
        int("a secret")
    except ValueError:
        # `log.exception` passes True, and others the three parts.
        given: Any = True if how == "exception" else sys.exc_info()
        left = exception_frames(None, "error", {"event": "call_failed", "exc_info": given})
    assert left["exception"] == "ValueError"
    assert "test_scrub.py" in left["frames"][-1]
    assert "a secret" not in str(left)


@pytest.mark.parametrize("given", [None, False])
def test_no_exception_is_nothing(given: Any) -> None:
    assert exception_frames(None, "info", {"event": "ready", "exc_info": given}) == {
        "event": "ready"
    }
